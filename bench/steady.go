package bench

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// Steady has so many reminders per second due for a while, with many more
// pending behind them. In the second half a round of snapshots and a backup
// run. The latencies are how late the hand-overs begin.
func Steady(o Options) (Result, error) {
	pending, perSecond, seconds := or(o.N, 1_000_000), or(o.PerSecond, 1000), or(o.Seconds, 60)
	n := perSecond * seconds
	users := max(pending, n)
	r, err := newRig(o, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	now := time.Now()
	if err := r.populate(users, earlyZone(now)); err != nil {
		return Result{}, err
	}
	populating := time.Since(now)
	later := now.Add(10 * time.Hour)
	if err := Each(pending, loaders, func(_, i int) error { return r.do(userID(i), event("later", later)) }); err != nil {
		return Result{}, err
	}
	o.progress("loaded")
	apart := time.Second / time.Duration(perSecond)
	first := time.Now().Add(populating*time.Duration(n)/time.Duration(users) + 2*time.Second).Truncate(time.Millisecond)
	due := func(i int) time.Time { return first.Add(time.Duration(i) * apart).Truncate(time.Millisecond) }
	late := make(Latencies, n)
	r.sent.told = func(m provider.Message) {
		now, i := time.Now(), 0
		if _, err := fmt.Sscanf(m.Text, "Reminder %d", &i); err == nil && i < n {
			late.Set(i, now.Sub(due(i)))
		}
	}
	err = Each(n, loaders, func(_, i int) error {
		return r.do(userID(i), engine.CreateReminder{Text: fmt.Sprintf("Reminder %d", i), SendAt: due(i).UnixMilli(), Priority: engine.PriorityNormal})
	})
	if err != nil {
		return Result{}, err
	}
	if time.Now().After(first) {
		return Result{}, fmt.Errorf("bench: %d reminders were due before all of them were there", n)
	}
	<-time.After(time.Until(first))
	m := Measure()
	res := Result{Workload: "steady", N: n}
	disturb := r.disturb(first.Add(time.Duration(seconds) * time.Second / 2))
	if err := r.awaitSent(n, time.Duration(seconds)*time.Second+time.Minute); err != nil {
		return res, err
	}
	m.End()
	d, err := disturb()
	if err != nil {
		return res, err
	}
	res.Detail("pending", float64(pending))
	res.Detail("backup_mb", float64(d.backup)/(1<<20))
	res.Detail("backup_s", d.backupTook.Seconds())
	res.Detail("round_s", d.roundTook.Seconds())
	res.Detail("quiet_gc_cycles", d.gcAtBegin-m.gcThen)
	res.Detail("disturbed_gc_cycles", m.gcThen+m.gcs-d.gcAtBegin)
	res.Detail("gc_cpu_s", m.gcCPU)
	res.split("quiet", late[:n/2])
	res.split("disturbed", late[n/2:])
	res.split("round", late[n/2:min(n/2+int(d.roundTook/apart)+1, n)])
	res.Finish(m, late, r.dir)
	return res, r.stop()
}

// split notes the latencies of a part of a run.
func (r *Result) split(name string, part Latencies) {
	p50, p99, greatest := append(Latencies(nil), part...).quantiles()
	r.Detail(name+"_p50_ms", p50)
	r.Detail(name+"_p99_ms", p99)
	r.Detail(name+"_max_ms", greatest)
}

// disturbance is what a round of snapshots and a backup were.
type disturbance struct {
	backup                int64 // bytes
	backupTook, roundTook time.Duration
	gcAtBegin             float64 // cycles of the collector until then
}

// disturb begins a round of snapshots and a backup at an instant; wait returns
// when both have ended.
func (r *rig) disturb(at time.Time) (wait func() (disturbance, error)) {
	var wg sync.WaitGroup
	var d disturbance
	var failed, endless error
	wg.Go(func() {
		<-time.After(time.Until(at))
		before := r.store.ReplayFrom()
		d.gcAtBegin, _ = collected()
		r.node.SnapshotNow()
		wg.Go(func() {
			endless = r.await(5*time.Minute, "a round of snapshots", func() bool { return r.store.ReplayFrom() != before })
			d.roundTook = time.Since(at)
		})
		d.backup, failed = r.store.Backup(io.Discard)
		d.backupTook = time.Since(at)
	})
	return func() (disturbance, error) {
		wg.Wait()
		return d, errors.Join(failed, endless)
	}
}
