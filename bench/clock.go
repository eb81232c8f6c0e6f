package bench

import (
	"sync/atomic"
	"time"

	"carillon/actors"
	"carillon/engine"
)

// clock is the machine's, set ahead: a midnight can be made to come.
type clock struct {
	actors.SystemClock
	ahead atomic.Int64 // milliseconds
}

// Now implements actors.Clock.
func (c *clock) Now() engine.Millis { return c.SystemClock.Now() + c.ahead.Load() }

// NewAlarm implements actors.Clock: it looks at the clock often, so that a
// jump is noticed within a few milliseconds.
func (c *clock) NewAlarm(fn func()) actors.Alarm {
	a := &alarm{c: c, fn: fn, stop: make(chan struct{})}
	go a.run()
	return a
}

type alarm struct {
	c    *clock
	fn   func()
	at   atomic.Int64
	stop chan struct{}
}

func (a *alarm) Set(at engine.Millis) { a.at.Store(at) }
func (a *alarm) Stop()                { close(a.stop) }

func (a *alarm) run() {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	seen := engine.Millis(0) // what the clock said last
	for {
		select {
		case <-a.stop:
			return
		case <-tick.C:
			now := a.c.Now()
			if at := a.at.Load(); at != 0 && (at <= now || now < seen) && a.at.CompareAndSwap(at, 0) {
				a.fn()
			}
			seen = now
		}
	}
}

// set sets the clock to an instant, from where it goes on.
func (c *clock) set(t time.Time) {
	c.ahead.Store(t.Add(time.Millisecond).UnixMilli() - c.SystemClock.Now())
}
