package sim

import (
	"slices"
	"strings"

	"carillon/engine"
	"carillon/wal"
)

// follows is what is known of a person's connected calendars. That a reading was
// taken in, the journal says; what it had said, the source. It is never
// changed in place.
type follows struct {
	cals    []following
	events  calendar // by the engine's ids: CALENDAR_ID:ID (docs/calendars.md)
	changes int64    // so far
	zone    string   // the person's
}

// following is one connected calendar.
type following struct {
	id string
	of *source
	polling
	stopped bool   // its access was taken back: it is not read before it is connected anew
	healed  int    // how often it was read since everything has healed
	behind  string // what was not as it is at its source then
}

// of is how a source is followed; nil: it is not.
func (f *follows) of(c *source) *following {
	for i := range f.cals {
		if f.cals[i].of == c {
			return &f.cals[i]
		}
	}
	return nil
}

// copied is what stays as it is when these go on.
func (f *follows) copied() follows {
	return follows{slices.Clone(f.cals), f.events, f.changes, f.zone}
}

func (f *follows) named(id string) *following {
	for i := range f.cals {
		if f.cals[i].id == id {
			return &f.cals[i]
		}
	}
	return nil
}

// set puts in events, or others in their place.
func (f *follows) set(changed []*calEvent, wall engine.Millis) {
	if len(changed) == 0 {
		return
	}
	next := make(calendar, len(f.events)+len(changed))
	for id, e := range f.events {
		if e.last() > wall-forgotten {
			next[id] = e
		}
	}
	for _, e := range changed {
		next[e.ID] = e
	}
	f.events = next
	f.changes++
}

// follow brings what is known of connected calendars up to a record that was
// flushed, and holds the events that the journal has against it.
func (a *audit) follow(p *person, r wal.Record, events []engine.Event) {
	touched := false
	at := min(r.At-a.w.skew, a.w.now)
	if a.w.proc == nil && a.w.died != 0 {
		at = min(at, a.w.died) // who died behind the flush decided it before, and the clock may have jumped since
	}
	for _, e := range events {
		switch e := e.(type) { //nolint:gochecksumtype // the others are about no events
		case engine.EventPut, engine.EventDeleted:
			touched = true
		case engine.ProfileSet:
			p.moved(e.Zone)
		case engine.UserErased:
			p.follows = follows{changes: p.follows.changes + 1}
		case engine.CalendarConnected:
			a.connected(p, at, e.Calendar)
		case engine.CalendarDisconnected:
			touched = true
			a.disconnected(p, e.ID)
		case engine.CalendarFailed:
			touched = true
			a.recordedWhileFull(p, e.ID)
			a.unread(p, at, e)
		case engine.CalendarRead:
			touched = true
			a.recordedWhileFull(p, e.ID)
			a.read(p, at, e)
		}
	}
	if touched {
		a.holds(p, r.Seq)
	}
}

func (a *audit) connected(p *person, at engine.Millis, k engine.Calendar) {
	f := p.follows.named(k.ID)
	if f == nil {
		p.follows.cals = append(slices.Clone(p.follows.cals), following{id: k.ID, of: a.w.sources.byName[k.Source]})
		f = p.follows.named(k.ID)
	}
	if f.of == nil || f.of.p != p {
		a.fail("followed", p, "%s is followed, and nobody has connected it (SPEC 9)", k.Source)
	}
	f.stopped = false
	f.connect(at, k.Every)
}

// unread: a source that can't be read deletes nothing.
func (a *audit) unread(p *person, at engine.Millis, e engine.CalendarFailed) {
	f := p.follows.named(e.ID)
	if f == nil {
		return
	}
	f.failed(at, f.of.askedAt, f.of.patience)
	if f.of.refused {
		f.stopped = true
		p.asks.soon(a.w.sources.d.about(min(p.asks.every, 6*hour)))
	}
}

// disconnected is C2: a calendar's events go with it.
func (a *audit) disconnected(p *person, id string) {
	p.follows.cals = slices.DeleteFunc(slices.Clone(p.follows.cals), func(f following) bool { return f.id == id })
	var gone []*calEvent
	for _, e := range p.follows.events {
		if isOf(e.ID, id) && !e.deleted {
			gone = append(gone, e.removed())
		}
	}
	p.follows.set(gone, a.w.wall())
}

// moved: what feeds say without a zone is meant where the person is now.
func (p *person) moved(zone string) {
	if p.follows.zone == zone {
		return
	}
	p.follows.zone = zone
	for i := range p.follows.cals {
		if c := p.follows.cals[i].of; c.kind == engine.CalendarICS {
			p.expectRead(c, p.w.now)
			p.expectReadIn(c, zone)
		} else {
			c.hurry()
		}
	}
}

func isOf(event, calendar string) bool {
	id, _, ok := strings.Cut(event, ":")
	return ok && id == calendar
}

func (e *calEvent) removed() *calEvent {
	gone := *e
	gone.deleted, gone.synced = true, false
	return &gone
}

