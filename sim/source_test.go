package sim

import (
	"errors"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

// connected is a person of a world with a feed of two events that is followed as
// c_1, and a calendar at Google of one that is c_2. The journal has them all,
// and a caller's.
func connected(t *testing.T) (*world, *person, *source) {
	t.Helper()
	w, p, _, _ := oneText()
	w.byID[p.id] = p
	w.sources = &sources{w: w, d: newDraw(1), reads: 1, byName: map[string]*source{}, readings: map[string]*reading{}}
	p.asks = &writer{p: p, name: "source", every: hour, choose: p.chooseSource}
	p.writers, p.sources = append(p.writers[:5:5], p.asks), nil
	p.prof.now.leads = []int32{15}
	w.audit.shadow[p.id] = &engine.User{ID: p.id, Exists: true}
	for n, ids := range [][]string{{"a1", "a2"}, {"a1"}} {
		c := &source{s: w.sources, p: p, name: "feed-" + itoa(int64(n+1)), kind: engine.CalendarKind(n), versions: []map[string]*sourced{{}}}
		for _, id := range ids {
			token := "e" + itoa(int64(n)) + "x" + id
			c.now()[id] = &sourced{calEvent: calEvent{synced: true, token: token, CalendarEvent: engine.CalendarEvent{
				ID: id, Title: token, Start: w.now + 2*hour, End: w.now + 3*hour,
			}}}
		}
		w.sources.all, p.sources = append(w.sources.all, c), append(p.sources, c)
		w.sources.byName[c.name] = c
		flush(w, p, engine.CalendarConnected{Calendar: engine.Calendar{ID: "c_" + itoa(int64(n+1)), Kind: c.kind, Source: c.name, Every: hour}})
		flush(w, p, taken(w, p, c, w.now)...)
	}
	judged(t, w, false, "")
	if len(p.follows.events) != 3 || len(w.audit.shadow[p.id].Events) != 3 {
		t.Fatalf("%+v and %+v", p.follows.events, w.audit.shadow[p.id].Events)
	}
	return w, p, p.sources[0]
}

// flush has a record come to be on the disk.
func flush(w *world, p *person, events ...engine.Event) {
	u := w.audit.shadow[p.id]
	w.audit.apply(wal.Record{Stream: p.id, Seq: u.EventSeq + 1, At: w.now}, u.EventSeq+1, events)
}

// taken is what an engine that reads a source makes of it, whole, by its port.
func taken(w *world, p *person, c *source, begun engine.Millis) []engine.Event {
	f := p.follows.of(c)
	r := c.say(provider.CalendarQuery{UserID: p.id, Zone: p.prof.now.loc, Now: w.now, Start: w.now - w.now%day, End: w.now + 31*day})
	r.begun, r.wall = begun, w.now
	cursor := itoa(int64(len(w.sources.readings)))
	w.sources.readings[cursor] = r
	var out []engine.Event
	named := map[string]bool{}
	for _, e := range r.events {
		said := e.CalendarEvent
		said.ID = f.id + ":" + said.ID
		named[said.ID] = true
		out = append(out, engine.EventPut{Event: &said})
	}
	u := w.audit.shadow[p.id]
	for i := range u.Events {
		if s := &u.Events[i]; isOf(s.ID, f.id) && !s.Deleted && !named[s.ID] {
			out = append(out, engine.EventDeleted{ID: s.ID})
		}
	}
	return append(out, engine.CalendarRead{ID: f.id, Cursor: cursor, Whole: true})
}

// TestACalendarIsAsItsSourceHasSaid: what the journal has of connected calendars
// is what their sources said when they were last read, and nothing else.
func TestACalendarIsAsItsSourceHasSaid(t *testing.T) {
	for name, c := range map[string]struct {
		changed bool // at the source
		events  func(w *world, p *person, c *source) []engine.Event
		bad     bool
	}{
		"nothing happens":                 {events: func(*world, *person, *source) []engine.Event { return nil }},
		"it is read":                      {changed: true, events: func(w *world, p *person, c *source) []engine.Event { return taken(w, p, c, w.now) }},
		"it changed, and is not read yet": {changed: true, events: func(*world, *person, *source) []engine.Event { return nil }},
		"it can't be read": {changed: true, events: func(*world, *person, *source) []engine.Event {
			return []engine.Event{engine.CalendarFailed{ID: "c_1", Problem: provider.CalendarUnavailable, NextAt: 1}}
		}},
		"it can't be read, and what it had said goes": {bad: true, events: func(*world, *person, *source) []engine.Event {
			return []engine.Event{engine.EventDeleted{ID: "c_1:a1"}, engine.CalendarFailed{ID: "c_1", Problem: provider.CalendarUnavailable, NextAt: 1}}
		}},
		"it is read, and what moved stays where it was": {changed: true, bad: true, events: func(w *world, p *person, c *source) []engine.Event {
			all := taken(w, p, c, w.now)
			return all[len(all)-2:]
		}},
		"it is read, and what is gone stays": {changed: true, bad: true, events: func(w *world, p *person, c *source) []engine.Event {
			all := taken(w, p, c, w.now)
			return []engine.Event{all[0], all[len(all)-1]}
		}},
		"that it was read is noted, and not what it said": {changed: true, bad: true, events: func(w *world, p *person, c *source) []engine.Event {
			all := taken(w, p, c, w.now)
			return all[len(all)-1:]
		}},
		"it is read, and another one's event goes": {bad: true, events: func(w *world, p *person, c *source) []engine.Event {
			return append([]engine.Event{engine.EventDeleted{ID: "c_2:a1"}}, taken(w, p, c, w.now)...)
		}},
		"a caller takes one out": {bad: true, events: func(*world, *person, *source) []engine.Event {
			return []engine.Event{engine.EventDeleted{ID: "c_1:a1"}}
		}},
		"a caller changes one": {bad: true, events: func(w *world, _ *person, _ *source) []engine.Event {
			return []engine.Event{engine.EventPut{Event: &engine.CalendarEvent{ID: "c_1:a1", Title: "x", Start: w.now + hour}}}
		}},
		"an event that it never had": {bad: true, events: func(w *world, _ *person, _ *source) []engine.Event {
			return []engine.Event{engine.EventPut{Event: &engine.CalendarEvent{ID: "c_1:a9", Title: "x", Start: w.now + hour}}}
		}},
		"a reading that its source never gave": {bad: true, events: func(*world, *person, *source) []engine.Event {
			return []engine.Event{engine.CalendarRead{ID: "c_1", Cursor: "x"}}
		}},
		"it is disconnected": {events: func(*world, *person, *source) []engine.Event {
			return []engine.Event{engine.CalendarDisconnected{ID: "c_1"}, engine.EventDeleted{ID: "c_1:a1"}, engine.EventDeleted{ID: "c_1:a2"}}
		}},
		"it is disconnected, and one stays": {bad: true, events: func(*world, *person, *source) []engine.Event {
			return []engine.Event{engine.CalendarDisconnected{ID: "c_1"}, engine.EventDeleted{ID: "c_1:a1"}}
		}},
		"a caller's own": {events: func(w *world, _ *person, _ *source) []engine.Event {
			return []engine.Event{engine.EventPut{Event: &engine.CalendarEvent{ID: callers + "1", Title: "x", Start: w.now + hour}}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			if c.changed {
				moved := *s.now()["a1"]
				moved.Start += hour
				s.versions = append(s.versions, map[string]*sourced{"a1": &moved})
			}
			if events := c.events(w, p, s); len(events) > 0 {
				flush(w, p, events...)
			}
			judged(t, w, c.bad, "followed")
		})
	}
}

// TestWhatIsFollowedIsTexted: a text is true of what a source had said by the
// last reading before its hand-over.
func TestWhatIsFollowedIsTexted(t *testing.T) {
	for name, c := range map[string]struct {
		read bool // behind the change
		text string
		bad  bool
	}{
		"as it was, and is not read yet": {text: "e0xa1 in 2 hours"},
		"as it is":                       {read: true, text: "e0xb1 in 2 hours"},
		"as it was":                      {read: true, text: "e0xa1 in 2 hours", bad: true},
		"as nobody has heard yet":        {text: "e0xb1 in 2 hours", bad: true},
		"at another time":                {read: true, text: "e0xb1 in 15 mins", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			other := *s.now()["a1"]
			other.Title, other.token = "e0xb1", "e0xb1"
			s.versions = append(s.versions, map[string]*sourced{"a1": &other})
			if c.read {
				flush(w, p, taken(w, p, s, w.now)...)
			}
			flush(w, p, engine.AttemptStarted{ID: "r_9", MessageID: "m_9", To: p.prof.now.phone, Text: c.text, ValidUntil: w.now + hour})
			d := &delivery{at: w.now, calledAt: w.now, calledWall: w.now, msg: provider.Message{
				UserID: p.id, ReminderID: "r_9", MessageID: "m_9", To: p.prof.now.phone, Text: c.text,
			}}
			w.audit.words(d, w.audit.intents["m_9"])
			judged(t, w, c.bad, "words")
		})
	}
}

// TestEventsOfACalendarAreItsOwn: a caller who changes one is told 409.
func TestEventsOfACalendarAreItsOwn(t *testing.T) {
	taken := engine.Refusal{Kind: engine.RefusedConflict, Code: engine.CodeCalendarsEvent}
	gone := engine.Refusal{Kind: engine.RefusedNotFound, Code: engine.CodeEventNotFound}
	for name, c := range map[string]struct {
		answer  engine.Reply
		deletes bool
		bad     bool
	}{
		"refused":                         {answer: taken},
		"taken":                           {answer: engine.EventReply{}, bad: true},
		"a sync is taken":                 {answer: engine.SyncReply{Deleted: 1}, bad: true},
		"a deletion of what is not":       {answer: gone, deletes: true},
		"a change is told that it is not": {answer: gone, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _ := connected(t)
			o := p.meddle(&p.follows.cals[0])
			for {
				if _, deletes := o.cmd.(engine.DeleteEvent); deletes == c.deletes {
					break
				}
				o = p.meddle(&p.follows.cals[0])
			}
			o.settle(c.answer, c.answer == engine.Reply(taken))
			judged(t, w, c.bad, "belongs")
		})
	}
}

