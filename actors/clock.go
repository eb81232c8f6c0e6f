package actors

import (
	"sync"
	"time"

	"carillon/engine"
)

// Clock is the one place where time is read.
type Clock interface {
	// Now returns the wall clock, Unix milliseconds, UTC.
	Now() engine.Millis
	// Steady returns Now, and the milliseconds of a clock that nobody sets, from
	// some instant of this process on. It may stand still in a suspended machine.
	Steady() (now, steady engine.Millis)
	// NewAlarm returns an alarm that calls fn, which must not block.
	NewAlarm(fn func()) Alarm
}

// Alarm calls its function at, or soon after, an instant of the wall clock; and
// when that has gone back: who waits has to see that it is not for longer.
type Alarm interface {
	// Set replaces the instant; 0 means none. An instant in the past rings at
	// once.
	Set(at engine.Millis)
	// Stop ends the alarm; it doesn't wait for a call under way.
	Stop()
}

// maxWait bounds how long an alarm sleeps without a look at the wall clock:
// monotonic timers stand still in a suspended machine, and wall clocks jump
// (DESIGN 5).
const maxWait = time.Second

// SystemClock is the machine's.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() engine.Millis { return time.Now().UnixMilli() }

// Steady implements Clock.
func (SystemClock) Steady() (now, steady engine.Millis) {
	t := time.Now()
	return t.UnixMilli(), t.Sub(begun).Milliseconds()
}

// begun is where the steady clock begins.
var begun = time.Now()

// NewAlarm implements Clock.
func (c SystemClock) NewAlarm(fn func()) Alarm {
	a := &systemAlarm{fn: fn, set: make(chan struct{}, 1), stop: make(chan struct{})}
	go a.run(c)
	return a
}

type systemAlarm struct {
	fn   func()
	set  chan struct{}
	stop chan struct{}
	once sync.Once

	mu   sync.Mutex
	at   engine.Millis
	seen engine.Millis // what the clock said last
}

func (a *systemAlarm) Set(at engine.Millis) {
	a.mu.Lock()
	same := a.at == at
	a.at = at
	a.mu.Unlock()
	if same {
		return
	}
	select {
	case a.set <- struct{}{}:
	default:
	}
}

func (a *systemAlarm) Stop() { a.once.Do(func() { close(a.stop) }) }

func (a *systemAlarm) run(c SystemClock) {
	t := time.NewTimer(maxWait)
	defer t.Stop()
	for {
		t.Reset(a.next(c.Now()))
		select {
		case <-a.stop:
			return
		case <-a.set:
		case <-t.C:
		}
	}
}

// next rings if it is time, and returns how long to sleep.
func (a *systemAlarm) next(now engine.Millis) time.Duration {
	a.mu.Lock()
	at := a.at
	ring := at != 0 && (at <= now || now < a.seen)
	a.seen = now
	if ring {
		a.at = 0
	}
	a.mu.Unlock()
	if ring {
		a.fn()
		return maxWait
	}
	if at == 0 {
		return maxWait
	}
	return min(time.Until(time.UnixMilli(at)), maxWait) // now has lost its part of a millisecond
}

// watch is the wall clock as somebody sees it who waits by it.
type watch struct {
	clock Clock
	now   engine.Millis // when it was last looked at
}

// look reads the clock. back is by how much it has gone back since it was last
// looked at: what somebody waits for comes by so much sooner, or they would wait
// until the clock has caught up.
func (w *watch) look() (back engine.Millis) {
	was := w.now
	w.now = w.clock.Now()
	return max(was-w.now, 0)
}

// sooner puts instants that are waited for back; 0 stays none.
func sooner(by engine.Millis, instants ...*engine.Millis) {
	for _, at := range instants {
		if *at != 0 {
			*at -= by
		}
	}
}

// stopwatch measures how long something took, for the metrics: decisions never
// rest on it.
func stopwatch() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}
