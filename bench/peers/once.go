package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"carillon/bench"
)

// once is one run of a workload on one system, in a process of its own.
type once struct {
	System   string `json:"system"`
	Workload string `json:"workload"`
	N        int    `json:"n"`
	Callers  int    `json:"callers"`
	Seconds  int    `json:"seconds"`
	Pending  int    `json:"pending"` // behind the jobs of steady
	Lead     int    `json:"lead"`    // seconds more to take the jobs in
	Dir      string `json:"dir"`

	peer  peer
	dir   string
	roots []int // server and carrier
}

// patience is how long a system may take for the rest of its jobs.
const patience = 4 * time.Minute

// run measures and prints the result.
func (o *once) run() error {
	s, ok := find(o.System)
	if !ok {
		return fmt.Errorf("there is no system %q", o.System)
	}
	var err error
	if o.dir, err = os.MkdirTemp(o.Dir, "carillon-peers-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(o.dir) }()
	o.peer = s.make()
	defer o.peer.stop()
	if err := o.peer.start(o.dir, o.connections()); err != nil {
		return err
	}
	o.roots = o.peer.servers()
	res := bench.Result{System: s.name, Workload: o.Workload, N: o.N}
	if err := o.workload(&res); err != nil {
		return err
	}
	client, servers := residents(os.Getpid()), 0.0
	for _, pid := range o.peer.servers() {
		servers += residents(pid)
	}
	res.Detail("client_mb", client)
	res.Detail("server_mb", servers)
	res.RSS = client + servers
	return json.NewEncoder(os.Stdout).Encode(res)
}

// connections is how many a pool should have: what was best for River.
func (o *once) connections() int {
	switch o.Workload {
	case "schedule":
		return 32
	case "move":
		return 8
	}
	return 64
}

func (o *once) workload(res *bench.Result) error {
	switch o.Workload {
	case "schedule":
		return o.schedule(res)
	case "burst":
		return o.burst(res, nil)
	case "http-burst":
		stub, err := bench.StartCarrier(self(), 0)
		if err != nil {
			return err
		}
		defer stub.Stop()
		o.roots = append(o.roots, stub.PID())
		return o.burst(res, stub)
	case "steady":
		return o.steady(res)
	case "move":
		return o.move(res)
	case "restart":
		return o.restart(res)
	}
	return fmt.Errorf("there is no workload %q", o.Workload)
}

// self is how this program becomes a carrier.
func self() []string { return []string{os.Args[0], "bench-child"} }

func jobs(n int, due func(i int) time.Time) []job {
	all := make([]job, n)
	for i := range all {
		all[i] = newJob(i, due(i))
	}
	return all
}

func at(t time.Time) func(int) time.Time { return func(int) time.Time { return t } }

// schedule has callers put jobs in, one at a time each.
func (o *once) schedule(res *bench.Result) error {
	all := jobs(o.N+o.N/20, at(time.Now().Add(20*time.Minute)))
	before := all[o.N:]
	err := bench.Each(len(before), o.Callers, func(_, i int) error { return o.peer.schedule(before[i]) })
	if err != nil {
		return err
	}
	m := bench.Measure(o.roots...)
	took, err := bench.Timed(o.N, o.Callers, func(_, i int) error { return o.peer.schedule(all[i]) })
	if err != nil {
		return err
	}
	res.Variant = fmt.Sprintf("%d callers", o.Callers)
	res.Finish(m.End(), took, o.dir)
	return nil
}

// move has a tenth of the jobs moved, and another tenth cancelled.
func (o *once) move(res *bench.Result) error {
	now := time.Now()
	if err := o.peer.load(jobs(o.N, at(now.Add(3*time.Hour)))); err != nil {
		return err
	}
	if err := o.peer.settle(); err != nil {
		return err
	}
	res.N = o.N / 5
	m := bench.Measure(o.roots...)
	took, err := bench.Timed(res.N, o.Callers, func(_, i int) error {
		if i%2 == 0 {
			return o.peer.move(5*i, now.Add(4*time.Hour))
		}
		return o.peer.cancel(5 * i)
	})
	if err != nil {
		return err
	}
	res.Variant = fmt.Sprintf("%d callers", o.Callers)
	res.Finish(m.End(), took, o.dir)
	return nil
}

// handler is what a job does: nothing, or a POST to the carrier.
func handler(carrier string) func(id int) error {
	if carrier == "" {
		return func(int) error { return nil }
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024}, Timeout: 10 * time.Second}
	return func(id int) error {
		body := fmt.Sprintf(`{"to":"+4915%09d","text":"Quarterly review with Dana and the Lisbon office in 15 mins @ Room 4.12. https://meet.example.com/j/83174429056","user_id":"user-%07d","reminder_id":"r%d","message_id":"m%d"}`, id, id, id, id)
		resp, err := client.Post(carrier+"/messages", "application/json", strings.NewReader(body)) //nolint:noctx // the client has a timeout
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		_, err = io.Copy(io.Discard, resp.Body)
		if err == nil && resp.StatusCode >= 300 {
			err = errors.New(resp.Status)
		}
		return err
	}
}

