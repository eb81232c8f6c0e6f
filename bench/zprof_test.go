package bench

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/engine"
)

func rcpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func prof(w string, n int, fn func()) {
	runtime.GC(); if f := os.Getenv("MPROF"); f != "" { runtime.MemProfileRate = 4096; defer func() { o, _ := os.Create(f); pprof.Lookup("allocs").WriteTo(o, 0); o.Close() }() }
	var m, m2 runtime.MemStats
	runtime.ReadMemStats(&m)
	if f := os.Getenv("PROF"); f != "" {
		o, _ := os.Create(f)
		pprof.StartCPUProfile(o)
		defer o.Close()
		defer pprof.StopCPUProfile()
	}
	c, t := rcpu(), time.Now()
	fn()
	cpu, wall := rcpu()-c, time.Since(t)
	runtime.ReadMemStats(&m2)
	fmt.Printf("%s n=%d %.0f/s wall=%.2fs cpu/op=%.2fus gc=%d allocs/op=%.1f B/op=%.0f rss=%.0f heap=%d\n", w, n, float64(n)/wall.Seconds(), wall.Seconds(),
		float64(cpu.Microseconds())/float64(n), m2.NumGC-m.NumGC, float64(m2.Mallocs-m.Mallocs)/float64(n), float64(m2.TotalAlloc-m.TotalAlloc)/float64(n), RSS(), m2.HeapAlloc>>20)
}

func env(s string, d int) int {
	if n, err := strconv.Atoi(os.Getenv(s)); err == nil {
		return n
	}
	return d
}

func TestZProf(t *testing.T) {
	w := os.Getenv("W")
	if w == "" {
		t.Skip()
	}
	debug.SetGCPercent(300)
	runtime.GOMAXPROCS(3)
	users := env("U", 10000)
	n, callers := env("N", 300000), env("C", 1024)
	c := &clock{}
	reg := prometheus.NewRegistry()
	r, err := newRig("/var/tmp", func(cf *actors.Config) { cf.Metrics = reg; cf.Clock = c })
	if err != nil {
		t.Fatal(err)
	}
	defer r.remove()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	switch w {
	case "http", "batch":
		st, err := newSite("/var/tmp")
		check(err)
		defer st.remove()
		check(st.populate(users, 1024, "UTC"))
		start := time.Now().Add(20 * time.Minute)
		request := func(i int) (path, body string) {
			at := start.Add(time.Duration(i/users) * time.Minute).UTC().Format(time.RFC3339)
			return fmt.Sprintf("/v1/users/%s/events/e%d", userID(i%users), i/users),
				fmt.Sprintf(`{"title":"Quarterly review with Dana","start":%q,"end":%q,"location":"Room 4.12"}`, at, at)
		}
		if w == "http" {
			paths, bodies := make([]string, n), make([]string, n)
			for i := range n {
				paths[i], bodies[i] = request(i)
			}
			prof(w, n, func() {
				check(each(n, callers, func(i int) error {
					return st.call("PUT", paths[i], "application/json", []byte(bodies[i]))
				}))
			})
		} else {
			const lines = 1000
			calls := make([][]byte, n/lines)
			for k := range calls {
				var b strings.Builder
				for i := k * lines; i < (k+1)*lines; i++ {
					path, body := request(i)
					fmt.Fprintf(&b, `{"method":"PUT","path":%q,"body":%s}`+"\n", path, body)
				}
				calls[k] = []byte(b.String())
			}
			prof(w, n, func() {
				check(each(n/lines, callers, func(k int) error {
					return st.call("POST", "/v1/batch", "application/x-ndjson", calls[k])
				}))
			})
		}
		check(st.stop())
	case "schedule":
		check(r.populate(users, 1024, "UTC"))
		start := time.Now().Add(20 * time.Minute)
		prof(w, n, func() {
			check(each(n, callers, func(i int) error {
				return r.do(userID(i%users), event(fmt.Sprintf("e%d", i/users), start.Add(time.Duration(i/users)*time.Minute)))
			}))
		})
	case "burst":
		n := users
		check(r.populate(n, 1024, "UTC"))
		due := time.Now().Add(time.Hour).Truncate(time.Second)
		check(each(n, 1024, func(i int) error {
			return r.do(userID(i), engine.CreateReminder{Text: fmt.Sprintf("Reminder %d", i), SendAt: due.UnixMilli(), Priority: engine.PriorityNormal})
		}))
		prof(w, n, func() {
			c.ahead.Add(due.UnixMilli() - c.Now())
			check(r.awaitSent(n, time.Now()))
		})
	case "midnight":
		midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(48 * time.Hour)
		c.ahead.Store(time.Until(midnight.Add(-12 * time.Hour)).Milliseconds())
		check(r.populate(users, 1024, "UTC"))
		check(each(users, 1024, func(i int) error {
			sync := engine.SyncEvents{Start: midnight.UnixMilli(), End: midnight.Add(24 * time.Hour).UnixMilli()}
			for e := range 5 {
				sync.Events = append(sync.Events, event(fmt.Sprintf("e%d", e), midnight.Add(time.Duration(9+e)*time.Hour)).Event)
			}
			return r.do(userID(i), sync)
		}))
		prof(w, users*5, func() {
			c.ahead.Add(midnight.Add(time.Millisecond).UnixMilli() - c.Now())
			check(r.await(10*time.Minute, func() bool {
				return metric(reg, "carillon_plan_runs_total", "cause", "midnight") >= float64(users)
			}))
		})
	}
	check(r.stop())
}
