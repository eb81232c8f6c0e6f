package engine

import "fmt"

// Command is a request to one user's state. It may be refused.
//
//sumtype:decl
type Command interface{ command() }

// Put is the command that stores an event, which stays the caller's.
func Put(e CalendarEvent) PutEvent { return PutEvent{Event: &e} }

// String implements fmt.Stringer: what is quarantined and what tells one change from
// another has the event, not where it lies.
func (p PutEvent) String() string { return fmt.Sprintf("{Event:%+v}", *p.Event) }

// Opt is a value that may be absent: a merge-patch leaves what it does not
// name.
type Opt[T any] struct {
	Set   bool
	Value T
}

// Some returns a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

type (
	// UpdateUser creates, replaces or patches a user. With Replace, what is
	// absent takes its default, except the number: a number that was
	// confirmed is not dropped by a body that does not name it.
	UpdateUser struct {
		Create      bool // a user that does not exist is created
		Replace     bool
		Phone       Opt[string] // E.164, or empty for none
		Zone        Opt[string]
		Reminders   Opt[bool]
		Leads       Opt[[]int32]
		Quiet       Opt[Quiet]
		QuietPolicy Opt[QuietPolicy]
		DailyLimit  Opt[int32]
		AllDayAt    Opt[int16]
		AllowUrgent Opt[bool]
	}
	// EraseUser erases the person (N6).
	EraseUser struct{}
	// AttestPhone takes a number as verified on an administrator's word.
	AttestPhone struct{ Phone string }
	// StartVerification records that a code is wanted for a number.
	StartVerification struct{ Phone string }
	// ConfirmVerification makes the pending number the verified one.
	ConfirmVerification struct{ Phone string }
	// SetConsent opts the person out or in (N5).
	SetConsent struct {
		OptOut bool
		By     string
		Reason string
	}
	// PauseUser holds the user's reminders back or lets them go (S8).
	PauseUser struct{ Paused bool }
	// PutEvent stores a calendar event and plans it at once (P2). The event is the
	// engine's from then on, and nobody changes it any more.
	PutEvent struct{ Event *CalendarEvent }
	// DeleteEvent removes a calendar event and cancels what was pending (C2).
	DeleteEvent struct {
		ID         string
		Version    int64
		HasVersion bool
	}
	// SyncEvents is a full sync: it deletes what it does not name in
	// [Start, End) (C1).
	SyncEvents struct {
		Start, End Millis
		Events     []CalendarEvent
	}
	// CreateReminder schedules a custom reminder (P10). ExpiresAt 0 means one
	// hour after SendAt.
	CreateReminder struct {
		Text      string
		SendAt    Millis
		ExpiresAt Millis
		Priority  Priority
	}
	// CancelReminder ends a pending reminder through the API.
	CancelReminder struct{ ID string }
	// SendNow makes a pending reminder due at once; every check of S1 holds.
	SendNow struct{ ID string }
	// Wake does what time has made due: day plans, offers to the outbox,
	// look-ups, staleness.
	Wake struct{}
	// Recover follows a load from the journal: a hand-over that was begun and
	// has no outcome becomes uncertain. BackupAt is set while the store is one
	// restored from a backup made at that instant. Settled: everything that was
	// due since has been accounted for, and only what was with the carrier at
	// the backup is to be known as that. Ahead: something of theirs was recorded
	// since, so that this load is not the first one behind the restore.
	Recover struct {
		BackupAt Millis
		Settled  bool
		Ahead    bool
	}
	// HandOver asks for the text of a reminder whose turn at the carrier has
	// come, and starts the attempt (S1, S2).
	HandOver struct{ ReminderID string }
	// RecordOutcome is what the carrier answered to a hand-over (S3).
	RecordOutcome struct {
		MessageID string
		Kind      OutcomeKind
		Status    MessageStatus
		SID       string
		Failure   Failure
		Cause     string
	}
	// RecordComposition is what the composer answered (X4). Content comes from
	// the Compose effect; Text is looked at before it is believed.
	RecordComposition struct {
		ReminderID       string
		Content          uint64
		Outcome          ComposeOutcome
		Cause            string // one line about another outcome than ComposeOK
		Text             string
		Model            string
		PromptTokens     int32
		CachedTokens     int32
		CompletionTokens int32
		CostMicros       int64
		Priced           string
	}
	// RecordSighting is what the carrier answered to a look-up.
	RecordSighting struct {
		MessageID string
		Kind      SightingKind
		SID       string
		Status    MessageStatus
		Failure   Failure
		Wait      Millis // SightingEarly only: how much longer the carrier is to be given
	}
	// ReportDelivery is a status callback (D1).
	ReportDelivery struct {
		MessageID string
		SID       string
		Status    MessageStatus
		Failure   Failure
	}
	// ReceiveText is an inbound text (N3). OptOut is the carrier's own
	// classification (OptOutType), empty if it made none.
	ReceiveText struct {
		SID    string
		Text   string
		OptOut string
	}
	// ConnectCalendar follows a calendar of the person (SPEC 9). Every 0 means the
	// default.
	ConnectCalendar struct {
		Kind    CalendarKind
		Source  string
		Token   string
		Access  bool
		Self    string
		Private bool
		Every   Millis
	}
	// DisconnectCalendar follows it no longer, and its events go.
	DisconnectCalendar struct{ ID string }
	// RefreshCalendar has a calendar read soon. Told: its source says that it has
	// changed, through that channel and with its token.
	RefreshCalendar struct {
		ID             string
		Told           bool
		Channel, Token string
	}
	// RecordCalendar is what came of reading a calendar. Whole: Events are all
	// that begin in [Start, End); else they are what has changed, and Gone what is
	// not there any more. With a Problem it could not be read; Final: and will not
	// be before it is connected anew.
	RecordCalendar struct {
		ID          string
		ConnectedAt Millis // of the connection that was read
		BegunAt     Millis // when reading it began
		Zone        string // that it was read in
		Whole       bool
		Start, End  Millis
		Events      []CalendarEvent // with the source's ids
		Gone        []string
		Cursor      string
		Channel     Channel
		Problem     string
		Cause       string
		Final       bool
		RetryAfter  Millis
	}
	// Quarantine records a command that panicked twice.
	Quarantine struct{ Command, Input, Cause string }

	// GetUser reads the user.
	GetUser struct{}
	// GetEvent reads one calendar event.
	GetEvent struct{ ID string }
	// GetCalendars reads the connected calendar of that id, or all.
	GetCalendars struct{ ID string }
	// GetReminder reads one reminder with its messages.
	GetReminder struct{ ID string }
	// ListReminders reads reminders in order of creation, after the one of
	// that id. Status StatusNone means all.
	ListReminders struct {
		Status ReminderStatus
		After  string
		Limit  int
	}
	// PreviewPlan computes the plan of a local date as P1 would at its
	// midnight, and changes nothing.
	PreviewPlan struct{ Date Date }
	// ReadNotice reads what a notice is about (SPEC 9).
	ReadNotice struct{ ReminderID string }
)

