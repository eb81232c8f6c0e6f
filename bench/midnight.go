package bench

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/engine"
)

// Midnight gives users of one zone five events each for tomorrow, lets their
// midnight come, and measures until every day plan is durable. Meanwhile a
// caller creates users, one after the other: the latencies are theirs.
func Midnight(parent string, users int) (Result, error) {
	const perUser = 5
	c := &clock{}
	reg := prometheus.NewRegistry()
	r, err := newRig(parent, func(conf *actors.Config) { conf.Clock, conf.Metrics = c, reg })
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(48 * time.Hour)
	c.ahead.Store(time.Until(midnight.Add(-12 * time.Hour)).Milliseconds())
	if err := r.populate(users, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	err = each(users, 1024, func(i int) error {
		sync := engine.SyncEvents{Start: midnight.UnixMilli(), End: midnight.Add(24 * time.Hour).UnixMilli()}
		for e := range perUser {
			sync.Events = append(sync.Events, event(fmt.Sprintf("e%d", e), midnight.Add(time.Duration(9+e)*time.Hour)).Event)
		}
		return r.do(userID(i), sync)
	})
	if err != nil {
		return Result{}, err
	}
	res := Result{Workload: "midnight", N: users * perUser, Details: map[string]float64{"users": float64(users)}}
	began := time.Now()
	c.ahead.Add(midnight.Add(time.Millisecond).UnixMilli() - c.Now())
	stop := r.callers(&res)
	err = r.await(10*time.Minute, func() bool { return metric(reg, "carillon_plan_runs_total", "cause", "midnight") >= float64(users) })
	took := time.Since(began)
	stop()
	if err != nil {
		return res, err
	}
	res.finish(took, r.dir)
	return res, r.stop()
}

// callers creates users one after the other until it is stopped, and notes how
// long each took.
func (r *rig) callers(res *Result) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			began := time.Now()
			if r.do(fmt.Sprintf("late-%d", i), engine.UpdateUser{Create: true, Zone: engine.Some("UTC")}) == nil {
				res.durations = append(res.durations, time.Since(began))
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// await polls until ok, for so long at most.
func (r *rig) await(patience time.Duration, ok func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case err := <-r.fatal:
			return err
		case <-limit:
			return errors.New("bench: not done in time")
		case <-tick.C:
		}
	}
	return nil
}

// commits returns how many batches the journal has flushed, and how long that
// took in all.
func commits(reg *prometheus.Registry) (n, seconds float64) {
	families, err := reg.Gather()
	if err != nil {
		return 0, 0
	}
	for _, f := range families {
		if f.GetName() == "carillon_journal_commit_duration_seconds" {
			h := f.GetMetric()[0].GetHistogram()
			return float64(h.GetSampleCount()), h.GetSampleSum()
		}
	}
	return 0, 0
}

// metric adds up a counter's children that have that label.
func metric(reg *prometheus.Registry, name, label, value string) (total float64) {
	families, err := reg.Gather()
	if err != nil {
		return 0
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == label && l.GetValue() == value {
					total += m.GetCounter().GetValue()
				}
			}
		}
	}
	return total
}
