package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"

	"carillon/bench"
)

type benchCmd struct {
	Workload  string   `arg:"" enum:"schedule,http,midnight,burst,http-burst,steady,callbacks,move,restart,memory,disk,growth,floors,pace,composer,ontime,all,compare" help:"${enum}."`
	Files     []string `arg:"" optional:"" help:"Of compare: results from before and from after, as --json prints them."`
	N         int      `short:"n" default:"0" help:"Operations or, of midnight, burst, steady, move, restart, memory, disk and growth, users; 0 is the workload's own number."`
	Users     int      `default:"0" help:"Users that schedule and http spread over; of floors, people at midnight."`
	Callers   int      `default:"0" help:"Callers at a time of schedule, http, callbacks and move."`
	Lines     int      `default:"1" help:"Lines in a call of http; above 1 it is the batch endpoint."`
	PerSecond int      `default:"0" help:"Reminders per second of steady, segments per second of the sender of pace; 0 is 1000 and 10."`
	Seconds   int      `default:"0" help:"How long steady lasts; 0 is a minute."`
	Burst     int      `default:"0" help:"Reminders of the burst that restart is killed in."`
	Idle      bool     `help:"Everybody has been idle for ten minutes before the burst, so that nobody is in memory, as at midnight."`
	Runs      int      `default:"0" help:"Runs, each in a process of its own; the median is reported. 0 is the workload's own number, 5 or 1."`
	JSON      bool     `name:"json" help:"One JSON object."`
	Against   string   `help:"Compare with the results in this file."`
	Dir       string   `help:"Where the stores are made; default is the machine's place for such."`
	Profile   string   `name:"cpuprofile" help:"Make one run in this process, and write a CPU profile of its measured part to this file."`
	Heap      string   `name:"memprofile" help:"Make one run in this process, and write a profile of what was allocated to this file."`
	Suite     string   `default:"full" enum:"quick,short,full" help:"Of all: ${enum}."`
	Out       string   `help:"Of all: the results file whose section for this machine is written; its JSON is beside it."`
	Picture   string   `help:"Of all: the SVG that is written."`
}

func (c *benchCmd) options(p *program) bench.Options {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return bench.Options{
		Dir: c.Dir, N: c.N, Users: c.Users, Callers: c.Callers, Lines: c.Lines, PerSecond: c.PerSecond, Seconds: c.Seconds, Burst: c.Burst, Idle: c.Idle,
		Self:     []string{exe, "bench-child"},
		Progress: func(what string) { _, _ = fmt.Fprintln(p.stderr, "bench:", what) },
	}
}

// Run measures a workload on this machine, in a folder that goes with it.
func (c *benchCmd) Run(p *program) error {
	if c.Workload == "compare" {
		return c.compare(p)
	}
	var err error
	if c.Dir, err = os.MkdirTemp(c.Dir, "carillon-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(c.Dir) }()
	ended := make(chan struct{})
	defer close(ended)
	go c.interrupt(p, ended)
	if c.Workload == "all" {
		return c.all(p)
	}
	return c.one(p)
}

// interrupt ends the program at a signal. Its children end with it: they hear
// that their standard input was closed.
func (c *benchCmd) interrupt(p *program, ended <-chan struct{}) {
	select {
	case <-ended:
	case <-p.signals:
		_ = os.RemoveAll(c.Dir)
		os.Exit(exitFailed)
	}
}

func (c *benchCmd) one(p *program) error {
	r, err := c.measure(p)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(p.stdout).Encode(r)
	} else {
		r.Print(p.stdout)
	}
	if err != nil || c.Against == "" {
		return err
	}
	before, err := bench.Load(c.Against)
	if err != nil {
		return err
	}
	return bench.PrintDifferences(p.stderr, bench.Compare(before, []bench.Result{r}))
}

func (c *benchCmd) measure(p *program) (r bench.Result, err error) {
	if c.Profile == "" && c.Heap == "" {
		return bench.Run(c.Workload, c.options(p), c.Runs)
	}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return r, err
		}
		defer func() { _ = f.Close() }()
		bench.Profile(f)
	}
	if c.Heap != "" {
		f, err := os.Create(c.Heap)
		if err != nil {
			return r, err
		}
		runtime.MemProfileRate = heapSample
		defer func() {
			runtime.GC() // The profile is as of the end of the last collection.
			_ = errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
		}()
	}
	return bench.InProcess(c.Workload, c.options(p))
}

// heapSample is how many allocated bytes make a sample: a run is short.
const heapSample = 4096

func (c *benchCmd) compare(p *program) error {
	if len(c.Files) != 2 {
		return usageError{errors.New("bench compare: needs two files: before and after")}
	}
	before, err := bench.Load(c.Files[0])
	if err != nil {
		return err
	}
	after, err := bench.Load(c.Files[1])
	if err != nil {
		return err
	}
	differences := bench.Compare(before, after)
	if c.JSON {
		return json.NewEncoder(p.stdout).Encode(differences)
	}
	return bench.PrintDifferences(p.stdout, differences)
}

// benchChildCmd is a benchmark's process that is not the one that was asked
// for: a single run, an engine to be killed, a carrier.
type benchChildCmd struct {
	Job string `arg:"" help:"What to do, as JSON."`
}

// Run does the job.
func (c *benchChildCmd) Run() error { return bench.Child(c.Job) }

// all measures a suite. After each row it writes what is kept: the section of
// this machine in the results, the results as JSON, and the picture.
func (c *benchCmd) all(p *program) error {
	return bench.Suite(c.Suite, c.options(p), func(all []bench.Result) error {
		last := all[len(all)-1]
		if c.JSON {
			if err := json.NewEncoder(p.stdout).Encode(last); err != nil {
				return err
			}
		} else {
			last.Print(p.stdout)
		}
		return c.keep(all)
	})
}

func (c *benchCmd) keep(all []bench.Result) error {
	if c.Out == "" {
		return nil
	}
	base := strings.TrimSuffix(c.Out, ".md")
	if err := errors.Join(bench.Save(base+".json", all), bench.Report(all, c.Suite).Write(c.Out)); err != nil {
		return err
	}
	if c.Picture == "" {
		return nil
	}
	peers, err := bench.Load(base + "-peers.json")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(c.Picture, []byte(bench.Picture(all, peers)), 0o644)
}
