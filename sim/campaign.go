package sim

import (
	"errors"
	"runtime"
	"sync"
)

// Workers is how many runs a campaign plays at a time.
func Workers() int { return runtime.GOMAXPROCS(0) }

// Campaign plays the kept seeds and then fresh ones from a number on, until it
// is enough: as base has it, but by default half with all faults and half with
// a swarm, and one in 64 on real files. A run uses one core, so as many are
// played at a time. enough and told are called one at a time.
func Campaign(base Options, kept []Options, from uint64, enough func() bool, told func(Result)) (Summary, error) {
	all := newSummary(from)
	before := cpuSeconds()
	var mu sync.Mutex
	var failed error
	next := func() (Options, bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil {
			return Options{}, false
		}
		if len(kept) > 0 {
			o := kept[0]
			kept = kept[1:]
			return o, true
		}
		opt := base
		opt.Seed, opt.Bolt = from, base.Bolt || from%64 == 63
		if base.Faults == "" && from%2 == 1 {
			opt.Faults = FaultsAll
		}
		if opt.Bolt && opt.Pace == "" {
			opt.Pace = PaceDense // a flush of a real disk is a thousand times dearer
		}
		if enough() {
			return opt, false
		}
		from++
		return opt, true
	}
	var wg sync.WaitGroup
	for range Workers() {
		wg.Go(func() {
			for opt, ok := next(); ok; opt, ok = next() {
				r, err := Run(opt)
				mu.Lock()
				failed = errors.Join(failed, err)
				all.add(&r)
				told(r)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	all.CPUSeconds = cpuSeconds() - before
	all.PerCoreMinute = all.UserYears / max(all.CPUSeconds, 1e-9) * 60
	return all, failed
}
