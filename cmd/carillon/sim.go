package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"carillon/sim"
)

type simCmd struct {
	Run      simRunCmd      `cmd:"" help:"Play one seed: the production engine in a world with every fault, and an auditor."`
	Campaign simCampaignCmd `cmd:"" help:"Play the kept seeds, then fresh ones until the time is over."`
	Preview  simPreviewCmd  `cmd:"" help:"Print every text that a calendar's person would get, and why the others would not go out."`
	Crash    simCrashCmd    `cmd:"" help:"Take the store to every bad moment: power loss, failing system calls, damage, a full disk."`
	Load     simLoadCmd     `cmd:"" help:"Rehearse in real time: fill an engine over HTTP with people and events, and measure at the carrier when each text arrives."`

	CrashChild simCrashChildCmd `cmd:"" hidden:""`
}

// vars are what the tags of commands take from elsewhere.
var vars = kong.Vars{"paces": strings.Join(slices.Concat([]string{sim.PaceDense, sim.PaceEveryday}, sim.Corners, sim.Named), ",")}

type simRunCmd struct {
	Seed    uint64   `required:"" help:"The number that everything is drawn from."`
	Users   int      `default:"0" help:"People; 0 draws them."`
	Days    int      `default:"0" help:"Days until everything heals; 0 draws them."`
	Pace    string   `default:"" enum:",${paces}" help:"How much happens: dense, everyday with more people for longer, or one of the corners that have more of something (${paces}); empty draws one."`
	Faults  string   `default:"swarm" enum:"swarm,all,none" help:"Which fault classes may come: a random half, all, or none."`
	Without []string `help:"Fault classes that stay off."`
	Bolt    bool     `help:"Keep the journal in real files, in a folder that goes again."`
	Explain bool     `help:"Print the timeline of the person behind the first violation."`
	Shrink  bool     `help:"Look for a smaller world with the same violation."`
	JSON    bool     `name:"json" help:"One JSON object."`
}

// Run plays the seed. A violation is a failure.
func (c *simRunCmd) Run(p *program) error {
	opt := sim.Options{Seed: c.Seed, Users: c.Users, Days: c.Days, Pace: c.Pace, Faults: c.Faults, Bolt: c.Bolt}
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
	relaxed()
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
		if c.Shrink {
			small := sim.Shrink(&r, 200)
			_, _ = fmt.Fprintf(p.stderr, "smaller: %s\nto keep: %s\n", small.Command(), small.Line())
		}
		err = fmt.Errorf("seed %d at %s: %d violations; %s repeats it", c.Seed, version(), len(r.Violations), r.Command())
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
	Faults  string `default:"" enum:",swarm,all,none" help:"Which fault classes may come; empty: all in half of the seeds, a random half of them in the others."`
	Pace    string `default:"" enum:",${paces}" help:"How much happens (${paces}); empty draws it."`
	First   bool   `help:"Stop at the first violation."`
	Report  string `help:"File for a report in Markdown."`
	JSON    bool   `name:"json" help:"One JSON object."`
}

// Run plays the campaign. It fails on a violation, and on a fault class that
// never came.
func (c *simCampaignCmd) Run(p *program) error {
	kept, err := c.kept()
	if err != nil {
		return err
	}
	relaxed()
	began := time.Now()
	if c.From == 0 {
		c.From = uint64(began.UnixMilli())
	}
	violated := false
	var first *sim.Result
	enough := func() bool {
		return time.Since(began) >= time.Duration(c.Seconds)*time.Second || (c.First && violated)
	}
	all, err := sim.Campaign(sim.Options{Faults: c.Faults, Pace: c.Pace}, kept, c.From, enough, func(r sim.Result) { // one at a time
		for _, v := range r.Violations {
			_, _ = fmt.Fprintf(p.stderr, "%s: %s at %s\n  %s\n", r.Command(), v.Checker, version(), v.What)
		}
		if len(r.Violations) > 0 && !violated {
			violated, first = true, &r
		}
	})
	if err != nil {
		return err
	}
	all.Seconds, all.Kept = time.Since(began).Seconds(), len(kept)
	all.Commit, all.Machine, all.Workers = version(), machine(), sim.Workers()
	if c.Report != "" {
		err = c.report(&all, began)
	}
	if c.JSON {
		err = errors.Join(err, json.NewEncoder(p.stdout).Encode(all))
	} else {
		all.Print(p.stdout)
	}
	if first != nil && !c.First {
		c.shrink(p, first)
	}
	return errors.Join(err, all.Verdict())
}

func (c *simCampaignCmd) kept() ([]sim.Options, error) {
	if c.Kept == "" {
		return nil, nil
	}
	f, err := os.Open(c.Kept)
	if err != nil {
		return nil, err
	}
	kept, err := sim.ReadSeeds(f)
	return kept, errors.Join(err, f.Close())
}

// shrink looks for a smaller world with the first violation, and says how to
// play it and what to keep.
func (c *simCampaignCmd) shrink(p *program, r *sim.Result) {
	small := sim.Shrink(r, 60)
	_, _ = fmt.Fprintf(p.stderr, "  smaller: %s\n  to keep in %s: %s\n", small.Command(), c.Kept, small.Line())
}

func (c *simCampaignCmd) report(all *sim.Summary, began time.Time) error {
	f, err := os.Create(c.Report)
	if err != nil {
		return err
	}
	command := []string{fmt.Sprintf("carillon sim campaign --seconds %d", c.Seconds)}
	for _, flag := range [][2]string{{"faults", c.Faults}, {"pace", c.Pace}} {
		if flag[1] != "" {
			command = append(command, "--"+flag[0], flag[1])
		}
	}
	return errors.Join(all.Report(f, strings.Join(command, " "), began.UTC().Format(time.RFC3339)), f.Close())
}

// relaxed lets the garbage of short lives lie: a world is small.
func relaxed() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(1000)
		debug.SetMemoryLimit(1 << 30) // and no more than that
	}
}

// machine is the processor's name, as far as the system tells it, its cores, and
// how many of them Go uses at a time, if that is another number.
func machine() string {
	name := runtime.GOARCH
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			name = strings.TrimSpace(v)
			break
		}
	}
	workers := ""
	if n := runtime.GOMAXPROCS(0); n != runtime.NumCPU() {
		workers = fmt.Sprintf(", GOMAXPROCS %d", n)
	}
	return fmt.Sprintf("%d cores of %s, %s%s", runtime.NumCPU(), name, runtime.Version(), workers)
}
