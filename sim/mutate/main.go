// Command mutate breaks the engine on purpose, one small change at a time in a
// copy of the module, and reports which of the changes the simulation finds,
// by which checker, after how many seeds. A change that is not found names the
// checker to write next.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// commit is what the Makefile says that this is built from.
var commit = "(unknown)"

func main() {
	var s session
	flag.IntVar(&s.seconds, "seconds", 40, "processor time in which a change is looked for")
	flag.IntVar(&s.seeds, "seeds", 600, "in how many seeds at most")
	only := flag.String("only", "", "changes to try, by parts of their names with commas between; empty: all")
	flag.Uint64Var(&s.from, "from", 1, "first seed")
	flag.IntVar(&s.workers, "workers", 2, "changes to try at a time")
	flag.StringVar(&s.pace, "pace", "", "play only worlds of that pace, with all faults")
	report := flag.String("report", "", "file for a table in Markdown")
	flag.Parse()
	all, err := s.run(*only)
	show(os.Stdout, all)
	if err == nil && *report != "" {
		err = write(*report, all)
	}
	if err == nil {
		err = verdict(all, *only == "")
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// session tries mutants, some at a time, each in a copy of the module.
type session struct {
	seconds, seeds, workers int
	from                    uint64
	pace                    string
}

// job is a mutant, and the corner that every second of its seeds is; empty: all
// of them by turns.
type job struct {
	mutant
	favors string
}

func (s *session) run(only string) ([]outcome, error) {
	todo := make(chan job, len(mutants)+len(favored)+1)
	for _, m := range mutants {
		if slices.ContainsFunc(strings.Split(only, ","), func(part string) bool { return strings.Contains(m.name, part) }) {
			todo <- job{m, favored[m.name]}
		}
	}
	if only == "" { // in all the worlds that some mutant is played in
		todo <- job{mutant: mutant{name: unchanged}}
		for _, corner := range slices.Compact(slices.Sorted(maps.Values(favored))) {
			todo <- job{mutant{name: unchanged}, corner}
		}
	}
	close(todo)
	var mu sync.Mutex
	var all []outcome
	var failed error
	var wg sync.WaitGroup
	for range s.workers {
		wg.Go(func() {
			err := s.work(todo, func(o outcome) {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, o)
				_, _ = fmt.Fprintln(os.Stdout, o.line())
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	slices.SortFunc(all, func(a, b outcome) int { return place(a.name) - place(b.name) })
	return all, failed
}

// unchanged is the engine as it is: nothing may be found in it.
const unchanged = "(nothing changed)"

func place(name string) int {
	return slices.IndexFunc(mutants, func(m mutant) bool { return m.name == name })
}

func show(w io.Writer, all []outcome) {
	found, tried := count(all)
	_, _ = fmt.Fprintf(w, "\n%d of %d found\n\n", found, tried)
	for _, c := range checkers(all) {
		if c.found == 0 && tried < len(mutants) {
			continue
		}
		alone := "never alone"
		if len(c.alone) > 0 {
			alone = "alone for " + strings.Join(c.alone, ", ")
		}
		_, _ = fmt.Fprintf(w, "%-20s speaks up for %2d, %s\n", c.name, c.found, alone)
	}
}

// verdict is an error if the engine as it is fails, or if too many changes
// are not found: 95 in a hundred have to be.
func verdict(all []outcome, whole bool) error {
	for _, o := range all {
		if o.name == unchanged && len(o.Checkers) > 0 {
			return fmt.Errorf("the engine as it is: %v: %s; %s", o.Checkers, o.What, o.Command)
		}
		if o.name == unchanged && o.Slowest > seedLimit/3 {
			return fmt.Errorf("the engine as it is takes %.1f s for a seed, and %d s are taken for no end", o.Slowest, seedLimit)
		}
		if o.err != nil {
			return fmt.Errorf("%s: %w", o.name, o.err)
		}
	}
	if found, tried := count(all); whole && found*100 < tried*95 {
		return fmt.Errorf("%d of %d found", found, tried)
	}
	return nil
}
