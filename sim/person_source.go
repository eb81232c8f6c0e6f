package sim

import (
	"iter"
	"maps"
	"slices"

	"carillon/engine"
)

// chooseSource draws what is asked about the person's connected calendars.
func (p *person) chooseSource() *op {
	if !p.exists() {
		return nil
	}
	d := p.w.sources.d
	c := pick(d, p.sources...)
	f := p.follows.of(c)
	switch x := d.intn(100); {
	case f == nil, f.stopped, x < 12:
		return p.connect(c)
	case x < 24:
		return p.disconnect(c, f.id)
	case x < 60:
		return p.refresh(f)
	}
	return p.meddle(f)
}

// connect has a calendar followed, or one that is followed read in a new way.
func (p *person) connect(c *source) *op {
	w := p.w
	cmd := engine.ConnectCalendar{Kind: c.kind, Source: c.name, Every: pick(w.sources.d, w.sources.every...)}
	if c.kind == engine.CalendarGoogle {
		cmd.Token = "1//" + p.id
	}
	return &op{
		cmd: cmd, keyed: true,
		begin: func() { c.ended = false; c.hurry() }, // with a new token
		settle: func(reply engine.Reply, refused bool) {
			c.hurry()
			switch {
			case refused:
				w.audit.fail("refusal", p, "a calendar is not connected: %+v", reply)
			case p.follows.of(c) == nil:
				w.audit.fail("acknowledged_write", p, "%s, which was connected, is not followed (W2)", c.name)
			}
		},
	}
}

// disconnect has it followed no longer: its events go (C2).
func (p *person) disconnect(c *source, id string) *op {
	w := p.w
	o := &op{cmd: engine.DisconnectCalendar{ID: id}, begin: func() {}}
	o.settle = func(_ engine.Reply, refused bool) {
		switch {
		case refused && o.tries == 0:
			w.audit.fail("acknowledged_write", p, "%s, which was connected, is not there to be disconnected (W2)", c.name)
		case p.follows.of(c) != nil:
			w.audit.fail("acknowledged_write", p, "%s, which was disconnected, is still followed (W2)", c.name)
		}
		p.asks.soon(w.sources.d.about(min(p.asks.every, 6*hour)))
	}
	return o
}

// refresh has it read now.
func (p *person) refresh(f *following) *op {
	c, sent := f.of, engine.Millis(0)
	return &op{cmd: engine.RefreshCalendar{ID: f.id}, keyed: true, once: true, begin: func() { sent = p.w.now; c.hurry() }, settle: func(reply engine.Reply, refused bool) {
		if !refused {
			p.expectRead(c, sent)
		}
		if r, ok := reply.(engine.Refusal); refused && (!ok || r.Code != engine.CodeCalendarStopped) {
			p.w.audit.fail("refusal", p, "a calendar is not read anew: %+v", reply)
		}
	}}
}

// meddle is a caller who changes an event of a connected calendar, which is
// its calendar's to change.
func (p *person) meddle(f *following) *op {
	w, d := p.w, p.w.sources.d
	e := engine.CalendarEvent{ID: f.id + ":a1", Title: "meddled", Start: w.wall() + hour, End: w.wall() + 2*hour}
	if mine := slices.DeleteFunc(p.followed(), func(e *calEvent) bool { return !isOf(e.ID, f.id) }); len(mine) > 0 {
		e.ID = mine[d.intn(len(mine))].ID
	}
	cmd := pick[engine.Command](d, engine.Put(e), engine.DeleteEvent{ID: e.ID},
		engine.SyncEvents{Start: w.wall(), End: w.wall() + day, Events: []engine.CalendarEvent{e}})
	_, deletes := cmd.(engine.DeleteEvent)
	return &op{cmd: cmd, begin: func() {}, settle: func(reply engine.Reply, _ bool) {
		r, ok := reply.(engine.Refusal)
		switch {
		case ok && r.Code == engine.CodeCalendarsEvent:
		case ok && deletes && r.Kind == engine.RefusedNotFound: // its calendar has none of that id
		default:
			w.audit.fail("belongs", p, "%T of %s, an event of a connected calendar, is answered with %+v (C1)", cmd, e.ID, reply)
		}
	}}
}

// followed lists the events of connected calendars that have not ended, in
// their order.
func (p *person) followed() []*calEvent {
	var out []*calEvent
	for _, id := range slices.Sorted(maps.Keys(p.follows.events)) {
		if e := p.follows.events[id]; e.last() > p.w.wall() {
			out = append(out, e)
		}
	}
	return out
}

// event is the person's event of that id, a caller's or a connected calendar's.
func (p *person) event(id string) *calEvent {
	if e := (*p.cal.now)[id]; e != nil {
		return e
	}
	return p.follows.events[id]
}

// allEvents are a caller's and those of connected calendars, in no order.
func (p *person) allEvents() iter.Seq2[string, *calEvent] {
	return func(yield func(string, *calEvent) bool) {
		for _, cal := range []calendar{*p.cal.now, p.follows.events} {
			for id, e := range cal {
				if !yield(id, e) {
					return
				}
			}
		}
	}
}

// lookFollowed reads an event of a connected calendar.
func (p *person) lookFollowed(before [5]int64) {
	w := p.w
	if w.sources == nil || !p.exists() {
		return
	}
	all := p.followed()
	if len(all) == 0 {
		return
	}
	e := all[w.sources.d.intn(len(all))]
	w.ask(p.id, engine.GetEvent{ID: e.ID}, "", 0, func(reply engine.Reply, err error) {
		w.digest.reply(p.id, reply, err)
		p.shown(reply)
		if err == nil && before == p.standing() && !p.busy() {
			p.lookEvent(e, reply)
		}
	})
}
