package actors

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// BenchmarkTable is the router's look-up among a million users, from as many
// callers as there are processors.
func BenchmarkTable(b *testing.B) {
	const users = 1_000_000
	t := newTable(1)
	ids := make([]string, users)
	for i := range ids {
		ids[i] = "user-" + strconv.Itoa(i)
		t.home(ids[i]).ensure()
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewPCG(1, rand.Uint64()))
		for pb.Next() {
			if t.get(ids[r.IntN(users)]) == nil {
				b.Error("a user is not found")
			}
		}
	})
}

// BenchmarkTimer puts wakes in and takes them out as they come due.
func BenchmarkTimer(b *testing.B) {
	const timers = 1_000_000
	entries := make([]*entry, timers)
	for i := range entries {
		entries[i] = &entry{id: strconv.Itoa(i), slot: -1}
	}
	r := rand.New(rand.NewPCG(1, 2))
	var inserted, expired time.Duration
	for b.Loop() {
		var h wakeHeap
		began := time.Now()
		for _, e := range entries {
			h.set(e, 1+r.Int64N(86_400_000))
		}
		inserted += time.Since(began)
		began = time.Now()
		for h.len() > 0 {
			h.pop()
		}
		expired += time.Since(began)
	}
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N*timers) }
	b.ReportMetric(per(inserted), "ns/insert")
	b.ReportMetric(per(expired), "ns/expiry")
}
