package crash

import (
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
