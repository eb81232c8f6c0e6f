package engine_test

import (
	"testing"
	"time"

	"carillon/engine"
)

// TestLateCallbacksKeepTheTimes: what a late or repeated callback says fills
// in nothing that is there already, so that no delivery is before its sending
// (D1).
func TestLateCallbacksKeepTheTimes(t *testing.T) {
	begin := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
	now := begin
	u := &engine.User{ID: "ada"}
	decide := func(cmd engine.Command) engine.Decision {
		return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}, cmd)
	}
	decide(engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin")})
	decide(engine.AttestPhone{Phone: "+4915112345678"})
	decide(engine.CreateReminder{Text: "Hi", SendAt: now})
	reply, _ := decide(engine.HandOver{ReminderID: u.Reminders[0].ID}).Reply.(engine.HandOverReply)
	if reply.Message == nil {
		t.Fatalf("not handed over: %s", reply.Reason)
	}
	now += 1_000
	decide(engine.RecordOutcome{MessageID: reply.Message.MessageID, Kind: engine.OutcomeAccepted, SID: "SM1", Status: engine.MessageQueued})
	for _, s := range []engine.MessageStatus{engine.MessageSent, engine.MessageDelivered, engine.MessageSent, engine.MessageDelivered} {
		now += 1_000
		decide(engine.ReportDelivery{MessageID: reply.Message.MessageID, SID: "SM1", Status: s})
	}
	r := u.Reminders[0]
	if m := &r.Messages[0]; m.SentAt != begin+2_000 || m.DeliveredAt != begin+3_000 {
		t.Errorf("the message was sent after %d ms and delivered after %d, want 2000 and 3000", m.SentAt-begin, m.DeliveredAt-begin)
	}
	if r.SentAt != begin+1_000 || r.DeliveredAt != begin+3_000 {
		t.Errorf("the reminder was sent after %d ms and delivered after %d, want 1000 and 3000", r.SentAt-begin, r.DeliveredAt-begin)
	}
}
