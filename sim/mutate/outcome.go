package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
)

// outcome is what became of one mutant.
type outcome struct {
	name     string
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
		return fmt.Sprintf("%-34s sound, %d seeds, the slowest took %.1f s", o.name, o.Seeds, o.Slowest)
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

// checker is one of the auditor's, and the mutants that it found alone.
type checker struct {
	name  string
	found int
	alone []string
}

func checkers(all []outcome) []*checker {
	var out []*checker
	for i := range all {
		if all[i].name == unchanged {
			continue
		}
		for _, name := range all[i].Checkers {
			at := slices.IndexFunc(out, func(c *checker) bool { return c.name == name })
			if at < 0 {
				at, out = len(out), append(out, &checker{name: name})
			}
			out[at].found++
			if len(all[i].Checkers) == 1 {
				out[at].alone = append(out[at].alone, all[i].name)
			}
		}
	}
	slices.SortFunc(out, func(a, b *checker) int { return cmp.Compare(a.name, b.name) })
	return out
}

// write writes the tables of docs/proof.md.
func write(file string, all []outcome) error {
	var b strings.Builder
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	found, tried := count(all)
	p("%d of %d found.\n", found, tried)
	p("| mutant | found by | after seeds |\n|---|---|---:|")
	for _, o := range all {
		by := strings.Join(o.Checkers, ", ")
		if by == "" {
			by = "not found"
		}
		if o.name != unchanged {
			p("| `%s` | %s | %d |", o.name, by, o.Seeds)
		}
	}
	p("\n| checker | mutants | alone |\n|---|---:|---|")
	for _, c := range checkers(all) {
		p("| %s | %d | %s |", c.name, c.found, strings.Join(c.alone, ", "))
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
