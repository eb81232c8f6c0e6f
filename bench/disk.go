package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

// Disk lets a day of users with five events each go by, every reminder of
// which is delivered, and says what that took on the disk. Then the retention
// ends: the log's segments are dropped while a caller writes, and the Latencies
// are that caller's. The clock is set from one due time to the next.
func Disk(o Options) (Result, error) {
	users := or(o.N, 1_000_000)
	c := &clock{}
	r, err := newDiskRig(o, users, c)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(48 * time.Hour)
	c.ahead.Store(time.Until(midnight.Add(-6 * time.Hour)).Milliseconds())
	if err := r.populate(users, "UTC"); err != nil {
		return Result{}, err
	}
	before, wrote := r.store.Stats(), written()
	m := Measure()
	if err := r.fillDay(users, midnight); err != nil {
		return Result{}, err
	}
	o.progress("loaded")
	if err := r.day(c, midnight, users, o); err != nil {
		return Result{}, err
	}
	m.End()
	res := Result{Workload: "disk", N: users * perDay}
	after, n := r.store.Stats(), float64(users*perDay)
	log, records := float64(after.LogBytes-before.LogBytes), float64(after.Bytes-before.Bytes)
	res.Detail("log_bytes_per_reminder", log/n)
	res.Detail("records_per_reminder", float64(after.Records-before.Records)/n)
	res.Detail("written_bytes_per_reminder", (written()-wrote)/n)
	res.Detail("write_amplification", (written()-wrote)/records)
	took, err := r.dropped(c, midnight, &res)
	if err != nil {
		return res, err
	}
	res.Finish(m, took, r.dir)
	return res, r.stop()
}

// newDiskRig keeps history for a day: nothing goes while it is measured.
func newDiskRig(o Options, users int, c *clock) (*rig, error) {
	dir, err := o.tempDir()
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir, log: wal.Options{SegmentRecords: min(max(users, 100), 65_536)}} // few users have something to drop, too
	if err := r.start(func(conf *actors.Config) {
		conf.Clock, conf.Retention, conf.KeeperEvery, conf.Idle = c, 24*time.Hour, 100*time.Millisecond, 1000*time.Hour
		conf.Policy = engine.DefaultPolicy()
		conf.Policy.ConfirmAfter = 0 // every report comes
	}); err != nil {
		r.remove()
		return nil, err
	}
	return r, nil
}

// day lets it be midnight, and then each of the five due times. The carrier
// reports deliveries when all texts of one are accepted, and all reports have
// to be durable before the next.
func (r *rig) day(c *clock, midnight time.Time, users int, o Options) error {
	var mu sync.Mutex
	var accepted []provider.Message
	r.sent.told = func(m provider.Message) {
		mu.Lock()
		defer mu.Unlock()
		accepted = append(accepted, provider.Message{UserID: m.UserID, MessageID: m.MessageID})
	}
	plans := r.counters.find("carillon_plan_runs_total")
	c.set(midnight)
	err := r.await(10*time.Minute, "every day plan", func() bool { return sum(plans, "cause", "midnight") >= float64(users) })
	if err != nil {
		return err
	}
	for e := range perDay {
		c.set(midnight.Add(time.Duration(9+e)*time.Hour - 15*time.Minute))
		if err := r.awaitSent((e+1)*users, 10*time.Minute); err != nil {
			return err
		}
		err := Each(users, loaders, func(_, i int) error {
			m := accepted[i]
			return r.do(m.UserID, engine.ReportDelivery{MessageID: m.MessageID, SID: sid(m.MessageID), Status: engine.MessageDelivered})
		})
		if err != nil {
			return err
		}
		accepted = accepted[:0]
		o.progress(fmt.Sprintf("%d of %d times of the day", e+1, perDay))
	}
	delivered := sum(r.counters.find("carillon_carrier_outcomes_total"), "outcome", "delivered")
	if delivered != float64(perDay*users) {
		return fmt.Errorf("bench: %.0f of %d were delivered", delivered, perDay*users)
	}
	return nil
}

// dropped lets the retention of what was before midnight end, with a caller
// writing before that and meanwhile. A compaction comes every ten minutes.
func (r *rig) dropped(c *clock, midnight time.Time, res *Result) (Latencies, error) {
	if err := r.round(); err != nil {
		return nil, err
	}
	calmly, second := r.writer("before"), time.After(time.Second)
	<-second
	calm, err := calmly()
	if err != nil {
		return nil, err
	}
	_, res.Details["calm_p99_ms"], res.Details["calm_max_ms"] = calm.quantiles()
	from := r.store.Stats().FirstSeq
	meanwhile := r.writer("during")
	last := from
	for step := range 10 {
		c.set(midnight.Add(22*time.Hour + time.Duration(step)*11*time.Minute))
		gone := func() bool { return r.store.Stats().FirstSeq > last }
		if r.await(3*time.Second, "a segment dropped", gone) != nil { // they are all gone
			break
		}
		last = r.store.Stats().FirstSeq
	}
	took, err := meanwhile()
	res.Detail("records_dropped", float64(last-from))
	if err == nil && last == from {
		err = errors.New("bench: no segment was dropped")
	}
	return took, err
}

// writer writes one event after another until it is stopped.
func (r *rig) writer(name string) (stop func() (Latencies, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var took Latencies
	var failed error
	wg.Go(func() {
		failed = r.do(name, engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
		for i := 0; ctx.Err() == nil && failed == nil; i++ {
			began := time.Now()
			failed = r.do(name, event(fmt.Sprintf("%s-%d", name, i%100), began.Add(time.Duration(i)*time.Minute)))
			took = append(took, micros(time.Since(began)))
		}
	})
	return func() (Latencies, error) {
		cancel()
		wg.Wait()
		return took, failed
	}
}
