package engine

import "carillon/engine/sms"

// Event is a durable fact about one user. What used a policy, a zone or a
// draw is in it, so that Apply never computes it again.
//
//sumtype:decl
type Event interface{ event() }

type (
	// ProfileSet sets zone and preferences outright.
	ProfileSet struct {
		Created bool
		Zone    string
		Prefs   Preferences
	}
	// PhoneSet sets the number, whether it is verified, and the one that is
	// being verified. Had is the verified number it takes the place of.
	PhoneSet struct {
		Phone    string
		Verified bool
		Pending  string
		Had      string
		By       string // api, attest, verification, erase
	}
	// VerificationStarted says that a code was asked for.
	VerificationStarted struct{ Phone string }
	// ConsentChanged is one line of the consent ledger (N5).
	ConsentChanged struct {
		OptedOut bool
		By       string // api, sms, carrier
		Text     string // what was typed, or the caller's reason
	}
	// UserPaused holds one user's reminders back, or lets them go (S8).
	UserPaused struct{ Paused bool }
	// UserErased empties the state (N6).
	UserErased struct{}
	// PlanRan is a day plan's run record (P8) and moves the day on.
	PlanRan struct {
		Cause     Reason
		Day       Day
		Seen      int32
		Scheduled int32
		Skipped   []ReasonCount
		Forget    Millis // what ended before it leaves the state; the journal keeps it
	}
	// EventPut stores a calendar event.
	EventPut struct{ Event *CalendarEvent }
	// EventDeleted leaves a tombstone with that version.
	EventDeleted struct {
		ID         string
		Version    int64
		HasVersion bool
	}
	// ReminderPlanned creates a reminder, or brings a cancelled one back.
	ReminderPlanned struct{ Reminder *PlannedReminder }
	// ReminderMoved changes when a pending reminder leaves, or its words.
	ReminderMoved struct {
		ID         string
		Due        Millis
		Deadline   Millis
		On         Date
		Title      string
		Start, End Millis
		Reason     Reason
	}
	// ReminderSkipped says that a lead of an event makes no reminder.
	ReminderSkipped struct {
		EventID string
		Lead    int32
		Occ     Millis
		At      Millis // the instant it would have been due
		Reason  Reason
	}
	// ReminderCanceled ends a pending reminder and gives its place back.
	ReminderCanceled struct {
		ID     string
		Reason Reason
	}
	// CancelAsked notes a cancel while a hand-over is under way (S3).
	CancelAsked struct {
		ID     string
		Reason Reason
	}
	// AttemptStarted is durable before the carrier is called (S2). Assumed
	// marks one that a restored backup may have forgotten.
	AttemptStarted struct {
		ID         string
		MessageID  string
		To         string
		Text       string
		Via        Via
		Encoding   sms.Encoding
		Assumed    bool
		Segments   int32
		On         Date
		ValidUntil Millis
		Since      Millis // Assumed only: the earliest that it can have been handed over
		Sender     string // the number or service that it comes from (S6); empty: the carrier's only one, or nobody knows
	}
	// MessageAccepted says that the carrier has the message.
	MessageAccepted struct {
		ID, MessageID string
		SID           string
		Status        MessageStatus
		By            string // answer, callback, lookup
		ConfirmAt     Millis // when to ask what became of it, 0 for never (D5)
	}
	// MessageRefused says that the message is known not to be with the carrier.
	// NotMade: for the carrier was not called, so that it is none of the
	// reminder's hand-overs (S4).
	MessageRefused struct {
		ID, MessageID string
		Failure       Failure
		NotMade       bool
	}
	// MessageRecorded is the dry run's outcome (S8).
	MessageRecorded struct{ ID, MessageID string }
	// AttemptUncertain says that nobody knows whether the carrier has it.
	AttemptUncertain struct {
		ID, MessageID string
		Reason        Reason
		Cause         string
		LookupAt      Millis
	}
	// LookupDone is a look-up at the carrier that found nothing.
	LookupDone struct {
		ID, MessageID string
		Absent        bool // the carrier does not know it; false: it could not be asked
		LookupAt      Millis
	}
	// MessageReported is a delivery report that moved a message forward.
	MessageReported struct {
		ID, MessageID string
		SID           string
		Status        MessageStatus
		Failure       Failure
	}
	// TextComposed is what came of asking the composer for a reminder's text
	// (X4). Text and Phrase are set when the outcome is ComposeOK.
	TextComposed struct {
		ID               string
		Content          uint64 // sum of the Brief it was made from
		Outcome          ComposeOutcome
		Why              string // one word or line about another outcome
		Text             string
		Phrase           string
		Model            string
		PromptTokens     int32
		CachedTokens     int32
		CompletionTokens int32
		CostMicros       int64
		Priced           string // what the cost rests on: reported, or a window of the price table
	}
	// RetryPlanned makes a reminder due again.
	RetryPlanned struct {
		ID string
		At Millis
	}
	// ReminderFailed ends a reminder. KeepPlace leaves its place spent.
	ReminderFailed struct {
		ID        string
		Reason    Reason
		KeepPlace bool
	}
	// InboundReceived is a text from the person.
	InboundReceived struct {
		SID     string
		Keyword string // stop, start, help, confirm, snooze, agenda or empty
		Text    string
	}
	// ReminderConfirmed says that the person has seen a reminder (N4).
	ReminderConfirmed struct {
		ID string
		By string // sms
	}
	// KeyUsed remembers an answered Idempotency-Key.
	KeyUsed struct {
		Key  string
		Hash uint64
		Ref  string
	}
	// Fenced says that what was due since a restored backup was dealt with.
	Fenced struct{ BackupAt Millis }
	// CalendarConnected follows a calendar, or an old one in a new way.
	CalendarConnected struct{ Calendar Calendar }
	// CalendarDisconnected follows it no longer.
	CalendarDisconnected struct{ ID string }
	// CalendarAsked says that a calendar has changed, and when it is read.
	CalendarAsked struct {
		ID     string
		NextAt Millis
	}
	// CalendarRead says that a calendar was read, and what that changed.
	CalendarRead struct {
		ID                        string
		Whole                     bool
		Cursor                    string
		Channel                   Channel
		NextAt                    Millis
		Created, Updated, Deleted int32
	}
	// CalendarFailed says that it could not be read. NextAt 0: nobody tries again.
	CalendarFailed struct {
		ID      string
		Problem string
		Cause   string
		NextAt  Millis
	}
	// CommandQuarantined records a command that could not be carried out.
	CommandQuarantined struct {
		Command string // its kind
		Input   string
		Cause   string
	}
)

