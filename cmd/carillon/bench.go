package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/pprof"

	"carillon/bench"
)

type benchCmd struct {
	Workload  string `arg:"" enum:"schedule,http,burst,callbacks,ontime,midnight,steady,move,restart,memory" help:"${enum}."`
	N         int    `short:"n" default:"0" help:"Operations; 0 is the workload's own number."`
	Users     int    `default:"10000" help:"Users that schedule spreads over."`
	Callers   int    `default:"1024" help:"Callers at a time."`
	Lines     int    `default:"1" help:"Lines in a call of http; above 1 it is the batch endpoint."`
	PerSecond int    `default:"1000" help:"Reminders per second of steady."`
	Seconds   int    `default:"60" help:"How long steady lasts."`
	Runs      int    `default:"3" help:"Runs; the median is reported."`
	JSON      bool   `name:"json" help:"One JSON object."`
	Dir       string `help:"Where the stores are made; default is the machine's place for such."`
	Profile   string `name:"cpuprofile" help:"Write a CPU profile to this file."`
}

// Run measures a workload on this machine.
func (c *benchCmd) Run(p *program) error {
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if c.Workload == "memory" {
		c.Runs = 1 // it takes long, and memory does not vary
	}
	var runs []bench.Result
	for range max(c.Runs, 1) {
		r, err := c.once(p)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	r := bench.Median(runs)
	if c.JSON {
		return json.NewEncoder(p.stdout).Encode(r)
	}
	r.Print(p.stdout)
	return nil
}

func (c *benchCmd) once(p *program) (bench.Result, error) {
	n := func(own int) int {
		if c.N > 0 {
			return c.N
		}
		return own
	}
	switch c.Workload {
	case "schedule":
		return bench.Schedule(c.Dir, n(200_000), c.Callers, c.Users)
	case "burst":
		return bench.Burst(c.Dir, n(100_000))
	case "http":
		return bench.HTTP(c.Dir, n(200_000), c.Callers, c.Users, c.Lines)
	case "callbacks":
		return bench.Callbacks(c.Dir, n(100_000), c.Callers)
	case "midnight":
		return bench.Midnight(c.Dir, n(1_000_000))
	case "steady":
		return bench.Steady(c.Dir, n(1_000_000), c.PerSecond, c.Seconds)
	case "move":
		return bench.Move(c.Dir, n(1_000_000), c.Callers)
	case "restart":
		return bench.Restart(c.Dir, n(1_000_000))
	case "ontime":
		return bench.OnTime(c.Dir, n(100))
	default:
		return bench.Memory(c.Dir, n(1_000_000), func(done string) { _, _ = fmt.Fprintln(p.stderr, "bench memory:", done) })
	}
}
