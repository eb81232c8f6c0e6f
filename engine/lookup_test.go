package engine_test

import (
	"testing"
	"time"

	"carillon/engine"
)

// TestLookUpBeginsWhereAClockWentBackTo: a clock that ran ahead is put right
// during a hand-over. The carrier has the message hours before its beginning
// here, and a look-up must go as far back, the second one too (S3).
func TestLookUpBeginsWhereAClockWentBackTo(t *testing.T) {
	u := &engine.User{ID: "ada"}
	now := time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC).UnixMilli()
	do := func(cmd engine.Command) engine.Decision {
		return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}, cmd)
	}
	do(engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Quiet: engine.Some(engine.Quiet{})})
	do(engine.AttestPhone{Phone: "+12025550123"})
	r := do(engine.CreateReminder{Text: "Water the plants", SendAt: now}).Reply.(engine.ReminderReply).Reminder.ID
	m := do(engine.HandOver{ReminderID: r}).Reply.(engine.HandOverReply).Message
	now -= 7 * 3_600_000
	missed := now
	do(engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeUncertain})
	for range 2 {
		now += 3_600_000
		found := false
		for _, e := range do(engine.Wake{}).Effects {
			if l, ok := e.(engine.LookUp); ok {
				found = true
				if l.Since != missed {
					t.Errorf("the look-up begins %d ms behind what was missed", l.Since-missed)
				}
			}
		}
		if !found {
			t.Fatal("no look-up")
		}
		do(engine.RecordSighting{MessageID: m.MessageID, Kind: engine.SightingUnknown})
	}
}