// errOpen is that an answer is still to come.
var errOpen = errors.New("no answer yet")

// TestACalendarIsReadInTime: within its interval and a tenth of it, after twice
// as long behind each failure, and not before its source wants it; but at once when
// somebody says so.
func TestACalendarIsReadInTime(t *testing.T) {
	failed := engine.CalendarFailed{ID: "c_1", Problem: provider.CalendarUnavailable, NextAt: 1}
	for name, c := range map[string]struct {
		failures int
		patience engine.Millis
		refused  bool
		hurried  bool
		moved    bool          // it was read last where the person was before
		told     error         // what became of a word of its, sent before it was read last; nil: it was taken then
		in       engine.Millis // when it is read
		troubled bool          // a crash not long ago
		bad      bool
	}{
		"in time":                          {in: 66 * minute},
		"late":                             {in: 75 * minute, bad: true},
		"late, for there was a crash":      {in: 75 * minute, troubled: true},
		"behind a failure":                 {failures: 1, in: 66 * minute},
		"behind two":                       {failures: 2, in: 131 * minute},
		"late behind two":                  {failures: 2, in: 150 * minute, bad: true},
		"behind many, within a day":        {failures: 12, in: 26 * hour},
		"behind many, and a day is over":   {failures: 12, in: 27 * hour, bad: true},
		"it has asked for patience":        {failures: 1, patience: 3 * hour, in: 3 * hour},
		"too early":                        {failures: 1, patience: 3 * hour, in: 2 * hour, bad: true},
		"too early, for it was asked":      {failures: 1, patience: 3 * hour, in: 2 * hour, hurried: true},
		"too early, for they have moved":   {failures: 1, patience: 3 * hour, in: 2 * hour, moved: true},
		"too early, for its word was lost": {failures: 1, patience: 3 * hour, in: 2 * hour, told: errLost},
		"too early, for it has said so":    {failures: 1, patience: 3 * hour, in: 2 * hour, told: errOpen},
		"its access was taken back":        {failures: 1, refused: true, in: hour, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			w.proc, w.upSince = &process{w: w}, w.now-30*day
			s.patience, s.refused, s.askedAt = c.patience, c.refused, w.now
			for range c.failures {
				flush(w, p, failed)
			}
			w.now += c.in
			if c.troubled {
				w.disturb(w.now - 10*minute)
			}
			if c.hurried {
				s.hurried = w.now - minute
			}
			switch s.told = 1; {
			case c.told == nil:
				s.answered(nil)
			case errors.Is(c.told, errLost):
				s.answered(errLost)
			}
			if c.moved {
				p.follows.zone = "Asia/Tokyo"
			}
			w.audit.polled(p, s)
			judged(t, w, c.bad, "polled")
		})
	}
}

