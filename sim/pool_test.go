package sim

import (
	"context"
	"testing"

	"carillon/actors/provider"
	"carillon/engine"
)

// poolWorld is a world with that pool, and nobody in it.
func poolWorld(numbers ...string) *world {
	w := newWorld(Options{Pace: CornerPool, Faults: FaultsNone})
	w.pool.now = numbers
	return w
}

// TestNotEveryWorldHasAPool: about a quarter has one, of each pace that has any,
// and no corner but its own.
func TestNotEveryWorldHasAPool(t *testing.T) {
	for pace, most := range map[string]int{PaceDense: 130, PaceEveryday: 130, CornerRestores: 0, CornerReads: 0} {
		with := 0
		for seed := range uint64(400) {
			if w := newWorld(Options{Seed: seed, Pace: pace}); w.pool.on {
				with++
			}
		}
		if with > most || with < most-60 {
			t.Errorf("of 400 worlds of %s %d have a pool", pace, with)
		}
	}
	if w := poolWorld("A", "B"); !w.pool.on {
		t.Error("the corner of the pool has none")
	}
}

// TestAPoolPlays: worlds of its corner are sound, each fault of a number comes,
// and a seed gives one digest.
func TestAPoolPlays(t *testing.T) {
	came := map[string]int64{}
	for seed := uint64(1); seed <= 3; seed++ {
		opt := Options{Seed: seed, Pace: CornerPool, Faults: FaultsAll, Days: 2}
		r := play(t, opt)
		sound(t, &r)
		for c, n := range r.Faults {
			came[c] += n
		}
		if seed > 1 {
			continue
		}
		if again := play(t, opt); again.Digest != r.Digest {
			t.Errorf("seed %d: digests %s and %s", seed, r.Digest, again.Digest)
		}
	}
	for _, c := range []Class{NumberDown, NumberLimited, PoolChanged} {
		if came[c.String()] == 0 {
			t.Errorf("%s never came", c)
		}
	}
}

