package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Section is a part of the results file that a run writes again: the one with
// its key is replaced.
type Section struct{ Key, Text string }

// Write puts a section in its place in a file, or in front of the others.
func (s Section) Write(path string) error {
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	begin, end := "<!-- begin "+s.Key+" -->\n", "<!-- end "+s.Key+" -->\n"
	text, fresh := string(old), begin+strings.TrimRight(s.Text, "\n")+"\n"+end
	from, to := strings.Index(text, begin), strings.Index(text, end)
	switch {
	case from >= 0 && to > from:
		text = text[:from] + fresh + text[to+len(end):]
	case strings.Contains(text, "\n## "):
		at := strings.Index(text, "\n## ") + 1
		if i := strings.Index(text, "<!-- begin "); i >= 0 && i < at {
			at = i
		}
		text = text[:at] + fresh + "\n" + text[at:]
	default:
		text = strings.TrimRight(text, "\n") + "\n\n" + fresh
	}
	return os.WriteFile(path, []byte(strings.TrimLeft(text, "\n")), 0o644)
}

// Report is the section of a machine: one table, and the details below it.
func Report(all []Result, suite string) Section {
	first := all[0]
	var b strings.Builder
	fmt.Fprintf(&b, "## carillon on %s\n\n", first.Machine)
	fmt.Fprintf(&b, "`carillon bench all --suite %s` on %s at commit `%s`. A row is the median of its runs by throughput, each in a\nprocess of its own; spread is the distance from the slowest to the fastest run as a share of the median, noise the share of\nthe processors that other programs used at most.\n\n", suite, first.Date, first.Commit)
	b.WriteString("| workload | n | per second | p50 ms | p99 ms | max ms | peak MB | disk MB | CPU s | runs | spread | noise |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %d | %.0f %% | %.0f %% |\n", r.Title(), number(float64(r.N)),
			number(r.OpsPerS), number(r.P50), number(r.P99), number(r.Max), number(r.RSS), number(r.Disk), number(r.CPU), r.Runs, 100*r.Spread, r.Noise)
	}
	b.WriteString("\n| aim | measured | of the aim |\n|---|--:|--:|\n")
	for _, v := range judge(all) {
		fmt.Fprintf(&b, "| %s: %s | %s | %.2f × |\n", v.workload, v.what, number(v.got), v.reach)
	}
	b.WriteString("\nMore of the same runs:\n\n")
	for _, r := range all {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(r.Details)) {
			parts = append(parts, k+" "+number(r.Details[k]))
		}
		if len(parts) > 0 {
			fmt.Fprintf(&b, "- %s: %s\n", r.Title(), strings.Join(parts, ", "))
		}
	}
	return Section{"bench " + first.Machine, b.String()}
}

// Save writes results as JSON, one a line.
func Save(path string, all []Result) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, r := range all {
		if err := enc.Encode(r); err != nil {
			_ = f.Close()
			return err
		}
	}
	return f.Close()
}