// TestACalendarIsReadOnceMoreByAnotherClock: by the clock that it was asked for by, a
// reading behind a jump may not have answered that yet. The next one has.
func TestACalendarIsReadOnceMoreByAnotherClock(t *testing.T) {
	for name, c := range map[string]struct {
		jumped   bool
		again    bool // it was asked for behind the jump too
		readings int  // since it was asked for
		bad      bool
	}{
		"the first one":                 {jumped: true, readings: 1},
		"the second one":                {jumped: true, readings: 2, bad: true},
		"by the clock that it asked by": {readings: 1, bad: true},
		"asked for once more since":     {jumped: true, again: true, readings: 1},
		"and then the second one":       {jumped: true, again: true, readings: 2, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			s.hurry()
			if c.jumped {
				w.jumped = w.now + minute
			}
			if w.now += 30 * minute; c.again {
				s.hurry()
			}
			w.now += 30 * minute
			for range c.readings {
				w.now += 2 * second
				s.askedAt = w.now
				flush(w, p, engine.CalendarFailed{ID: "c_1", Problem: provider.CalendarUnavailable, NextAt: 1})
			}
			w.now += 2 * second
			w.audit.polled(p, s)
			judged(t, w, c.bad, "polled")
		})
	}
}

// TestAReadingThatACrashHadWritten: it was decided before the process died, and by the
// clock of then, though it is found an hour later. What it says of the next one is not
// held against another clock.
func TestAReadingThatACrashHadWritten(t *testing.T) {
	for name, c := range map[string]struct {
		jumped engine.Millis // since it was decided; the clock went back by an hour
		bad    bool
	}{
		"the clock went back while nobody ran": {jumped: 30 * minute},
		"it had gone back before":              {jumped: -hour, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			decided := w.now
			w.jumped, w.died, w.proc = decided+c.jumped, decided, nil
			at := decided
			if w.skew = -hour; c.jumped < 0 {
				at -= hour
			}
			w.now += hour
			u := w.audit.shadow[p.id]
			w.audit.apply(wal.Record{Stream: p.id, Seq: u.EventSeq + 1, At: at}, u.EventSeq+1, taken(w, p, s, decided))
			w.proc, w.upSince = &process{w: w}, w.now
			w.now += 2 * hour
			w.audit.polled(p, s)
			judged(t, w, c.bad, "polled")
		})
	}
}

