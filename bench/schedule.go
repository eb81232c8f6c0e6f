package bench

import (
	"fmt"
	"time"
)

// Schedule has callers add events, each of which becomes a reminder; every one
// is acknowledged after its flush. Users are drawn in turn.
func Schedule(parent string, n, callers, users int) (Result, error) {
	r, err := newRig(parent, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	if err := r.populate(users, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	start := time.Now().Add(20 * time.Minute)
	began := time.Now()
	took, err := timed(n, callers, func(i int) error {
		return r.do(userID(i%users), event(fmt.Sprintf("e%d", i/users), start.Add(time.Duration(i/users)*time.Minute)))
	})
	res := Result{Workload: "schedule", N: n, durations: took, Details: map[string]float64{"callers": float64(callers)}}
	res.finish(time.Since(began), r.dir)
	if err != nil {
		return res, err
	}
	return res, r.stop()
}
