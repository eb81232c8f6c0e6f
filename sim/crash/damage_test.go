package crash

import (
	"path/filepath"
	"testing"
	"time"
)

// TestDamageIsRefusedOrHarmless is the short form (W7).
func TestDamageIsRefusedOrHarmless(t *testing.T) {
	t.Parallel()
	r, err := Damage(t.Context(), options(t, 1), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d stores: %+v", r.Total(), r)
	if r.Wrong != "" {
		t.Error(r.Wrong)
	}
	for _, kind := range injuries {
		if r.Refused[kind.name] == 0 {
			t.Errorf("%s: never refused, so it damages nothing", kind.name)
		}
	}
}

// TestControlOfTheDamageIsCaught opens damaged stores without looking at checksums.
func TestControlOfTheDamageIsCaught(t *testing.T) {
	t.Parallel()
	for _, c := range Controls() {
		if c.Harness != "damage" {
			continue
		}
		o := options(t, 1)
		bin := filepath.Join(t.TempDir(), "worker")
		if err := c.build(t.Context(), o.Source, "./sim/crash/worker", bin); err != nil {
			t.Fatal(err)
		}
		o.Child = []string{bin}
		r, err := Damage(t.Context(), o, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if r.Wrong == "" {
			t.Errorf("not noticed in %d stores", r.Total())
		}
		t.Logf("%s: caught after %d stores: %s", c.Name, r.Total(), r.Wrong)
	}
}
