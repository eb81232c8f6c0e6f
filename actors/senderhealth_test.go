package actors_test

import (
	"strings"
	"testing"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// S5: a report that blames our account stops the sender as an answer does, and
// the reminder that it was about is sent when the sender has been mended.
func TestReportedAccountFaultStopsTheSender(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("ada", engine.CreateReminder{Text: "T", SendAt: time.Now().Add(time.Second).UnixMilli()})
		w.pass(2 * time.Second)
		m := w.reminders("ada")[0].Messages[0]
		report := engine.ReportDelivery{
			MessageID: m.ID, SID: m.SID, Status: engine.MessageFailed,
			Failure: engine.Failure{Code: 30002, Category: engine.CategoryAccountIssue, Message: "Account suspended"},
		}
		for range 3 { // the carrier repeats itself
			w.do("ada", report)
		}
		w.pass(time.Second)
		if why := w.node.Stats().Outbox.Stopped; !strings.Contains(why, "Account suspended") {
			t.Errorf("stopped %q", why)
		}
		if ready, why := w.node.Ready(); !ready || !strings.Contains(why, "Account suspended") {
			t.Errorf("ready %v, %q", ready, why)
		}
		if got := w.statuses("ada"); got != "[scheduled]" {
			t.Errorf("the reminder is %s", got)
		}
		w.pass(2 * time.Minute)
		if got := w.statuses("ada"); got != "[sent]" || w.node.Stats().Outbox.Stopped != "" {
			t.Errorf("the reminder is %s, stopped %q", got, w.node.Stats().Outbox.Stopped)
		}
	})
}

// A carrier that can't be connected to is told, and forgotten when it answers.
func TestUnreachableCarrierIsTold(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		down := true
		w.carrier.answer = func(m provider.Message) provider.Outcome {
			if down {
				return provider.Outcome{Cause: "not connected: connection refused"}
			}
			return provider.Outcome{Kind: provider.Accepted, SID: "SM1", Status: engine.MessageQueued}
		}
		w.carrier.find = func(provider.Message) provider.Sighting {
			if down {
				return provider.Sighting{Cause: "not connected: connection refused"}
			}
			return provider.Sighting{Result: provider.Absent}
		}
		w.do("ada", engine.CreateReminder{Text: "T", SendAt: time.Now().Add(time.Second).UnixMilli()})
		w.pass(time.Minute)
		if why := w.node.Stats().Outbox.Unreachable; why != "not connected: connection refused" {
			t.Errorf("unreachable %q", why)
		}
		if ready, why := w.node.Ready(); !ready || !strings.Contains(why, "connection refused") {
			t.Errorf("ready %v, %q", ready, why)
		}
		w.carrier.mu.Lock()
		down = false
		w.carrier.mu.Unlock()
		w.pass(10 * time.Minute)
		if got := w.statuses("ada"); got != "[sent]" || w.node.Stats().Outbox.Unreachable != "" {
			t.Errorf("the reminder is %s, unreachable %q: no reminder is lost", got, w.node.Stats().Outbox.Unreachable)
		}
	})
}

// S5, S6: a sender that is stopped, slowed down or paced waits no longer for a clock
// that goes back: who is due in the hours that come again is not held up by it.
func TestASenderWaitsNoLongerByAClockThatWentBack(t *testing.T) {
	for name, of := range map[string]struct {
		refusal engine.Failure // of ada's
		mps     float64
		leave   int
	}{
		"stopped":     {refusal: engine.Failure{Code: 20003, Category: engine.CategoryAccountIssue}, leave: 2},
		"slowed down": {refusal: engine.Failure{Code: 20429, Category: engine.CategoryRateLimit, Retry: engine.RetryYes, RetryAfter: 120_000}, leave: 2},
		"paced":       {mps: 1, leave: 3},
	} {
		t.Run(name, func(t *testing.T) {
			var clk *wallClock // made in the bubble
			inWorld(t, func(c *actors.Config) { clk = &wallClock{}; c.Clock, c.MPS = clk, of.mps }, func(w *world) {
				w.person("ada", "+15550100001")
				w.person("bob", "+15550100002")
				if of.refusal.Code != 0 {
					w.carrier.set(func(provider.Message) provider.Outcome {
						return provider.Outcome{Kind: provider.Refused, Failure: of.refusal}
					})
				}
				w.do("ada", engine.CreateReminder{Text: "Hi", SendAt: clk.Now()})
				w.pass(time.Second)
				w.carrier.set(nil)
				clk.jump(-3 * time.Hour)
				for _, in := range []time.Duration{time.Minute, 10 * time.Minute} {
					w.do("bob", engine.CreateReminder{Text: in.String(), SendAt: clk.Now() + in.Milliseconds()})
				}
				w.pass(61 * time.Second)
				if got := w.carrier.texts(); name == "slowed down" && len(got) != 0 {
					t.Errorf("%q left before the carrier's time was over", got)
				}
				w.pass(10 * time.Minute)
				if got := w.carrier.texts(); len(got) != of.leave {
					t.Errorf("%q left, and %d were to", got, of.leave)
				}
			})
		})
	}
}
