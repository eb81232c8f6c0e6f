package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// entry is a row of the table: a workload with its sizes and runs.
type entry struct {
	name string
	o    Options
	runs int
}

// suites are the sizes of make bench. full is what the table is for and takes
// less than 15 minutes on two cores, short about half of that; quick is for
// trying that all of it works.
var suites = map[string][]entry{
	"full": {
		{"ontime", Options{}, 3},
		{"schedule", Options{N: 100_000, Callers: 64}, 5},
		{"schedule", Options{Callers: 1024}, 5},
		{"schedule", Options{Callers: 1536}, 5},
		{"http", Options{}, 5},
		{"http", Options{Callers: 64, Lines: 100}, 5},
		{"burst", Options{N: 100_000}, 5},
		{"burst", Options{N: 100_000, Idle: true}, 3},
		{"http-burst", Options{}, 5},
		{"callbacks", Options{}, 3},
		{"move", Options{}, 1},
		{"midnight", Options{N: 1_000_000}, 1},
		{"steady", Options{}, 1},
		{"restart", Options{}, 1},
		{"memory", Options{}, 1},
		{"disk", Options{N: 100_000}, 1},
		{"growth", Options{N: 1_000_000}, 0},
	},
	"short": {
		{"ontime", Options{}, 1},
		{"schedule", Options{N: 100_000, Callers: 64}, 3},
		{"schedule", Options{Callers: 1024}, 3},
		{"http", Options{}, 3},
		{"http", Options{Callers: 64, Lines: 100}, 3},
		{"burst", Options{N: 100_000}, 3},
		{"burst", Options{N: 100_000, Idle: true}, 1},
		{"http-burst", Options{}, 3},
		{"callbacks", Options{N: 50_000}, 1},
		{"move", Options{N: 300_000}, 1},
		{"midnight", Options{N: 1_000_000}, 1},
		{"steady", Options{N: 300_000, Seconds: 30}, 1},
		{"restart", Options{}, 1},
		{"memory", Options{N: 300_000}, 1},
		{"disk", Options{N: 50_000}, 1},
		{"growth", Options{N: 1_000_000}, 1},
	},
	"quick": {
		{"ontime", Options{N: 20}, 1},
		{"schedule", Options{N: 10_000, Callers: 64}, 1},
		{"http", Options{N: 10_000}, 1},
		{"http", Options{N: 10_000, Callers: 16, Lines: 100}, 1},
		{"burst", Options{N: 5000}, 1},
		{"burst", Options{N: 5000, Idle: true}, 1},
		{"http-burst", Options{N: 5000}, 1},
		{"callbacks", Options{N: 5000}, 1},
		{"move", Options{N: 10_000}, 1},
		{"midnight", Options{N: 5000}, 1},
		{"steady", Options{N: 5000, Seconds: 4}, 1},
		{"restart", Options{N: 5000, Burst: 5000}, 1},
		{"memory", Options{N: 5000}, 1},
		{"disk", Options{N: 2000}, 1},
		{"growth", Options{N: 5000}, 1},
	},
}

// Suites are their names.
func Suites() []string { return slices.Sorted(maps.Keys(suites)) }

// Suite measures all rows of a suite, one after the other. What growth needs
// and was measured already is not measured again. done is told all results so
// far; a row that fails is left out, and named in the error at the end.
func Suite(name string, o Options, done func(all []Result) error) error {
	known := map[string]Result{}
	run := func(name string, sub Options, runs int) (Result, error) {
		sub.Dir, sub.Self, sub.Progress = o.Dir, o.Self, o.Progress
		key := fmt.Sprint(name, jsonOf(sub))
		if r, ok := known[key]; ok {
			return r, nil
		}
		r, err := Run(name, sub, runs)
		if err == nil {
			known[key] = r
		}
		return r, err
	}
	var all []Result
	var failed error
	for _, e := range suites[name] {
		o.progress(e.name)
		measure := func() (Result, error) { return run(e.name, e.o, e.runs) }
		if e.name == "growth" {
			e.o.Dir, e.o.Self, e.o.Progress = o.Dir, o.Self, o.Progress
			measure = func() (Result, error) {
				return Growth(e.o, func(name string, o Options, own int) (Result, error) { return run(name, o, or(e.runs, own)) })
			}
		}
		r, err := measure()
		if err != nil {
			o.progress(err.Error())
			failed = errors.Join(failed, fmt.Errorf("%s: %w", e.name, err))
			continue
		}
		all = append(all, r)
		if err := done(all); err != nil {
			return err
		}
	}
	return failed
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // options are plain values
	}
	return string(text)
}
