package actors_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

// S6: a thousand reminders that are due together on a sender of ten a second
// leave in the order of their deadlines; nobody is late who could have been in
// time, and who could not is cancelled before it is sent. The model is the
// obvious one: turns come one by one, whoever has the nearest deadline takes the
// next, and whose deadline is over by then gets none.
func TestSenderPaceAndDeadlineOrder(t *testing.T) {
	const n, mps, atOnce = 1000, 10, 2
	inWorld(t, func(c *actors.Config) { c.MPS = mps }, func(w *world) {
		due := time.Now().Add(time.Minute)
		draw := rand.New(rand.NewPCG(9, 0))
		var deadlines []int // milliseconds behind due, in the middle between two turns
		for i := range n {
			d := 25_070 + 100*draw.IntN(1250)
			if i%3 == 0 { // more than there are turns for
				d = 70 + 100*draw.IntN(250)
			}
			deadlines = append(deadlines, d)
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.CreateReminder{
				Text: fmt.Sprint(d), SendAt: due.UnixMilli(), ExpiresAt: due.UnixMilli() + int64(d),
			})
		}
		slices.Sort(deadlines)
		var want []string
		for _, d := range deadlines {
			if at := 20 + max(len(want)+1-atOnce, 0)*1000/mps; at < d {
				want = append(want, fmt.Sprint(d))
			}
		}
		w.pass(5 * time.Minute)
		got := w.carrier.texts()
		if len(want) > n-50 || len(want) < n/2 {
			t.Fatalf("the draw proves nothing: %d of %d can be in time", len(want), n)
		}
		slices.Sort(got[:atOnce]) // those two are under way at a time
		slices.Sort(want[:atOnce])
		if !slices.Equal(got, want) {
			t.Errorf("%d left, %d could; first difference at %d", len(got), len(want), firstDifference(got, want))
		}
		stale := 0
		for i := range n {
			if r := w.reminders(fmt.Sprint("u", i))[0]; r.Reason == engine.ReasonStale && r.Attempts == 0 {
				stale++
			}
		}
		if stale != n-len(want) {
			t.Errorf("%d stale and never handed over, want %d", stale, n-len(want))
		}
		if took := w.carrier.at[len(got)-1].Sub(due); took > time.Duration(len(got)+1)*time.Second/mps {
			t.Errorf("%d texts at %d per second took %v", len(got), mps, took)
		}
	})
}

func firstDifference(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// S6: a text of three segments takes three turns of the pace.
func TestPaceCountsSegments(t *testing.T) {
	inWorld(t, func(c *actors.Config) {
		c.MPS = 1
		c.Policy = engine.DefaultPolicy()
		c.Policy.MaxSegments = 3
	}, func(w *world) {
		at := time.Now().Add(time.Minute)
		for i := range 5 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.CreateReminder{Text: strings.Repeat("long ", 80) + id, SendAt: at.UnixMilli()})
		}
		w.pass(2 * time.Minute)
		if len(w.carrier.at) != 5 || w.carrier.accepted[0].Segments != 3 {
			t.Fatalf("%d left", len(w.carrier.at))
		}
		for i := 1; i < 5; i++ {
			if gap := w.carrier.at[i].Sub(w.carrier.at[i-1]); gap < 2990*time.Millisecond || gap > 3100*time.Millisecond {
				t.Errorf("%v between two texts of three segments at one per second", gap)
			}
		}
	})
}

// S6: a turn that the last check gives back is taken by the next in line at
// once: it costs no pace.
func TestRefusedLastCheckCostsNoPace(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MPS = 1 }, func(w *world) {
		at := time.Now().Add(time.Minute)
		for i := range 20 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.CreateReminder{Text: id, SendAt: at.UnixMilli(), ExpiresAt: at.UnixMilli() + 60_000 + int64(i)})
		}
		w.pass(time.Minute + 500*time.Millisecond)
		for i := 1; i < 15; i++ { // they are queued
			w.do(fmt.Sprint("u", i), engine.CancelReminder{ID: w.reminders(fmt.Sprint("u", i))[0].ID})
		}
		w.pass(6 * time.Second)
		if got := fmt.Sprint(w.carrier.texts()); got != "[u0 u15 u16 u17 u18 u19]" {
			t.Errorf("left in six seconds: %s", got)
		}
	})
}

