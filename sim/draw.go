package sim

import (
	"math"
	"math/rand/v2"

	"carillon/engine"
)

// Units of virtual time.
const (
	second engine.Millis = 1000
	minute               = 60 * second
	hour                 = 60 * minute
	day                  = 24 * hour
)

// draw is the one source of chance of a run.
type draw struct {
	r   *rand.Rand
	src *rand.PCG // of r
}

func newDraw(seed uint64) draw {
	src := rand.NewPCG(seed, 0xca7111)
	return draw{rand.New(src), src}
}

// bits are 64 random ones.
func (d draw) bits() uint64 { return d.src.Uint64() }

// chance is true with probability p.
func (d draw) chance(p float64) bool { return float64(d.bits()<<11>>11)/(1<<53) < p }

// between returns a number from low to high, both included.
func (d draw) between(low, high int64) int64 {
	if high <= low {
		return low
	}
	return low + d.r.Int64N(high-low+1)
}

func (d draw) intn(n int) int { return d.r.IntN(n) }

// about returns a waiting time with that mean: most are short, few are long.
func (d draw) about(mean engine.Millis) engine.Millis {
	return 1 + int64(float64(mean)*min(-math.Log(1-d.r.Float64()), 8))
}

func pick[T any](d draw, from ...T) T { return from[d.intn(len(from))] }
