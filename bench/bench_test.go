package bench

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// TestWorkloads runs every workload once, small, so that none rots: what they
// report of themselves must be whole.
func TestWorkloads(t *testing.T) {
	dir := t.TempDir()
	for _, w := range []struct {
		name string
		run  func() (Result, error)
		n    int
	}{
		{"schedule", func() (Result, error) { return Schedule(dir, 500, 16, 50) }, 500},
		{"http", func() (Result, error) { return HTTP(dir, 500, 16, 50, 1) }, 500},
		{"http", func() (Result, error) { return HTTP(dir, 500, 4, 50, 50) }, 500},
		{"callbacks", func() (Result, error) { return Callbacks(dir, 200, 16) }, 200},
		{"burst", func() (Result, error) { return Burst(dir, 200) }, 200},
		{"ontime", func() (Result, error) { return OnTime(dir, 3) }, 3},
		{"midnight", func() (Result, error) { return Midnight(dir, 100) }, 500},
		{"steady", func() (Result, error) { return Steady(dir, 100, 50, 1) }, 50},
		{"move", func() (Result, error) { return Move(dir, 100, 8) }, 20},
		{"restart", func() (Result, error) { return Restart(dir, 100) }, 500},
		{"memory", func() (Result, error) { return Memory(dir, 100, func(string) {}) }, 100},
	} {
		t.Run(w.name, func(t *testing.T) {
			r, err := w.run()
			if err != nil {
				t.Fatal(err)
			}
			if r.Workload != w.name || r.N != w.n || r.Seconds <= 0 || r.OpsPerS <= 0 || r.Disk <= 0 || r.Machine == "" {
				t.Errorf("%+v", r)
			}
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{"workload", "n", "ops_per_s", "p50_ms", "p99_ms", "max_ms", "rss_mb", "disk_mb", "machine", "commit"} {
				if !bytes.Contains(text, []byte(`"`+field+`":`)) {
					t.Errorf("%s is missing in %s", field, text)
				}
			}
		})
	}
}

// TestMedian: the run in the middle by throughput is the one reported.
func TestMedian(t *testing.T) {
	r := Median([]Result{{OpsPerS: 30}, {OpsPerS: 10}, {OpsPerS: 20}})
	if r.OpsPerS != 20 || r.Runs != 3 {
		t.Errorf("%+v", r)
	}
}

// TestQuantiles: latencies are sorted before they are read.
func TestQuantiles(t *testing.T) {
	r := Result{N: 4, durations: []time.Duration{4 * time.Millisecond, 1 * time.Millisecond, 3 * time.Millisecond, 2 * time.Millisecond}}
	r.finish(time.Second, t.TempDir())
	if r.P50 != 3 || r.P99 != 4 || r.Max != 4 || r.OpsPerS != 4 {
		t.Errorf("%+v", r)
	}
}
