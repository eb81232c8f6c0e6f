package bench

import (
	"fmt"
	"time"
)

// warmUp is the share of a workload's operations that goes before, unmeasured.
const warmUp = 20 // one in twenty

// Schedule has callers add events, each of which becomes a reminder; every one
// is acknowledged after its flush. Users are drawn in turn.
func Schedule(o Options) (Result, error) {
	n, callers, users := or(o.N, 200_000), or(o.Callers, 1024), or(o.Users, 10_000)
	r, err := newRig(o, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	now := time.Now()
	if err := r.populate(users, earlyZone(now)); err != nil {
		return Result{}, err
	}
	before := n / warmUp
	p := newPeople(users, n+before, now.Add(time.Hour))
	put := func(i int) error {
		user, cmd := p.put(i)
		return r.do(user, cmd)
	}
	if err := Each(before, callers, func(_, i int) error { return put(i) }); err != nil {
		return Result{}, err
	}
	m := Measure()
	took, err := Timed(n, callers, func(_, i int) error { return put(before + i) })
	if err != nil {
		return Result{}, err
	}
	m.End()
	planned := sum(r.counters.find("carillon_reminders_total"), "status", "scheduled")
	if planned < float64(n+before) {
		return Result{}, fmt.Errorf("bench: of %d events %.0f became reminders", n+before, planned)
	}
	res := Result{Workload: "schedule", N: n, Variant: fmt.Sprintf("%d callers", callers)}
	if o.Users > 0 {
		res.Variant += fmt.Sprintf(", %d users", users)
	}
	res.Detail("users", float64(users))
	flushes, spent := r.counters.commits()
	res.Detail("records_per_flush", float64(r.store.Stats().Records)/max(flushes, 1))
	res.Detail("flush_ms", 1000*spent/max(flushes, 1))
	res.Finish(m, took, r.dir)
	return res, r.stop()
}
