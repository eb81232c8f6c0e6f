package engine_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"carillon/engine"
)

// TestAnyOrderOfCallbacks holds D1: late, repeated and reordered callbacks end
// in the same state as those in order, which is the furthest one told.
func TestAnyOrderOfCallbacks(t *testing.T) {
	inOrder := []engine.MessageStatus{engine.MessageQueued, engine.MessageSending, engine.MessageSent, engine.MessageUndelivered, engine.MessageDelivered}
	rapid.Check(t, func(t *rapid.T) {
		told := rapid.SliceOfN(rapid.SampledFrom(inOrder), 1, 8).Draw(t, "told")
		shuffled := rapid.Permutation(told).Draw(t, "order")
		answerAt := rapid.IntRange(0, len(told)).Draw(t, "the call's own answer comes before")
		retry := rapid.SampledFrom([]engine.RetryRule{engine.RetryNever, engine.RetryYes}).Draw(t, "retry")

		var want engine.MessageStatus
		for _, s := range inOrder {
			for _, has := range told {
				if has == s {
					want = s
				}
			}
		}
		message, reminder := afterCallbacks(t, shuffled, answerAt, retry)
		if message != want {
			t.Fatalf("told %v: the message is %s, want %s", shuffled, message, want)
		}
		wantReminder := engine.StatusSent
		switch {
		case want == engine.MessageDelivered:
			wantReminder = engine.StatusDelivered
		case want == engine.MessageUndelivered && retry == engine.RetryYes:
			wantReminder = engine.StatusScheduled
		case want == engine.MessageUndelivered:
			wantReminder = engine.StatusFailed
		}
		if reminder != wantReminder {
			t.Fatalf("told %v: the reminder is %s, want %s", shuffled, reminder, wantReminder)
		}
	})
}

// afterCallbacks plays the callbacks of one message, its call's answer among
// them, and returns where message and reminder stand.
func afterCallbacks(t *rapid.T, told []engine.MessageStatus, answerAt int, retry engine.RetryRule) (engine.MessageStatus, engine.ReminderStatus) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
	u := &engine.User{ID: "ada"}
	decide := func(cmd engine.Command) engine.Decision {
		return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}, cmd)
	}
	decide(engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true)})
	decide(engine.AttestPhone{Phone: "+4915112345678"})
	decide(engine.CreateReminder{Text: "Hi", SendAt: now})
	m := decide(engine.HandOver{ReminderID: u.Reminders[0].ID}).Reply.(engine.HandOverReply).Message
	if m == nil {
		t.Fatalf("nothing was handed over")
	}
	answer := engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeAccepted, SID: "SM1", Status: engine.MessageQueued}
	for i, s := range told {
		if i == answerAt {
			decide(answer)
		}
		now += 10
		decide(engine.ReportDelivery{
			MessageID: m.MessageID, SID: "SM1", Status: s,
			Failure: engine.Failure{Category: engine.CategoryUnreachable, Retry: retry},
		})
	}
	if answerAt == len(told) {
		decide(answer)
	}
	r := u.Reminders[0]
	if r.Attempts != 1 || len(r.Messages) != 1 {
		t.Fatalf("%d attempts", r.Attempts)
	}
	return r.Messages[0].Status, r.Status
}
