package sim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Summary is what a campaign of many seeds came to.
type Summary struct {
	Seeds      int              `json:"seeds"`
	First      uint64           `json:"first_fresh_seed"`
	Seconds    float64          `json:"seconds"`
	UserYears  float64          `json:"user_years"`
	NodeYears  float64          `json:"node_years"`
	Accepted   int              `json:"accepted"`
	Expected   int64            `json:"expected"`
	Unknowable int64            `json:"unknowable"`
	Faults     map[string]int64 `json:"faults"`
	Reminders  map[string]int64 `json:"reminders"`
	Violations map[string]int   `json:"violations"` // by checker
	Failed     []string         `json:"failed"`     // the commands that repeat them
}

// ReadSeeds reads kept seeds, one a line: the number, then, if they are not
// the default, the faults, users and days; # begins a comment.
func ReadSeeds(r io.Reader) ([]Options, error) {
	var out []Options
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		seed, err := strconv.ParseUint(fields[0], 10, 64)
		opt := Options{Seed: seed}
		for _, f := range fields[1:] {
			k, v, _ := strings.Cut(f, "=")
			n := 0
			if k != "faults" {
				n, err = strconv.Atoi(v)
			}
			switch k {
			case "faults":
				opt.Faults = v
			case "users":
				opt.Users = n
			case "days":
				opt.Days = n
			default:
				err = fmt.Errorf("sim: %q in a line of seeds", f)
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, opt)
	}
	return out, lines.Err()
}

// Campaign plays the kept seeds and then fresh ones from a number on, until it
// is enough; one in eight with all faults, one in sixty-four on real files. A
// run uses one core, so as many are played at a time. enough and told are
// called one at a time.
func Campaign(kept []Options, from uint64, enough func() bool, told func(Result)) (Summary, error) {
	all := Summary{First: from, Faults: map[string]int64{}, Reminders: map[string]int64{}, Violations: map[string]int{}, Failed: []string{}}
	var mu sync.Mutex
	var failed error
	next := func() (Options, bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil {
			return Options{}, false
		}
		if len(kept) > 0 {
			o := kept[0]
			kept = kept[1:]
			return o, true
		}
		opt := Options{Seed: from, Faults: FaultsSwarm, Bolt: from%64 == 63}
		if from%8 == 7 {
			opt.Faults = FaultsAll
		}
		if enough() {
			return opt, false
		}
		from++
		return opt, true
	}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for opt, ok := next(); ok; opt, ok = next() {
				r, err := Run(opt)
				mu.Lock()
				failed = errors.Join(failed, err)
				all.add(&r)
				told(r)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all, failed
}

func (s *Summary) add(r *Result) {
	s.Seeds++
	s.UserYears += r.UserYears
	s.NodeYears += r.NodeYears
	s.Accepted += r.Accepted
	s.Expected += r.Expected
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

// Print writes the summary as a table.
func (s *Summary) Print(w io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("seeds                 %10d  (fresh from %d)", s.Seeds, s.First)
	p("seconds               %10.0f", s.Seconds)
	p("simulated user-years  %10.1f  (node-years %.1f)", s.UserYears, s.NodeYears)
	p("texts accepted        %10d", s.Accepted)
	p("due to the instant    %10d", s.Expected)
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
