package bench

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Result is what one workload came to. Latencies are those of single
// operations, from the call to the acknowledgement after the flush, or of
// hand-overs, from when they were due. RSS is the highest that the process of
// the engine has been at, its load generator and the mapped files included.
type Result struct {
	System   string  `json:"system,omitempty"` // among peers: who it was
	Workload string  `json:"workload"`
	N        int     `json:"n"`
	Seconds  float64 `json:"seconds"`
	OpsPerS  float64 `json:"ops_per_s"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
	RSS      float64 `json:"rss_mb"`
	Disk     float64 `json:"disk_mb"`
	Machine  string  `json:"machine"`
	Commit   string  `json:"commit"`
	Date     string  `json:"date"`
	Runs     int     `json:"runs"`
	// Spread is the distance from the slowest to the fastest run, as a share of
	// the median; Each has what the runs gave, in their order.
	Spread float64   `json:"spread"`
	Each   []float64 `json:"ops_per_s_of_runs,omitempty"`
	CPU    float64   `json:"cpu_s"` // of the measured part, children included
	// Noise is the share of the processors that others used meanwhile.
	Noise   float64            `json:"noise_pct"`
	Variant string             `json:"variant,omitempty"` // what tells rows of a workload apart
	Details map[string]float64 `json:"details,omitempty"`
}

// Title is the workload with what tells its rows apart.
func (r Result) Title() string {
	if r.Variant == "" {
		return r.Workload
	}
	return r.Workload + ", " + r.Variant
}

// Finish fills in what the machine says and what follows from the rest.
func (r *Result) Finish(m *Meter, took Latencies, dir string) {
	r.Seconds, r.CPU, r.Noise = m.seconds, m.cpu, m.noise
	if r.N > 0 {
		r.Detail("cpu_us_per_op", 1e6*m.cpu/float64(r.N))
		r.Detail("allocs_per_op", m.mallocs/float64(r.N))
		r.Detail("alloc_bytes_per_op", m.allocated/float64(r.N))
	}
	if r.OpsPerS == 0 && r.Seconds > 0 {
		r.OpsPerS = float64(r.N) / r.Seconds
	}
	if len(took) > 0 {
		r.P50, r.P99, r.Max = took.quantiles()
	}
	r.stamp()
	r.RSS = max(r.RSS, peakRSS()/(1<<20))
	if dir != "" {
		r.Disk = diskBytes(dir) / (1 << 20)
	}
}

func (r *Result) stamp() {
	r.Machine, r.Commit, r.Runs = machine(), commit(), 1
	r.Date = time.Now().UTC().Format("2006-01-02 15:04")
}

// Detail notes a figure of the workload's own.
func (r *Result) Detail(name string, v float64) {
	if r.Details == nil {
		r.Details = map[string]float64{}
	}
	r.Details[name] = v
}

// Median returns the run in the middle by throughput, or by time where there
// is none, with the number of runs and how far they are apart.
func Median(runs []Result) Result {
	sorted := slices.Clone(runs)
	slices.SortStableFunc(sorted, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.OpsPerS, b.OpsPerS), cmp.Compare(b.Seconds, a.Seconds))
	})
	r := sorted[len(sorted)/2]
	r.Runs = len(sorted)
	if len(sorted) == 1 {
		return r
	}
	for _, one := range runs {
		r.Each = append(r.Each, one.OpsPerS)
	}
	if r.OpsPerS > 0 {
		r.Spread = (sorted[len(sorted)-1].OpsPerS - sorted[0].OpsPerS) / r.OpsPerS
	}
	r.Noise = slices.MaxFunc(sorted, func(a, b Result) int { return cmp.Compare(a.Noise, b.Noise) }).Noise
	return r
}

// Print writes a result for people.
func (r Result) Print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%-22s n=%d  %.2f s  %.0f/s  p50 %.3f ms  p99 %.3f ms  max %.1f ms  rss %.0f MB  disk %.0f MB  cpu %.1f s\n",
		r.Title(), r.N, r.Seconds, r.OpsPerS, r.P50, r.P99, r.Max, r.RSS, r.Disk, r.CPU)
	_, _ = fmt.Fprintf(w, "%-22s %d runs, spread %.0f %%, others %.1f %% of the processors, %s, %s\n", "", r.Runs, 100*r.Spread, r.Noise, r.Machine, r.Commit)
	for _, k := range slices.Sorted(maps.Keys(r.Details)) {
		_, _ = fmt.Fprintf(w, "%-22s   %-30s %s\n", "", k, number(r.Details[k]))
	}
}

// number writes a value as people read it: no more digits than it has.
func number(v float64) string {
	switch {
	case v == float64(int64(v)) && v < 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 1000:
		digits := fmt.Sprintf("%.0f", v)
		var b strings.Builder
		for i, d := range digits {
			if i > 0 && (len(digits)-i)%3 == 0 {
				b.WriteByte(',')
			}
			b.WriteRune(d)
		}
		return b.String()
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
