package bench

import (
	"math"
	"slices"
	"time"
)

// Latencies are those of single operations, in microseconds: exact, four
// bytes each, with a place for every operation so that callers share nothing.
type Latencies []uint32

// Set notes operation i.
func (l Latencies) Set(i int, d time.Duration) { l[i] = micros(d) }

func micros(d time.Duration) uint32 {
	return uint32(min(max(d.Microseconds(), 0), math.MaxUint32))
}

// quantiles returns the p50, p99 and the greatest, in milliseconds. It sorts.
func (l Latencies) quantiles() (p50, p99, greatest float64) {
	if len(l) == 0 {
		return 0, 0, 0
	}
	slices.Sort(l)
	at := func(q float64) float64 { return float64(l[min(int(q*float64(len(l))), len(l)-1)]) / 1000 }
	return at(.5), at(.99), at(1)
}

// Timed calls fn for 0 to n-1 from so many callers at a time, and notes how
// long each call took.
func Timed(n, callers int, fn func(caller, i int) error) (Latencies, error) {
	took := make(Latencies, n)
	err := Each(n, callers, func(c, i int) error {
		began := time.Now()
		err := fn(c, i)
		took.Set(i, time.Since(began))
		return err
	})
	return took, err
}
