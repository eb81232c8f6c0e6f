package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"carillon/sim"
)

type simCmd struct {
	Run      simRunCmd      `cmd:"" help:"Play one seed: the production engine in a world with every fault, and an auditor."`
	Campaign simCampaignCmd `cmd:"" help:"Play the kept seeds, then fresh ones until the time is over."`
	Load     simLoadCmd     `cmd:"" help:"Rehearse in real time: fill an engine over HTTP with people and events, and measure at the carrier when each text arrives."`
}

type simRunCmd struct {
	Seed    uint64   `required:"" help:"The number that everything is drawn from."`
	Users   int      `default:"0" help:"People; 0 draws 1 to 12."`
	Days    int      `default:"0" help:"Days until everything heals; 0 draws 2 to 9."`
	Faults  string   `default:"swarm" enum:"swarm,all,none" help:"Which fault classes may come: a random half, all, or none."`
	Without []string `help:"Fault classes that stay off."`
	Bolt    bool     `help:"Keep the journal in real files, in a folder that goes again."`
	Explain bool     `help:"Print the timeline of the person behind the first violation."`
	JSON    bool     `name:"json" help:"One JSON object."`
}

// Run plays the seed. A violation is a failure.
func (c *simRunCmd) Run(p *program) error {
	opt := sim.Options{Seed: c.Seed, Users: c.Users, Days: c.Days, Faults: c.Faults, Bolt: c.Bolt}
	for _, name := range c.Without {
		class, ok := sim.ParseClass(name)
		if !ok {
			return usageError{fmt.Errorf("--without: %q is not one of %s", name, strings.Join(sim.Classes(), ", "))}
		}
		opt.Without = append(opt.Without, class)
	}
	if c.Explain {
		opt.Explain = explainOnce(p)
	}
	r, err := sim.Run(opt)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(p.stdout).Encode(r)
	} else {
		r.Print(p.stdout)
	}
	if err == nil && len(r.Violations) > 0 {
		err = fmt.Errorf("seed %d: %d violations; %s repeats it", c.Seed, len(r.Violations), r.Command())
	}
	return err
}

func explainOnce(p *program) func(sim.Violation, []string) {
	said := false
	return func(v sim.Violation, timeline []string) {
		if said {
			return
		}
		said = true
		_, _ = fmt.Fprintf(p.stderr, "%s\n%s\n", v.What, strings.Join(timeline, "\n"))
	}
}

type simCampaignCmd struct {
	Seconds int    `default:"300" help:"How long fresh seeds are played."`
	Kept    string `default:"sim/testdata/seeds.txt" help:"File of the seeds that found something; empty for none."`
	From    uint64 `default:"0" help:"First fresh seed; 0 takes one from the clock."`
	First   bool   `help:"Stop at the first violation."`
	JSON    bool   `name:"json" help:"One JSON object."`
}

// Run plays the campaign. It fails on a violation, and on a fault class that
// never came.
func (c *simCampaignCmd) Run(p *program) error {
	var kept []sim.Options
	if c.Kept != "" {
		f, err := os.Open(c.Kept)
		if err != nil {
			return err
		}
		kept, err = sim.ReadSeeds(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	began := time.Now()
	if c.From == 0 {
		c.From = uint64(began.UnixMilli())
	}
	violated := false
	enough := func() bool {
		return time.Since(began) >= time.Duration(c.Seconds)*time.Second || (c.First && violated)
	}
	all, err := sim.Campaign(kept, c.From, enough, func(r sim.Result) { // one at a time
		violated = violated || len(r.Violations) > 0
		for _, v := range r.Violations {
			_, _ = fmt.Fprintf(p.stderr, "%s: %s\n  %s\n", r.Command(), v.Checker, v.What)
		}
	})
	if err != nil {
		return err
	}
	all.Seconds = time.Since(began).Seconds()
	if c.JSON {
		err = json.NewEncoder(p.stdout).Encode(all)
	} else {
		all.Print(p.stdout)
	}
	return errors.Join(err, all.Verdict())
}
