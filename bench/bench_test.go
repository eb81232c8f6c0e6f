package bench_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/bench"
)

// asChild has this test's binary do a child's job, as carillon does.
const asChild = "bench-child"

var someDay = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == asChild {
		if err := bench.Child(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestWorkloads runs every workload once, small and in a process of its own,
// so that none rots: what they report of themselves must be whole.
func TestWorkloads(t *testing.T) {
	dir := t.TempDir()
	for _, w := range []struct {
		name string
		o    bench.Options
		n    int
		want []string // details
	}{
		{"schedule", bench.Options{N: 500, Callers: 16, Users: 50}, 500, []string{"records_per_flush"}},
		{"http", bench.Options{N: 500, Callers: 16, Users: 50}, 500, nil},
		{"http", bench.Options{N: 500, Callers: 4, Users: 50, Lines: 50}, 500, nil},
		{"callbacks", bench.Options{N: 200, Callers: 16}, 200, nil},
		{"burst", bench.Options{N: 200}, 200, []string{"flushes"}},
		{"burst", bench.Options{N: 200, Idle: true}, 200, []string{"flushes"}},
		{"http-burst", bench.Options{N: 200}, 200, nil},
		{"ontime", bench.Options{N: 3}, 3, nil},
		{"midnight", bench.Options{N: 100}, 500, []string{"users_created_meanwhile"}},
		{"steady", bench.Options{N: 100, PerSecond: 50, Seconds: 1}, 50, []string{"disturbed_p99_ms"}},
		{"move", bench.Options{N: 100, Callers: 8}, 20, nil},
		{"restart", bench.Options{N: 100, Burst: 500}, 500, []string{"first_due_late_ms", "burst_done_after_ready_s", "first_write_s"}},
		{"pace", bench.Options{N: 40, PerSecond: 40}, 40, []string{"left", "stale"}},
		{"composer", bench.Options{N: 50}, 50, []string{"good_texts_by_llm", "hangs_late_p99_ms", "by_turns_requests"}},
		{"memory", bench.Options{N: 100}, 100, []string{"alive_bytes_per_user", "restart_from_log_s", "passivated_start_s", "empty_process_mb"}},
		{"disk", bench.Options{N: 100}, 500, []string{"log_bytes_per_reminder", "write_amplification", "records_dropped"}},
		{"floors", bench.Options{N: 300}, 300, []string{"schedule_2_bbolt_cpu_us", "http_4_both_us", "midnight_3_journal_us"}},
		{"growth", bench.Options{N: 1000}, 1000, []string{"burst_1k_ratio"}},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.o.Dir, w.o.Self = dir, []string{os.Args[0], asChild}
			r, err := bench.Run(w.name, w.o, 1)
			if err != nil {
				t.Fatal(err)
			}
			if r.Workload != w.name || r.N != w.n || r.Seconds <= 0 || r.OpsPerS <= 0 || r.Disk <= 0 || r.RSS <= 0 || r.Machine == "" {
				t.Errorf("%+v", r)
			}
			for _, name := range w.want {
				if r.Details[name] <= 0 {
					t.Errorf("%s is %v in %v", name, r.Details[name], r.Details)
				}
			}
			if d := r.Details; w.name == "pace" && (d["left_late"] != 0 || d["left"]+d["stale"] != 40) {
				t.Errorf("pace: %v", d)
			}
			for name, v := range r.Details {
				if strings.HasSuffix(name, "_texts_bad") && v != 0 {
					t.Errorf("%s is %v", name, v)
				}
			}
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{"workload", "n", "ops_per_s", "p50_ms", "p99_ms", "max_ms", "rss_mb", "disk_mb", "machine", "commit"} {
				if !strings.Contains(string(text), `"`+field+`":`) {
					t.Errorf("%s is missing in %s", field, text)
				}
			}
		})
	}
}

// TestPayload: the peers are given what an event is as JSON, with exactly the
// bytes that are said.
func TestPayload(t *testing.T) {
	p := bench.Payload("user-0000001", "e1", someDay)
	var into map[string]string
	if err := json.Unmarshal(p, &into); err != nil || len(p) != bench.PayloadBytes || into["user_id"] != "user-0000001" {
		t.Errorf("%d bytes, %v: %s", len(p), err, p)
	}
}

// TestMedian: the run in the middle by throughput is the one reported, with
// how far the others are from it.
func TestMedian(t *testing.T) {
	r := bench.Median([]bench.Result{{OpsPerS: 30, Noise: 1}, {OpsPerS: 10, Noise: 7}, {OpsPerS: 20}})
	if r.OpsPerS != 20 || r.Runs != 3 || r.Spread != 1 || r.Noise != 7 || fmt.Sprint(r.Each) != "[30 10 20]" {
		t.Errorf("%+v", r)
	}
}

// TestCompare: only what leaves the spread of the runs is called a difference.
func TestCompare(t *testing.T) {
	write := func(name string, rs ...bench.Result) string {
		path := filepath.Join(t.TempDir(), name)
		var b strings.Builder
		for _, r := range rs {
			if err := json.NewEncoder(&b).Encode(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	load := func(path string) []bench.Result {
		rs, err := bench.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		return rs
	}
	before := load(write("old", bench.Result{Workload: "burst", N: 1, OpsPerS: 100, P99: 4, Runs: 5, Spread: .1}, bench.Result{Workload: "http", OpsPerS: 100, Runs: 5, Spread: .1}))
	after := load(write("new", bench.Result{Workload: "http", OpsPerS: 105, Runs: 5, Spread: .02}, bench.Result{Workload: "burst", N: 1, OpsPerS: 200, P99: 2, Runs: 5, Spread: .1}, bench.Result{Workload: "burst", N: 2, OpsPerS: 1}))
	got := bench.Compare(before, after)
	if len(got) != 2 || got[0].Clear || got[0].Spread != .1 || !got[1].Clear || got[1].Ratio != 2 || got[1].P99Ratio != .5 {
		t.Errorf("%+v", got)
	}
}

// TestReport: a section is written again in its place, and the others stay;
// the picture is XML with a bar for everybody.
func TestReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "RESULTS.md")
	if err := os.WriteFile(path, []byte("# Results\n\nWords.\n\n## Earlier\n\nOld.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	own := []bench.Result{{Workload: "burst", N: 10, OpsPerS: 240_000, Machine: "m", Runs: 1}}
	for _, s := range []bench.Section{bench.Report(own, "full"), {Key: "peers m", Text: "## Peers\n\none\n"}, {Key: "peers m", Text: "## Peers\n\ntwo\n"}} {
		if err := s.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, want := range []string{"# Results\n\nWords.", "| burst | 10 | 240,000 |", "| burst: 120,000 per second | 240,000 | 2.00 × |", "two", "## Earlier\n\nOld."} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, text)
		}
	}
	if strings.Contains(text, "one\n") {
		t.Error("the section from before is still there")
	}
	peers := []bench.Result{{System: "carillon", Workload: "burst", OpsPerS: 2}, {System: "A & B", Workload: "burst", OpsPerS: 1}}
	svg := bench.Picture(own, peers)
	if err := xml.Unmarshal([]byte(svg), new(struct{ XMLName xml.Name })); err != nil || strings.Count(svg, ">A &amp; B</text>") != 1 {
		t.Errorf("%v\n%s", err, svg)
	}
}
