package engine_test

import (
	"fmt"
	"testing"

	"carillon/engine"
)

// TestWhatWasPlannedIsReplaced: a record and the state share a plan, so that what
// comes later puts another one in its place and leaves the first as it was.
func TestWhatWasPlannedIsReplaced(t *testing.T) {
	for name, later := range map[string]engine.Event{
		"moved":                          engine.ReminderMoved{ID: "r_1", Due: 2, Deadline: 9, On: 21, Title: "U", Start: 8, End: 9},
		"handed over on another date":    engine.AttemptStarted{ID: "r_1", MessageID: "m_1", On: 21},
		"planned again behind a cancel":  engine.ReminderPlanned{Reminder: &engine.PlannedReminder{ID: "r_1", Due: 2, On: 21}},
		"for a lead that is another one": engine.ReminderPlanned{Reminder: &engine.PlannedReminder{ID: "r_2", Lead: 5, Due: 2, On: 21}},
	} {
		u := &engine.User{ID: "ada"}
		first := &engine.PlannedReminder{ID: "r_1", Due: 1, On: 20, Title: "T"}
		was := *first
		u.Apply(0, engine.ReminderPlanned{Reminder: first})
		u.Apply(1, later)
		if *first != was {
			t.Errorf("%s: what was planned as %+v is %+v", name, was, *first)
		}
		if last := u.Reminders[len(u.Reminders)-1]; last.On != 21 {
			t.Errorf("%s: the last reminder is on %s", name, last.On)
		}
	}
}

// TestWhatWasPutIsShown: a quarantined command, and what tells one change of a
// webhook from another, is written out, not where it lies in memory.
func TestWhatWasPutIsShown(t *testing.T) {
	got := fmt.Sprintf("%+v", engine.Put(engine.CalendarEvent{ID: "e1", Title: "Review", Attendees: []string{"bob"}}))
	want := "{Event:{ID:e1 Title:Review Location: Description: Link: Attendees:[bob] Start:0 End:0 Date:1970-01-01 EndDate:1970-01-01 " +
		"AllDay:false Free:false HasVersion:false Response:0 Sync:0 Version:0}}"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
