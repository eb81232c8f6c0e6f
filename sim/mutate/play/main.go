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
	_ "time/tzdata"

	"carillon/sim"
)

// found is what a mutant came to.
type found struct {
	Seeds    int      `json:"seeds"`
	Checkers []string `json:"checkers"` // in the order in which they spoke up
	What     string   `json:"what"`
	Command  string   `json:"command"`
}

func main() {
	seconds := flag.Int("seconds", 30, "how much processor time")
	seeds := flag.Int("seeds", 400, "and how many seeds at most")
	from := flag.Uint64("from", 1, "the first one")
	flag.Parse()
	debug.SetGCPercent(800)
	f, err := play(*seconds, *seeds, *from)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(f)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(seconds, seeds int, from uint64) (f found, err error) {
	for used := 0.0; f.Seeds < seeds && used < float64(seconds); f.Seeds++ {
		r, err := sim.Run(world(from + uint64(f.Seeds)))
		if err != nil {
			return f, err
		}
		if used += r.CPUSeconds; len(r.Violations) == 0 {
			continue
		}
		seen := map[string]bool{}
		for _, v := range r.Violations {
			if !seen[v.Checker] {
				seen[v.Checker] = true
				f.Checkers = append(f.Checkers, v.Checker)
			}
		}
		f.Seeds, f.What, f.Command = f.Seeds+1, r.Violations[0].What, r.Command()
		return f, nil
	}
	return f, nil
}

// world is mostly dense, where what is wrong meets soonest. A third has no
// faults at all: what must happen can be demanded there.
func world(seed uint64) sim.Options {
	opt := sim.Options{Seed: seed, Pace: sim.PaceDense, Faults: sim.FaultsAll}
	switch seed % 12 {
	case 0, 3, 6, 9:
		opt.Faults = sim.FaultsNone
	case 1, 7:
		opt.Faults = sim.FaultsSwarm
	case 5:
		opt.Pace, opt.Faults = sim.PaceEveryday, sim.FaultsSwarm
	}
	return opt
}
