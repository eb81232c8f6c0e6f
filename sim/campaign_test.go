//go:build !race

package sim

// One goroutine at a time runs in a simulation, so the race detector has
// nothing to see in many seeds that it does not see in the few of sim_test.go,
// and it makes them six times as slow.

import (
	"os"
	"testing"
	"time"
)

// TestKeptSeeds plays what once found something.
func TestKeptSeeds(t *testing.T) {
	f, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	kept, err := ReadSeeds(f)
	if err != nil || len(kept) == 0 {
		t.Fatalf("%d seeds, %v", len(kept), err)
	}
	for _, opt := range kept {
		r := play(t, opt)
		sound(t, &r)
	}
}

// TestFreshSeeds plays a few that nobody has chosen.
func TestFreshSeeds(t *testing.T) {
	from := uint64(time.Now().UnixNano())
	for i := range uint64(10) {
		r := play(t, Options{Seed: from + i, Users: 4, Days: 3})
		sound(t, &r)
		if r.UserYears <= 0 {
			t.Errorf("%s simulates nothing", r.Command())
		}
	}
}

// TestEveryFaultComes: a fault test that injects nothing is a failure. And
// without any, every kind of good end is reached.
func TestEveryFaultComes(t *testing.T) {
	got := newSummary(0)
	for seed := range uint64(8) {
		r := play(t, Options{Seed: 700 + seed, Faults: FaultsAll, Users: 8, Days: 4})
		got.add(&r)
	}
	for seed := range uint64(2) {
		r := play(t, Options{Seed: 720 + seed, Faults: FaultsAll, Pace: CornerNotices, Users: 8, Days: 4})
		got.add(&r)
	}
	r := play(t, Options{Seed: 708, Faults: FaultsAll, Pace: CornerCalendars, Users: 4, Days: 3}) // not every world has those
	got.add(&r)
	if err := got.Verdict(); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"delivered", "sent", "failed", "cancelled"} {
		if got.Reminders[s] == 0 {
			t.Errorf("no reminder ended %s", s)
		}
	}
	calm := newSummary(0)
	for seed := range uint64(6) {
		r := play(t, Options{Seed: 800 + seed, Faults: FaultsNone, Users: 8, Days: 4})
		calm.add(&r)
		sound(t, &r)
	}
	if calm.Expected == 0 {
		t.Error("no reminder had to leave at an instant: the checker for missed ones looks at nothing")
	}
	for c, n := range calm.Faults {
		if n > 0 {
			t.Errorf("%d faults of class %s, and none was asked for", n, c)
		}
	}
}
