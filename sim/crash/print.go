package crash

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

var stateKinds = []string{kindPages, kindMeta, kindNames, kindQuiet}

// Print writes one table.
func (r *Report) Print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(what, value string, args ...any) {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", what, fmt.Sprintf(value, args...))
	}
	row("version", "%s", r.Version)
	row("seed", "%d, %.0f s, controls %.0f s", r.Seed, r.Seconds, r.ControlSeconds)
	if s := &r.States; s.Traces > 0 {
		row("crash states", "%d, %.0f a second, at %d points of %d traces", s.Total(), share(s.Total(), s.Seconds), s.Points, s.Traces)
		for _, kind := range stateKinds {
			row("  "+kind, "%d", s.Kinds[kind])
		}
		row("  opened by the log itself", "%d, %d of them appended to and opened again", s.Reopened, s.WentOn)
	}
	if c := &r.Calls; c.Runs > 0 {
		row("runs with a failing system call", "%d, %d faults came, %d kills, %d writes acknowledged", c.Runs, sum(c.Injected), c.Kills(), c.Acked)
		counts(row, c.Injected)
		row("callers heard, beside 2xx", "%d", sum(c.Told))
		counts(row, c.Told)
	}
	d := &r.Damage
	row("damaged stores", "%d, %.0f a minute: %d refused, %d read as before", d.Total(), 60*share(d.Total(), d.Seconds), sum(d.Refused), sum(d.Harmless))
	for _, kind := range injuries {
		row("  "+kind.name, "%d refused, %d as before", d.Refused[kind.name], d.Harmless[kind.name])
	}
	row("  given to carillon check", "%d, %d refused", d.Checked, d.CheckedRefused)
	if s := &r.Space; s.Texts > 0 {
		row("a small disk", "%d writes refused with 507, %d texts left meanwhile, resumed %d times, %d orderly fail-stops", s.Refused, s.SentWhileLow, s.Resumed, s.FailStops)
	}
	for _, c := range r.Controls {
		row("control: "+c.Build, "%s by %s", map[bool]string{true: "caught", false: "NOT CAUGHT"}[c.Caught], c.Harness)
	}
	for _, s := range r.Skipped {
		row("skipped", "%s", s)
	}
	row("violations", "%d", len(r.Violations()))
	_ = w.Flush()
}

func counts(row func(what, value string, args ...any), m map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		row("  "+name, "%d", m[name])
	}
}

// Kills are the faults that ended the process at once.
func (r *CallsReport) Kills() (n int) {
	for i := range callFaults {
		if callFaults[i].errno == "" {
			n += r.Injected[callFaults[i].name()]
		}
	}
	return n
}
