package engine_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carillon/engine"
)

// TestFuseLaw: whatever is asked for, and whatever becomes of it, no number is
// handed one text more than twice on a local day, leaving out what the carrier
// said that it does not have. The law counts what was handed over, not what
// the engine remembers.
func TestFuseLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC).UnixMilli()
		policy := engine.DefaultPolicy()
		policy.OnUncertain = rapid.SampledFrom([]engine.UncertainRule{engine.Reconcile, engine.Hold, engine.Resend}).Draw(t, "policy")
		u := &engine.User{ID: "law"}
		do := func(cmd engine.Command) engine.Decision {
			return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: policy}, cmd)
		}
		do(engine.UpdateUser{
			Create: true, Replace: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true),
			Quiet: engine.Some(engine.Quiet{}), DailyLimit: engine.Some(int32(100)),
		})
		do(engine.AttestPhone{Phone: "+4915112345678"})
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		had := map[string]int{}
		for n := range rapid.IntRange(5, 40).Draw(t, "steps") {
			now += rapid.SampledFrom([]int64{0, 1000, 60_000, 900_000, 3_600_000}).Draw(t, "later")
			text := rapid.SampledFrom([]string{"A", "B"}).Draw(t, "text")
			if rapid.Bool().Draw(t, "event") {
				do(engine.Put(engine.CalendarEvent{ID: fmt.Sprint("e", n), Title: text, Start: now + 900_000, End: now + 1_800_000}))
			} else {
				do(engine.CreateReminder{Text: text, SendAt: now})
			}
			for _, e := range do(engine.Wake{}).Effects {
				o, ok := e.(engine.Offer)
				if !ok {
					continue
				}
				r, ok := do(engine.HandOver{ReminderID: o.ReminderID}).Reply.(engine.HandOverReply)
				if !ok || r.Message == nil {
					continue
				}
				out := engine.RecordOutcome{MessageID: r.Message.MessageID, Kind: rapid.SampledFrom([]engine.OutcomeKind{
					engine.OutcomeAccepted, engine.OutcomeUncertain, engine.OutcomeRefused,
				}).Draw(t, "outcome"), SID: fmt.Sprint("SM", r.Message.MessageID), Status: engine.MessageQueued}
				if out.Kind == engine.OutcomeRefused {
					out.Failure = engine.Failure{Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes}
				} else {
					day := time.UnixMilli(now).In(berlin).Format(time.DateOnly)
					if had[day+r.Message.Text]++; had[day+r.Message.Text] > 2 {
						t.Fatalf("%q a third time on %s", r.Message.Text, day)
					}
				}
				do(out)
			}
		}
	})
}
