package engine

import "strings"

// CalendarKind is where a connected calendar comes from.
type CalendarKind uint8

// The kinds of connected calendars.
const (
	CalendarICS    CalendarKind = iota // a feed in iCalendar's form
	CalendarGoogle                     // Google Calendar
	calendarKindCount
)

// String returns the kind's name on the wire.
func (k CalendarKind) String() string {
	if k < calendarKindCount {
		return [...]string{"ics", "google"}[k]
	}
	return "unknown"
}

// Calendar is a calendar that is followed for a person (SPEC 9). Its events
// are the person's, with ids of its own: ID, a colon, and the id that the
// source gave.
type Calendar struct {
	ID      string
	Kind    CalendarKind
	Source  string // the feed's URL; or the calendar's id at Google, "primary" for the person's own
	Token   string // Google: what access is asked with
	Access  bool   // Token gives access itself, and can't be renewed
	Self    string // mail address whose answers to invitations count; Google knows it itself
	Private bool   // the words of events that are marked private may be texted
	Every   Millis // how often it is read

	ConnectedAt Millis
	NextAt      Millis // when it is read next; 0: not before it is connected anew
	AskedAt     Millis // when somebody last said that it has changed
	ReadAt      Millis // when it was last read; 0: never
	WholeAt     Millis // when its whole window was last read
	Cursor      string // where the source's changes go on
	Failures    int32  // readings in a row that failed
	Problem     string // why the last one did; empty: it did not
	Channel     Channel
}

// Channel is how the source tells that a calendar has changed; the zero value
// is that it does not. Token proves that it was the source.
type Channel struct {
	ID, Resource, Token string
	Until               Millis
}

// Bounds of how often a calendar is read, and the default.
const (
	MinCalendarEvery     = 5 * minute
	MaxCalendarEvery     = 24 * hour
	DefaultCalendarEvery = 15 * minute
)

// maxCalendars is how many calendars of one person are followed.
const maxCalendars = 20

// Why a calendar could not be read: stable, on the wire as a calendar's
// problem. The others come from its source.
const (
	ProblemTooMany = "too_many_events"
	ProblemPanic   = "internal"
)

// calendarID derives a calendar's id: connecting one twice gives one. The
// person's birth tells it from that of somebody who had the user id before.
func calendarID(userID string, k CalendarKind, source string, born Millis) string {
	return digest("c_", "calendar", userID, source, int64(k), born)
}

// ofCalendar is what an id of a calendar's event begins with.
func ofCalendar(id string) string { return id + ":" }

// Follows reports whether an event comes from a connected calendar; else it is
// a caller's.
func (u *User) Follows(eventID string) bool {
	if len(u.Calendars) == 0 {
		return false
	}
	id, _, _ := strings.Cut(eventID, ":")
	return u.connected(id) != nil
}

func (u *User) connected(id string) *Calendar {
	for i := range u.Calendars {
		if u.Calendars[i].ID == id {
			return &u.Calendars[i]
		}
	}
	return nil
}

// connectCalendar follows a calendar from now on. One that is followed already
// takes the new token and is read at once.
func (t *turn) connectCalendar(c ConnectCalendar) Reply {
	id := calendarID(t.u.ID, c.Kind, c.Source, t.u.CreatedAt)
	known := t.u.connected(id)
	if known == nil && len(t.u.Calendars) >= maxCalendars {
		return conflict(CodeTooManyCalendars, "a person has 20 calendars at most")
	}
	e := CalendarConnected{Calendar: Calendar{
		ID: id, Kind: c.Kind, Source: c.Source, Token: c.Token, Access: c.Access, Self: c.Self, Private: c.Private,
		Every: c.Every, ConnectedAt: t.env.Now, NextAt: t.env.Now,
	}}
	if e.Calendar.Every == 0 {
		e.Calendar.Every = DefaultCalendarEvery
	}
	t.emit(e)
	return CalendarReply{Calendar: *t.u.connected(id), Created: known == nil}
}

