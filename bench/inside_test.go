package bench

import (
	"testing"
	"time"

	"carillon/engine"
)

// TestQuantiles: latencies are sorted before they are read.
func TestQuantiles(t *testing.T) {
	l := Latencies{4000, 1000, 3000, 2000}
	if p50, p99, greatest := l.quantiles(); p50 != 3 || p99 != 4 || greatest != 4 {
		t.Error(p50, p99, greatest)
	}
	if micros(-time.Second) != 0 || micros(2*time.Hour) != 1<<32-1 {
		t.Error("what does not fit is cut off")
	}
}

// TestEarlyZone: whenever a run begins, the day of its users has more than
// twenty hours left.
func TestEarlyZone(t *testing.T) {
	for h := range 24 {
		now := time.Date(2026, 3, 2, h, 59, 59, 0, time.UTC)
		zone, err := time.LoadLocation(earlyZone(now))
		if err != nil {
			t.Fatal(err)
		}
		if got := now.In(zone).Hour(); got != 0 {
			t.Errorf("at %s it is %d in %s", now, got, zone)
		}
	}
}

// TestPaceJudge: what the judge of pace counts, it can see.
func TestPaceJudge(t *testing.T) {
	p := &paced{
		deadline: map[string]engine.Millis{"a": 1000, "b": 1500, "c": 3000, "d": 9000, "e": 1200},
		left:     map[string]engine.Millis{"a": 1000, "d": 500, "c": 1600},
	}
	want := map[string]float64{
		"left": 3, "left_late": 1, // a, at its deadline
		"out_of_order":  1, // a behind d
		"displaced":     2, // b and e, by d
		"model_in_time": 4, // a at 500, e at 1000, c at 1500, when b's deadline is over, and d
	}
	got := p.judge(2)
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
}