// OutcomeKind is what is known of a hand-over when the call is over.
type OutcomeKind uint8

// The outcomes; the zero value is not a no.
const (
	OutcomeUncertain OutcomeKind = iota
	OutcomeAccepted
	OutcomeRefused
	OutcomeRecorded
	OutcomeNotMade // the carrier was not called
)

// SightingKind is what a look-up told.
type SightingKind uint8

// The answers; the zero value proves nothing.
const (
	SightingUnknown SightingKind = iota
	SightingFound
	SightingAbsent
	SightingEarly // it does not know it, and reconcile_after may not be over by a clock that nobody sets
)

func (UpdateUser) command()          {}
func (EraseUser) command()           {}
func (AttestPhone) command()         {}
func (StartVerification) command()   {}
func (ConfirmVerification) command() {}
func (SetConsent) command()          {}
func (PauseUser) command()           {}
func (PutEvent) command()            {}
func (DeleteEvent) command()         {}
func (SyncEvents) command()          {}
func (CreateReminder) command()      {}
func (CancelReminder) command()      {}
func (SendNow) command()             {}
func (Wake) command()                {}
func (Recover) command()             {}
func (HandOver) command()            {}
func (RecordOutcome) command()       {}
func (RecordSighting) command()      {}
func (RecordComposition) command()   {}
func (ReportDelivery) command()      {}
func (ReceiveText) command()         {}
func (ConnectCalendar) command()     {}
func (DisconnectCalendar) command()  {}
func (RefreshCalendar) command()     {}
func (RecordCalendar) command()      {}
func (GetCalendars) command()        {}
func (Quarantine) command()          {}
func (GetUser) command()             {}
func (GetEvent) command()            {}
func (GetReminder) command()         {}
func (ListReminders) command()       {}
func (PreviewPlan) command()         {}
func (ReadNotice) command()          {}

// Call is a command for somebody, under its caller's key if it has one, and
// what came of it: Reply, or the machine's fault in Err.
type Call struct {
	UserID  string
	Cmd     Command
	Key     string
	KeyHash uint64

	Reply Reply
	Err   error
}
