package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Run is the whole campaign: states, calls, damage, a small disk, and the
// controls. What this machine can't do is left out, and said so.
func Run(ctx context.Context, o Options) (Report, error) {
	r := Report{Seed: o.Seed}
	began := o.Now()
	skip := func(what string, err error) error {
		if errors.Is(err, errNoStrace) || errors.Is(err, errNoMount) {
			r.Skipped = append(r.Skipped, fmt.Sprintf("%s: %v", what, err))
			return nil
		}
		return err
	}
	var err error
	o.say("crash states")
	if r.States, err = States(ctx, o, o.Time*9/20); skip("crash states", err) != nil {
		return r, err
	}
	o.say("system calls of the real binary")
	if r.Calls, err = Calls(ctx, o, o.Time*8/20); skip("system calls", err) != nil {
		return r, err
	}
	o.say("damaged stores")
	if r.Damage, err = Damage(ctx, o, o.Time*2/20); err != nil {
		return r, err
	}
	if err = Checks(ctx, o, o.Time/20, &r.Damage); err != nil {
		return r, err
	}
	o.say("a small disk")
	if r.Space, err = Space(ctx, o); skip("a small disk", err) != nil {
		return r, err
	}
	r.Seconds = o.Now().Sub(began).Seconds()
	return r, o.controls(ctx, &r)
}

// controls builds each one and lets its harness look.
func (o *Options) controls(ctx context.Context, r *Report) error {
	if o.Source == "" {
		r.Skipped = append(r.Skipped, "controls: the source is not here")
		return nil
	}
	dir, err := os.MkdirTemp("", "carillon-control-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	began := o.Now()
	for _, c := range Controls() {
		o.say("control: %s", c.Name)
		how, err := c.try(ctx, *o, dir)
		if errors.Is(err, errNoStrace) || errors.Is(err, errNoMount) {
			continue
		}
		if err != nil {
			return err
		}
		r.Controls = append(r.Controls, ControlReport{Build: c.Name, Harness: c.Harness, Caught: how != "", How: how})
	}
	r.ControlSeconds = o.Now().Sub(began).Seconds()
	return nil
}

// ControlReport is whether a harness caught a build with a bug.
type ControlReport struct {
	Build   string `json:"build"`
	Harness string `json:"harness"`
	Caught  bool   `json:"caught"`
	How     string `json:"how"`
}

// Report is what a campaign came to.
type Report struct {
	Version        string          `json:"version"` // of the binary, as it says
	Seed           uint64          `json:"seed"`
	Seconds        float64         `json:"seconds"`
	ControlSeconds float64         `json:"control_seconds"`
	States         StatesReport    `json:"states"`
	Calls          CallsReport     `json:"calls"`
	Damage         DamageReport    `json:"damage"`
	Space          SpaceReport     `json:"space"`
	Controls       []ControlReport `json:"controls"`
	Skipped        []string        `json:"skipped,omitempty"`
}

// Violations are the sentences of what was wrong.
func (r *Report) Violations() (all []string) {
	for part, wrong := range map[string]string{
		"states": r.States.Wrong, "calls": r.Calls.Wrong, "damage": r.Damage.Wrong, "space": r.Space.Wrong,
	} {
		if wrong != "" {
			all = append(all, part+": "+wrong)
		}
	}
	return all
}

// Verdict is an error if something was wrong, a fault never came, or a control
// was not caught.
func (r *Report) Verdict() error {
	var errs []error
	for _, v := range r.Violations() {
		errs = append(errs, errors.New(v))
	}
	if r.States.Traces > 0 {
		for _, kind := range stateKinds {
			if r.States.Kinds[kind] == 0 {
				errs = append(errs, fmt.Errorf("no state: %s", kind))
			}
		}
	}
	if r.Calls.Runs > 0 {
		for _, name := range r.Calls.Missing() {
			errs = append(errs, fmt.Errorf("never came: %s", name))
		}
		if r.Calls.Told["503 unknown_outcome"] == 0 {
			errs = append(errs, errors.New("no caller heard of an unknown outcome"))
		}
	}
	for _, kind := range injuries {
		if r.Damage.Refused[kind.name] == 0 {
			errs = append(errs, fmt.Errorf("never refused: %s", kind.name))
		}
	}
	for _, c := range r.Controls {
		if !c.Caught {
			errs = append(errs, fmt.Errorf("control not caught: %s", c.Build))
		}
	}
	return errors.Join(errs...)
}

// share is a number per second.
func share(n int, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}