// burst has all jobs due in the same second, and measures until the last
// completion is recorded.
func (o *once) burst(res *bench.Result, stub *bench.Carrier) error {
	due := time.Now().Add(o.loading()).Truncate(time.Second)
	if err := o.peer.load(jobs(o.N, at(due))); err != nil {
		return err
	}
	url := ""
	if stub != nil {
		url = stub.URL
	}
	do, late := handler(url), make(bench.Latencies, o.N)
	var begun, early, ended atomic.Int64
	err := o.peer.work(func(id int) error {
		lateness := time.Since(due)
		if lateness < 0 {
			early.Add(1)
		}
		if i := begun.Add(1) - 1; i < int64(o.N) {
			late.Set(int(i), lateness)
		}
		err := do(id)
		if err == nil {
			ended.Add(1)
		}
		return err
	})
	if err != nil {
		return err
	}
	if time.Now().After(due) {
		return errLate
	}
	<-time.After(time.Until(due))
	m := bench.Measure(o.roots...)
	if err := o.awaitDone(&ended); err != nil {
		return err
	}
	res.Detail("early", float64(early.Load()))
	res.Finish(m.End(), late, o.dir)
	if stub == nil {
		return nil
	}
	seen, err := stub.Counts()
	if err == nil && seen.Reminders != o.N {
		err = fmt.Errorf("the carrier has %d of %d", seen.Reminders, o.N)
	}
	res.Detail("twice", float64(seen.Twice))
	return err
}

// loading is how long a system needs to take the jobs in and begin to work, with
// room.
func (o *once) loading() time.Duration {
	rate, begin := 20_000, 3
	switch {
	case o.System == "NATS, sync always":
		rate = 2000
	case strings.HasPrefix(o.System, "River"):
		begin = 8 // it elects a leader, whose scheduler looks every five seconds
	}
	return time.Duration(begin+o.Lead)*time.Second + time.Duration(o.N)*time.Second/time.Duration(rate)
}

// errLate is a system that could not take the jobs in before they were due.
var errLate = errors.New("the jobs were due before all of them were there")

// awaitDone waits until all jobs have been handled and all of that is
// recorded. The system is not asked before the first is so: asking costs.
func (o *once) awaitDone(ended *atomic.Int64) error {
	began := time.Now()
	for time.Since(began) < patience {
		<-time.After(5 * time.Millisecond)
		if ended.Load() < int64(o.N) {
			continue
		}
		n, err := o.peer.done()
		if err != nil {
			return err
		}
		if n >= o.N {
			return nil
		}
	}
	return fmt.Errorf("%d of %d jobs were handled in %s", ended.Load(), o.N, patience)
}

// steadyRate are the jobs per second of steady.
const steadyRate = 1000