// TestSomebodyIsTextedFromOneNumber: from a number of the pool of that life, from
// the same one as long as it is in it, and from the one that is drawn if there was
// none.
func TestSomebodyIsTextedFromOneNumber(t *testing.T) {
	type step struct {
		pool   []string // of a new life; nil: it goes on
		event  engine.Event
		number string // of a text
	}
	erased := engine.UserErased{}
	all := []string{"A", "B", "C"}
	for name, c := range map[string]struct {
		steps []step
		bad   bool
	}{
		"one number":                       {steps: []step{{number: "A"}, {number: "A"}}},
		"two numbers":                      {steps: []step{{number: "A"}, {number: "B"}}, bad: true},
		"none of the pool":                 {steps: []step{{number: "D"}}, bad: true},
		"no number":                        {steps: []step{{number: ""}}, bad: true},
		"it stays when one is added":       {steps: []step{{number: "A"}, {pool: []string{"D", "C", "B", "A"}, number: "A"}}},
		"it moves when one is added":       {steps: []step{{number: "A"}, {pool: []string{"D", "C", "B", "A"}, number: "D"}}, bad: true},
		"it moves when its own is out":     {steps: []step{{number: "A"}, {pool: []string{"B", "C"}, number: "C"}, {number: "C"}}},
		"it stays when its own is out":     {steps: []step{{number: "A"}, {pool: []string{"B", "C"}, number: "A"}}, bad: true},
		"it moves when another is out":     {steps: []step{{number: "A"}, {pool: []string{"A", "B"}, number: "B"}}, bad: true},
		"back, and it stays where it is":   {steps: []step{{number: "A"}, {pool: []string{"B", "C"}, number: "C"}, {pool: all, number: "C"}}},
		"back, and it moves back":          {steps: []step{{number: "A"}, {pool: []string{"B", "C"}, number: "C"}, {pool: all, number: "A"}}, bad: true},
		"somebody else of that id":         {steps: []step{{number: "A"}, {pool: []string{"A", "B"}, event: erased}, {number: "B"}}},
		"drawn from the id, as before":     {steps: []step{{number: "A"}, {event: erased}, {number: "A"}}},
		"drawn otherwise than before":      {steps: []step{{number: "A"}, {event: erased}, {number: "B"}}, bad: true},
		"a restore does not know of it":    {steps: []step{{number: "A"}, {event: engine.AttemptStarted{Assumed: true}}, {number: "A"}}},
		"the order of the pool is no draw": {steps: []step{{number: "B"}, {pool: []string{"C", "B", "A"}, event: erased}, {number: "B"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := poolWorld(all...)
			for _, s := range c.steps {
				if s.pool != nil {
					w.pool.now = s.pool
				}
				if s.event != nil {
					w.pool.follow("person-00", s.event)
					continue
				}
				w.pool.follow("person-00", engine.AttemptStarted{MessageID: "m", Sender: s.number})
			}
			judged(t, w, c.bad, "sender")
		})
	}
}

// TestPeopleAreSpread: many who were drawn the same of several numbers were not
// drawn; few may have been.
func TestPeopleAreSpread(t *testing.T) {
	for name, c := range map[string]struct {
		pool   []string
		people int
		other  int // one of them has another number
		bad    bool
	}{
		"many have the first":      {pool: []string{"A", "B"}, people: manyDrawn, other: -1, bad: true},
		"many, and one has not":    {pool: []string{"A", "B"}, people: manyDrawn, other: 7},
		"few have the first":       {pool: []string{"A", "B"}, people: manyDrawn - 1, other: -1},
		"there is only one number": {pool: []string{"A"}, people: 2 * manyDrawn, other: -1},
	} {
		t.Run(name, func(t *testing.T) {
			w := poolWorld(c.pool...)
			for n := range c.people {
				number := "A"
				if n == c.other {
					number = "B"
				}
				w.pool.follow("person-"+itoa(int64(n)), engine.AttemptStarted{MessageID: "m", Sender: number})
			}
			w.pool.ends()
			judged(t, w, c.bad, "sender")
		})
	}
}

// TestALookUpAsksForItsNumber: for the one that the message was handed over from,
// also when that is gone; of what a restore assumes nobody knows it.
func TestALookUpAsksForItsNumber(t *testing.T) {
	for name, c := range map[string]struct {
		begun engine.AttemptStarted
		asked string
		bad   bool
	}{
		"its own":                        {begun: engine.AttemptStarted{Sender: "A"}, asked: "A"},
		"the one of today":               {begun: engine.AttemptStarted{Sender: "A"}, asked: "B", bad: true},
		"any":                            {begun: engine.AttemptStarted{Sender: "A"}, bad: true},
		"nobody knows":                   {begun: engine.AttemptStarted{Assumed: true}},
		"nobody knows, and one is asked": {begun: engine.AttemptStarted{Assumed: true}, asked: "B", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := poolWorld("A", "B")
			c.begun.MessageID = "m_1"
			w.pool.follow("person-00", c.begun)
			w.pool.now = []string{"B"}
			w.pool.asked(provider.Message{MessageID: "m_1", Sender: c.asked})
			judged(t, w, c.bad, "sender")
		})
	}
}

// TestTheCarrierKnowsNumbersApart: asked for a message of one number it says
// nothing of another's, and a fault of one refuses nobody who is texted from
// another.
func TestTheCarrierKnowsNumbersApart(t *testing.T) {
	w := poolWorld("A", "B")
	w.proc = &process{w: w, parked: map[*strand]struct{}{}}
	s := &sender{c: w.carrier, p: w.proc}
	m := provider.Message{UserID: "person-00", MessageID: "m_1", To: "+15550000001", Sender: "A", Text: "c0x1 water the plants", ValidUntil: w.now + hour}
	w.carrier.byNumber[m.To] = []*delivery{{msg: m, sid: "SM1", wallAt: w.now}}
	found := map[string]provider.FindResult{}
	for _, from := range []string{"A", "B", ""} {
		w.proc.spawn(func() {
			of := m
			of.Sender = from
			found[from] = s.Find(context.Background(), of, w.now).Result
		})
	}
	w.run(w.now + minute)
	if found["A"] != provider.Found || found["B"] != provider.Absent || found[""] != provider.Found {
		t.Errorf("handed over from A, it is %v", found)
	}
	w.carrier.number("A").downUntil = w.now + hour
	if pl := w.carrier.plan(m); pl.accept || !s.Stops(pl.refusal) {
		t.Errorf("a number that is down: %+v", pl)
	}
	m.Sender = "B"
	if pl := w.carrier.plan(m); !pl.accept {
		t.Errorf("another number: %+v", pl)
	}
}

