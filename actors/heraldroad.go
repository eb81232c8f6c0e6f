package actors

import (
	"carillon/actors/provider"
	"carillon/engine"
)

// road is what the herald knows of the way to its receiver as a whole. While
// it is bad one notice at a time is tried, and nothing is counted against the
// notice.
type road struct {
	away     bool
	gone     bool // the receiver wants nothing any more, until the next start
	strikes  int  // streams declined in a row
	failures int  // in a row, while away
	resumeAt engine.Millis
}

const (
	// maxStrikes in a row of different streams are no matter of one notice.
	maxStrikes = 5
	// The pause between two tries of a bad road doubles from the first to the
	// second; a pause that the receiver asks for is at most the third.
	probePause     = engine.Millis(1000)
	probePauseMost = engine.Millis(5 * 60_000)
	busyMost       = engine.Millis(3_600_000)
)

// open reports whether another notice may be told now.
func (r *road) open(now engine.Millis, running, most int) bool {
	switch {
	case r.gone:
		return false
	case r.away:
		return running == 0 && now >= r.resumeAt
	}
	return running < most
}

// works notes a notice that was taken, and reports whether that is news.
func (r *road) works() bool {
	news := r.away
	*r = road{gone: r.gone}
	return news
}

// strike counts a stream that was declined, and reports whether the road is
// to blame.
func (r *road) strike() bool {
	r.strikes++
	return r.strikes >= maxStrikes
}

// fail notes that the road is bad, and reports whether that is news.
func (r *road) fail(now engine.Millis, hearing provider.Hearing, draw uint64) bool {
	news := !r.away
	if r.away && now < r.resumeAt && hearing.Kind != provider.Busy {
		return false // it was under way when the road turned bad
	}
	r.away = true
	pause := probePauseMost
	if r.failures < 9 {
		pause = min(probePause<<r.failures, probePauseMost)
	}
	pause += engine.Millis(draw % uint64(pause/5))
	r.failures++
	if hearing.Kind == provider.Busy && hearing.RetryAfter > 0 {
		pause = min(hearing.RetryAfter, busyMost)
	}
	r.resumeAt = now + pause
	return news
}