// disconnectCalendar follows a calendar no longer. Its events go, and what
// pended for them with them (C2).
func (t *turn) disconnectCalendar(id string) Reply {
	c := t.u.named(id)
	if c == nil {
		return noCalendar()
	}
	id = c.ID
	reply := CalendarReply{Calendar: *c}
	t.emit(CalendarDisconnected{ID: id})
	for _, gone := range t.eventsOf(id, func(*StoredEvent) bool { return true }) {
		t.emit(EventDeleted{ID: gone})
		reply.Deleted++
	}
	t.replan()
	return reply
}

// named is connected for who may also say "ics" or "google", if the person has
// one calendar of that kind.
func (u *User) named(id string) *Calendar {
	if k := u.connected(id); k != nil {
		return k
	}
	var only *Calendar
	for i := range u.Calendars {
		if k := &u.Calendars[i]; k.Kind.String() == id {
			if only != nil {
				return nil
			}
			only = k
		}
	}
	return only
}

func noCalendar() Refusal { return notFound(CodeCalendarNotFound, "no such calendar") }

// eventsOf lists the ids of a calendar's events that are there and asked for.
func (t *turn) eventsOf(id string, wanted func(*StoredEvent) bool) []string {
	var out []string
	prefix := ofCalendar(id)
	from, _ := t.u.findEvent(prefix)
	for i := from; i < len(t.u.Events) && strings.HasPrefix(t.u.Events[i].ID, prefix); i++ {
		if s := &t.u.Events[i]; !s.Deleted && wanted(s) {
			out = append(out, s.ID)
		}
	}
	return out
}

func (t *turn) getCalendars(id string) Reply {
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	if id != "" {
		c := t.u.named(id)
		if c == nil {
			return noCalendar()
		}
		return CalendarReply{Calendar: *c}
	}
	return CalendarsReply{Items: append([]Calendar{}, t.u.Calendars...)}
}

// refreshWait is how long a calendar that has changed is left alone: its
// source tells of one change several times.
const refreshWait = 2 * second

// refreshCalendar has a calendar read that is said to have changed.
func (t *turn) refreshCalendar(c RefreshCalendar) Reply {
	k := t.u.named(c.ID)
	switch {
	case k == nil:
		return noCalendar()
	case c.Told && (k.Channel.ID == "" || !sameSecret(k.Channel.Token, c.Token) || k.Channel.ID != c.Channel):
		return Refusal{Kind: RefusedInvalid, Code: CodeBadToken, Field: "X-Goog-Channel-Token", Detail: "this is not the channel's token"}
	case k.NextAt == 0:
		return conflict(CodeCalendarStopped, "this calendar is not read any more; connect it anew")
	}
	at := t.env.Now + refreshWait
	underWay := k.NextAt <= t.env.Now && k.AskedAt < t.env.Now // it may have said what it has before this
	if k.NextAt > at || underWay {
		t.emit(CalendarAsked{ID: k.ID, NextAt: min(at, k.NextAt)})
	}
	return CalendarReply{Calendar: *k}
}

// readAnew has every calendar read once more: what a feed says without a zone is
// meant in the person's.
func (t *turn) readAnew() {
	for i := range t.u.Calendars {
		if k := &t.u.Calendars[i]; k.NextAt != 0 {
			t.emit(CalendarAsked{ID: k.ID, NextAt: t.env.Now})
		}
	}
}

// sameSecret compares without telling by the time that it takes how much of a
// guess is right.
func sameSecret(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	var differ byte
	for i := range len(a) {
		differ |= a[i] ^ b[i]
	}
	return differ == 0
}

