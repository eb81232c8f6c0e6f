package sim

import (
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

func play(t *testing.T, opt Options) Result {
	t.Helper()
	r, err := Run(opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sound fails the test on any violation, with the command that repeats it.
func sound(t *testing.T, r *Result) {
	t.Helper()
	for _, v := range r.Violations {
		t.Errorf("%s: %s %s %s: %s", r.Command(), v.Checker, v.Person, v.At, v.What)
	}
}

// found fails the test unless one of the checkers has spoken up.
func found(t *testing.T, r *Result, checkers ...string) {
	t.Helper()
	for _, v := range r.Violations {
		if slices.Contains(checkers, v.Checker) {
			return
		}
	}
	t.Errorf("none of %v has noticed: %+v", checkers, r.Violations)
}

// judged fails the test unless the checker has spoken up about what is bad, and
// none has about what is not.
func judged(t *testing.T, w *world, bad bool, checker string) {
	t.Helper()
	r := Result{Violations: w.audit.violations}
	if bad {
		found(t, &r, checker)
		return
	}
	sound(t, &r)
}

// TestSameSeedSameDigest: a seed gives the same run on one core and on many,
// whatever the garbage collector does.
func TestSameSeedSameDigest(t *testing.T) {
	for _, seed := range []uint64{3, 14, 159} {
		opt := Options{Seed: seed, Faults: FaultsAll, Users: 5, Days: 3}
		first := play(t, opt)
		procs, gc := runtime.GOMAXPROCS(1), debug.SetGCPercent(20)
		second := play(t, opt)
		runtime.GOMAXPROCS(max(4, procs))
		third := play(t, opt)
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(gc)
		if first.Digest != second.Digest || first.Digest != third.Digest || first.Steps != third.Steps {
			t.Errorf("seed %d: digests %s, %s, %s", seed, first.Digest, second.Digest, third.Digest)
		}
		sound(t, &first)
	}
	a, b := play(t, Options{Seed: 1, Days: 2}), play(t, Options{Seed: 2, Days: 2})
	if a.Digest == b.Digest {
		t.Error("two seeds, one digest")
	}
}

// TestStoreOfFiles: the journal on real files and the one in memory lead to
// the same run, crashes and restores included.
func TestStoreOfFiles(t *testing.T) {
	for _, pace := range []string{PaceDense, CornerNotices} {
		opt := Options{Seed: 4, Faults: FaultsAll, Pace: pace, Users: 3, Days: 2}
		mem := play(t, opt)
		opt.Bolt = true
		bolt := play(t, opt)
		sound(t, &bolt)
		if mem.Digest != bolt.Digest {
			t.Errorf("%s: in memory %s, in files %s", pace, mem.Digest, bolt.Digest)
		}
	}
}

// The positive controls: what is broken on purpose must be noticed.

func TestLyingDiskIsNoticed(t *testing.T) {
	for seed := uint64(1); ; seed++ {
		opt := Options{Seed: seed, Faults: FaultsAll, Users: 4, Days: 3, Without: []Class{Restore}}
		opt.sabotage.lying = true
		r := play(t, opt)
		if len(r.Violations) > 0 {
			found(t, &r, "durability", "acknowledged_write", "replay")
			return
		}
		if seed == 5 {
			t.Fatal("a disk that forgets what it has acknowledged was not noticed by five seeds")
		}
	}
}

func TestCarrierThatAcceptsTwiceIsNoticed(t *testing.T) {
	opt := Options{Seed: 5, Faults: FaultsNone, Users: 5, Days: 3}
	opt.sabotage.twice = true
	r := play(t, opt)
	found(t, &r, "once")
}

func TestResendIsNoticed(t *testing.T) {
	for seed := uint64(1); ; seed++ {
		r := play(t, Options{Seed: seed, Faults: FaultsAll, Users: 6, Days: 3, Policy: func(p *engine.Policy) { p.OnUncertain = engine.Resend }})
		if len(r.Violations) > 0 {
			found(t, &r, "once", "truth", "cancel")
			return
		}
		if seed == 10 {
			t.Fatal("on_uncertain: resend texts people twice, and nobody noticed in ten seeds")
		}
	}
}

// TestForgedAcceptanceIsNoticed feeds the auditor with texts that no engine
// would send, one per checker.
func TestForgedAcceptanceIsNoticed(t *testing.T) {
	for name, forge := range map[string]func(w *world, p *person, d *delivery, in *intent){
		"intent":    func(w *world, _ *person, d *delivery, _ *intent) { w.audit.called(d.msg) },
		"consent":   func(_ *world, _ *person, _ *delivery, in *intent) { in.out = optedOut },
		"pause":     func(_ *world, _ *person, _ *delivery, in *intent) { in.pausedAll = true },
		"verified":  func(_ *world, p *person, _ *delivery, _ *intent) { p.prof.now.verified = false },
		"erased":    func(_ *world, p *person, _ *delivery, _ *intent) { p.prof.now.exists = false },
		"switch":    func(_ *world, p *person, _ *delivery, _ *intent) { p.prof.now.reminders = false },
		"recipient": func(_ *world, _ *person, d *delivery, _ *intent) { d.msg.To = "+15550000000" },
		"words":     func(_ *world, _ *person, d *delivery, _ *intent) { d.msg.Text = "e0x9 Lunch in 15 mins" },
		"text":      func(_ *world, _ *person, d *delivery, _ *intent) { d.msg.Text += strings.Repeat("…", 60) },
		"limit":     func(_ *world, p *person, _ *delivery, _ *intent) { p.prof.now.limit = 0 },
		"quiet": func(_ *world, p *person, _ *delivery, _ *intent) {
			p.prof.now.quiet = engine.Quiet{Set: true, Start: 8 * 60, End: 9 * 60}
		},
		"once": func(w *world, _ *person, d *delivery, in *intent) {
			first := *d
			first.msg.MessageID = "m_0"
			w.audit.accepted(&first, in)
		},
		"cancel": func(w *world, p *person, d *delivery, _ *intent) { w.audit.canceled(p, d.msg.ReminderID) },
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			forge(w, p, d, in)
			w.audit.accepted(d, in)
			r := Result{Violations: w.audit.violations}
			found(t, &r, name)
		})
	}
	w, _, d, in := oneText()
	if w.audit.accepted(d, in); len(w.audit.violations) > 0 {
		t.Errorf("a text as it should be: %+v", w.audit.violations)
	}
}

// oneText is a text as it should be: at 08:30, fifteen minutes before e0x1.
func oneText() (*world, *person, *delivery, *intent) {
	w := newWorld(Options{Faults: FaultsNone})
	at := time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC).UnixMilli()
	w.now = at
	p := newPerson(w, 0)
	w.people = append(w.people, p)
	p.prof.now = &profile{exists: true, zone: "UTC", loc: time.UTC, reminders: true, limit: 3, phone: "+15550000001", verified: true}
	e := &calEvent{CalendarEvent: engine.CalendarEvent{ID: "a", Start: at + 15*minute}, token: "e0x1", synced: true}
	p.cal.now = &calendar{"a": e}
	in := &intent{
		p: p, reminder: "r_1", to: "+15550000001", text: "e0x1 Lunch in 15 mins", at: at, trueAt: at, seq: 1,
		prof: p.prof.possible(), cal: p.cal.possible(), cus: p.cus.possible(),
	}
	d := &delivery{at: at, calledAt: at, calledWall: at, msg: provider.Message{
		UserID: p.id, ReminderID: "r_1", MessageID: "m_1", To: in.to, Text: in.text,
	}}
	return w, p, d, in
}

