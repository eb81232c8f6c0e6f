package bench

import (
	"fmt"
	"sync"
	"time"

	"carillon/actors"
	"carillon/engine"
)

// Midnight gives users of one zone five events each for tomorrow, has them leave
// memory as they would by then, lets their midnight come, and measures until
// every day plan is durable. Meanwhile a caller creates users, one after the
// other: the latencies are theirs. The peak is the midnight's; loading a million
// people in a minute has one of its own.
func Midnight(o Options) (Result, error) {
	users := or(o.N, 1_000_000)
	c := &clock{}
	r, err := newRig(o, func(conf *actors.Config) { conf.Clock = c })
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(48 * time.Hour)
	c.ahead.Store(time.Until(midnight.Add(-12 * time.Hour)).Milliseconds())
	if err := r.populate(users, "UTC"); err != nil {
		return Result{}, err
	}
	if err := r.fillDay(users, midnight); err != nil {
		return Result{}, err
	}
	o.progress("loaded")
	if err := r.leaveMemory(c); err != nil {
		return Result{}, err
	}
	res := Result{Workload: "midnight", N: users * perDay}
	if o.N > 0 && o.N != 1_000_000 {
		res.Variant = fmt.Sprintf("%d users", users)
	}
	res.Detail("users", float64(users))
	res.Detail("loading_peak_mb", peakRSS()/(1<<20))
	settled()
	forgetPeak()
	res.Detail("rss_before_mb", procField("/proc/self/status", "VmRSS")/1024)
	plans, planned := r.counters.find("carillon_plan_runs_total"), r.counters.find("carillon_reminders_total")
	m := Measure()
	c.ahead.Add(midnight.Add(time.Millisecond).UnixMilli() - c.Now())
	stop := r.newcomers()
	err = r.await(10*time.Minute, "every day plan", func() bool { return sum(plans, "cause", "midnight") >= float64(users) })
	m.End()
	took, missed := stop()
	if err != nil {
		return res, err
	}
	if got := sum(planned, "status", "scheduled"); got != float64(res.N) {
		return res, fmt.Errorf("bench: %.0f of %d reminders were planned", got, res.N)
	}
	if missed != nil {
		return res, missed
	}
	res.Detail("users_created_meanwhile", float64(len(took)))
	res.Finish(m, took, r.dir)
	return res, r.stop()
}

// newcomers creates users one after the other until it is stopped, which
// returns how long each took.
func (r *rig) newcomers() (stop func() (Latencies, error)) {
	var took Latencies
	var failed error
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; failed == nil; i++ {
			select {
			case <-done:
				return
			default:
			}
			began := time.Now()
			failed = r.do(fmt.Sprintf("late-%d", i), engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
			took = append(took, micros(time.Since(began)))
		}
	})
	return func() (Latencies, error) {
		close(done)
		wg.Wait()
		return took, failed
	}
}