// recordCalendar takes what came of reading a calendar. An answer about a
// connection that was made anew meanwhile is of no use: the new one is read
// itself.
func (t *turn) recordCalendar(c RecordCalendar) Reply {
	k := t.u.connected(c.ID)
	if k == nil || k.ConnectedAt != c.ConnectedAt {
		return noCalendar()
	}
	if c.Problem != "" {
		return t.calendarFailed(k, c)
	}
	e := CalendarRead{ID: k.ID, Whole: c.Whole, Cursor: c.Cursor, Channel: c.Channel, NextAt: t.readAgain(k.Every)}
	// It changed again while it was read; or the person has moved while the reading
	// waited for its turn, and what has no zone is meant where they are now.
	if k.AskedAt > c.BegunAt || c.Zone != t.u.Zone {
		e.NextAt = t.env.Now + refreshWait
	}
	gone, n := t.goneFrom(k.ID, c), SyncReply{}
	added := 0
	events := c.Events[:0:0]
	for _, event := range c.Events {
		event.ID, event.Version, event.HasVersion = ofCalendar(k.ID)+event.ID, 0, false
		if checkEvent(&event, "") != nil {
			continue
		}
		if !t.live(event.ID) {
			added++
		}
		events = append(events, event)
	}
	if !t.roomFor(added, len(gone)) {
		return t.calendarFailed(k, RecordCalendar{Problem: ProblemTooMany, BegunAt: c.BegunAt})
	}
	for _, id := range gone {
		t.emit(EventDeleted{ID: id})
		n.Deleted++
	}
	for i := range events {
		event := &events[i]
		_, how := t.store(event, true)
		n.count(how)
	}
	e.Created, e.Updated, e.Deleted = int32(n.Created), int32(n.Updated), int32(n.Deleted)
	t.emit(e)
	if n.Created+n.Updated+n.Deleted > 0 {
		t.replan()
	}
	return CalendarReply{Calendar: *k}
}

// goneFrom lists the events that a reading says are not there any more: what a
// whole window does not name, and what is named as gone. Who names a series
// means its instances too.
func (t *turn) goneFrom(id string, c RecordCalendar) []string {
	named := make(map[string]bool, len(c.Events)+len(c.Gone))
	for i := range c.Events {
		named[ofCalendar(id)+c.Events[i].ID] = true
	}
	gone := make(map[string]bool, len(c.Gone))
	for _, g := range c.Gone {
		gone[ofCalendar(id)+g] = true
	}
	return t.eventsOf(id, func(s *StoredEvent) bool {
		if named[s.ID] {
			return false
		}
		begins := t.begins(s)
		return c.Whole && c.Start <= begins && begins < c.End || gone[s.ID] || gone[seriesOf(s.ID)]
	})
}

// seriesOf is the id of the series that an instance is of: both Google and our
// reader of feeds name an instance by its series, "_", and its date.
func seriesOf(id string) string {
	i := strings.LastIndexByte(id, '_')
	if i < 0 || i+1 == len(id) || id[i+1] < '0' || '9' < id[i+1] {
		return id
	}
	return id[:i]
}

// calendarFailed notes that a calendar could not be read. It is tried again at
// twice the distance each time, or when its source says; a final problem waits
// for whoever connected it.
func (t *turn) calendarFailed(k *Calendar, c RecordCalendar) Reply {
	e := CalendarFailed{ID: k.ID, Problem: c.Problem, Cause: clip(c.Cause, maxLedgerText)}
	if !c.Final {
		again := t.readAgain(min(k.Every<<min(k.Failures, 9), MaxCalendarEvery)) // 2^9 times the least is a day
		// There is something new since.
		if k.AskedAt > c.BegunAt {
			again = t.env.Now + refreshWait
		}
		e.NextAt = max(again, t.env.Now+min(c.RetryAfter, MaxCalendarEvery))
	}
	t.emit(e)
	return CalendarReply{Calendar: *k}
}

// readAgain is an instant about that far away: calendars that were connected
// together are not read together for ever.
func (t *turn) readAgain(wait Millis) Millis { return t.env.Now + t.jittered(wait) }
