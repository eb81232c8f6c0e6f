package bench

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// restarts is how many times a loaded engine is killed and started again.
const restarts = 3

// Restart kills engines with SIGKILL, in processes of their own. One has users
// with five pending reminders each and is being written to; it is started
// again with none of its files in the page cache, three times. The time runs
// from the start of the process until requests are taken; the latencies are
// these times. Another is killed in the middle of a burst to a carrier that
// counts.
func Restart(o Options) (Result, error) {
	users := or(o.N, 1_000_000)
	res := Result{Workload: "restart", N: users * perDay}
	stub, err := StartCarrier(o.Self, 0)
	if err != nil {
		return res, err
	}
	defer stub.Stop()
	dir, err := o.tempDir()
	if err != nil {
		return res, err
	}
	defer (&rig{dir: dir}).remove()
	if err := killLoaded(o, childJob{Dir: dir, Carrier: stub.URL, Load: "pending", Users: users}); err != nil {
		return res, err
	}
	o.progress("loaded and killed")
	m := Measure(stub.pid())
	var ready Latencies
	for range restarts {
		took, err := restartOnce(o, stub, dir, &res)
		if err != nil {
			return res, err
		}
		o.progress(fmt.Sprintf("ready after %s", took.Round(time.Millisecond)))
		ready = append(ready, micros(took))
	}
	m.End()
	res.Finish(m, ready, dir)
	res.Seconds = res.P50 / 1000
	res.OpsPerS = float64(res.N) / res.Seconds
	return res, restartBurst(o, or(o.Burst, min(users, 100_000)), &res)
}

// killLoaded has an engine load, and kills it in the middle of writes.
func killLoaded(o Options, j childJob) error {
	e, err := startEngine(o, j)
	if err != nil {
		return err
	}
	defer e.kill()
	if line, err := e.line(); err != nil || line != "loaded" {
		return errors.Join(fmt.Errorf("bench: the engine said %q", line), err)
	}
	<-time.After(300 * time.Millisecond)
	return nil
}

// restartOnce starts an engine on a store that is nowhere in memory, looks at
// when the next probes come, and kills it.
func restartOnce(o Options, stub *Carrier, dir string, res *Result) (time.Duration, error) {
	cached, err := coolDown(dir)
	if err != nil {
		return 0, err
	}
	res.Detail("cached_share", max(res.Details["cached_share"], cached))
	e, err := startEngine(o, childJob{Dir: dir, Carrier: stub.URL})
	if err != nil {
		return 0, err
	}
	defer e.kill()
	if e.ready.Users < res.N/perDay {
		return 0, fmt.Errorf("bench: %d users came back", e.ready.Users)
	}
	line, err := e.line()
	if err != nil {
		return 0, err
	}
	first, err := strconv.ParseFloat(line, 64)
	if err != nil {
		return 0, err
	}
	res.Detail("users", float64(e.ready.Users))
	res.Detail("timers", float64(e.ready.Timers))
	res.Detail("replayed_records", max(res.Details["replayed_records"], float64(e.ready.Replayed)))
	res.Detail("first_write_s", max(res.Details["first_write_s"], first))
	late, err := stub.lateness(e.began.Add(e.took))
	if err != nil {
		return 0, err
	}
	res.Detail("first_due_late_ms", max(res.Details["first_due_late_ms"], late[0]))
	res.Detail("first_20_due_late_max_ms", max(res.Details["first_20_due_late_max_ms"], slices.Max(late)))
	res.RSS = max(res.RSS, e.peak())
	return e.took, nil
}

// lateness is how late the first probes came that were due from an instant on,
// in their order and in milliseconds.
func (c *Carrier) lateness(from time.Time) ([]float64, error) {
	const enough = 20
	for range 100 {
		after, err := c.probesSince(float64(from.UnixMilli()))
		if err != nil {
			return nil, err
		}
		if len(after) >= enough {
			return after, nil
		}
		<-time.After(100 * time.Millisecond)
	}
	return nil, errors.New("bench: reminders that were due after the restart have not come in ten seconds, or there are none left")
}

func (c *Carrier) probesSince(from float64) ([]float64, error) {
	all, err := c.arrivals()
	if err != nil {
		return nil, err
	}
	type probe struct{ due, late float64 }
	var after []probe
	for _, a := range all {
		due, err := strconv.ParseFloat(strings.TrimPrefix(a.Text, probeText), 64)
		if err != nil {
			return nil, err
		}
		if due >= from {
			after = append(after, probe{due, a.At - due})
		}
	}
	slices.SortFunc(after, func(a, b probe) int { return int(a.due - b.due) })
	late := make([]float64, 0, len(after))
	for _, p := range after {
		late = append(late, p.late)
	}
	return late, nil
}

// restartBurst kills an engine when half of a burst has been accepted, starts
// another on its store, and waits for the rest.
func restartBurst(o Options, n int, res *Result) error {
	stub, err := StartCarrier(o.Self, 0)
	if err != nil {
		return err
	}
	defer stub.Stop()
	dir, err := o.tempDir()
	if err != nil {
		return err
	}
	defer (&rig{dir: dir}).remove()
	e, err := startEngine(o, childJob{Dir: dir, Carrier: stub.URL, Load: "burst", Users: n})
	if err != nil {
		return err
	}
	line, err := e.line()
	if err == nil && line != "due" {
		err = fmt.Errorf("bench: the engine said %q", line)
	}
	if err == nil {
		err = stub.await(n/2, time.Minute)
	}
	e.kill()
	if err != nil {
		return err
	}
	atKill, err := stub.Counts()
	if err != nil {
		return err
	}
	cached, err := coolDown(dir)
	if err != nil {
		return err
	}
	e, err = startEngine(o, childJob{Dir: dir, Carrier: stub.URL})
	if err != nil {
		return err
	}
	defer e.kill()
	ready := e.began.Add(e.took)
	if err := stub.await(n, 5*time.Minute); err != nil {
		return err
	}
	done := time.Since(ready)
	<-time.After(2*reconcileAfter + time.Second) // a second text would come by then
	last, err := stub.Counts()
	if err != nil {
		return err
	}
	res.Detail("burst", float64(n))
	res.Detail("burst_at_kill", float64(atKill.Reminders))
	res.Detail("burst_ready_s", e.took.Seconds())
	res.Detail("burst_done_after_ready_s", done.Seconds())
	res.Detail("burst_twice", float64(last.Twice))
	res.Detail("cached_share", max(res.Details["cached_share"], cached))
	if last.Twice > 0 || last.Reminders != n {
		return fmt.Errorf("bench: the carrier has %d of %d reminders, %d twice", last.Reminders, n, last.Twice)
	}
	return nil
}

// await polls until the carrier has so many reminders.
func (c *Carrier) await(n int, patience time.Duration) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		seen, err := c.Counts()
		if err != nil {
			return err
		}
		if seen.Reminders >= n {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit:
			return fmt.Errorf("bench: the carrier has %d of %d reminders after %s", seen.Reminders, n, patience)
		}
	}
}