// TestAStoppedNumberHoldsBackItsOwn: it excuses silence towards who is texted from
// it, or may be, and towards nobody else. So does a rate limit.
func TestAStoppedNumberHoldsBackItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		of      string // the number that the person has
		stopped bool   // A is; else it was slowed down
		want    bool
	}{
		"its own is stopped":            {of: "A", stopped: true, want: true},
		"another is stopped":            {of: "B", stopped: true},
		"none yet":                      {stopped: true, want: true},
		"its own was taken out":         {of: "D", stopped: true, want: true},
		"its own was told to slow down": {of: "A", want: true},
		"another was told to":           {of: "B"},
	} {
		t.Run(name, func(t *testing.T) {
			w := poolWorld("A", "B", "C")
			p := &person{w: w, id: "person-00"}
			if c.of != "" {
				w.pool.of[p.id] = c.of
			}
			n := w.carrier.number("A")
			if n.doubted, n.triedAt = c.stopped, w.now; !c.stopped {
				w.carrier.disturb(n)
			}
			w.now += 10 * minute
			if got := w.carrier.holdsBack(p, 30*minute); got != c.want {
				t.Errorf("it holds them back: %v", got)
			}
			if w.now += 30 * minute; w.carrier.holdsBack(p, 30*minute) {
				t.Error("long after it holds them back")
			}
		})
	}
}

// TestWhatIsUncertainIsAskedFor: a look-up that does not come is noticed, unless
// something held it up, or there is no need for it any more.
func TestWhatIsUncertainIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world, *engine.Reminder)
		bad    bool
	}{
		"it does not come": {change: func(*world, *engine.Reminder) {}, bad: true},
		"it came":          {change: func(_ *world, r *engine.Reminder) { r.Messages[0].LookupAt += minute }},
		"the carrier said more": {change: func(_ *world, r *engine.Reminder) {
			r.Status, r.Messages[0].Status = engine.StatusSent, engine.MessageSent
		}},
		"it is over":           {change: func(w *world, r *engine.Reminder) { r.Deadline = w.now }},
		"it was held up":       {change: func(w *world, _ *engine.Reminder) { w.disturb(w.now + minute) }},
		"the clock has jumped": {change: func(w *world, _ *engine.Reminder) { w.jumped = w.now }},
		"the store was lost":   {change: func(w *world, _ *engine.Reminder) { w.restored = w.now }},
	} {
		t.Run(name, func(t *testing.T) {
			w := poolWorld("A", "B")
			w.proc = &process{w: w}
			w.upSince = w.now - hour
			at := w.now + minute
			r := engine.Reminder{PlannedReminder: &engine.PlannedReminder{ID: "r_1", Deadline: w.now + hour}, Status: engine.StatusUncertain, Messages: []engine.Message{
				{ID: "m_1", Sender: "A", Status: engine.MessageUncertain, LookupAt: at},
			}}
			u := &engine.User{ID: "person-00", Reminders: []*engine.Reminder{&r}}
			w.audit.shadow[u.ID] = u
			w.pool.follow(u.ID, engine.AttemptUncertain{ID: "r_1", MessageID: "m_1", LookupAt: at})
			c.change(w, u.Reminders[0])
			w.run(w.now + 10*minute)
			judged(t, w, c.bad, "lookups")
		})
	}
}
