package actors_test

import (
	"sync"
	"testing"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal/waltest"
)

// wallClock is the machine's, set ahead or back by people.
type wallClock struct {
	actors.SystemClock

	mu     sync.Mutex
	ahead  engine.Millis
	alarms []*wallAlarm
}

func (c *wallClock) Now() engine.Millis {
	now, _ := c.Steady()
	return now
}

func (c *wallClock) Steady() (now, steady engine.Millis) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, steady = c.SystemClock.Steady()
	return now + c.ahead, steady
}

func (c *wallClock) NewAlarm(fn func()) actors.Alarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &wallAlarm{Alarm: c.SystemClock.NewAlarm(fn), c: c}
	c.alarms = append(c.alarms, a)
	return a
}

// jump sets it; what was to ring by it rings when it says so, or when it goes back.
func (c *wallClock) jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by.Milliseconds()
	for _, a := range c.alarms {
		if by < 0 && a.at != 0 {
			a.at = 1
		}
		a.set()
	}
}

type wallAlarm struct {
	actors.Alarm
	c  *wallClock
	at engine.Millis
}

func (a *wallAlarm) Set(at engine.Millis) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.at = at
	a.set()
}

func (a *wallAlarm) set() {
	if a.at == 0 {
		a.Alarm.Set(0)
		return
	}
	a.Alarm.Set(a.at - a.c.ahead)
}

// S3: a carrier lists what it has a while later, and needs real time for that. What
// its list did not have when a clock that was set ahead had it asked proves nothing;
// two look-ups that are reconcile_after apart by a clock that nobody sets do.
func TestLookUpsAreApartInRealTime(t *testing.T) {
	type step struct {
		after time.Duration
		jump  time.Duration
		crash bool // the process dies, and the clock is set before the next one starts
	}
	const ahead = 42 * time.Minute
	for name, c := range map[string]struct {
		before time.Duration // it is set before the hand-over
		steps  []step        // behind it
		again  time.Duration // when a message that the carrier has not is handed over again, at the latest
	}{
		"nobody sets it":              {again: 60 * time.Second},
		"ahead, at once":              {steps: []step{{after: 2 * time.Second, jump: ahead}}, again: 62 * time.Second},
		"ahead, between two look-ups": {steps: []step{{after: 31 * time.Second, jump: ahead}}, again: 61 * time.Second},
		"ahead, again and again": {steps: []step{
			{after: 2 * time.Second, jump: ahead}, {after: 3 * time.Second, jump: ahead}, {after: 10 * time.Second, jump: ahead},
		}, again: 75 * time.Second},
		"back, and ahead again":                {steps: []step{{after: 2 * time.Second, jump: -ahead}, {after: time.Second, jump: ahead}}, again: 60 * time.Second},
		"back before it, and ahead behind it":  {before: -ahead, steps: []step{{after: 2 * time.Second, jump: ahead}}, again: 62 * time.Second},
		"ahead before it":                      {before: ahead, again: 60 * time.Second},
		"ahead, while no process runs":         {steps: []step{{after: 5 * time.Second, jump: ahead, crash: true}}, again: 65 * time.Second},
		"the process starts anew":              {steps: []step{{after: 5 * time.Second, crash: true}}, again: 65 * time.Second},
		"and again when it has waited for one": {steps: []step{{after: 45 * time.Second, crash: true}}, again: 75 * time.Second},
	} {
		for has, lists := range map[string]time.Duration{"it has it": 55 * time.Second, "it has it not": 1000 * time.Hour} {
			t.Run(name+", "+has, func(t *testing.T) {
				var clk *wallClock // made in the bubble
				config := func(c *actors.Config) {
					if clk == nil {
						clk = &wallClock{}
					}
					c.Clock = clk
				}
				inWorld(t, config, func(w *world) {
					var handed []time.Time
					w.carrier.answer = func(provider.Message) provider.Outcome {
						handed = append(handed, time.Now())
						return provider.Outcome{Kind: provider.Uncertain, Cause: "connection reset"}
					}
					w.carrier.find = func(provider.Message) provider.Sighting {
						if time.Since(handed[0]) < lists {
							return provider.Sighting{Result: provider.Absent}
						}
						return provider.Sighting{Result: provider.Found, SID: "SM1", Status: engine.MessageSent}
					}
					w.person("ada", "+15550100001")
					w.pass(time.Hour)
					clk.jump(c.before)
					at := clk.Now() + time.Minute.Milliseconds()
					w.do("ada", engine.CreateReminder{Text: "Hi", SendAt: at, ExpiresAt: at + 24*time.Hour.Milliseconds()})
					w.pass(time.Minute)
					for _, s := range c.steps {
						w.pass(s.after)
						if !s.crash {
							clk.jump(s.jump)
							continue
						}
						survivor := w.log.(*waltest.Mem).CrashClone()
						w.stop()
						clk.jump(s.jump)
						w.log = survivor
						w.start()
					}
					w.pass(5 * time.Minute)
					switch {
					case len(handed) == 0:
						t.Fatal("nothing was handed over")
					case lists < time.Hour && (len(handed) != 1 || w.statuses("ada") != "[sent]"):
						t.Errorf("%d hand-overs of what the carrier has: %s", len(handed), w.statuses("ada"))
					case lists > time.Hour && len(handed) == 1:
						t.Error("it was never handed over again")
					case lists > time.Hour:
						if took := handed[1].Sub(handed[0]); took < time.Minute || took > c.again+time.Second {
							t.Errorf("it was handed over again %s later, and was to be %s later", took, c.again)
						}
					}
				})
			})
		}
	}
}
