package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"carillon/sim"
)

// outcome is what became of one mutant.
type outcome struct {
	name     string
	favors   string // the corner that every second of its seeds is
	Seeds    int
	Checkers []string // who spoke up in the first seed that failed
	All      []string // and in any
	What     string
	Command  string
	Slowest  float64
	err      error
}

func (o *outcome) line() string {
	switch {
	case o.err != nil:
		return fmt.Sprintf("%-34s CAN'T BE PLAYED: %v", o.name, o.err)
	case o.name == unchanged && len(o.Checkers) == 0:
		return fmt.Sprintf("%-34s sound, %d seeds %s, the slowest took %.1f s", o.name, o.Seeds, o.favors, o.Slowest)
	case len(o.Checkers) == 0:
		return fmt.Sprintf("%-34s NOT FOUND in %d seeds", o.name, o.Seeds)
	}
	return fmt.Sprintf("%-34s after %3d seeds by %s", o.name, o.Seeds, strings.Join(o.by(), ", "))
}

// by lists who found it, the first ones first.
func (o *outcome) by() []string {
	out := slices.Clone(o.Checkers)
	for _, c := range o.All {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func count(all []outcome) (found, tried int) {
	for _, o := range all {
		if o.name == unchanged {
			continue
		}
		tried++
		if len(o.Checkers) > 0 {
			found++
		}
	}
	return found, tried
}

// checker is one of the auditor's, and the mutants that it found: those that
// no other checker saw in any seed that was played, and the others.
type checker struct {
	name, holds string
	found       int
	alone       []string
}

// checkers lists the auditor's, and who else spoke up.
func checkers(all []outcome) []*checker {
	var out []*checker
	of := func(name string) *checker {
		at := slices.IndexFunc(out, func(c *checker) bool { return c.name == name })
		if at < 0 {
			at, out = len(out), append(out, &checker{name: name})
		}
		return out[at]
	}
	for _, c := range sim.Checkers {
		if !c.World {
			of(c.Name).holds = c.Holds
		}
	}
	for i := range all {
		if all[i].name == unchanged {
			continue
		}
		for _, name := range all[i].by() {
			c := of(name)
			if c.found++; len(all[i].by()) == 1 {
				c.alone = append(c.alone, all[i].name)
			}
		}
	}
	slices.SortFunc(out, func(a, b *checker) int { return cmp.Compare(a.name, b.name) })
	return out
}

// among says which seeds were played, if not all sorts.
func (o *outcome) among() string {
	if o.favors == "" {
		return ""
	}
	return ", every second seed `" + o.favors + "`"
}

// sound says whether the engine as it is was reported too: then what the same
// checkers report of others may be no find.
func (o *outcome) sound() string {
	if len(o.Checkers) == 0 {
		return "without a violation"
	}
	return "and reported as well, by " + strings.Join(o.by(), ", ")
}

// write writes the tables of docs/proof.md.
func write(file string, all []outcome) error {
	var b strings.Builder
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	found, tried := count(all)
	p("%d of %d found at commit %s.", found, tried, commit)
	for _, o := range all {
		if o.name == unchanged {
			p("The engine as it is%s: %d seeds %s, the slowest took %.1f s of processor time.", o.among(), o.Seeds, o.sound(), o.Slowest)
		}
	}
	p("`(time limit)` is a seed that took more than %d s: the engine computes for ever, and nothing leaves it that could be judged.", seedLimit)
	p("")
	p("| mutant | found by | after seeds |\n|---|---|---:|")
	for _, o := range all {
		by := strings.Join(o.by(), ", ")
		if by == "" {
			by = "not found"
		}
		if o.name != unchanged {
			p("| `%s`%s | %s | %d |", o.name, o.among(), by, o.Seeds)
		}
	}
	p("\n| checker | what it holds | mutants | only it finds |\n|---|---|---:|---|")
	for _, c := range checkers(all) {
		if c.holds != "" {
			p("| %s | %s | %d | %s |", c.name, c.holds, c.found, ticked(c.alone))
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

func ticked(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "`" + n + "`"
	}
	return strings.Join(out, ", ")
}