// steady has jobs due at a fixed rate, with many pending behind.
func (o *once) steady(res *bench.Result) error {
	n := steadyRate * o.Seconds
	res.N, o.N = n, n
	far := make([]job, o.Pending)
	for i := range far {
		far[i] = newJob(n+i, time.Now().Add(10*time.Hour))
	}
	if err := o.peer.load(far); err != nil {
		return err
	}
	first := time.Now().Add(o.loading()).Truncate(time.Second)
	due := func(i int) time.Time { return first.Add(time.Duration(i) * time.Second / steadyRate) }
	if err := o.peer.load(jobs(n, due)); err != nil {
		return err
	}
	late := make(bench.Latencies, n)
	var early, ended atomic.Int64
	err := o.peer.work(func(id int) error {
		lateness := time.Since(due(id))
		if lateness < 0 {
			early.Add(1)
		}
		if id < n {
			late.Set(id, lateness)
			ended.Add(1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if time.Now().After(first) {
		return errLate
	}
	<-time.After(time.Until(first))
	m := bench.Measure(o.roots...)
	<-time.After(time.Duration(o.Seconds) * time.Second)
	if err := o.awaitDone(&ended); err != nil {
		return err
	}
	res.Detail("early", float64(early.Load()))
	res.Detail("pending", float64(o.Pending))
	res.Finish(m.End(), late, o.dir)
	return nil
}

// worker is a process that does the jobs of a server that is there already.
func worker(name, address, carrier string) error {
	s, ok := find(name)
	if !ok {
		return fmt.Errorf("there is no system %q", name)
	}
	p := s.make()
	if err := p.attach(address, 64); err != nil {
		return err
	}
	if err := p.work(handler(carrier)); err != nil {
		return err
	}
	discard(os.Stdin) // it ends with its parent
	return nil
}

func (o *once) startWorker(carrier string) (*exec.Cmd, error) {
	cmd := exec.Command(os.Args[0], "worker", o.System, o.peer.address(), carrier)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return cmd, cmd.Start()
}

// restart kills a worker with SIGKILL when half of a burst has reached the
// carrier, starts another at once, and waits for the rest. Its server lives
// on, which is more than carillon's gets.
func (o *once) restart(res *bench.Result) error {
	stub, err := bench.StartCarrier(self(), 0)
	if err != nil {
		return err
	}
	defer stub.Stop()
	due := time.Now().Add(o.loading()).Truncate(time.Second)
	if err := o.peer.load(jobs(o.N, at(due))); err != nil {
		return err
	}
	w, err := o.startWorker(stub.URL)
	if err != nil {
		return err
	}
	<-time.After(time.Until(due))
	err = awaitCarrier(stub, o.N/2)
	_ = w.Process.Kill()
	_ = w.Wait()
	if err != nil {
		return err
	}
	m := bench.Measure(o.roots...)
	w, err = o.startWorker(stub.URL)
	if err != nil {
		return err
	}
	defer func() { _ = w.Process.Kill() }()
	if err := awaitCarrier(stub, o.N); err != nil {
		return err
	}
	all := m.End()
	began := time.Now()
	for n := 0; n < o.N && time.Since(began) < patience; {
		<-time.After(50 * time.Millisecond)
		if n, err = o.peer.done(); err != nil {
			return err
		}
	}
	seen, err := stub.Counts()
	if err != nil {
		return err
	}
	res.OpsPerS = -1
	res.Finish(all, nil, o.dir)
	res.OpsPerS = 0
	res.Detail("done_after_start_s", res.Seconds)
	res.Detail("recorded_after_start_s", res.Seconds+time.Since(began).Seconds())
	res.Detail("twice", float64(seen.Twice))
	return nil
}

func awaitCarrier(stub *bench.Carrier, n int) error {
	began := time.Now()
	for time.Since(began) < patience {
		seen, err := stub.Counts()
		if err != nil {
			return err
		}
		if seen.Reminders >= n {
			return nil
		}
		<-time.After(5 * time.Millisecond)
	}
	return fmt.Errorf("the carrier has not seen %d reminders in %s", n, patience)
}

// residents is what a process and its children have in memory, in MiB, with
// what they share counted once.
func residents(root int) (mb float64) {
	for _, pid := range bench.Family(root) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "Pss:"); ok {
				kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
				mb += kb / 1024
			}
		}
	}
	return mb
}
