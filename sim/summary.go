package sim

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Summary is what a campaign of many seeds came to.
type Summary struct {
	Seeds      int     `json:"seeds"`
	First      uint64  `json:"first_fresh_seed"`
	Kept       int     `json:"kept_seeds"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	UserYears  float64 `json:"user_years"`
	NodeYears  float64 `json:"node_years"`
	// PerCoreMinute is user-years by the minute of processor time.
	PerCoreMinute float64          `json:"user_years_per_core_minute"`
	Accepted      int              `json:"accepted"`
	Webhooks      int64            `json:"webhooks"` // that a receiver took
	Expected      int64            `json:"expected"`
	Unknowable    int64            `json:"unknowable"`
	Faults        map[string]int64 `json:"faults"`
	Records       uint64           `json:"records"`
	Readings      int64            `json:"readings"` // of connected calendars
	Reminders     map[string]int64 `json:"reminders"`
	Violations    map[string]int   `json:"violations"` // by checker
	Failed        []string         `json:"failed"`     // the commands that repeat them
	Commit        string           `json:"commit,omitempty"`
	Machine       string           `json:"machine,omitempty"`
	Workers       int              `json:"workers,omitempty"` // runs at a time
}

func newSummary(from uint64) Summary {
	return Summary{First: from, Faults: map[string]int64{}, Reminders: map[string]int64{}, Violations: map[string]int{}, Failed: []string{}}
}

func (s *Summary) add(r *Result) {
	s.Seeds++
	s.UserYears += r.UserYears
	s.NodeYears += r.NodeYears
	s.Accepted += r.Accepted
	s.Webhooks += r.Webhooks
	s.Expected += r.Expected
	s.Records += r.Records
	s.Readings += r.Readings
	s.Unknowable += r.Unknowable
	for k, n := range r.Faults {
		s.Faults[k] += n
	}
	for k, n := range r.Reminders {
		s.Reminders[k] += n
	}
	for _, v := range r.Violations {
		s.Violations[v.Checker]++
	}
	if len(r.Violations) > 0 {
		s.Failed = append(s.Failed, r.Command())
	}
}

// Verdict is an error if something was violated, or if a fault class never
// came: a fault test that injects nothing is a failure.
func (s *Summary) Verdict() error {
	var errs []error
	if len(s.Failed) > 0 {
		errs = append(errs, fmt.Errorf("%d seeds with violations, the first: %s", len(s.Failed), s.Failed[0]))
	}
	for _, c := range classNames {
		if s.Faults[c] == 0 {
			errs = append(errs, fmt.Errorf("fault class %s never came", c))
		}
	}
	return errors.Join(errs...)
}

func (s *Summary) userDays() float64 { return max(s.UserYears*365.25, 1e-9) }

// Print writes the summary as a table.
func (s *Summary) Print(w io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("seeds                 %10d  (fresh from %d)", s.Seeds, s.First)
	p("seconds               %10.0f  (of processor time %.0f)", s.Seconds, s.CPUSeconds)
	p("simulated user-years  %10.1f  (node-years %.1f)", s.UserYears, s.NodeYears)
	p("  per core-minute     %10.1f", s.PerCoreMinute)
	p("records               %10d  (%.1f per user-day)", s.Records, float64(s.Records)/s.userDays())
	p("texts accepted        %10d  (%.2f per user-day)", s.Accepted, float64(s.Accepted)/s.userDays())
	p("webhooks taken        %10d", s.Webhooks)
	p("due to the instant    %10d", s.Expected)
	p("calendars read        %10d", s.Readings)
	p("seeds with violations %10d", len(s.Failed))
	p("")
	p("%-22s%10s", "reminders", "ended")
	for _, k := range sortedNames(s.Reminders) {
		p("%-22s%10d", k, s.Reminders[k])
	}
	p("")
	p("%-22s%10s", "fault class", "injected")
	for _, c := range classNames {
		p("%-22s%10d", c, s.Faults[c])
	}
	for _, k := range sortedNames(s.Violations) {
		p("VIOLATION %-12s%10d", k, s.Violations[k])
	}
	for _, c := range s.Failed {
		p("  %s", c)
	}
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// Report writes the summary as the tables of docs/proof.md.
func (s *Summary) Report(w io.Writer, command, began string) error {
	var b strings.Builder
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	p("`%s`, begun %s, commit %s, %s; %d seeds at a time.\n", command, began, s.Commit, s.Machine, s.Workers)
	p("| what | number |\n|---|---:|")
	p("| seeds, kept ones included | %d |", s.Seeds)
	p("| fresh seeds from | %d |", s.First)
	p("| seconds, of processor time | %.0f, %.0f |", s.Seconds, s.CPUSeconds)
	p("| simulated user-years, node-years | %.1f, %.1f |", s.UserYears, s.NodeYears)
	p("| user-years per core-minute | %.0f |", s.PerCoreMinute)
	p("| records, texts per user-day | %.1f, %.2f |", float64(s.Records)/s.userDays(), float64(s.Accepted)/s.userDays())
	p("| texts that the carrier accepted | %d |", s.Accepted)
	p("| webhooks that a receiver took | %d |", s.Webhooks)
	p("| reminders that had to leave at an instant, and did | %d |", s.Expected)
	p("| readings of connected calendars | %d |", s.Readings)
	p("| seeds with violations | %d |", len(s.Failed))
	p("| texts that came twice because a restore had lost what changed them | %d |", s.Unknowable)
	p("\n| reminders of a run's last week | ended |\n|---|---:|")
	for _, k := range sortedNames(s.Reminders) {
		p("| %s | %d |", k, s.Reminders[k])
	}
	p("\n| fault class | injected | | fault class | injected |\n|---|---:|---|---|---:|")
	for i := 0; i < len(classNames); i += 2 {
		row := fmt.Sprintf("| %s | %d | |", classNames[i], s.Faults[classNames[i]])
		if i+1 < len(classNames) {
			row += fmt.Sprintf(" %s | %d |", classNames[i+1], s.Faults[classNames[i+1]])
		} else {
			row += " | |"
		}
		p("%s", row)
	}
	for _, k := range sortedNames(s.Violations) {
		p("\nVIOLATION %s: %d", k, s.Violations[k])
	}
	for _, c := range s.Failed {
		p("\n    %s", c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