// TestACalendarIsReadWhenItIsSaidToHaveChanged: since that was said, not before.
func TestACalendarIsReadWhenItIsSaidToHaveChanged(t *testing.T) {
	for name, c := range map[string]struct {
		read engine.Millis // since it was said
		bad  bool
	}{
		"read since":  {read: second},
		"read before": {read: -second, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			w.proc, w.upSince = &process{w: w}, w.now-30*day
			w.over = false
			said := w.now
			s.askedAt = said + c.read
			p.expectRead(s, said)
			w.proc = nil // nothing but the check is to happen
			e := w.queue.pop()
			for e.at != said+w.sources.patience()+10*second {
				e = w.queue.pop()
			}
			w.proc, w.now = &process{w: w}, e.at
			e.fn()
			judged(t, w, c.bad, "polled")
		})
	}
}

// TestAFeedIsReadWhereThePersonIs: what it says without a zone is meant there, also
// if a reading was waiting for its turn when they moved.
func TestAFeedIsReadWhereThePersonIs(t *testing.T) {
	for name, c := range map[string]struct {
		in    string // the zone that it was read in last
		fails bool
		back  bool // the person has moved on
		full  bool // the disk is, since they moved
		bad   bool
	}{
		"read there":                  {in: "Asia/Tokyo"},
		"read where they were":        {in: "UTC", bad: true},
		"it can't be read":            {in: "UTC", fails: true},
		"they are not there any more": {in: "UTC", back: true},
		"there is no room for it":     {in: "UTC", full: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			w.proc, w.upSince = &process{w: w}, w.now-30*day
			w.over = false
			p.moved("Asia/Tokyo")
			s.askedAt, s.askedIn = w.now+second, c.in
			if c.fails {
				p.follows.of(s).failures = 1
			}
			if c.back {
				p.follows.zone = "UTC"
			}
			if c.full {
				w.fullSince, w.fullUntil = w.now, w.now+hour
			}
			at := w.now + 2*(w.sources.patience()+10*second)
			w.proc = nil // nothing but the check is to happen
			e := w.queue.pop()
			for e.at != at {
				e = w.queue.pop()
			}
			w.proc, w.now = &process{w: w}, e.at
			e.fn()
			judged(t, w, c.bad, "polled")
		})
	}
}

