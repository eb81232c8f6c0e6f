package bench

import (
	"runtime"
	"runtime/debug"
	"time"

	"carillon/actors"
)

// Memory creates users with five pending reminders each, measures what they
// take alive, right after that work and at rest after a round of snapshots, and
// then what they take in a process that has started on their
// store and needs none of them. Memory is what is not a mapped file, when what
// is garbage has been given back; the resident whole is beside it.
func Memory(o Options) (Result, error) {
	users := or(o.N, 1_000_000)
	res := Result{Workload: "memory", N: users}
	none, err := o.tempDir()
	if err != nil {
		return res, err
	}
	defer (&rig{dir: none}).remove()
	idle, err := idleEngine(o, none, &res, "empty_")
	if err != nil {
		return res, err
	}
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
	res.Detail("alive_awake_bytes_per_user", (settled()-empty)/float64(users))
	res.Detail("alive_awake_rss_mb", procField("/proc/self/status", "VmRSS")/1024)
	if err := r.rest(); err != nil {
		return res, err
	}
	res.Detail("alive_bytes_per_user", (settled()-empty)/float64(users))
	res.Detail("alive_rss_mb", procField("/proc/self/status", "VmRSS")/1024)
	if err := r.stop(); err != nil {
		return res, err
	}
	res.Finish(m, nil, r.dir)
	return res, passivated(o, r.dir, idle, &res)
}

// passivated starts engines on the users' store, in processes of their own: one
// snapshots them, the next has them all and none of their actors.
func passivated(o Options, dir string, idle float64, res *Result) error {
	e, err := startEngine(o, childJob{Dir: dir, Load: "round"})
	if err != nil {
		return err
	}
	res.Detail("restart_from_log_s", e.took.Seconds())
	res.Detail("snapshot_round_s", e.number(&err))
	e.kill()
	if err != nil {
		return err
	}
	o.progress("snapshotted")
	full, err := idleEngine(o, dir, res, "passivated_")
	if err != nil {
		return err
	}
	res.Detail("passivated_bytes_per_user", (full-idle)/float64(res.N))
	return nil
}

// idleEngine is the memory of an engine that has nothing to do, and notes what
// it took to start and what is resident.
func idleEngine(o Options, dir string, res *Result, name string) (memory float64, err error) {
	e, err := startEngine(o, childJob{Dir: dir, Load: "settle"})
	if err != nil {
		return 0, err
	}
	defer e.kill()
	res.Detail(name+"process_mb", residentOf(e.cmd.Process.Pid)/(1<<20))
	res.Detail(name+"start_s", e.took.Seconds())
	memory = e.number(&err)
	return memory, err
}

// settled is the memory when what is garbage has been given back.
func settled() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	return anonymous()
}
