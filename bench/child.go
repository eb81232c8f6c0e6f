package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// childJob is what a child process is to do.
type childJob struct {
	Role  string        `json:"role"` // run, carrier, engine
	Delay time.Duration `json:"delay,omitempty"`

	Workload string  `json:"workload,omitempty"` // of run
	Options  Options `json:"options,omitzero"`

	Dir     string `json:"dir,omitempty"` // of engine, from here on
	Carrier string `json:"carrier,omitempty"`
	Load    string `json:"load,omitempty"` // pending, burst; empty: nothing
	Users   int    `json:"users,omitempty"`
	Due     int64  `json:"due,omitempty"` // of the burst, Unix milliseconds
}

// Child is what this program does when it was started with Self and a job. It
// ends with its parent: a job that is left alone would go on for ever.
func Child(job string) error {
	var j childJob
	if err := json.Unmarshal([]byte(job), &j); err != nil {
		return fmt.Errorf("bench: a child's job: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	switch j.Role {
	case "carrier":
		return serveCarrier(j.Delay)
	case "engine":
		return serveEngine(j)
	case "run":
		return runChild(j)
	}
	return errors.New("bench: a child without a role")
}

func runChild(j childJob) error {
	w, ok := Find(j.Workload)
	if !ok || w.run == nil {
		return fmt.Errorf("bench: there is no workload %q", j.Workload)
	}
	o := j.Options
	o.Self = selfFromEnv()
	o.Progress = func(what string) { _, _ = fmt.Fprintln(os.Stderr, "bench", j.Workload+":", what) }
	r, err := w.run(o)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// selfVariable carries Options.Self to a child that has children.
const selfVariable = "BENCH_SELF"

func selfFromEnv() (self []string) {
	_ = json.Unmarshal([]byte(os.Getenv(selfVariable)), &self)
	return self
}

// say tells the parent a line.
func say(what any) { _, _ = fmt.Println(what) }

// startChild starts this program on a job. Its standard input stays open for
// as long as the parent lives.
func startChild(self []string, j childJob) (*exec.Cmd, io.Reader, error) {
	if len(self) == 0 {
		return nil, nil, errNoSelf
	}
	job, err := json.Marshal(j)
	if err != nil {
		return nil, nil, err
	}
	env, err := json.Marshal(self)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(context.Background(), self[0], append(self[1:len(self):len(self)], string(job))...)
	cmd.Env = append(os.Environ(), selfVariable+"="+string(env))
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return cmd, out, cmd.Start()
}

// Run measures a workload, each run in a process of its own, so that none
// inherits another's memory and the peak is that run's. Runs 0 is the
// workload's own number.
func Run(name string, o Options, runs int) (Result, error) {
	w, ok := Find(name)
	if !ok {
		return Result{}, fmt.Errorf("bench: there is no workload %q", name)
	}
	if w.parts != nil {
		return w.parts(o, func(name string, o Options, own int) (Result, error) { return Run(name, o, or(runs, own)) })
	}
	if runs <= 0 {
		runs = 5
		if w.single {
			runs = 1
		}
	}
	var all []Result
	for i := range runs {
		r, err := runOnce(name, o)
		if err != nil {
			return Result{}, err
		}
		if runs > 1 {
			o.progress(fmt.Sprintf("%s, run %d of %d: %.0f/s", r.Title(), i+1, runs, r.OpsPerS))
		}
		all = append(all, r)
	}
	return Median(all), nil
}

func runOnce(name string, o Options) (r Result, err error) {
	cmd, out, err := startChild(o.Self, childJob{Role: "run", Workload: name, Options: o})
	if err != nil {
		return r, err
	}
	text, err := io.ReadAll(out)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return r, fmt.Errorf("bench %s: %w", name, err)
	}
	return r, json.Unmarshal(text, &r)
}

// InProcess measures one run in this process, where a profile sees it.
func InProcess(name string, o Options) (Result, error) {
	w, ok := Find(name)
	if !ok || w.run == nil {
		return Result{}, fmt.Errorf("bench: %q can't be run in this process", name)
	}
	return w.run(o)
}