// TestACalendarCatchesUp: what was read since everything healed is what the
// source has.
func TestACalendarCatchesUp(t *testing.T) {
	for name, c := range map[string]struct {
		read, changed, stopped bool
		checker                string
	}{
		"read":                           {read: true},
		"read, and the source has more":  {read: true, changed: true, checker: "followed"},
		"not read":                       {checker: "polled"},
		"not read, for its access ended": {stopped: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			w.now += minute
			w.healedAt = w.now
			for _, of := range p.sources {
				if of != s || c.read {
					events := taken(w, p, of, w.now)
					if of == s && c.changed { // it has said what it said before
						moved := *s.now()["a1"]
						moved.Start += hour
						s.versions = append(s.versions, map[string]*sourced{"a1": &moved})
					}
					flush(w, p, events...)
				}
			}
			p.follows.of(s).stopped = c.stopped
			w.audit.caughtUp(p)
			judged(t, w, c.checker != "", c.checker)
		})
	}
}

// TestConnectedCalendarsAreFollowed plays worlds in which everybody has some.
func TestConnectedCalendarsAreFollowed(t *testing.T) {
	for seed, faults := range map[uint64]string{1: FaultsNone, 2: FaultsAll, 3: FaultsSwarm, 4: FaultsAll} {
		r := play(t, Options{Seed: seed, Faults: faults, Pace: CornerCalendars, Users: 4, Days: 3})
		sound(t, &r)
		if r.Readings < 50 {
			t.Errorf("%s: %d readings", r.Command(), r.Readings)
		}
	}
}

// TestAReadingWaitsForRoom: while the disk is full none is recorded, once the engine
// has seen that it is. That a calendar is read late is excused by it, and for no longer.
func TestAReadingWaitsForRoom(t *testing.T) {
	const sees = 11 * minute // at the latest
	for name, c := range map[string]struct {
		full     engine.Millis // since when, before the record
		over     engine.Millis // it has had room for so long; 0: it has none
		jumped   bool          // the clock, meanwhile
		troubled bool
		bad      bool
	}{
		"it has room, and has for long":           {full: 3 * hour, over: 2 * hour},
		"it is full, and nobody has seen it":      {full: sees - minute},
		"it is full":                              {full: sees + minute, bad: true},
		"it is full, and the clock has gone back": {full: sees + minute, jumped: true, bad: true},
		"it is full, and there was a crash":       {full: sees + minute, troubled: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _ := connected(t)
			w.shape.keeper = 10 * time.Minute
			w.proc, w.upSince = &process{w: w}, w.now-30*day
			w.fullSince, w.fullUntil = w.now-c.full, w.now+hour
			if c.over != 0 {
				w.fullUntil = w.now - c.over
			}
			if c.jumped {
				w.jumped = w.now - hour
			}
			if c.troubled {
				w.disturb(w.now - 5*minute)
			}
			flush(w, p, engine.CalendarFailed{ID: "c_1", Problem: provider.CalendarUnavailable, NextAt: 1})
			judged(t, w, c.bad, "polled")
		})
	}
	for name, c := range map[string]struct {
		over engine.Millis // the disk has had room for so long when it is read, ten minutes too late
		bad  bool
	}{
		"it was full a while ago": {over: 20 * minute},
		"it was full long ago":    {over: 2 * hour, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, s := connected(t)
			w.shape.keeper = 10 * time.Minute
			w.proc, w.upSince = &process{w: w}, w.now-30*day
			w.now += 80 * minute
			w.fullSince, w.fullUntil = w.now-c.over-hour, w.now-c.over
			w.audit.polled(p, s)
			judged(t, w, c.bad, "polled")
		})
	}
}
