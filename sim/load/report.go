package load

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Report is what a rehearsal came to.
type Report struct {
	Verdict string `json:"verdict"` // ok or failed
	At      string `json:"at"`
	Machine string `json:"machine"`
	Version string `json:"version"`
	Command string `json:"command,omitempty"`
	Target  string `json:"target"`
	Carrier string `json:"carrier"` // what was measured at

	Users         int     `json:"users"`
	EventsPerUser int     `json:"events_per_user"`
	SpreadSeconds float64 `json:"spread_s"`
	Seed          uint64  `json:"seed"`

	Phases    []Phase  `json:"phases"`
	Reminders Ends     `json:"reminders"`
	Lateness  Lateness `json:"lateness"`
	Callbacks *Ends    `json:"callbacks,omitempty"`
	Seconds   []Second `json:"seconds"` // from the first that was due; several in one if there are many

	Errors  map[string]int `json:"errors"` // by class; all of it is 0 in a good run
	Samples []string       `json:"samples,omitempty"`
	Retried int            `json:"retried"` // lines that were sent again because the engine was busy
}

// Phase is one part of a run.
type Phase struct {
	Name      string  `json:"name"`
	Done      int     `json:"done"`
	Unit      string  `json:"unit"` // requests or texts
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_s"`
	P50       float64 `json:"call_p50_ms,omitempty"` // of whole calls, with their many lines
	P99       float64 `json:"call_p99_ms,omitempty"`
	Max       float64 `json:"call_max_ms,omitempty"`
}

// Ends counts what was to come.
type Ends struct {
	Expected int `json:"expected"`
	Arrived  int `json:"arrived"`
	Missing  int `json:"missing"`
	Doubled  int `json:"doubled"`
}

// Lateness is when the carrier got texts, measured from when they were due.
type Lateness struct {
	P50     float64  `json:"p50_ms"`
	P90     float64  `json:"p90_ms"`
	P99     float64  `json:"p99_ms"`
	P999    float64  `json:"p999_ms"`
	Max     float64  `json:"max_ms"`
	Mean    float64  `json:"mean_ms"`
	Buckets []Bucket `json:"buckets"`
}

// Bucket counts texts that were at most so late, and later than the bucket
// before. UpTo 0 is the last one, without a bound.
type Bucket struct {
	UpTo  int `json:"up_to_ms"`
	Count int `json:"count"`
}

// Second is a stretch of the run.
type Second struct {
	At      float64 `json:"at_s"`
	Due     float64 `json:"due_per_s"`
	Arrived float64 `json:"arrived_per_s"`
	P50     float64 `json:"p50_ms"` // of the texts that were due in it
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
}

// bounds of the histogram's buckets, milliseconds.
var bounds = []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000}

func newPhase(name string, done int, unit string, took time.Duration, calls []time.Duration) Phase {
	p := Phase{Name: name, Done: done, Unit: unit, Seconds: took.Seconds(), PerSecond: float64(done) / max(took.Seconds(), 1e-9)}
	if len(calls) > 0 {
		slices.Sort(calls)
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		p.P50, p.P99, p.Max = ms(quantile(calls, .5)), ms(quantile(calls, .99)), ms(calls[len(calls)-1])
	}
	return p
}

