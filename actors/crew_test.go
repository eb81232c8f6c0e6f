package actors

import (
	"sync"
	"testing"
	"testing/synctest"
)

// TestCrewWaitsForNoCall: of calls that block each other all are under way.
func TestCrewWaitsForNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crew{}
		for range 3 { // the first time with new goroutines, then with those that rest
			const calls = 2*maxIdleCrew + 1
			var all, done sync.WaitGroup
			all.Add(calls)
			for range calls {
				done.Add(1)
				c.run(func() {
					defer done.Done()
					all.Done()
					all.Wait()
				})
			}
			done.Wait()
			synctest.Wait()
			if len(c.idle) == 0 || len(c.idle) > maxIdleCrew || len(c.waiting) > 0 || c.coming {
				t.Fatalf("%d rest, %d wait, coming %v", len(c.idle), len(c.waiting), c.coming)
			}
		}
		c.close() // or the bubble would not end
	})
}

// TestCrewRunsAtClose: what was given to it is run, although nobody rests any more.
func TestCrewRunsAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crew{}
		ran := 0
		var mu sync.Mutex
		for range 100 {
			c.run(func() { mu.Lock(); defer mu.Unlock(); ran++ })
		}
		c.close()
		c.run(func() { mu.Lock(); defer mu.Unlock(); ran++ })
		synctest.Wait()
		if ran != 101 {
			t.Errorf("%d of 101 ran", ran)
		}
	})
}

// BenchmarkCrew is a call that is answered at once.
func BenchmarkCrew(b *testing.B) {
	c := &crew{}
	defer c.close()
	b.ReportAllocs()
	var done sync.WaitGroup
	fn := done.Done
	for b.Loop() {
		done.Add(1000)
		for range 1000 {
			c.run(fn)
		}
		done.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(1000*b.N), "ns/call")
}