// TestSnoozeBeforeARestoreCounts: a SNOOZE that the backup has justifies its
// text, although the retry of what was snoozed waited when the store was lost;
// of a reminder that by the backup had never left there can be none.
func TestSnoozeBeforeARestoreCounts(t *testing.T) {
	for name, left := range map[string][]engine.Message{"handed over": {{ID: "m_0"}}, "never": nil} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			w.byID[p.id] = p
			in.text, d.msg.Text = "c0x1 water the plants", "c0x1 water the plants"
			p.cus.now = &customs{"c0x1": {token: "c0x1", expires: w.now + day}}
			in.cus = p.cus.possible()
			w.audit.trail(d.msg.ReminderID).begun = w.now - 4*hour
			p.snoozes = []*snooze{{asked: w.now - 3*hour, heard: w.now - 3*hour, until: w.now}}
			w.audit.shadow[p.id] = &engine.User{ID: p.id, Reminders: []*engine.Reminder{
				{PlannedReminder: named(d.msg.ReminderID), Status: engine.StatusScheduled, RetryAt: w.now + hour, Messages: left},
			}}
			w.audit.forgetAhead()

			w.audit.apply(wal.Record{Stream: p.id, Seq: 1, At: w.now}, 1,
				[]engine.Event{engine.AttemptStarted{ID: d.msg.ReminderID, MessageID: d.msg.MessageID, Text: d.msg.Text, To: d.msg.To}})
			w.audit.accepted(d, in)
			again := *d
			again.msg.ReminderID, again.msg.MessageID = "r_2", "m_2"
			w.audit.accepted(&again, in)
			judged(t, w, left == nil, "once")
		})
	}
}
