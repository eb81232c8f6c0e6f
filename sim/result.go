package sim

import (
	"fmt"
	"io"
	"strings"
)

// Result is what a run came to.
type Result struct {
	Seed       uint64           `json:"seed"`
	Digest     string           `json:"digest"`
	Violations []Violation      `json:"violations"`
	UserYears  float64          `json:"user_years"`
	NodeYears  float64          `json:"node_years"`
	Users      int              `json:"users"`
	Days       float64          `json:"days"`
	Pace       string           `json:"pace"`
	Faults     map[string]int64 `json:"faults"`
	Reminders  map[string]int64 `json:"reminders"`
	Accepted   int              `json:"accepted"`
	Webhooks   int64            `json:"webhooks"`   // that the receiver took; 0 without one
	Expected   int64            `json:"expected"`   // reminders that had to leave at an instant, and did
	Unknowable int64            `json:"unknowable"` // texts that came again because a restore had lost what changed them
	Records    uint64           `json:"records"`
	Readings   int64            `json:"readings"` // of connected calendars
	Steps      uint64           `json:"steps"`
	// CPUSeconds is the processor time of the run, of the whole process; the
	// digest knows nothing of it.
	CPUSeconds    float64 `json:"cpu_seconds"`
	PerCoreMinute float64 `json:"user_years_per_core_minute"`

	opt Options
}

// Command is the command line that repeats the run.
func (r *Result) Command() string { return r.opt.Command() }

// Print writes the result for people.
func (r *Result) Print(w io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("seed %d: %d people for %.1f days (%.2f user-years), digest %s", r.Seed, r.Users, r.Days, r.UserYears, r.Digest)
	var ends, faults []string
	for _, k := range sortedNames(r.Reminders) {
		ends = append(ends, fmt.Sprintf("%d %s", r.Reminders[k], k))
	}
	for _, c := range classNames {
		if n := r.Faults[c]; n > 0 {
			faults = append(faults, fmt.Sprintf("%s %d", c, n))
		}
	}
	p("texts accepted: %d; reminders of the last week: %s", r.Accepted, strings.Join(ends, ", "))
	p("faults: %s", strings.Join(faults, ", "))
	for _, v := range r.Violations {
		p("VIOLATION %s %s %s\n  %s", v.Checker, v.Person, v.At, v.What)
	}
	if len(r.Violations) > 0 {
		p("repeat it with: %s", r.Command())
	}
}
