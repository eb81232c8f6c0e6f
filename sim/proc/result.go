//go:build linux

package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Result is what a campaign came to.
type Result struct {
	Seed       uint64            `json:"seed"`
	Version    string            `json:"version"` // of the binary that was run, as it says
	Seconds    int               `json:"seconds"`
	Took       float64           `json:"took_seconds"`
	Violations []Violation       `json:"violations"`
	Faults     map[string]int64  `json:"faults"`
	Missing    map[string]string `json:"missing,omitempty"` // what this machine does not permit, and why
	Starts     int               `json:"starts"`
	// SlowestStart is the longest time from exec to ready, in milliseconds.
	SlowestStart int64            `json:"slowest_start_ms"`
	Checks       int              `json:"checks"` // of the stopped store
	Looked       int              `json:"looked"` // reads of what was acknowledged
	People       int              `json:"people"`
	Acknowledged int64            `json:"acknowledged"`
	Refused      int64            `json:"refused"`
	Unknown      int64            `json:"unknown"` // writes whose caller gave up without knowing
	CutOff       int64            `json:"cut_off"` // requests without an answer
	Answers      map[string]int64 `json:"answers"` // problem codes of 5xx answers
	Texts        int              `json:"texts"`   // that the carrier accepted, once or more
	Accepted     int              `json:"accepted"`
	Reminders    map[string]int64 `json:"reminders"`
	Kept         string           `json:"kept,omitempty"`

	opt   Options
	shown map[*person][]reminder
}

func newResult(opt Options) *Result {
	return &Result{
		Seed: opt.Seed, Seconds: opt.Seconds, opt: opt, Violations: []Violation{}, Faults: map[string]int64{}, Missing: map[string]string{},
		Reminders: map[string]int64{}, shown: map[*person][]reminder{},
	}
}

// missing notes rounds that can't be played here.
func (r *Result) missing(why error, rounds ...string) {
	for _, name := range rounds {
		r.Missing[name] = why.Error()
	}
}

// count collects what everybody counted.
func (r *Result) count(h *harness, a *auditor) {
	maps.Copy(r.Faults, h.carrier.stats(context.Background()).Faults)
	for _, l := range h.lines {
		l.counts(r.Faults)
	}
	r.People, r.Texts = len(h.ledger.everybody()), len(a.texts)
	for _, t := range a.texts {
		r.Accepted += len(t.entries)
	}
	t := &h.tally
	r.Acknowledged, r.Refused, r.Unknown, r.CutOff = t.acknowledged.Load(), t.refused.Load(), t.unknown.Load(), t.cutOff.Load()
	r.Answers = t.codes
}

// Classes are the fault classes that a full campaign must inject: all but
// those that this machine does not permit.
func (r *Result) Classes() (names []string) {
	for _, round := range allRounds() {
		if r.Missing[round.name] == "" && (len(r.opt.Rounds) == 0 || slices.Contains(r.opt.Rounds, round.name)) {
			names = append(names, round.name)
		}
	}
	if !r.opt.Calm {
		for _, l := range []string{clientLine, carrierLine, callbackLine} {
			for _, t := range toxics {
				names = append(names, l+"_"+t.class)
			}
		}
	}
	if r.opt.LoseEvery > 0 {
		return append(names, "answer_lost")
	}
	for _, f := range createFaults {
		names = append(names, f.class)
	}
	return append(names, "find_down", "undelivered", "failed", "callback_lost", "callback_twice", "callback_reordered", "callback_cut_off")
}

// Verdict is an error for violations, for fault classes that never came, and
// for a run in which too little happened to prove anything.
func (r *Result) Verdict() error {
	var errs []error
	if n := len(r.Violations); n > 0 {
		errs = append(errs, fmt.Errorf("seed %d: %d violations; %s plays its schedule again", r.Seed, n, r.command()))
	}
	for _, class := range r.Classes() {
		if r.Faults[class] == 0 {
			errs = append(errs, fmt.Errorf("the fault %s never came: the campaign was too short or the harness is broken", class))
		}
	}
	if r.Texts == 0 || r.Acknowledged == 0 || r.CutOff == 0 || r.Looked == 0 {
		errs = append(errs, errors.New("too little happened to prove anything"))
	}
	return errors.Join(errs...)
}

func (r *Result) command() string {
	return fmt.Sprintf("go run ./sim/proc/campaign --seed %d --seconds %d", r.Seed, r.Seconds)
}

// Print writes the result for people.
func (r *Result) Print(w io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("seed %d: %d s of faults, %.0f s in all; %s", r.Seed, r.Seconds, r.Took, r.Version)
	p("writes: %d acknowledged, %d refused, %d unknown to their caller; %d requests cut off", r.Acknowledged, r.Refused, r.Unknown, r.CutOff)
	p("texts: %d accepted, in %d messages, for %d people; reminders in the end: %s", r.Texts, r.Accepted, r.People, list(r.Reminders))
	p("starts: %d, the slowest ready after %d ms; stopped stores checked: %d; reads of what was acknowledged: %d", r.Starts, r.SlowestStart, r.Checks, r.Looked)
	p("5xx answers: %s", list(r.Answers))
	p("faults: %s", list(r.Faults))
	for _, name := range slices.Sorted(maps.Keys(r.Missing)) {
		p("not played here: %s: %s", name, r.Missing[name])
	}
	for _, v := range r.Violations {
		p("VIOLATION %s\n  %s", v.Checker, v.What)
	}
	if r.Kept != "" {
		p("what was there is kept in %s", r.Kept)
	}
}

func list(counts map[string]int64) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(out, ", ")
}
