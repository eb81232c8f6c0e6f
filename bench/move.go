package bench

import (
	"time"

	"carillon/engine"
)

// Move has a tenth of the users' events moved and another tenth deleted.
func Move(parent string, users, callers int) (Result, error) {
	r, err := newRig(parent, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	if err := r.populate(users, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	start := time.Now().Add(3 * time.Hour)
	if err := each(users, 1024, func(i int) error { return r.do(userID(i), event("e1", start)) }); err != nil {
		return Result{}, err
	}
	n := users / 5
	began := time.Now()
	took, err := timed(n, callers, func(i int) error {
		if i%2 == 0 {
			return r.do(userID(5*i), event("e1", start.Add(time.Hour)))
		}
		return r.do(userID(5*i), engine.DeleteEvent{ID: "e1"})
	})
	res := Result{Workload: "move", N: n, durations: took, Details: map[string]float64{"users": float64(users), "callers": float64(callers)}}
	res.finish(time.Since(began), r.dir)
	if err != nil {
		return res, err
	}
	return res, r.stop()
}
