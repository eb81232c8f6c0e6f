package bench

import (
	"runtime"
	"runtime/debug"
	"time"

	"carillon/actors"
)

// Memory creates users with five pending reminders each, measures what they
// take alive, then what is left when they have been passivated, and then what
// a process takes that starts on their store, and how long that is. Memory is
// what is not a mapped file; the resident whole is beside it.
func Memory(o Options) (Result, error) {
	users := or(o.N, 1_000_000)
	res := Result{Workload: "memory", N: users}
	idle, err := emptyProcess(o)
	if err != nil {
		return res, err
	}
	res.Detail("empty_process_mb", idle/(1<<20))
	empty := settled()
	r, err := newRig(o, func(c *actors.Config) { c.Idle = 100 * time.Hour })
	if err != nil {
		return res, err
	}
	defer r.remove()
	now := time.Now()
	m := Measure()
	if err := r.populate(users, earlyZone(now)); err != nil {
		return res, err
	}
	if err := r.fillDay(users, now); err != nil { // from nine hours on: today, in that zone
		return res, err
	}
	m.End()
	res.OpsPerS = float64(3*users) / m.seconds
	o.progress("loaded")
	res.Detail("alive_bytes_per_user", (settled()-empty)/float64(users))
	res.Detail("alive_rss_mb", procField("/proc/self/status", "VmRSS")/1024)
	if err := r.stop(); err != nil {
		return res, err
	}
	r.node, r.store = nil, nil
	if err := r.passivated(o, &res); err != nil {
		return res, err
	}
	res.Finish(m, nil, r.dir)
	return res, r.stop()
}

// passivated starts on the users' store, whose actors are then not in memory.
func (r *rig) passivated(o Options, res *Result) error {
	base := settled()
	began := time.Now()
	if err := r.start(func(c *actors.Config) { c.SnapshotEvery = 100 * time.Hour }); err != nil {
		return err
	}
	res.Detail("restart_from_log_s", time.Since(began).Seconds())
	o.progress("restarted from the log")
	began = time.Now()
	if err := r.round(); err != nil {
		return err
	}
	res.Detail("snapshot_round_s", time.Since(began).Seconds())
	res.Detail("passivated_bytes_per_user", (settled()-base)/float64(res.N))
	if err := r.stop(); err != nil {
		return err
	}
	r.node, r.store = nil, nil
	settled()
	began = time.Now()
	if err := r.start(nil); err != nil {
		return err
	}
	res.Detail("restart_from_snapshots_s", time.Since(began).Seconds())
	return nil
}

// emptyProcess is what an engine without users has resident, in a process of
// its own.
func emptyProcess(o Options) (float64, error) {
	dir, err := o.tempDir()
	if err != nil {
		return 0, err
	}
	defer (&rig{dir: dir}).remove()
	e, err := startEngine(o, childJob{Dir: dir})
	if err != nil {
		return 0, err
	}
	defer e.kill()
	return residentOf(e.cmd.Process.Pid), nil
}

// settled is the memory when what is garbage has been given back.
func settled() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	return anonymous()
}
