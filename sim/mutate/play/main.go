// Command play plays seeds until the first violation, and prints which
// checkers spoke up. It is built anew for every mutant, so that it links
// nothing but the simulation.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata"

	"carillon/sim"
)

// found is what a mutant came to.
type found struct {
	Seeds    int      `json:"seeds"`    // until the first violation
	Checkers []string `json:"checkers"` // who spoke up there, in that order
	All      []string `json:"all"`      // who spoke up in any seed that was played
	What     string   `json:"what"`
	Command  string   `json:"command"`
	Slowest  float64  `json:"slowest"` // seed, in seconds of processor time
}

// A mutant that was found is played on: so many seeds with violations, or so
// many seconds, tell whether one checker alone sees it.
const (
	enoughFailed  = 3
	enoughSeconds = 4
)

func main() {
	seconds := flag.Int("seconds", 30, "how much processor time")
	seeds := flag.Int("seeds", 400, "and how many seeds at most")
	from := flag.Uint64("from", 1, "the first one")
	pace := flag.String("pace", "", "play only worlds of that pace")
	favor := flag.String("favor", "", "the corner that every second world is; empty: each by turns")
	limit := flag.Float64("limit", 30, "processor time of one seed after which it is said not to end")
	flag.Parse()
	debug.SetGCPercent(800)
	p := player{limit: *limit, pace: *pace, favor: *favor}
	go p.watch()
	f, err := p.play(*seconds, *seeds, *from)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(f)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// player plays one seed after the other, and ends with one that does not end.
type player struct {
	limit float64
	pace  string
	favor string
	mu    sync.Mutex
	begun float64 // processor time at the beginning of the seed under way
	seeds int     // this one included
}

// noEnd is what speaks up when a seed takes longer than the limit, a multiple
// of what any seed of the sound engine takes. There is no other sign of an engine that
// computes for ever: nothing leaves it any more.
const noEnd = "(time limit)"

// watch looks at the processor time: a machine may be busy.
func (p *player) watch() {
	for range time.Tick(200 * time.Millisecond) { //nolint:forbidigo // how often to look is nobody else's time
		p.mu.Lock()
		if n := p.seeds; cpu()-p.begun > p.limit {
			f := found{Seeds: n, Checkers: []string{noEnd}, All: []string{noEnd}, Slowest: p.limit}
			f.What = fmt.Sprintf("one seed took more than %.0f s of processor time", p.limit)
			_ = json.NewEncoder(os.Stdout).Encode(f)
			os.Exit(0)
		}
		p.mu.Unlock()
	}
}

func (p *player) begin(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seeds, p.begun = n, cpu()
}

// cpu is the processor time that this process has used, in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func (p *player) play(seconds, seeds int, from uint64) (f found, err error) {
	used, until, failed := 0.0, float64(seconds), 0
	for n := 0; n < seeds && used < until && failed < enoughFailed; n++ {
		p.begin(n + 1)
		opt := p.world(from + uint64(n))
		if p.pace != "" {
			opt.Pace, opt.Faults = p.pace, sim.FaultsAll
		}
		r, err := sim.Run(opt)
		if err != nil {
			return f, err
		}
		used += r.CPUSeconds
		f.Slowest = max(f.Slowest, r.CPUSeconds)
		if failed == 0 {
			f.Seeds = n + 1
		}
		if len(r.Violations) == 0 {
			continue
		}
		if failed++; failed == 1 {
			until = used + enoughSeconds
			f.Checkers, f.What, f.Command = names(nil, &r), r.Violations[0].What, r.Command()
		}
		f.All = names(f.All, &r)
	}
	return f, nil
}

// names adds the checkers that spoke up, each once.
func names(to []string, r *sim.Result) []string {
	for _, v := range r.Violations {
		if !slices.Contains(to, v.Checker) {
			to = append(to, v.Checker)
		}
	}
	return to
}

// shares are how often the corners come: what a restore can break is the most.
var shares = []string{
	sim.CornerRestores, sim.CornerLosses, sim.CornerStops, sim.CornerRetries, sim.CornerRestores, sim.CornerTravel, sim.CornerReads,
	sim.CornerRetries,
}

// world is mostly dense, where what is wrong meets soonest, and every second
// one a corner, that of a mutant that names one. Of the others a third has no faults at all: what must happen can
// be demanded there.
func (p *player) world(seed uint64) sim.Options {
	opt := sim.Options{Seed: seed, Pace: sim.PaceDense, Faults: sim.FaultsAll}
	if seed%2 == 0 {
		if opt.Pace = p.favor; opt.Pace == "" {
			opt.Pace = shares[seed/2%uint64(len(shares))]
		}
		if seed%22 == 0 {
			opt.Faults = sim.FaultsNone
		}
		return opt
	}
	switch seed / 2 % 12 {
	case 0, 3, 6, 9:
		opt.Faults = sim.FaultsNone
	case 1, 7:
		opt.Faults = sim.FaultsSwarm
	case 5:
		opt.Pace, opt.Faults = sim.PaceEveryday, sim.FaultsSwarm
	}
	return opt
}
