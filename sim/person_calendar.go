package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"carillon/engine"
)

var titles = []string{
	"Standup", "Dentist", "Rent is due", "Lunch with José, then a walk round the lake and back to the office before four o'clock",
	"Züge – Abfahrt", "会議の準備", "Pay “all” bills…", "1:1", "Flight ✈ to Kathmandu", "Review",
}

// chooseCalendar draws what happens to the person's calendar next.
func (p *person) chooseCalendar() *op {
	if !p.exists() {
		return nil
	}
	d := p.w.d
	live := p.pickEvent(func(e *calEvent) bool { return !e.deleted })
	if live == nil || d.chance(p.w.pace.fresh) {
		return p.put(p.newEvent())
	}
	e := *live
	switch x := d.intn(100); {
	case p.w.pace.answers > 0 && d.chance(p.w.pace.answers):
		p.respond(d, &e)
	case x < 20:
		p.place(d, &e)
	case x < 35:
		p.title(d, &e)
	case x < 42:
		e.End += 10 * minute // nothing is composed anew for it (C4)
	case x < 50:
		e.Location, e.Link = pick(d, "", "Room 7", "Café Łódź"), pick(d, "", "https://meet.example/x1")
	case x < 65:
		return p.deleteEvent(live)
	case x < 70:
		e.Response = pick(d, engine.ResponseNone, engine.ResponseAccepted, engine.ResponseDeclined)
	case x < 74:
		e.Free = !e.Free
	case x < 80:
		e.Sync = pick(d, engine.SyncSynced, engine.SyncPending, engine.SyncFailed, engine.SyncCanceled)
	case x < 86:
		if gone := p.pickEvent(func(e *calEvent) bool { return e.deleted }); gone != nil {
			e = *gone
			e.deleted = false
			p.title(d, &e)
		}
	case x < 92:
		return p.sync()
	}
	return p.put(&e)
}

// respond has an event wanted, not wanted, confirmed, or not confirmed yet.
func (p *person) respond(d draw, e *calEvent) {
	switch d.intn(3) {
	case 0:
		e.Response = pick(d, engine.ResponseAccepted, engine.ResponseDeclined)
	case 1:
		e.Free = !e.Free
	case 2:
		e.Sync = pick(d, engine.SyncSynced, engine.SyncPending)
	}
}

// pickEvent draws one of those that have not ended, in their order.
func (p *person) pickEvent(ok func(*calEvent) bool) *calEvent {
	from, wall := p.w.events[:0], p.w.wall()
	for _, e := range *p.cal.now {
		if e.last() > wall && ok(e) {
			from = append(from, e)
		}
	}
	p.w.events = from
	if len(from) == 0 {
		return nil
	}
	slices.SortFunc(from, func(a, b *calEvent) int { return strings.Compare(a.ID, b.ID) }) // the map has no order
	return from[p.w.d.intn(len(from))]
}

func (e *calEvent) last() engine.Millis { return last(&e.CalendarEvent) }

func last(e *engine.CalendarEvent) engine.Millis {
	if e.AllDay {
		return int64(e.EndDate)*day + day
	}
	return max(e.Start, e.End)
}

func (p *person) newEvent() *calEvent {
	p.tokens++
	e := &calEvent{CalendarEvent: engine.CalendarEvent{ID: fmt.Sprintf("ev-%d-%d", p.life, p.tokens)}}
	p.place(p.w.d, e)
	p.title(p.w.d, e)
	return e
}

// place gives the event a time: most are soon, some begin at the worst moment
// of the day.
func (p *person) place(d draw, e *calEvent) {
	wall, before := p.w.wall(), *e
	defer func() { // the time that it has is no other one (P3)
		e.synced = before.synced && e.AllDay == before.AllDay && e.Start == before.Start && e.Date == before.Date
	}()
	if d.chance(p.w.pace.allDay) {
		e.AllDay, e.Start, e.End = true, 0, 0
		e.Date = engine.Date(p.prof.now.date(wall) + d.between(0, 3))
		e.EndDate = e.Date + engine.Date(d.between(1, 3))
		return
	}
	e.AllDay, e.Date, e.EndDate = false, 0, 0
	e.Start = wall + pick(d, d.between(2, 30)*minute, d.between(20, 600)*minute, d.between(1, 72)*hour)
	switch d.intn(3) {
	case 0:
		e.Start -= e.Start % (15 * minute)
	case 1:
		e.Start -= e.Start % minute
	}
	if d.chance(0.15) { // around the person's midnight
		y, m, day := time.UnixMilli(e.Start).In(p.prof.now.loc).Date()
		e.Start = time.Date(y, m, day+1, 0, int(d.between(-5, 30)), 0, 0, p.prof.now.loc).UnixMilli()
	}
	e.End = e.Start + d.between(0, 120)*minute
}