// PlannedReminder is what planning decides about a reminder.
//
// One that was decided is never changed, only replaced: its record and the state
// share it.
type PlannedReminder struct {
	ID       string
	EventID  string
	Title    string // the event's title when the reminder was last planned; the text of a custom one
	Type     ReminderType
	AllDay   bool
	Priority Priority
	Lead     int32 // minutes; 0 for custom and all-day reminders
	On       Date  // the accounting date on which it holds or spent its place
	// Occ is the occurrence's start: the event's start, or for an all-day
	// event its date in milliseconds as if UTC. With user, event and lead it
	// makes the id (P6).
	Occ        Millis
	Start, End Millis // of the event, for the record; 0 for custom
	Due        Millis // scheduled_for: when it shall leave
	Deadline   Millis // at and after this instant it is stale
	SnoozeOf   string // the reminder that it repeats, at the person's wish (N4)
	AskedAt    Millis // snoozed only: when they asked to have it
}

// ReasonCount is one line of a run record.
type ReasonCount struct {
	Reason Reason
	Count  int32
}

func (ProfileSet) event()          {}
func (PhoneSet) event()            {}
func (VerificationStarted) event() {}
func (ConsentChanged) event()      {}
func (UserPaused) event()          {}
func (UserErased) event()          {}
func (PlanRan) event()             {}
func (EventPut) event()            {}
func (EventDeleted) event()        {}
func (ReminderPlanned) event()     {}
func (ReminderMoved) event()       {}
func (ReminderSkipped) event()     {}
func (ReminderCanceled) event()    {}
func (CancelAsked) event()         {}
func (AttemptStarted) event()      {}
func (MessageAccepted) event()     {}
func (MessageRefused) event()      {}
func (MessageRecorded) event()     {}
func (AttemptUncertain) event()    {}
func (LookupDone) event()          {}
func (MessageReported) event()     {}
func (RetryPlanned) event()        {}
func (ReminderFailed) event()      {}
func (InboundReceived) event()     {}
func (KeyUsed) event()             {}
func (Fenced) event()              {}
func (CommandQuarantined) event()  {}
func (ReminderConfirmed) event()   {}
func (TextComposed) event()        {}

func (CalendarConnected) event()    {}
func (CalendarDisconnected) event() {}
func (CalendarAsked) event()        {}
func (CalendarRead) event()         {}
func (CalendarFailed) event()       {}
