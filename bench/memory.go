package bench

import (
	"runtime"
	"runtime/debug"
	"time"

	"carillon/actors"
)

// Memory creates users with one future event each, measures what they take
// alive, then what is left when they have been passivated, and then what a
// process takes that starts on their store, and how long that is. Memory is
// what is not a mapped file; the resident whole is beside it.
func Memory(parent string, users int, progress func(string)) (Result, error) {
	runtime.GC()
	empty := anonymous()
	r, err := newRig(parent, func(c *actors.Config) { c.Idle = time.Hour })
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	res := Result{Workload: "memory", N: users, Details: map[string]float64{"empty_process_mb": empty / (1 << 20)}}
	began := time.Now()
	if err := r.populate(users, 1024, "Europe/Berlin"); err != nil {
		return res, err
	}
	start := time.Now().Add(48 * time.Hour)
	err = each(users, 1024, func(i int) error { return r.do(userID(i), event("e1", start)) })
	if err != nil {
		return res, err
	}
	res.OpsPerS = float64(3*users) / time.Since(began).Seconds()
	progress("loaded")
	res.Details["alive_bytes_per_user"] = (settled() - empty) / float64(users)
	res.Details["alive_rss_mb"] = RSS() / (1 << 20)
	if err := r.stop(); err != nil {
		return res, err
	}
	r.node, r.store = nil, nil
	base := settled()
	began = time.Now()
	if err := r.start(func(c *actors.Config) { c.SnapshotEvery = time.Hour }); err != nil {
		return res, err
	}
	res.Details["restart_from_log_s"] = time.Since(began).Seconds()
	progress("restarted from the log")
	began = time.Now()
	r.node.SnapshotNow()
	if err := r.awaitRound(); err != nil {
		return res, err
	}
	res.Details["snapshot_round_s"] = time.Since(began).Seconds()
	res.Details["passivated_bytes_per_user"] = (settled() - base) / float64(users)
	if err := r.stop(); err != nil {
		return res, err
	}
	r.node, r.store = nil, nil
	debug.FreeOSMemory()
	began = time.Now()
	if err := r.start(nil); err != nil {
		return res, err
	}
	took := time.Since(began)
	res.Details["restart_from_snapshots_s"] = took.Seconds()
	res.finish(took, r.dir)
	return res, r.stop()
}

// settled is the resident memory when what is garbage has been given back.
func settled() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	return anonymous()
}

// awaitRound waits until a round of snapshots has ended.
func (r *rig) awaitRound() error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-r.fatal:
			return err
		case <-tick.C:
			if s := r.node.Stats().Journal; s.SnapshotRounds > 0 && s.Unsnapshotted == 0 {
				return nil
			}
		}
	}
}
