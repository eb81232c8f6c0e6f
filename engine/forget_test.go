package engine_test

import (
	"testing"
	"time"

	"carillon/engine"
)

// TestForget keeps the state small: what ended goes after Policy.Keep, with
// the next day plan; a deleted event goes even if it was to start in years.
func TestForget(t *testing.T) {
	u, env := largeUser(t)
	const day = 86_400_000
	put := func(id string, start engine.Millis) {
		engine.Decide(u, env, engine.Put(engine.CalendarEvent{ID: id, Title: "T", Start: start, End: start}))
	}
	put("past", env.Now+2*3_600_000)
	put("far", env.Now+1000*day)
	put("deleted", env.Now+1000*day)
	engine.Decide(u, env, engine.DeleteEvent{ID: "deleted"})
	for range 7 {
		env.Now += day
		engine.Decide(u, env, engine.Wake{})
		if len(u.Events) != 3 {
			t.Fatalf("%d events at %s", len(u.Events), time.UnixMilli(env.Now).UTC())
		}
	}
	env.Now += 2 * day
	engine.Decide(u, env, engine.Wake{})
	if len(u.Events) != 1 || u.Events[0].ID != "far" || len(u.Reminders) != 0 || len(u.Spent) != 0 {
		t.Errorf("left: %d events, %d reminders, %d days", len(u.Events), len(u.Reminders), len(u.Spent))
	}
}
