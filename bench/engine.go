package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"carillon/actors"
	"carillon/engine"
)

// engineProcess is an engine in a process of its own, with production's
// defaults, that can be killed.
type engineProcess struct {
	cmd   *exec.Cmd
	lines *bufio.Reader
	ready standing
	began time.Time
	took  time.Duration // from its start until requests are taken
}

// standing is what an engine says of itself when it is ready.
type standing struct {
	Users    int     `json:"users"`
	Timers   int64   `json:"timers"`
	Replayed uint64  `json:"replayed"`
	OpenS    float64 `json:"open_s"`
}

// startEngine starts one and waits until it is ready.
func startEngine(o Options, j childJob) (*engineProcess, error) {
	j.Role = "engine"
	e := &engineProcess{began: time.Now()}
	cmd, out, err := startChild(o.Self, j)
	if err != nil {
		return nil, err
	}
	e.cmd, e.lines = cmd, bufio.NewReader(out)
	line, err := e.line()
	if err == nil {
		e.took = time.Since(e.began)
		err = json.Unmarshal([]byte(line), &e.ready)
	}
	if err != nil {
		e.kill()
		return nil, fmt.Errorf("bench: the engine's process: %w", err)
	}
	return e, nil
}

// line is the next thing that it says.
func (e *engineProcess) line() (string, error) {
	s, err := e.lines.ReadString('\n')
	return strings.TrimSpace(s), err
}

// number is a line with one. It sets the error if there is another before.
func (e *engineProcess) number(err *error) (v float64) {
	line, bad := e.line()
	if bad == nil {
		v, bad = strconv.ParseFloat(line, 64)
	}
	if *err == nil {
		*err = bad
	}
	return v
}

// kill ends it with SIGKILL, at whatever instruction it is.
func (e *engineProcess) kill() {
	_ = e.cmd.Process.Kill()
	_, _ = io.Copy(io.Discard, e.lines)
	_ = e.cmd.Wait()
}

// peak is the highest that it has been resident, in MiB.
func (e *engineProcess) peak() float64 {
	return procField(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid), "VmHWM") / 1024
}

// reconcileAfter is how long a message whose answer was lost waits before the
// carrier is asked. The stub of one knows its messages at once; 30 s, the
// default, is for those that do not.
const reconcileAfter = time.Second

// serveEngine is the engine's process.
func serveEngine(j childJob) error {
	began := time.Now()
	r := &rig{dir: j.Dir}
	err := r.start(func(c *actors.Config) {
		c.MaxInFlight, c.MaxSends = 0, 0 // the defaults
		c.Policy = engine.DefaultPolicy()
		c.Policy.ReconcileAfter = reconcileAfter.Milliseconds()
		if j.Carrier != "" {
			c.Sender = gateway(j.Carrier, 64)
		}
		if j.Load != "" { // rounds come when load says so: a run is like the one before
			c.SnapshotEvery, c.SnapshotRecords = 1000*time.Hour, 1<<62
		}
	})
	if err != nil {
		return err
	}
	s := r.node.Stats()
	st := standing{Users: s.Users, Timers: s.Timers, Replayed: s.Journal.LastSeq + 1 - s.Journal.ReplayFrom, OpenS: time.Since(began).Seconds()}
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	say(string(text))
	switch j.Load {
	case "pending":
		err = r.loadPending(j.Users)
	case "burst":
		err = r.loadBurst(j.Users)
	case "settle":
		say(settled())
	case "round":
		began = time.Now()
		if err = r.round(); err == nil {
			say(time.Since(began).Seconds())
		}
	default:
		err = r.firstWrite(began)
	}
	if err != nil {
		return err
	}
	return <-r.fatal
}

// firstWrite says how long after the start a write was answered.
func (r *rig) firstWrite(began time.Time) error {
	if err := r.do("first", engine.UpdateUser{Create: true, Zone: engine.Some("UTC")}); err != nil {
		return err
	}
	say(strconv.FormatFloat(time.Since(began).Seconds(), 'f', 6, 64))
	return nil
}

// probeEvery is how far apart the probes are due.
const probeEvery = 50 * time.Millisecond

// loadPending gives users five pending reminders each and snapshots them, has
// half of them change after that, adds probes that are due in the next minute,
// and goes on writing until it is killed.
func (r *rig) loadPending(users int) error {
	now := time.Now()
	if err := r.populate(users, earlyZone(now)); err != nil {
		return err
	}
	if err := r.fillDay(users, now); err != nil {
		return err
	}
	if err := r.round(); err != nil {
		return err
	}
	later := now.Add(20 * time.Hour)
	if err := Each(users/2, loaders, func(_, i int) error { return r.do(userID(2*i), event("tail", later)) }); err != nil {
		return err
	}
	if err := r.probes(time.Now().Add(time.Second), 3*time.Minute); err != nil {
		return err
	}
	say("loaded")
	for k := 0; ; k++ {
		id, start := fmt.Sprintf("more%d", k%50), time.Now().Add(20*time.Hour)
		if err := Each(1000, 64, func(_, i int) error { return r.do(userID(i%users), event(id, start)) }); err != nil {
			return err
		}
	}
}

// probes are reminders that say when they are due, one after the other.
func (r *rig) probes(from time.Time, span time.Duration) error {
	return Each(int(span/probeEvery), 64, func(_, i int) error {
		id, due := fmt.Sprintf("probe-%d", i), from.Add(time.Duration(i)*probeEvery).UnixMilli()
		c := engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Reminders: engine.Some(true), Quiet: engine.Some(engine.Quiet{})}
		if err := r.do(id, c); err != nil {
			return err
		}
		if err := r.do(id, engine.AttestPhone{Phone: fmt.Sprintf("+4916%09d", i)}); err != nil {
			return err
		}
		return r.do(id, engine.CreateReminder{Text: probeText + strconv.FormatInt(due, 10), SendAt: due, Priority: engine.PriorityNormal})
	})
}

// loadBurst gives users a reminder each for the same second.
func (r *rig) loadBurst(users int) error {
	began := time.Now()
	if err := r.populate(users, "UTC"); err != nil {
		return err
	}
	if err := r.scheduleBurst(users, burstTime(time.Since(began))); err != nil {
		return err
	}
	say("due")
	return nil
}
