package bench

import (
	"fmt"
	"time"

	"carillon/engine"
)

// Move has a tenth of the users' events moved and another tenth deleted; each
// had become a reminder.
func Move(o Options) (Result, error) {
	users, callers := or(o.N, 1_000_000), or(o.Callers, 1024)
	r, err := newRig(o, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	now := time.Now()
	if err := r.populate(users, earlyZone(now)); err != nil {
		return Result{}, err
	}
	start := now.Add(3 * time.Hour)
	ids := newPeople(users, 0, now).ids
	if err := Each(users, loaders, func(_, i int) error { return r.do(ids[i], event("e1", start)) }); err != nil {
		return Result{}, err
	}
	o.progress("loaded")
	n := users / 5
	m := Measure()
	took, err := Timed(n, callers, func(_, i int) error {
		if i%2 == 0 {
			return r.do(ids[5*i], event("e1", start.Add(time.Hour)))
		}
		return r.do(ids[5*i], engine.DeleteEvent{ID: "e1"})
	})
	if err != nil {
		return Result{}, err
	}
	m.End()
	if got := sum(r.counters.find("carillon_reminders_total"), "status", "cancelled"); got < float64(n/2) {
		return Result{}, fmt.Errorf("bench: %.0f reminders were cancelled, of %d deleted events", got, n/2)
	}
	res := Result{Workload: "move", N: n, Variant: fmt.Sprintf("%d callers", callers)}
	res.Detail("users", float64(users))
	res.Finish(m, took, r.dir)
	return res, r.stop()
}
