package engine

import "carillon/engine/sms"

// Reply answers a command. Replies are copies: what they share with the user's
// state is never changed, only replaced.
//
//sumtype:decl
type Reply interface{ reply() }

// RefusalKind sorts refusals by what the caller can do about them.
type RefusalKind uint8

// The kinds of refusal; the HTTP layer maps each to one status.
const (
	RefusedInvalid  RefusalKind = iota // the input is wrong: 422
	RefusedNotFound                    // 404
	RefusedConflict                    // 409
	RefusedTooMany                     // 429, with RetryAfter
)

// Refusal codes: stable, on the wire as the problem's code.
const (
	CodeUserNotFound      = "user_not_found"
	CodeEventNotFound     = "event_not_found"
	CodeReminderNotFound  = "reminder_not_found"
	CodeMessageNotFound   = "message_not_found"
	CodeUnknownZone       = "unknown_timezone"
	CodeInvalidField      = "invalid_field"
	CodeMissingField      = "missing_field"
	CodeStartAfterEnd     = "start_after_end"
	CodeTooManyEvents     = "too_many_events"
	CodeTooManyReminders  = "too_many_reminders"
	CodeReminderEnded     = "reminder_ended"
	CodeReminderInFlight  = "reminder_in_flight"
	CodeIdempotencyReused = "idempotency_key_reused"
	CodeRateLimited       = "rate_limited"
	CodeNoVerification    = "no_verification_pending"
	CodePhoneTaken        = "phone_taken"
	CodeOptedOutByCarrier = "opted_out"
	CodeCalendarNotFound  = "calendar_not_found"
	CodeTooManyCalendars  = "too_many_calendars"
	CodeCalendarStopped   = "calendar_stopped"
	CodeCalendarsEvent    = "event_of_calendar"
	CodeBadToken          = "bad_token"
)

type (
	// Refusal says no, why, and which field is to blame. Nothing has changed.
	Refusal struct {
		Kind       RefusalKind
		Code       string
		Field      string // JSON name of the field, if one is to blame
		Detail     string // one sentence for a developer
		RetryAfter Millis // milliseconds; RefusedTooMany only
	}
	// Done answers a command that has nothing to show.
	Done struct{}
	// UserReply shows a user.
	UserReply struct {
		User    UserView
		Created bool
	}
	// CalendarReply shows a connected calendar.
	CalendarReply struct {
		Calendar Calendar
		Created  bool
		Deleted  int // events that went with it
	}
	// CalendarsReply lists them.
	CalendarsReply struct{ Items []Calendar }
	// EventReply shows a calendar event. Ignored is set when an older version
	// was acknowledged and not stored, Unchanged when nothing was new.
	EventReply struct {
		Event              *CalendarEvent
		UpdatedAt          Millis
		Created            bool
		Unchanged, Ignored bool
	}
	// SyncReply counts what a full sync did.
	SyncReply struct{ Created, Updated, Deleted, Unchanged, Ignored int }
	// ReminderReply shows one reminder.
	ReminderReply struct {
		Reminder ReminderView
		Created  bool
	}
	// RemindersReply shows a page; Next is empty on the last one.
	RemindersReply struct {
		Items []ReminderView
		Next  string
	}
	// NoticeReply shows the reminder of a notice; nil if it has none any more.
	NoticeReply struct{ Reminder *ReminderView }
	// PlanReply shows a day's plan.
	PlanReply struct{ Plan Plan }
	// HandOverReply carries the message to send, or says why none is.
	HandOverReply struct {
		Message *Outgoing
		Reason  Reason
	}
	// CompositionReply says what a composition was worth.
	CompositionReply struct {
		Outcome ComposeOutcome
		Why     string
	}
	// TextReply answers an inbound text: Keyword is its kind, empty for none;
	// Answer is a text back. Those to stop, start and help are for carriers
	// that don't answer them.
	TextReply struct {
		Keyword string
		Answer  string
	}
	// VerificationReply says which number a code is to be sent to or checked
	// for.
	VerificationReply struct {
		Phone    string
		Repeated bool // the same Idempotency-Key again: no second code is owed
	}
)

// Outgoing is a message on its way to the carrier.
type Outgoing struct {
	UserID     string
	ReminderID string
	MessageID  string
	To         string
	Sender     string // the number or service that it comes from; empty: the carrier's only one, or nobody knows
	Text       string
	Segments   int32
	CreatedAt  Millis
	ValidUntil Millis
	Due        Millis
	// Others are the carrier's ids of the person's other messages, for a
	// look-up by text: the same text may have been sent before. Set in LookUp
	// only.
	Others []string
}

// UserView is a user as shown.
type UserView struct {
	ID           string
	Phone        string
	Verified     bool
	PendingPhone string
	OptedOut     bool
	Paused       bool
	Zone         string
	Prefs        Preferences
	Date         Date  // the accounting date
	Count        int32 // places spent on it
	Reserved     int32 // places held on it
	CreatedAt    Millis
	UpdatedAt    Millis
}

// ReminderView is a reminder as shown. Preview is the text as it stands: the
// last message's, or the template's if there is none yet.
type ReminderView struct {
	Reminder
	UserID   string
	Zone     string
	Preview  string
	Via      Via
	Encoding sms.Encoding
	Segments int32
}

// Plan is a day's plan as it would be made at that midnight (P1).
type Plan struct {
	Date       Date
	Zone       string
	Start, End Millis
	Limit      int32
	Items      []PlanItem
}

// PlanItem is one lead of one event, or one custom reminder, in a plan.
type PlanItem struct {
	EventID    string
	ReminderID string
	Title      string
	Lead       int32
	Due        Millis
	Scheduled  bool
	Reason     Reason
	Text       string
}

func (Refusal) reply()           {}
func (Done) reply()              {}
func (UserReply) reply()         {}
func (CalendarReply) reply()     {}
func (CalendarsReply) reply()    {}
func (EventReply) reply()        {}
func (SyncReply) reply()         {}
func (ReminderReply) reply()     {}
func (RemindersReply) reply()    {}
func (PlanReply) reply()         {}
func (NoticeReply) reply()       {}
func (HandOverReply) reply()     {}
func (CompositionReply) reply()  {}
func (TextReply) reply()         {}
func (VerificationReply) reply() {}
