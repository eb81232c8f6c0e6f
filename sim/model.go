package sim

import (
	"maps"
	"time"

	"carillon/engine"
)

// fact is what a person's own client knows of a part of the engine's state:
// what was acknowledged, and what was asked for and has no answer yet. There
// is one writer per fact, and it waits for the answer.
type fact[T any] struct{ now, next *T }

// possible lists what may hold.
func (f *fact[T]) possible() []*T {
	if f.next == nil {
		return []*T{f.now}
	}
	return []*T{f.now, f.next}
}

// settled returns what holds, nil if that is open.
func (f *fact[T]) settled() *T {
	if f.next != nil {
		return nil
	}
	return f.now
}

// profile is what a person wants, as the client knows it. It is never changed
// in place.
type profile struct {
	exists    bool
	zone      string
	loc       *time.Location
	reminders bool
	leads     []int32
	quiet     engine.Quiet
	policy    engine.QuietPolicy
	limit     int32
	allDayAt  int16
	urgent    bool
	phone     string
	verified  bool
	paused    bool
}

// quietAt is T4, read off the wall clock of the zone.
func (p *profile) quietAt(at engine.Millis) bool {
	if !p.quiet.Set {
		return false
	}
	t := time.UnixMilli(at).In(p.loc)
	m, start, end := t.Hour()*60+t.Minute(), int(p.quiet.Start), int(p.quiet.End)
	if start < end {
		return start <= m && m < end
	}
	return m >= start || m < end
}

// quietWithin reports whether quiet hours begin so soon behind an instant.
func (p *profile) quietWithin(at, d engine.Millis) bool {
	for in := engine.Millis(0); in < d; in += minute {
		if p.quietAt(at + in) {
			return true
		}
	}
	return p.quietAt(at + d)
}

// date is the local date, as a number that grows by one a day.
func (p *profile) date(at engine.Millis) int64 {
	y, m, d := time.UnixMilli(at).In(p.loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// consent is what a person said last about texts. A carrier that refuses
// because of its own list may have told the engine so.
type consent uint8

const (
	optedIn consent = iota
	optedOut
	perhapsOut
)

// bar is when the carrier last refused a hand-over for its own list, and when
// such a refusal is heard at the latest.
type bar struct{ called, heard engine.Millis } // true time

// behind reports whether the engine may have heard such a refusal behind a
// START that was asked for then, and whose answer may have come long after it
// was carried out. The carrier's list knows of no START by API. One by text
// ends the block of its number, and outweighs what was handed over before it.
func (b bar) behind(start engine.Millis, text bool) bool {
	return b.called >= start || !text && b.heard >= start
}

// calEvent is one event of a calendar. It is never changed in place.
type calEvent struct {
	engine.CalendarEvent
	token   string // the first word of the title; another title has another one
	deleted bool
	synced  bool          // this start has been synced once
	known   engine.Millis // true time of the acknowledgement
}

// wanted reports whether P3 lets reminders of the event be.
func (e *calEvent) wanted() bool {
	return !e.deleted && e.Sync != engine.SyncCanceled && e.Response != engine.ResponseDeclined && !e.Free && e.synced
}

// forgotten is how long what has ended is kept in mind: longer than a clock
// that jumps, a restore, or a carrier's queue reaches back.
const forgotten = 4 * day

// calendar holds events by id; a change makes another one.
type calendar map[string]*calEvent

// with leaves out what ended long ago: nothing is said about it any more.
func (c calendar) with(e *calEvent, now engine.Millis) calendar {
	out := make(calendar, len(c)+1)
	for id, old := range c {
		if old.last() > now-forgotten {
			out[id] = old
		}
	}
	out[e.ID] = e
	return out
}

// custom is one reminder that came by API.
type custom struct {
	token    string
	id       string // empty until it is known
	sendAt   engine.Millis
	expires  engine.Millis
	priority engine.Priority
	canceled bool
}

type customs map[string]*custom

// with leaves out what expired long ago, unless its text came since (said, by token):
// a SNOOZE brings it again, and another SNOOZE that one.
func (c customs) with(x *custom, now engine.Millis, said map[string]engine.Millis) customs {
	out := make(customs, len(c)+1)
	for token, old := range c {
		if max(old.expires, said[token]) > now-forgotten {
			out[token] = old
		}
	}
	out[x.token] = x
	return out
}

// model is what the clients of all people knew at an instant, for a restore.
type model struct {
	at     engine.Millis
	people []personModel
	paused pauseState
	known  map[string]bool // reminders
	// senders are the numbers that people are texted from, by the journal.
	senders map[string]string
}

type personModel struct {
	prof profile
	out  consent
	cal  calendar
	cus  customs
	life int
	gone uint64

	follows follows
}

// remember returns what the clients know, nil while one waits for an answer.
func (w *world) remember() *model {
	m := &model{at: w.now, paused: w.paused, known: map[string]bool{}, senders: maps.Clone(w.pool.of)}
	for _, p := range w.people {
		if p.busy() {
			return nil
		}
		m.people = append(m.people, personModel{*p.prof.now, p.out, *p.cal.now, *p.cus.now, p.life, p.erased, p.follows.copied()})
	}
	for _, u := range w.audit.shadow {
		for i := range u.Reminders {
			m.known[u.Reminders[i].ID] = true
		}
	}
	return m
}
