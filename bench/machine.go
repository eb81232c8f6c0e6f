package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// procField is a value of a "name: value" file of the kernel, 0 if there is
// none.
func procField(file, name string) float64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
			return n
		}
	}
	return 0
}

// peakRSS is the highest that this process has been resident, in bytes.
func peakRSS() float64 { return procField("/proc/self/status", "VmHWM") * 1024 }

// forgetPeak has peakRSS begin anew from what is resident now. Where the kernel
// does not do that it goes on.
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// residentOf is what a process has resident, in bytes.
func residentOf(pid int) float64 {
	return procField(fmt.Sprintf("/proc/%d/status", pid), "VmRSS") * 1024
}

// anonymous is the part of what is resident that is not a mapped file: the
// pages of the store count as resident as well, but the kernel takes them back
// when it needs them.
func anonymous() float64 { return procField("/proc/self/status", "RssAnon") * 1024 }

// written is how many bytes this process has had the kernel write to disks.
func written() float64 { return procField("/proc/self/io", "write_bytes") }

// Meter measures a part of a run: its time, the processor time of this process
// and its children, and what others took of the processors meanwhile.
type Meter struct {
	children []int // whose families count as ours
	profiled bool

	began     time.Time
	cpuAtZero float64
	busyThen  float64
	heapThen  runtime.MemStats
	gcThen    float64
	gcCPUThen float64

	seconds, cpu, noise float64
	mallocs, allocated  float64 // objects and bytes, of this process
	gcs, gcCPU          float64 // cycles of the collector, and the processor time that it took
}

// profile is where a CPU profile of what is measured goes; nil: nowhere. A
// process makes one run with it.
var profile io.Writer

// Profile has the next measured part write a CPU profile to w.
func Profile(w io.Writer) { profile = w }

// Measure begins.
func Measure(children ...int) *Meter {
	m := &Meter{children: children}
	if profile != nil {
		m.profiled = pprof.StartCPUProfile(profile) == nil
	}
	runtime.ReadMemStats(&m.heapThen)
	m.gcThen, m.gcCPUThen = collected()
	m.cpuAtZero, m.busyThen, m.began = m.ours(), busySeconds(), time.Now()
	return m
}

// End ends the measured part.
func (m *Meter) End() *Meter {
	if m.profiled {
		pprof.StopCPUProfile()
		profile = nil
	}
	m.seconds = time.Since(m.began).Seconds()
	m.cpu = m.ours() - m.cpuAtZero
	others := max(busySeconds()-m.busyThen-m.cpu, 0)
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	gcs, gcCPU := collected()
	m.gcs, m.gcCPU = gcs-m.gcThen, gcCPU-m.gcCPUThen
	m.mallocs, m.allocated = float64(now.Mallocs-m.heapThen.Mallocs), float64(now.TotalAlloc-m.heapThen.TotalAlloc)
	if m.seconds > 0 {
		m.noise = min(100*others/(m.seconds*float64(runtime.NumCPU())), 100) // ticks are coarse
	}
	return m
}

// collected is how often the collector has run, and the processor time that it
// has taken, what it did while nobody else wanted the processor included.
func collected() (cycles, cpu float64) {
	s := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(s)
	return float64(s[0].Value.Uint64()), s[1].Value.Float64()
}

func (m *Meter) ours() float64 {
	total := cpuSeconds(syscall.RUSAGE_SELF) + cpuSeconds(syscall.RUSAGE_CHILDREN)
	for _, pid := range m.children {
		for _, member := range Family(pid) {
			total += cpuOf(member)
		}
	}
	return total
}

// Family is a process and those that it started, as far as they live.
func Family(pid int) []int {
	all := []int{pid}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, name := range tasks {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for f := range strings.FieldsSeq(string(b)) {
			if child, err := strconv.Atoi(f); err == nil {
				all = append(all, Family(child)...)
			}
		}
	}
	return all
}

func cpuSeconds(who int) float64 {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(u.Utime) + seconds(u.Stime)
}

const ticksPerSecond = 100 // of /proc; the same on every Linux that Go runs on

// cpuOf is the processor time that a living process has used, and its children
// that have ended, in seconds.
func cpuOf(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // a program's name may hold anything
	total := 0.0
	for i := 11; i < min(len(f), 15); i++ { // user and system, its own and theirs
		v, _ := strconv.ParseFloat(f[i], 64)
		total += v
	}
	return total / ticksPerSecond
}

// busySeconds is what all processors have been busy with, 0 if the machine
// does not tell.
func busySeconds() float64 {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	total := 0.0
	for i, f := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name, idle, iowait, guests (in user already)
			continue
		}
		v, _ := strconv.ParseFloat(f, 64)
		total += v
	}
	return total / ticksPerSecond
}

// diskBytes is what the files of a folder have.
func diskBytes(dir string) (total float64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a server may take its files away meanwhile
		}
		if fi, err := d.Info(); err == nil && fi.Mode().IsRegular() {
			total += float64(fi.Size())
		}
		return nil
	})
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
	gib := procField("/proc/meminfo", "MemTotal") / (1 << 20)
	return fmt.Sprintf("%d×%s%s, %.0f GiB, %s", runtime.NumCPU(), runtime.GOARCH, model, gib, runtime.Version())
}

// commit is what this program was built from; a build without that asks git
// about the folder that it runs in.
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
	out, err := exec.CommandContext(context.Background(), "git", "describe", "--always", "--abbrev=12", "--dirty=+changes").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