// title gives the event another title. Its first word is found nowhere else.
func (p *person) title(d draw, e *calEvent) {
	p.tokens++
	e.token = fmt.Sprintf("e%dx%d", p.n, p.tokens)
	e.Title = strings.TrimSpace(e.token + " " + pick(d, titles...))
}

// stamp gives the event the calendar's next version.
func (p *person) stampVersion(e *calEvent) {
	if p.versioned {
		p.version++
		e.Version, e.HasVersion = p.version, true
	}
	e.synced = e.synced || e.Sync == engine.SyncSynced
}

// put stores an event. What was true before may come again later: it is older,
// and must change nothing (C1).
func (p *person) put(e *calEvent) *op {
	w := p.w
	p.stampVersion(e)
	before := (*p.cal.now)[e.ID]
	o := change(&p.cal, p.cal.now.with(e, p.w.wall()), engine.Put(e.CalendarEvent))
	settle := o.settle
	o.settle = func(reply engine.Reply, refused bool) {
		e.known = w.now
		settle(reply, refused)
		if refused {
			w.audit.fail("refusal", p, "an event is refused: %+v", reply)
		}
		if r, ok := reply.(engine.EventReply); ok && r.Ignored {
			w.audit.fail("version", p, "the newest version of %s is ignored (C1)", e.ID)
		}
		if before != nil && p.versioned && !before.deleted && w.faults.hit(StaleVersion, 0.2) {
			old := before.CalendarEvent
			if w.d.chance(0.4) { // or another event under a version that is known: as good as old
				old = e.CalendarEvent
				old.Title = "x" + old.Title
			}
			p.repeatLater(&op{cmd: engine.Put(old)}, hour)
		}
		p.expectEvent(e)
	}
	return o
}

func (p *person) deleteEvent(e *calEvent) *op {
	gone := *e
	gone.deleted, gone.synced = true, false
	cmd := engine.DeleteEvent{ID: e.ID}
	if p.versioned && p.w.d.chance(0.7) {
		p.version++
		gone.Version = p.version
		cmd.Version, cmd.HasVersion = p.version, true
	}
	o := change(&p.cal, p.cal.now.with(&gone, p.w.wall()), cmd)
	settle := o.settle
	o.settle = func(reply engine.Reply, refused bool) {
		if refused && o.tries == 0 {
			p.w.audit.fail("acknowledged_write", p, "event %s, which was acknowledged, is not there to be deleted (W2)", e.ID)
		}
		settle(reply, false) // not found behind a lost answer: the first try has done it
		if p.versioned && p.w.faults.hit(StaleVersion, 0.3) {
			p.repeatLater(&op{cmd: engine.Put(e.CalendarEvent)}, hour)
		}
	}
	return o
}

// sync sends all of a window, leaves one event out and changes another (C1).
func (p *person) sync() *op {
	d, w := p.w.d, p.w
	from, to := w.wall(), w.wall()+d.between(6, 120)*hour
	next := make(calendar, len(*p.cal.now))
	cmd := engine.SyncEvents{Start: from, End: to}
	for _, id := range slices.Sorted(maps.Keys(*p.cal.now)) {
		e := (*p.cal.now)[id]
		next[id] = e
		at := e.Start
		if e.AllDay {
			at = dayBegins(int64(e.Date), p.prof.now.loc)
		}
		doubt := engine.Millis(0)
		if e.AllDay {
			doubt = 27 * hour // the zone may change before it gets there, and with it the day
		}
		if e.deleted || at < from-doubt || at >= to+doubt {
			continue
		}
		if at < from+doubt || at >= to-doubt {
			cmd.Events = append(cmd.Events, e.CalendarEvent)
			continue
		}
		changed := *e
		switch d.intn(6) {
		case 0:
			changed.deleted, changed.synced = true, false
			next[id] = &changed
			continue
		case 1:
			p.title(d, &changed)
			p.stampVersion(&changed)
			changed.known = w.now
			next[id] = &changed
		}
		cmd.Events = append(cmd.Events, next[id].CalendarEvent)
	}
	return change(&p.cal, next, cmd)
}

// dayBegins is T2, minute by minute: the first instant of a local date.
func dayBegins(date int64, loc *time.Location) engine.Millis {
	y, m, d := time.Unix(date*86400, 0).UTC().Date()
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Add(-27 * time.Hour).Truncate(15 * time.Minute)
	for {
		ly, lm, ld := t.In(loc).Date()
		if time.Date(ly, lm, ld, 0, 0, 0, 0, time.UTC).Unix()/86400 >= date {
			return t.UnixMilli()
		}
		t = t.Add(15 * time.Minute)
	}
}
