package engine_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"carillon/engine"
)

// blocked is what a carrier says of a number on its own list.
var blocked = engine.Failure{Code: 21610, Category: engine.CategoryOptedOut, Retry: engine.RetryNever}

// TestARefusalFromBeforeAStartOptsNobodyOut is N3: a carrier's list keeps a
// person out from the hand-over that met it, however its word comes. A START by
// text since then has ended that block, so the word is from before, and the
// reminder is tried again; what is handed over behind the START counts. A START
// by API ends no block at the carrier.
func TestARefusalFromBeforeAStartOptsNobodyOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
		u := &engine.User{ID: "ada"}
		decide := func(cmd engine.Command) engine.Reply {
			return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}, cmd).Reply
		}
		start := func() {
			if rapid.Bool().Draw(t, "START by text") {
				decide(engine.ReceiveText{Text: rapid.SampledFrom([]string{"START", "unstop", "Yes."}).Draw(t, "word")})
			} else {
				decide(engine.SetConsent{})
			}
		}
		pass := func(what string) { now += int64(rapid.IntRange(0, 20_000).Draw(t, what)) }
		decide(engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Quiet: engine.Some(engine.Quiet{})})
		decide(engine.AttestPhone{Phone: "+12025550123"})
		decide(engine.CreateReminder{Text: "Hi", SendAt: now})
		id := u.Reminders[0].ID
		for u.Reminders[0].Status == engine.StatusScheduled {
			if rapid.Bool().Draw(t, "START before the hand-over") {
				start()
				now += int64(rapid.IntRange(1, 20_000).Draw(t, "until the hand-over"))
			}
			out, ok := decide(engine.HandOver{ReminderID: id}).(engine.HandOverReply)
			if !ok || out.Message == nil {
				t.Fatalf("nothing is handed over: %+v", out)
			}
			m, before := out.Message.MessageID, u.StartedAt
			pass("until the START")
			if rapid.Bool().Draw(t, "START during the hand-over") {
				start()
			}
			stale := u.StartedAt != before
			pass("until the word")
			tellBlocked(decide, m, rapid.IntRange(0, 2).Draw(t, "told by"))
			r := u.Reminders[0]
			switch {
			case u.OptedOut == stale:
				t.Fatalf("a refusal of a hand-over at %d, START at %d: opted out is %t", r.Messages[len(r.Messages)-1].CreatedAt, u.StartedAt, u.OptedOut)
			case stale && r.Status != engine.StatusScheduled && r.Attempts < engine.MaxAttempts, !stale && r.Status != engine.StatusFailed:
				t.Fatalf("behind a refusal from before a START (%t) and %d hand-overs the reminder is %s", stale, r.Attempts, r.Status)
			}
			now = max(now, r.RetryAt)
		}
	})
}

// tellBlocked has a carrier say that a number is on its list: in its answer, in a
// callback, or when it is asked what became of the message.
func tellBlocked(decide func(engine.Command) engine.Reply, message string, by int) {
	switch by {
	case 0:
		decide(engine.RecordOutcome{MessageID: message, Kind: engine.OutcomeRefused, Failure: blocked})
	case 1:
		decide(engine.RecordOutcome{MessageID: message, Kind: engine.OutcomeAccepted, SID: "SM" + message, Status: engine.MessageQueued})
		decide(engine.ReportDelivery{MessageID: message, SID: "SM" + message, Status: engine.MessageUndelivered, Failure: blocked})
	default:
		decide(engine.RecordOutcome{MessageID: message, Kind: engine.OutcomeUncertain, Cause: "timeout"})
		decide(engine.RecordSighting{MessageID: message, Kind: engine.SightingFound, SID: "SM" + message, Status: engine.MessageFailed, Failure: blocked})
	}
}