// What cannot make its deadline is cancelled as stale, not sent late (S6).
func TestWhatCannotBeInTimeIsStale(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MPS = 1 }, func(w *world) {
		at := time.Now().Add(time.Minute)
		for i := range 20 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.CreateReminder{Text: "T", SendAt: at.UnixMilli(), ExpiresAt: at.Add(10 * time.Second).UnixMilli()})
		}
		w.pass(5 * time.Minute)
		sent, stale := 0, 0
		for i := range 20 {
			switch r := w.reminders(fmt.Sprint("u", i))[0]; {
			case r.Status == engine.StatusSent:
				sent++
			case r.Status == engine.StatusCanceled && r.Reason == engine.ReasonStale:
				stale++
			}
		}
		if sent < 9 || sent > 12 || sent+stale != 20 {
			t.Errorf("%d sent, %d stale of 20", sent, stale)
		}
		for _, when := range w.carrier.at {
			if when.After(at.Add(10 * time.Second)) {
				t.Errorf("one left %v behind its deadline", when.Sub(at.Add(10*time.Second)))
			}
		}
	})
}

// S8: a pause holds everybody back, outlives a restart, and what it held
// leaves afterwards if that is in time.
func TestPauseHoldsAndOutlivesRestart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		w.event("ada", "e2", 40*time.Minute)
		if err := w.node.SetPaused(context.Background(), true); err != nil {
			t.Fatal(err)
		}
		w.crash()
		if !w.node.Stats().Outbox.Paused {
			t.Fatal("a restart forgot the pause")
		}
		w.pass(30 * time.Minute) // e1 has begun meanwhile
		if got := w.statuses("ada"); got != "[cancelled scheduled]" || len(w.carrier.texts()) != 0 {
			t.Fatalf("%s, texts %q", got, w.carrier.texts())
		}
		if err := w.node.SetPaused(context.Background(), false); err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Minute)
		if got := fmt.Sprint(w.carrier.texts()); got != "[Review e2 in 10 mins]" {
			t.Errorf("texts %s", got)
		}
	})
}

// S5: a fault of the account stops the sender; one hand-over is tried after a
// while, and when it is accepted the others follow.
func TestAccountFaultStopsTheSender(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MaxSends = 1 }, func(w *world) {
		at := time.Now().Add(time.Minute)
		for i := range 10 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.CreateReminder{Text: "T", SendAt: at.UnixMilli()})
		}
		asked := 0
		w.carrier.set(func(provider.Message) provider.Outcome {
			asked++
			return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{Code: 20003, Category: engine.CategoryAccountIssue, Message: "credentials"}}
		})
		w.pass(90 * time.Second)
		if asked != 1 || w.node.Stats().Outbox.Stopped == "" {
			t.Fatalf("asked %d times, stopped %q", asked, w.node.Stats().Outbox.Stopped)
		}
		w.pass(time.Minute)
		if asked != 2 {
			t.Fatalf("asked %d times after a minute", asked)
		}
		w.carrier.set(nil)
		w.pass(10 * time.Minute)
		if got := len(w.carrier.texts()); got != 10 || w.node.Stats().Outbox.Stopped != "" {
			t.Errorf("%d of 10 left, stopped %q", got, w.node.Stats().Outbox.Stopped)
		}
	})
}

// A stopped sender whose one try meets a rate limit goes on trying.
func TestProbeThatMeetsARateLimitIsOver(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		at := time.Now().Add(time.Minute)
		w.do("ada", engine.CreateReminder{Text: "T", SendAt: at.UnixMilli()})
		answers := []engine.Failure{
			{Code: 20003, Category: engine.CategoryAccountIssue, Message: "credentials"},
			{Code: 20429, Category: engine.CategoryRateLimit, Retry: engine.RetryYes},
		}
		w.carrier.set(func(m provider.Message) provider.Outcome {
			if len(answers) > 0 {
				f := answers[0]
				answers = answers[1:]
				return provider.Outcome{Kind: provider.Refused, Failure: f}
			}
			return provider.Outcome{Kind: provider.Accepted, SID: "SM" + m.MessageID, Status: engine.MessageQueued}
		})
		w.pass(30 * time.Minute)
		if got := w.node.Stats().Outbox; len(w.carrier.texts()) != 1 || got.Stopped != "" {
			t.Errorf("%d of 1 left, stopped %q", len(w.carrier.texts()), got.Stopped)
		}
	})
}

// S6: a 429 slows the sender, not the users: everybody's text leaves.
func TestRateLimitSlowsTheSender(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		at := time.Now().Add(time.Minute)
		for i := range 30 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.CreateReminder{Text: "T", SendAt: at.UnixMilli()})
		}
		n := 0
		w.carrier.set(func(m provider.Message) provider.Outcome {
			if n++; n <= 5 {
				return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{Code: 20429, Category: engine.CategoryRateLimit, Retry: engine.RetryYes}}
			}
			return provider.Outcome{Kind: provider.Accepted, SID: "SM" + m.MessageID, Status: engine.MessageQueued}
		})
		w.pass(20 * time.Minute)
		if got := len(w.carrier.texts()); got != 30 {
			t.Errorf("%d of 30 left", got)
		}
	})
}

