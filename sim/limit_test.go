package sim

import (
	"testing"

	"carillon/engine"
)

// TestATakenTextHasItsTakersPlace: of two reminders of the same words one is lost
// on its way and takes the other's text at a look-up. The other one failed, as far
// as anybody can tell, and its place comes back; but not while it may have a text
// of its own, nor when nobody could say in time.
func TestATakenTextHasItsTakersPlace(t *testing.T) {
	message := engine.Message{ID: "m_2", Status: engine.MessageFailed}
	failed := engine.Reminder{PlannedReminder: named("r_2"), Status: engine.StatusFailed, Reason: engine.ReasonRefused, Messages: []engine.Message{message}}
	expired, kept, open, swapped := failed, failed, failed, failed
	expired.Reason = engine.ReasonUncertainExpired
	kept.Spent = true
	open.Status, open.Messages = engine.StatusUncertain, []engine.Message{{ID: "m_2", Status: engine.MessageUncertain}}
	swapped.Status, swapped.Messages = engine.StatusSent, []engine.Message{{ID: "m_2", SID: "SM3", Status: engine.MessageFailed}}
	for name, c := range map[string]struct {
		other     engine.Reminder // whose text was taken
		mixed     string          // the sid that the look-up took
		again     bool            // the taker has a text of its own too
		twice     bool            // it took a third one's as well
		yesterday bool            // its place is on the page before
		places    int32
	}{
		"failed, and the taker has another text": {other: failed, mixed: "SM1", again: true, places: 1},
		"failed, and the taker has no other":     {other: failed, mixed: "SM1", places: 1},
		"two failed, and the taker has no other": {other: failed, mixed: "SM1", twice: true, places: 1},
		"failed, and the taker's was yesterday":  {other: failed, mixed: "SM1", yesterday: true},
		"it took the taker's":                    {other: swapped, mixed: "SM1", again: true, places: 2},
		"uncertain":                              {other: open, mixed: "SM1", again: true, places: 2},
		"uncertain to the end":                   {other: expired, mixed: "SM1", again: true, places: 2},
		"its place was not released":             {other: kept, mixed: "SM1", again: true, places: 2},
		"no look-up took it":                     {other: failed, again: true, places: 2},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			a := w.audit
			a.shadow[p.id] = &engine.User{ID: p.id}
			taker := engine.Reminder{PlannedReminder: named("r_1"), Status: engine.StatusSent, Messages: []engine.Message{{ID: "m_1", SID: "SM1", Status: engine.MessageFailed}}}
			a.mixed["m_1"] = c.mixed
			p.prof.now.limit = c.places
			spend := func(seq uint64, reminder, sid string) {
				text, begun := *d, *in
				text.sid, text.msg.ReminderID = sid, reminder
				begun.reminder, begun.seq = reminder, seq
				a.trail(reminder).accepted = []*delivery{&text}
				p.limits.spend(a, reminder, &begun)
			}
			if c.again && c.other.Messages[0].SID == "" {
				taker.Messages = append(taker.Messages, engine.Message{ID: "m_3", SID: "SM3", Status: engine.MessageSent})
			}
			if c.twice {
				third := c.other
				third.PlannedReminder = named("r_3")
				a.shadow[p.id].Reminders = append(a.shadow[p.id].Reminders, &third)
				taker.Messages = append(taker.Messages, engine.Message{ID: "m_4", SID: "SM4", Status: engine.MessageSent})
				a.mixed["m_4"] = "SM4"
			}
			a.shadow[p.id].Reminders = append(a.shadow[p.id].Reminders, &taker, &c.other)
			if c.yesterday {
				p.limits.pages, p.limits.known = map[int64][]*spent{}, map[string]bool{"r_1": true}
			}

			spend(2, "r_2", "SM1")
			if c.again {
				spend(1, "r_1", "SM3")
			}
			if c.twice {
				spend(3, "r_3", "SM4")
			}
			if len(a.violations) != 0 {
				t.Errorf("there are %d places: %+v", c.places, a.violations)
			}
			spend(4, "r_5", "SM5")
			r := Result{Violations: a.violations}
			found(t, &r, "limit")
		})
	}
}