func quantile[T any](sorted []T, q float64) T {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func (r *run) report() *Report {
	b := r.book
	b.mu.Lock()
	defer b.mu.Unlock()
	rep := &Report{
		At: r.began.UTC().Format(time.RFC3339), Machine: machine(), Version: r.conf.Version, Command: r.conf.Command,
		Target: r.c.url, Carrier: "the sandbox's outbox", Users: r.people.users, EventsPerUser: r.people.events,
		SpreadSeconds: float64(r.people.spread) / 1000, Seed: r.people.seed,
		Reminders: Ends{Expected: r.people.reminders(), Arrived: b.arrived, Doubled: b.doubled},
	}
	if r.conf.Stub != nil {
		rep.Carrier = "a stub, shaped like Twilio, that answers after " + r.conf.Stub.opts.Latency.String()
		rep.Callbacks = r.callbacks()
	}
	missing, early, lates := r.sort()
	rep.Reminders.Missing = len(missing)
	rep.Lateness = latenessOf(lates)
	rep.Seconds = r.stretches()
	for class, n := range map[string]int{
		"missing": len(missing), "doubled": b.doubled, "early": early, "wrong_number": b.wrong, "event_put_too_late": int(r.late.Load()),
	} {
		r.c.count(class, n)
	}
	if n := int(r.late.Load()); n > 0 {
		r.c.fail("event_put_too_late", 0, "putting the events took longer than the lead-in; give more with --lead-in")
	}
	if r.follow != nil && r.follow.lost > 0 {
		r.c.fail("outbox_forgot", int(r.follow.lost), "texts were gone before they were read")
	}
	r.explainMissing(missing)
	rep.take(r)
	return rep
}

// take copies what the client counted.
func (rep *Report) take(r *run) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	rep.Errors, rep.Samples, rep.Retried, rep.Phases = map[string]int{}, nil, r.c.retried, r.phases
	rep.Verdict = "ok"
	for class, n := range r.c.errs {
		if n > 0 {
			rep.Errors[class], rep.Verdict = n, "failed"
		}
	}
	for _, s := range r.c.samples {
		if class, _, _ := strings.Cut(s, ":"); rep.Errors[class] > 0 {
			rep.Samples = append(rep.Samples, s)
		}
	}
}

func (r *run) callbacks() *Ends {
	s := &r.conf.Stub.later
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" {
		return nil
	}
	e := &Ends{Arrived: s.taken, Expected: s.taken + len(s.queue) + s.busy}
	for why, n := range s.failed {
		e.Expected += n
		r.c.fail("callback", n, why)
	}
	if e.Missing = e.Expected - e.Arrived; len(s.queue)+s.busy > 0 {
		r.c.fail("callback", len(s.queue)+s.busy, "still open when the run ended")
	}
	return e
}

// sort separates the missing, the early and the late. The book is locked.
func (r *run) sort() (missing []int, early int, lates []int32) {
	for i, late := range r.book.late {
		switch {
		case late == unseen:
			missing = append(missing, i)
			continue
		case late < 0:
			early++
		}
		lates = append(lates, late)
	}
	slices.Sort(lates)
	return missing, early, lates
}

func latenessOf(sorted []int32) Lateness {
	l := Lateness{Buckets: make([]Bucket, len(bounds)+1)}
	for i, b := range bounds {
		l.Buckets[i].UpTo = b
	}
	if len(sorted) == 0 {
		return l
	}
	at := func(q float64) float64 { return float64(quantile(sorted, q)) }
	l.P50, l.P90, l.P99, l.P999, l.Max = at(.5), at(.9), at(.99), at(.999), float64(sorted[len(sorted)-1])
	var sum float64
	for _, late := range sorted {
		sum += float64(late)
		i, _ := slices.BinarySearch(bounds, int(late))
		l.Buckets[i].Count++
	}
	l.Mean = math.Round(sum/float64(len(sorted))*10) / 10
	return l
}

// maxStretches is how many points a plot over time has at most.
const maxStretches = 240