// An uncertain answer with an absent message is sent again only after two
// look-ups (S3).
func TestLostAnswerIsSentAgainOnlyWhenAbsentTwice(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		lost := true
		w.carrier.set(func(m provider.Message) provider.Outcome {
			if lost {
				lost = false
				return provider.Outcome{Kind: provider.Uncertain, Cause: "timeout"}
			}
			return provider.Outcome{Kind: provider.Accepted, SID: "SM2", Status: engine.MessageQueued}
		})
		w.pass(5*time.Minute + 45*time.Second)
		if got := w.statuses("ada"); got != "[uncertain]" || w.carrier.lookups() != 1 {
			t.Fatalf("%s after %d look-ups", got, w.carrier.lookups())
		}
		w.pass(2 * time.Minute)
		if got := w.statuses("ada"); got != "[sent]" || w.carrier.lookups() != 2 || len(w.carrier.texts()) != 1 {
			t.Errorf("%s after %d look-ups, texts %q", got, w.carrier.lookups(), w.carrier.texts())
		}
	})
}

// unhurried is a log whose flush takes a tenth of a second.
type unhurried struct{ wal.Log }

func (l unhurried) Append(batch []wal.Entry) (uint64, error) {
	<-time.After(100 * time.Millisecond)
	return l.Log.Append(batch)
}

// S6 limits what is with the carrier: a hand-over that it has answered makes
// room for the next, whose check shares the flush of the outcome (S2 holds for
// both).
func TestAnsweredHandOverMakesRoom(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.Log, c.MaxSends = unhurried{c.Log}, 1 }, func(w *world) {
		ids := w.owing(20, time.Now().Add(time.Minute))
		w.pass(time.Minute + 4*time.Second)
		if len(w.carrier.at) != len(ids) {
			t.Fatalf("%d of %d left", len(w.carrier.at), len(ids))
		}
		// Now and then a check misses that flush, and waits for another.
		if took, most := w.carrier.at[len(ids)-1].Sub(w.carrier.at[0]), time.Duration(len(ids))*150*time.Millisecond; took > most {
			t.Errorf("%v for %d hand-overs, want at most %v: a flush takes 100ms", took, len(ids), most)
		}
		for _, id := range ids {
			if got := w.statuses(id); got != "[sent]" {
				t.Errorf("%s: %s", id, got)
			}
		}
	})
}

// A machine that falls asleep behind the last check (S1) wakes up when it does: what
// the check found holds no longer, and it is made again before anything leaves.
func TestALastCheckDoesNotKeep(t *testing.T) {
	for name, c := range map[string]struct {
		asleep time.Duration
		checks int // that the journal knows
	}{
		"a moment": {asleep: 50 * time.Second, checks: 1},
		"hours":    {asleep: 3 * time.Hour, checks: 2},
	} {
		t.Run(name, func(t *testing.T) {
			var asleep atomic.Bool
			held := make(chan func(), 1)
			config := func(c *actors.Config) {
				c.Go = func(fn func()) {
					if asleep.Load() {
						held <- fn
						return
					}
					go fn()
				}
			}
			inWorld(t, config, func(w *world) {
				w.person("ada", "+15550100001")
				at := time.Now().Add(time.Minute)
				w.do("ada", engine.CreateReminder{Text: "T", SendAt: at.UnixMilli(), ExpiresAt: at.Add(6 * time.Hour).UnixMilli()})
				w.pass(59 * time.Second)
				asleep.Store(true)
				w.pass(time.Second + c.asleep)
				if asleep.Store(false); len(held) != 1 || len(w.carrier.accepted) != 0 {
					t.Fatalf("%d calls wait, %d were made", len(held), len(w.carrier.accepted))
				}
				go (<-held)()
				w.pass(time.Second)
				r := w.reminders("ada")[0]
				if len(r.Messages) != c.checks || len(w.carrier.accepted) != 1 || r.Status != engine.StatusSent {
					t.Fatalf("%v after %d last checks, %d texts", r.Status, len(r.Messages), len(w.carrier.accepted))
				}
				if r.Attempts != 1 {
					t.Errorf("%d of its three hand-overs are used up", r.Attempts)
				}
				if age := w.carrier.at[0].UnixMilli() - w.carrier.accepted[0].CreatedAt; age > time.Minute.Milliseconds() {
					t.Errorf("it left %d ms behind its last check", age)
				}
			})
		})
	}
}
