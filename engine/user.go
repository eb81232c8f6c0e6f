package engine

import "carillon/engine/sms"

// Instants in this package are Unix milliseconds, UTC (SPEC T1). Local dates
// are days since 1970-01-01 of the proleptic Gregorian calendar, in the
// user's zone.
type (
	// Millis is an instant: milliseconds since 1970-01-01T00:00:00Z.
	Millis = int64
)

// Date is a local calendar date: days since 1970-01-01.
type Date int32

const (
	second Millis = 1000
	minute        = 60 * second
	hour          = 60 * minute
)

// QuietPolicy says what becomes of a reminder instant in quiet hours (P4).
type QuietPolicy uint8

// The quiet policies of SPEC P4; later is the default.
const (
	QuietLater QuietPolicy = iota
	QuietEarlier
	QuietSkip
)

// Quiet is a wall-clock window [Start, End) in minutes after midnight in the
// user's zone (T4). Set is false for "no quiet hours". Start > End spans
// midnight; Start == End is refused before it gets here.
type Quiet struct {
	Set        bool
	Start, End uint16
}

// Preferences are what the person wants.
type Preferences struct {
	Reminders   bool
	Leads       []int32 // minutes before the start, 1..10080, 1 to 4 distinct, ascending
	Quiet       Quiet
	QuietPolicy QuietPolicy
	DailyLimit  int32 // 0..100
	AllDayAt    int16 // minutes after local midnight for all-day reminders; NoAllDay for none
	AllowUrgent bool  // urgent reminders may break quiet hours
}

// NoAllDay in Preferences.AllDayAt means that all-day events are skipped.
const NoAllDay int16 = -1

// DefaultPreferences are the defaults of SPEC 9: reminders stay off until
// somebody asks for them.
func DefaultPreferences() Preferences {
	return Preferences{
		Leads:      []int32{15},
		Quiet:      Quiet{Set: true, Start: 22 * 60, End: 8 * 60},
		DailyLimit: 10,
		AllDayAt:   NoAllDay,
	}
}

// SyncStatus is what the source says of an event: only Synced plans, only
// Canceled cancels.
type SyncStatus uint8

// The sync states of SPEC 9.
const (
	SyncSynced SyncStatus = iota
	SyncPending
	SyncFailed
	SyncCanceled
)

// Response is the person's answer to the invitation.
type Response uint8

// The responses a calendar knows. Only a declined one keeps a reminder back.
const (
	ResponseNone Response = iota
	ResponseAccepted
	ResponseTentative
	ResponseDeclined
	ResponseNeedsAction
)

// CalendarEvent is one event of one user's calendar. Start and End are
// instants; an all-day event has Date and EndDate (exclusive) instead.
//
// One that was put is never changed, only replaced: its record, the state and
// replies share it.
type CalendarEvent struct {
	ID          string
	Title       string
	Location    string
	Description string
	Link        string
	Attendees   []string
	Start, End  Millis
	Date        Date // all-day only: first day
	EndDate     Date // all-day only: the day after the last
	AllDay      bool
	Free        bool
	HasVersion  bool
	Response    Response
	Sync        SyncStatus
	Version     int64 // integer version, or updated_at in milliseconds; see HasVersion
}

// StoredEvent is a calendar event in a user's state. A deleted one stays as a
// tombstone so that an older version can't bring it back (C1).
type StoredEvent struct {
	*CalendarEvent
	Deleted   bool
	UpdatedAt Millis
	Skips     []Skip // what was said last about each lead, so that it is said once
}

// Skip is what was decided last about one lead of an event.
type Skip struct {
	Lead   int32
	Occ    Millis
	Reason Reason
}

// ReminderType tells a calendar's reminder from one that came by API.
type ReminderType uint8

// The reminder types.
const (
	EventReminder ReminderType = iota
	CustomReminder
)

// Priority orders reminders when a day has fewer places than reminders.
type Priority uint8

// The priorities; event reminders are normal.
const (
	PriorityLow Priority = iota
	PriorityNormal
	PriorityHigh
	PriorityUrgent
)

// ReminderStatus is where a reminder stands. Delivered, Failed and Canceled
// end it, as does Sent when no further news comes.
type ReminderStatus uint8

// Reminder states (SPEC 7). Queued is the shell's: due, and waiting for the
// sender's pace; no state in the journal.
const (
	StatusNone ReminderStatus = iota
	StatusScheduled
	StatusQueued
	StatusSending
	StatusUncertain
	StatusSent
	StatusDelivered
	StatusFailed
	StatusCanceled
	statusCount
)