// stretches is the run over time. The book is locked.
func (r *run) stretches() []Second {
	seconds := max(int(r.people.spread+999)/1000, len(r.book.seconds))
	width := (seconds + maxStretches - 1) / maxStretches
	n := (seconds + width - 1) / width
	lates := make([][]int32, n)
	due := make([]int, n)
	for i, late := range r.book.late {
		k := int(r.people.due(i)-r.people.first) / 1000 / width
		due[k]++
		if late != unseen {
			lates[k] = append(lates[k], late)
		}
	}
	out := make([]Second, n)
	for k := range out {
		s := Second{At: float64(k * width), Due: float64(due[k]) / float64(width)}
		for i := k * width; i < min((k+1)*width, len(r.book.seconds)); i++ {
			s.Arrived += float64(r.book.seconds[i]) / float64(width)
		}
		if l := lates[k]; len(l) > 0 {
			slices.Sort(l)
			s.P50, s.P99, s.Max = float64(quantile(l, .5)), float64(quantile(l, .99)), float64(l[len(l)-1])
		}
		out[k] = s
	}
	return out
}

// Print writes the report for people.
func (rep *Report) Print(w io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("%s: %s people, %s reminders due within %s, measured at %s", strings.ToUpper(rep.Verdict), thousands(rep.Users),
		thousands(rep.Reminders.Expected), time.Duration(rep.SpreadSeconds*float64(time.Second)), rep.Carrier)
	p("%s · %s · %s", rep.At, rep.Machine, rep.Version)
	p("")
	for _, ph := range rep.Phases {
		line := fmt.Sprintf("  %-10s %9s %-8s in %6.1f s  %8s/s", ph.Name, thousands(ph.Done), ph.Unit, ph.Seconds, thousands(int(ph.PerSecond)))
		if ph.P50 > 0 {
			line += fmt.Sprintf("   a call of many lines: p50 %.0f ms, p99 %.0f ms, max %.0f ms", ph.P50, ph.P99, ph.Max)
		}
		p("%s", line)
	}
	l := rep.Lateness
	p("\n  lateness   p50 %s  p90 %s  p99 %s  p99.9 %s  max %s", ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max))
	rep.printHistogram(p)
	e := rep.Reminders
	p("\n  arrived %s · missing %s · doubled %s · sent again because the engine was busy %s", thousands(e.Arrived), thousands(e.Missing), thousands(e.Doubled), thousands(rep.Retried))
	if c := rep.Callbacks; c != nil {
		p("  delivery reports taken %s of %s", thousands(c.Arrived), thousands(c.Expected))
	}
	for _, class := range slices.Sorted(maps.Keys(rep.Errors)) {
		p("  ERROR %-18s %s", class, thousands(rep.Errors[class]))
	}
	for _, s := range rep.Samples {
		p("    %s", s)
	}
}

func (rep *Report) printHistogram(p func(string, ...any)) {
	most := 1
	for _, b := range rep.Lateness.Buckets {
		most = max(most, b.Count)
	}
	for i, b := range rep.Lateness.Buckets {
		if b.Count > 0 {
			p("    %9s %9s  %s", label(i), thousands(b.Count), strings.Repeat("█", max(b.Count*40/most, 1)))
		}
	}
}

// label names a bucket of the histogram.
func label(i int) string {
	if i == len(bounds) {
		return "> " + ms(float64(bounds[i-1]))
	}
	return "≤ " + ms(float64(bounds[i]))
}

// ms shows milliseconds.
func ms(v float64) string {
	if v >= 1000 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v/1000), ".0") + " s"
	}
	return fmt.Sprintf("%.0f ms", v)
}

// thousands shows a number with its thousands apart.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// machine is what the rehearsal ran on.
func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.Trim(v, "\t :\n")
				break
			}
		}
	}
	return fmt.Sprintf("%d × %s, %s, %s", runtime.NumCPU(), model, runtime.GOOS, runtime.Version())
}

// Fault is what a run that was not good failed with; nil for a good one.
func (rep *Report) Fault() error {
	if rep.Verdict == "ok" {
		return nil
	}
	var all []string
	for _, class := range slices.Sorted(maps.Keys(rep.Errors)) {
		all = append(all, fmt.Sprintf("%s %s", thousands(rep.Errors[class]), class))
	}
	return fmt.Errorf("the rehearsal failed: %s", strings.Join(all, ", "))
}
