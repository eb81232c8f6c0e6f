package actors

import (
	"testing"

	"carillon/engine"
)

// An alarm rings when its instant has come, and when the clock has gone back, once:
// who set it sets it anew.
func TestAlarmsRingWhenTheClockGoesBack(t *testing.T) {
	const set = engine.Millis(100_000)
	for name, c := range map[string]struct {
		says  []engine.Millis // the clock, each time that the alarm looks
		rings []bool
	}{
		"it goes on":                        {says: []engine.Millis{10_000, 11_000, 100_000, 101_000}, rings: []bool{false, false, true, false}},
		"it goes back":                      {says: []engine.Millis{90_000, 5_000, 6_000, 200_000}, rings: []bool{false, true, false, false}},
		"it goes back behind its instant":   {says: []engine.Millis{100_000, 5_000, 100_000}, rings: []bool{true, false, false}},
		"it stands still":                   {says: []engine.Millis{10_000, 10_000, 100_000}, rings: []bool{false, false, true}},
		"it goes ahead":                     {says: []engine.Millis{10_000, 900_000, 100_000}, rings: []bool{false, true, false}},
		"it goes back from where it jumped": {says: []engine.Millis{10_000, 99_000, 11_000, 12_000}, rings: []bool{false, false, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			rung := 0
			a := &systemAlarm{fn: func() { rung++ }, at: set}
			for i, now := range c.says {
				before := rung
				a.next(now)
				if got := rung > before; got != c.rings[i] {
					t.Errorf("look %d, at %d: rings %t, want %t", i, now, got, c.rings[i])
				}
			}
		})
	}
}
