package sim

import (
	"os"
	"time"

	"carillon/engine"
	"carillon/wal/waltest"
)

// The sets of fault classes.
const (
	FaultsSwarm = "swarm" // a random half
	FaultsAll   = "all"
	FaultsNone  = "none"
)

// Options of Run. The zero value draws everything from seed 0.
type Options struct {
	Seed    uint64
	Pace    string  // PaceDense, PaceEveryday or a corner; empty: drawn, dense with Users or Days
	Users   int     // 0: drawn
	Days    int     // 0: drawn
	Faults  string  // default: FaultsSwarm
	Without []Class // fault classes that stay off
	Bolt    bool    // a store of real files, in a folder that goes again
	// Policy changes what was drawn of the engine's configuration.
	Policy func(*engine.Policy)

	// Explain is told of every violation, with the person's timeline by then.
	Explain func(v Violation, timeline []string)

	at       time.Time // when the run begins; zero: drawn
	sabotage sabotage
}

// sabotage breaks the world on purpose: the positive controls of the tests.
type sabotage struct {
	lying bool // the disk acknowledges and forgets
	twice bool // the carrier accepts every message twice
}

// Run plays one seed.
func Run(opt Options) (Result, error) {
	cpu := cpuSeconds()
	w := newWorld(opt)
	var s store = &memStore{waltest.MemOptions{Seed: opt.Seed, Shared: true, Lying: opt.sabotage.lying}}
	if opt.Bolt {
		dir, err := os.MkdirTemp("", "carillon-sim-")
		if err != nil {
			return Result{}, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		s = &boltStore{parent: dir}
	}
	var err error
	if w.disk, err = newDisk(w, s); err != nil {
		return Result{}, err
	}
	w.carrier.twice = opt.sabotage.twice
	began := w.now
	for n := range int(w.pace.users) {
		p := newPerson(w, n)
		w.people, w.byID[p.id] = append(w.people, p), p
	}
	w.operators()
	w.start()
	w.run(w.now + w.pace.days*day)
	w.heal()
	r := w.result(began)
	r.CPUSeconds = cpuSeconds() - cpu
	r.PerCoreMinute = r.UserYears / max(r.CPUSeconds, 1e-9) * 60
	return r, s.close()
}

// heal ends everything that is wrong, lets nobody ask for anything new, and
// demands that every reminder comes to its end.
func (w *world) heal() {
	w.ended, w.faults.healed = true, true
	w.run(max(w.now, w.frozen)) // a machine that sleeps wakes up when it does
	w.fullUntil = min(w.fullUntil, w.now)
	w.carrier.heal()
	w.receiver.heal()
	w.sources.heal()
	for n := 0; !w.over && (w.proc == nil || !w.fence()) && n < 60; n++ {
		if w.proc == nil {
			n = 0 // a long outage
		}
		w.run(w.now + minute)
	}
	if !w.fence() && !w.over {
		w.audit.fail("liveness", nil, "a restored store is not accounted for an hour after everything has healed (S3)")
	}
	w.jump(-w.skew)
	w.healedAt = w.now
	if w.faults.on[CrashAnywhere] || w.faults.on[AppendLost] || w.faults.on[AppendKept] || w.receiver.gone() {
		w.crash("the last time") // from here on nobody but the timers wakes anybody
	}
	w.after(minute, func() { w.setPaused(false) })
	w.run(w.now + w.lastDeadline() + 5*minute)
	w.receiver.hearOut()
	w.finish()
}

// lastDeadline is how long the last reminder may take from now: to the last
// event's start or a custom reminder's end, and as long as a carrier is asked.
func (w *world) lastDeadline() engine.Millis {
	last := w.wall()
	for _, p := range w.people {
		for _, cal := range p.cal.possible() {
			for _, e := range *cal {
				last = max(last, e.last())
			}
		}
		for _, m := range p.cus.possible() {
			for _, c := range *m {
				last = max(last, c.expires)
			}
		}
		for _, c := range p.sources {
			for _, e := range c.now() {
				last = max(last, e.last()+14*hour) // without a zone it may be as late as that
			}
		}
	}
	return last - w.wall() + 20*minute + max(w.shape.policy.ConfirmFor, w.sources.longest())
}

// finish looks at everybody a last time.
func (w *world) finish() {
	if w.over {
		return
	}
	if w.proc == nil {
		w.audit.fail("liveness", nil, "no process runs long after everything has healed")
		return
	}
	for _, p := range w.people {
		answered := false
		p.lookAt(func() { answered = true })
		w.run(w.now + 10*second)
		if !answered {
			w.audit.fail("liveness", p, "a read is not answered")
		}
		if p.busy() {
			w.audit.fail("liveness", p, "a client has no answer yet")
		}
		for id, r := range p.listed {
			if !final(r.Status) {
				w.audit.fail("liveness", p, "reminder %s ends as %s (%s), its deadline was %s (L1)", id, r.Status, r.Reason, rfc3339(r.Deadline))
			}
		}
	}
	w.audit.check()
	w.audit.ends()
	w.receiver.ends()
}

func (w *world) result(began engine.Millis) Result {
	year := float64(365.25 * float64(day))
	r := Result{
		Seed: w.opt.Seed, opt: w.opt, Violations: w.audit.violations, Users: len(w.people), Pace: w.pace.name, Days: float64(w.now-began) / float64(day),
		UserYears: float64(w.now-began) / year * float64(len(w.people)), NodeYears: float64(w.now-began) / year,
		Faults: map[string]int64{}, Reminders: map[string]int64{}, Accepted: len(w.carrier.sent),
		Expected: w.audit.expected, Unknowable: w.audit.unknowable, Records: w.audit.seen, Readings: w.sources.count(), Steps: w.steps,
	}
	if w.receiver != nil {
		r.Webhooks = w.receiver.taken
	}
	for c, n := range w.faults.count {
		r.Faults[Class(c).String()] = n
	}
	for _, u := range w.audit.shadow {
		for i := range u.Reminders {
			r.Reminders[u.Reminders[i].Status.String()]++
		}
	}
	if r.Violations == nil {
		r.Violations = []Violation{}
	}
	w.digest.number("end", w.now, int64(w.steps), int64(w.d.bits()>>1))
	r.Digest = w.digest.sum()
	return r
}

// startOf draws an instant to begin at; half of them lie days before clocks
// change somewhere.
func startOf(d draw) engine.Millis {
	base := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() + d.between(0, 3*365)*day + d.between(0, 1439)*minute
	if d.chance(0.5) {
		return base
	}
	t := pick(d,
		time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC), // Berlin, London, Troll, Beirut
		time.Date(2026, 10, 23, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC), // New York, Havana, St. John's
		time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 9, 4, 12, 0, 0, 0, time.UTC), // Santiago
		time.Date(2026, 4, 3, 12, 0, 0, 0, time.UTC), // Santiago, Lord Howe, Chatham
		time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 22, 12, 0, 0, 0, time.UTC), // Cairo
		time.Date(2026, 10, 28, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 2, 13, 12, 0, 0, 0, time.UTC), // Casablanca: Ramadan
	)
	return t.UnixMilli() + d.between(0, 1439)*minute
}
