package engine_test

import (
	"pgregory.net/rapid"

	"carillon/engine"
)

// settle heals the world: everything is answered, and time runs past every
// deadline and the reconcile window. Then every reminder has its one end.
func (w *world) settle(t *rapid.T) {
	const furthest = 51 * 3_600_000 // events start at most 50 hours ahead, and are planned on their day
	last := w.now + furthest + engine.DefaultPolicy().ConfirmFor + 10*60_000
	for round := 0; w.now < last; round++ {
		if round > 10_000 {
			t.Fatalf("still work at %d after %d wakes", w.now, round)
		}
		w.handOver(t)
		w.lookUp(t)
		w.now = w.u.NextWake(w.now, lawPolicy())
		w.decide(t, engine.Wake{})
	}
	w.check(t)
	for _, r := range w.u.Reminders {
		switch r.Status {
		case engine.StatusDelivered, engine.StatusSent, engine.StatusFailed, engine.StatusCanceled:
		default:
			t.Fatalf("reminder %s is still %s after its deadline", r.ID, r.Status)
		}
		if r.Reason == engine.ReasonNone || r.Reserved {
			t.Fatalf("reminder %s ended as %s with reason %q, reserved %t", r.ID, r.Status, r.Reason, r.Reserved)
		}
		w.truthful(t, r)
	}
	if at := w.u.NextWake(w.now, lawPolicy()); at != w.u.Day.End {
		t.Fatalf("next wake %d, midnight is %d", at, w.u.Day.End)
	}
}

// truthful holds what a reminder says against what the carrier did: nothing
// that was sent is shown cancelled, nothing shown sent is unknown to it.
func (w *world) truthful(t *rapid.T, r *engine.Reminder) {
	has := false // the carrier has a text of it, and has not given it up
	for _, m := range r.Messages {
		c := w.truth[m.ID]
		has = has || c.accepted && !c.lost
	}
	switch {
	case r.Status == engine.StatusCanceled && has:
		t.Fatalf("reminder %s is cancelled (%s), and the person has its text", r.ID, r.Reason)
	case !has && (r.Status == engine.StatusSent || r.Status == engine.StatusDelivered):
		t.Fatalf("reminder %s is %s, and the carrier has nothing of it", r.ID, r.Status)
	}
}
