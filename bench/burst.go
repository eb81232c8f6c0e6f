package bench

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/engine"
)

// Burst has reminders of as many users due in the same second, with a carrier
// that accepts at once; each is handed over with both of its records flushed.
// The time runs from the instant at which they are due.
func Burst(parent string, n int) (Result, error) {
	reg := prometheus.NewRegistry()
	r, err := newRig(parent, func(c *actors.Config) { c.Metrics = reg })
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	if err := r.populate(n, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	lead := time.Duration(n/20_000+3) * time.Second
	due := time.Now().Add(lead).Truncate(time.Second)
	err = each(n, 1024, func(i int) error {
		return r.do(userID(i), engine.CreateReminder{Text: fmt.Sprintf("Reminder %d", i), SendAt: due.UnixMilli(), Priority: engine.PriorityNormal})
	})
	if err != nil {
		return Result{}, err
	}
	if time.Now().After(due) {
		return Result{}, errors.New("bench: the reminders were due before all of them were there; the machine is too slow for this lead")
	}
	<-time.After(time.Until(due))
	before, spent := commits(reg)
	cpu := cpuSeconds()
	if err := r.awaitSent(n, due); err != nil {
		return Result{}, err
	}
	took := time.Since(due)
	after, total := commits(reg)
	res := Result{Workload: "burst", N: n, Details: map[string]float64{"commits": after - before, "commit_ms": 1000 * (total - spent), "cpu_s": cpuSeconds() - cpu}}
	res.finish(took, r.dir)
	return res, r.stop()
}

// awaitSent waits until so many were accepted and nothing is in flight.
func (r *rig) awaitSent(n int, due time.Time) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Until(due) + 5*time.Minute)
	for {
		select {
		case err := <-r.fatal:
			return err
		case <-limit:
			return fmt.Errorf("bench: %d of %d were sent in five minutes", r.sent.n.Load(), n)
		case <-tick.C:
			if r.sent.n.Load() >= int64(n) && r.node.Stats().Outbox.Sending == 0 {
				return nil
			}
		}
	}
}
