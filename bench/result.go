package bench

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Result is what one workload came to. Latencies are those of single
// operations, from the call to the acknowledgement after the flush.
type Result struct {
	Workload  string             `json:"workload"`
	N         int                `json:"n"`
	Seconds   float64            `json:"seconds"`
	OpsPerS   float64            `json:"ops_per_s"`
	P50       float64            `json:"p50_ms"`
	P99       float64            `json:"p99_ms"`
	Max       float64            `json:"max_ms"`
	RSS       float64            `json:"rss_mb"`
	Disk      float64            `json:"disk_mb"`
	Machine   string             `json:"machine"`
	Commit    string             `json:"commit"`
	Runs      int                `json:"runs"`
	Details   map[string]float64 `json:"details,omitempty"`
	durations []time.Duration
}

// finish fills in what the machine says and what follows from the rest.
func (r *Result) finish(took time.Duration, dir string) {
	r.Seconds = took.Seconds()
	if r.OpsPerS == 0 && took > 0 {
		r.OpsPerS = float64(r.N) / took.Seconds()
	}
	if len(r.durations) > 0 {
		slices.Sort(r.durations)
		r.P50, r.P99, r.Max = ms(quantile(r.durations, .5)), ms(quantile(r.durations, .99)), ms(r.durations[len(r.durations)-1])
	}
	r.RSS, r.Disk = RSS()/(1<<20), diskBytes(dir)/(1<<20)
	r.Machine, r.Commit, r.Runs = machine(), commit(), 1
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// Median returns the run in the middle by throughput, or by time where there
// is none, with the number of runs.
func Median(runs []Result) Result {
	slices.SortFunc(runs, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.OpsPerS, b.OpsPerS), cmp.Compare(a.Seconds, b.Seconds))
	})
	r := runs[len(runs)/2]
	r.Runs = len(runs)
	return r
}

// Print writes a result for people.
func (r Result) Print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%-10s n=%d  %.2f s  %.0f/s  p50 %.3f ms  p99 %.3f ms  max %.1f ms  rss %.0f MB  disk %.0f MB  (%d runs, %s, %s)\n",
		r.Workload, r.N, r.Seconds, r.OpsPerS, r.P50, r.P99, r.Max, r.RSS, r.Disk, r.Runs, r.Machine, r.Commit)
	names := make([]string, 0, len(r.Details))
	for k := range r.Details {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		_, _ = fmt.Fprintf(w, "           %-28s %.1f\n", k, r.Details[k])
	}
}

// RSS is the resident memory of this process in bytes, 0 if the machine does
// not tell.
func RSS() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(f[1], 64)
	return pages * float64(os.Getpagesize())
}

// cpuSeconds is the processor time of this process so far.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(u.Utime) + seconds(u.Stime)
}

// anonymous is the part of it that is not a mapped file: the pages of the
// store count as resident as well, but the kernel takes them back when it
// needs them.
func anonymous() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return RSS()
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
			return kb * 1024
		}
	}
	return RSS()
}

func diskBytes(dir string) float64 {
	var total float64
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, p := range paths {
		if fi, err := os.Stat(p); err == nil {
			total += float64(fi.Size())
		}
	}
	return total
}

func machine() string {
	model := ""
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "model name"); ok {
				model = " " + strings.Trim(v, "\t :\n")
				break
			}
		}
	}
	return fmt.Sprintf("%d×%s%s, %s", runtime.NumCPU(), runtime.GOARCH, model, runtime.Version())
}

func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		rev, dirty := "", ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				rev = s.Value[:min(len(s.Value), 12)]
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+changes"
			}
		}
		if rev != "" {
			return rev + dirty
		}
	}
	return "unknown"
}