// read is C1 for a reading: all that begins in its window is as it says; or
// what has changed is, and what is gone went.
func (a *audit) read(p *person, at engine.Millis, e engine.CalendarRead) {
	f, r := p.follows.named(e.ID), a.w.sources.readings[e.Cursor]
	if f == nil || r == nil || r.of != f.of {
		a.fail("followed", p, "a reading of calendar %s is recorded, and its source has not said that (%q)", e.ID, e.Cursor)
		return
	}
	named, changed := map[string]bool{}, []*calEvent(nil)
	for _, said := range r.events {
		id := f.id + ":" + said.ID
		named[id] = true
		if was := p.follows.events[id]; was != nil && !was.deleted && alike(&was.CalendarEvent, &said.CalendarEvent) {
			continue
		}
		is := *said
		is.ID, is.known = id, a.w.now
		changed = append(changed, &is)
	}
	for id, was := range p.follows.events {
		if isOf(id, f.id) && !was.deleted && !named[id] && a.without(p, r, was, id[len(f.id)+1:]) {
			changed = append(changed, was.removed())
		}
	}
	f.worked(at, r.begun)
	p.follows.set(changed, a.w.wall())
	for _, is := range changed {
		if !is.deleted {
			p.expectEvent(is)
		}
	}
	if a.w.healedAt == 0 || r.begun < a.w.healedAt {
		return
	}
	if f.healed++; f.healed < 3 || f.behind != "" { // nothing changes there any more
		f.behind = a.behind(p, f, r)
	}
}

// without reports whether an event that a reading does not name is not there. Of
// one of whole days that begins in the window in one zone and not in another the
// journal says it: the person has moved since the source was asked.
func (a *audit) without(p *person, r *reading, e *calEvent, id string) bool {
	if !r.whole {
		return slices.Contains(r.gone, id) || slices.Contains(r.gone, seriesOf(id))
	}
	in := within(e, r)
	for _, q := range p.prof.possible() {
		if at := e.begins(q.loc); e.AllDay && in != (r.start <= at && at < r.end) {
			stored := a.shadow[p.id].Events
			at := slices.IndexFunc(stored, func(s engine.StoredEvent) bool { return s.ID == e.ID })
			return at < 0 || stored[at].Deleted
		}
	}
	return in
}

// alike reports whether two events say the same; ids and versions are not said.
func alike(a, b *engine.CalendarEvent) bool {
	return a.Title == b.Title && a.Location == b.Location && a.Link == b.Link && a.Start == b.Start && a.End == b.End && a.AllDay == b.AllDay &&
		a.Date == b.Date && a.EndDate == b.EndDate && a.Free == b.Free && a.Response == b.Response && a.Sync == b.Sync
}

// holds is what the journal has of connected calendars against what their
// sources have said: a source that can't be read deletes nothing, and nothing but
// its own readings changes a calendar's events.
func (a *audit) holds(p *person, seq uint64) {
	u, live := a.shadow[p.id], 0
	for i := range u.Events {
		s := &u.Events[i]
		want := p.follows.events[s.ID]
		switch {
		case strings.HasPrefix(s.ID, callers):
			continue
		case want == nil && (s.Deleted || last(s.CalendarEvent) <= a.w.wall()), want != nil && want.last() <= a.w.wall():
			continue
		case want == nil:
			a.fail("followed", p, "behind record %d there is %s, %q, which no reading has named (SPEC 9)", seq, s.ID, s.Title)
		case want.deleted != s.Deleted:
			a.fail("followed", p, "behind record %d %s, %q, is there: %t, and by what its source has said: %t (SPEC 9)", seq, s.ID, want.Title, !s.Deleted, !want.deleted)
		case !want.deleted && !alike(&want.CalendarEvent, s.CalendarEvent):
			a.fail("followed", p, "behind record %d %s is %+v, and its source has said %+v (SPEC 9)", seq, s.ID, s.CalendarEvent, want.CalendarEvent)
		}
		if !s.Deleted {
			live++
		}
	}
	for _, e := range p.follows.events {
		if !e.deleted && e.last() > a.w.wall() {
			live--
		}
	}
	if live < 0 {
		a.fail("followed", p, "behind record %d %d events are not there that their sources have said (SPEC 9)", seq, -live)
	}
}

// callers is how the ids of callers' events begin.
const callers = "ev-"

// behind says how what is followed differs from its source, of what begins in
// the window that is documented; empty: it does not.
func (a *audit) behind(p *person, f *following, r *reading) string {
	q := p.prof.now
	today := q.date(r.wall)
	from, to := dayBegins(today, q.loc), dayBegins(today+followedDays-1, q.loc) // the last day may have come in since it was asked for
	left := map[string]bool{}
	for id, e := range p.follows.events {
		if at := e.begins(q.loc); isOf(id, f.id) && !e.deleted && from <= at && at < to {
			left[id] = true
		}
	}
	for id, there := range f.of.now() {
		e := there.in(q.loc)
		if at := e.begins(q.loc); at < from || at >= to {
			continue
		}
		id = f.id + ":" + id
		if !left[id] || !alike(&p.follows.events[id].CalendarEvent, &e.CalendarEvent) {
			return id + " is not as it is at its source"
		}
		delete(left, id)
	}
	for id := range left {
		return id + " is not at its source any more"
	}
	return ""
}

// followedDays is how far ahead a calendar is followed (docs/calendars.md).
const followedDays = 31

// caughtUp is that a calendar is as it is at its source, once both can speak
// again for longer than the longest wait between two readings.
func (a *audit) caughtUp(p *person) {
	for i := range p.follows.cals {
		f := &p.follows.cals[i]
		switch {
		case f.stopped:
		case f.healed == 0:
			a.fail("polled", p, "calendar %s was not read since everything has healed (SPEC 9)", f.id)
		case f.behind != "":
			a.fail("followed", p, "everything has healed, and %s (SPEC 9)", f.behind)
		}
	}
}
