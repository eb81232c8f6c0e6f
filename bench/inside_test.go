package bench

import (
	"testing"
	"time"
)

// TestQuantiles: latencies are sorted before they are read.
func TestQuantiles(t *testing.T) {
	l := latencies{4000, 1000, 3000, 2000}
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
