package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"carillon/sim/crash"
)

type simCrashCmd struct {
	Seconds int    `default:"120" help:"How long the campaign lasts, without its controls; below 120 some fault may not come."`
	Seed    uint64 `default:"0" help:"What is drawn is drawn from it; 0 takes one from the clock."`
	Source  string `default:"." help:"Folder of carillon's source, from which the controls are built; without it there are none."`
	Kept    string `help:"Folder for stores that are found wrong."`
	JSON    bool   `name:"json" help:"One JSON object."`
}

// Run takes the store and this binary to every bad moment that the machine
// can make. A violation, a fault that never came and a control that was not
// caught are failures.
func (c *simCrashCmd) Run(ctx context.Context, p *program) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixMilli())
	}
	o := crash.Options{
		Child: []string{self, "sim", "crash-child"}, Carillon: self, Seed: c.Seed, Time: time.Duration(c.Seconds) * time.Second,
		Kept: c.Kept, Now: time.Now,
		Say: func(format string, args ...any) { _, _ = fmt.Fprintf(p.stderr, format+"\n", args...) },
	}
	if mod, err := os.ReadFile(c.Source + "/go.mod"); err == nil && bytes.HasPrefix(mod, []byte("module carillon\n")) {
		o.Source = c.Source
	}
	r, err := crash.Run(ctx, o)
	if err != nil {
		return err
	}
	r.Version = version()
	if c.JSON {
		err = json.NewEncoder(p.stdout).Encode(r)
	} else {
		r.Print(p.stdout)
	}
	return errors.Join(err, r.Verdict())
}

// simCrashChildCmd is a process that the campaign starts.
type simCrashChildCmd struct {
	What   string `arg:""`
	Folder string `arg:""`
	Seed   string `arg:""`
	Rounds string `arg:""`
}

// Run is the life of that process. It ends without a stop.
func (c *simCrashChildCmd) Run(p *program) error {
	return crash.Child([]string{c.What, c.Folder, c.Seed, c.Rounds}, p.stdout)
}
