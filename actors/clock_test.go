package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"carillon/actors"
)

// An alarm rings when its millisecond begins, wherever within one it was set.
func TestAlarmsRingAsTheirMillisecondBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rang := make(chan time.Time, 1)
		clock := actors.SystemClock{}
		a := clock.NewAlarm(func() { rang <- time.Now() })
		defer a.Stop()
		for _, into := range []time.Duration{0, 300 * time.Microsecond, 999 * time.Microsecond} {
			time.Sleep(time.Until(time.Now().Truncate(time.Millisecond).Add(time.Millisecond + into)))
			for _, in := range []time.Duration{time.Millisecond, 40 * time.Millisecond, 2500 * time.Millisecond} {
				at := time.UnixMilli(clock.Now()).Add(in)
				a.Set(at.UnixMilli())
				if got := <-rang; !got.Equal(at) {
					t.Errorf("set %s into a millisecond for one %s later: rang %s late", into, in, got.Sub(at))
				}
				time.Sleep(into)
			}
		}
	})
}