var statusNames = [statusCount]string{
	"", "scheduled", "queued", "sending", "uncertain", "sent", "delivered", "failed", "cancelled",
}

// String returns the status' name on the wire.
func (s ReminderStatus) String() string {
	if s < statusCount {
		return statusNames[s]
	}
	return "unknown"
}

// ParseReminderStatus returns the status of that wire name.
func ParseReminderStatus(name string) (ReminderStatus, bool) {
	for i, n := range statusNames {
		if i > 0 && n == name {
			return ReminderStatus(i), true
		}
	}
	return StatusNone, false
}

// Reminder is the intent to text a user once.
//
// There are millions of them: the small fields stand together, and what most
// of them never have is behind a pointer to a value that is replaced, never
// changed. A user's list of them grows one by one, so it has pointers: to double
// it moves eight bytes for each.
type Reminder struct {
	*PlannedReminder        // as it was last planned, or moved since; never nil
	RetryAt          Millis // when the next hand-over may begin; 0: at Due
	Attempts         int32
	Reserved         bool // holds a place on On
	Spent            bool // the place on On is used up
	Status           ReminderStatus
	Reason           Reason
	CancelAsked      Reason // a cancel that came while a hand-over was under way
	Messages         []Message
	LastError        *Failure     // nil: none
	Composed         *Composition // what the composer made of it (X4); nil: nothing yet
	CreatedAt        Millis
	UpdatedAt        Millis
	SentAt           Millis
	DeliveredAt      Millis
	CanceledAt       Millis
	ConfirmedAt      Millis // when the person confirmed it (N4)
}

// Message is one hand-over of a reminder to the carrier.
type Message struct {
	ID          string
	SID         string // the carrier's id, once known
	To          string // E.164 at the time of the attempt
	Sender      string // the number or service that it came from (S6)
	Text        string
	Via         Via
	Encoding    sms.Encoding
	Segments    int32
	Status      MessageStatus
	Error       Failure
	ValidUntil  Millis
	CreatedAt   Millis
	UpdatedAt   Millis
	SentAt      Millis
	DeliveredAt Millis
	LookupAt    Millis // when to ask the carrier next: of an uncertain message (S3), or what became of it (D5); 0: not
	Absent      int32  // how often the carrier did not know it
	Restored    bool   // it is from before a restore: the engine that ran on may have tried again (S3)
	NotMade     bool   // the carrier was not called: it counts for no hand-over (S4)
}

// Via is what wrote a text.
type Via uint8

// The writers of texts; caller is the author of a custom reminder.
const (
	ViaTemplate Via = iota
	ViaLLM
	ViaCaller
)

// Day is the user's current local day.
type Day struct {
	Date       Date   // local date in the user's zone
	Start, End Millis // [first instant of Date, first instant of the next)
	// Account is the date that the daily limit is kept on: like Date, but it
	// never goes back when the zone does (P5).
	Account Date
}

// DayCount is how many places of a date are spent.
type DayCount struct {
	On    Date
	Spent int32
}

// UsedKey is an Idempotency-Key that was answered.
type UsedKey struct {
	Key  string
	Hash uint64 // of the request, so that the same key with another body is refused
	Ref  string // what the first request made
	At   Millis
}

// User is everything carillon knows of one person. It is owned by one actor
// and changed by Apply alone.
//
// What every decision looks at stands first, in two lines of the cache: most
// people have left it when something of theirs is due.
type User struct {
	EventSeq  uint64 // domain events applied so far; numbers the timeline
	UpdatedAt Millis
	Exists    bool
	Verified  bool
	OptedOut  bool
	Paused    bool
	Day       Day
	Reminders []*Reminder // in order of creation
	Calendars []Calendar  // that are followed, in order of connection
	Spent     []DayCount  // ascending by date; the last few dates only

	Phone     string
	Sender    string // the number or service that the person's texts come from (S6)
	ID        string
	Zone      string
	Prefs     Preferences
	CreatedAt Millis
	Events    []StoredEvent // ascending by ID

	PendingPhone string    // being verified; Phone works until it is confirmed (N2)
	StartedAt    Millis    // when they last texted START (N3)
	Fence        Millis    // the last restore that was accounted for
	Starts       []Millis  // verification starts of the last hour
	Keys         []UsedKey // in order of use
}
