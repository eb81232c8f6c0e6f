package engine

import (
	"strconv"
	"time"
)

// Policy is the part of the configuration that decisions depend on.
type Policy struct {
	RetryBase      Millis        // S4; 60 s by default
	ReconcileAfter Millis        // S3; 30 s by default
	OnUncertain    UncertainRule // S3
	ConfirmAfter   Millis        // D5: how long without a final status before the carrier is asked; 1 h by default, 0 for never
	ConfirmFor     Millis        // D5: how long it is asked; 72 h by default
	MaxSegments    int           // X2; 1 by default
	Compose        bool          // X4: texts are asked of a composer before they are due
	ComposeAhead   Millis        // X4: how long before; 2 min by default, 15 min at most
	Keep           Millis        // how long ended reminders and events stay in the state; 7 days by default
	MaxEvents      int           // calendar events per user
	MaxReminders   int           // reminders per user that have not ended
	CalendarDays   int           // SPEC 9: how far ahead connected calendars are read, in local days; 31 by default
	Senders        []string      // S6: the pool of numbers, or the service, that texts come from; none: the carrier's only one has no name
}

// UncertainRule is the setting on_uncertain (S3).
type UncertainRule uint8

// The rules for a hand-over whose answer was lost.
const (
	Reconcile UncertainRule = iota // ask the carrier; again only if it is absent twice
	Hold                           // never again
	Resend                         // at once; may duplicate
)

// DefaultPolicy returns the defaults of SPEC 10.
func DefaultPolicy() Policy {
	return Policy{
		RetryBase:      60 * second,
		ReconcileAfter: 30 * second,
		ConfirmAfter:   hour,
		ConfirmFor:     72 * hour,
		MaxSegments:    1,
		ComposeAhead:   2 * minute,
		Keep:           7 * 24 * hour,
		MaxEvents:      10_000,
		MaxReminders:   10_000,
		CalendarDays:   31,
	}
}

// MaxAttempts is the most hand-overs that a reminder gets over all paths (S4).
const MaxAttempts = 3

// Env is the world as one decision sees it.
type Env struct {
	Now    Millis
	Zone   func(name string) (*time.Location, error) // an unknown zone is an error, never UTC (T1)
	Policy Policy
	Draw   uint64 // this decision's random bits, for jitter

	// RanOn is until when another engine may have run on whose store was lost, and
	// have sent what is not known here; 0: none has.
	RanOn Millis

	// Restores is how often the store came out of a backup.
	Restores uint64

	// Scratch, if it is not nil, is used by this decision alone while it lasts.
	Scratch *Scratch

	// Settled, if it is not nil, is what earlier decisions on this user found
	// out. It needs the same policy each time.
	Settled *Settled

	// Key is the caller's Idempotency-Key, empty for none; KeyHash is of the
	// request that came with it.
	Key     string
	KeyHash uint64
}

// Effect is work owed to the outside world once the events are durable. It is
// derived from state: after a crash the same Wake gives it again. Key names
// it, so that the outbox does it once at a time.
//
//sumtype:decl
type Effect interface {
	Key() string
	effect()
}

type (
	// Offer asks the outbox for a turn at the carrier; it comes back as
	// HandOver.
	Offer struct {
		UserID, ReminderID string
		Due, Deadline      Millis
		Priority           Priority
		Sender             string // whose turn it waits for (S6)
		Attempts           int32  // hand-overs that it has had
	}
	// LookUp asks the carrier whether it has a message (S3), or what became
	// of one that it has (D5): then SID is set. Since is the earliest that the
	// carrier can have taken it, by its clock.
	LookUp struct {
		Message Outgoing
		SID     string
		Since   Millis
	}
	// Compose asks the composer for a text before it is due (X4). Nobody waits
	// for it; it comes back as RecordComposition.
	Compose struct {
		UserID, ReminderID string
		Content            uint64
		Due                Millis
		Brief              Brief
	}
	// ReadCalendar asks for a followed calendar to be read (SPEC 9), from the
	// person's today on. It comes back as RecordCalendar.
	ReadCalendar struct {
		UserID, Zone string
		Calendar     Calendar
		Start, End   Millis // the window
	}
)

func (Offer) effect()   {}
func (LookUp) effect()  {}
func (Compose) effect() {}

func (ReadCalendar) effect() {}

// Key names the effect.
func (o Offer) Key() string { return o.ReminderID }

// Key names the effect.
func (l LookUp) Key() string { return l.Message.MessageID }

// Key names the effect: a content is composed once.
func (c Compose) Key() string {
	return "compose " + c.ReminderID + " " + strconv.FormatUint(c.Content, 36)
}

// Key names the effect: a connection is read once at a time.
func (r ReadCalendar) Key() string { return r.Calendar.ID }

// Decision is what a command led to. Events are applied to the user already;
// nothing else has happened yet: reply and effects may leave only when the
// events are durable.
type Decision struct {
	Events  []Event
	Effects []Effect
	Reply   Reply
}
