package actors_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

const (
	numberA = "+15550000001"
	numberB = "+15550000002"
)

// fromTwo is a pool of two numbers and a carrier that notes who sent what.
func fromTwo(c *actors.Config) { c.Senders = []string{numberA, numberB} }

// owing makes people whose text is due at one instant and returns their ids.
func (w *world) owing(n int, at time.Time) (ids []string) {
	for i := range n {
		id := fmt.Sprint("u", i)
		w.person(id, fmt.Sprintf("+1555010%04d", i))
		w.do(id, engine.CreateReminder{Text: "T", SendAt: at.UnixMilli()})
		ids = append(ids, id)
	}
	return ids
}

// count counts what was accepted, by sender.
func (c *carrier) count() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for _, m := range c.accepted {
		n[m.Sender]++
	}
	return n
}

func accepts(m provider.Message) provider.Outcome {
	return provider.Outcome{Kind: provider.Accepted, SID: "SM" + m.MessageID, Status: engine.MessageQueued}
}

func refuses(f engine.Failure) provider.Outcome {
	return provider.Outcome{Kind: provider.Refused, Failure: f}
}

var notOurs = engine.Failure{Code: 21659, Category: engine.CategoryAccountIssue, Message: "not a Twilio number"}

// S6: a number that is stopped holds back its own people only, is shown by
// name, and they are texted from it when it is mended.
func TestStoppedNumberHoldsBackNobodyElse(t *testing.T) {
	inWorld(t, fromTwo, func(w *world) {
		ids := w.owing(40, time.Now().Add(time.Minute))
		w.carrier.set(func(m provider.Message) provider.Outcome {
			if m.Sender == numberA {
				return refuses(notOurs)
			}
			return accepts(m)
		})
		w.pass(90 * time.Second)
		stats := w.node.Stats().Outbox
		if got := w.carrier.count(); got[numberA] != 0 || got[numberB] < 10 {
			t.Fatalf("accepted %v", got)
		}
		if s := stats.Senders; len(s) != 2 || s[0].Stopped == "" || s[1].Stopped != "" || s[0].Queued == 0 || s[1].Queued != 0 {
			t.Fatalf("senders %+v", s)
		}
		if want := numberA + ": the carrier refuses the account: not a Twilio number"; stats.Stopped != want {
			t.Errorf("stopped %q, want %q", stats.Stopped, want)
		}
		w.carrier.set(accepts)
		w.pass(10 * time.Minute)
		if got := w.carrier.count(); got[numberA]+got[numberB] != 40 {
			t.Errorf("accepted %v of 40", got)
		}
		for _, id := range ids {
			if m := w.reminders(id)[0].Messages; m[0].Sender != m[len(m)-1].Sender {
				t.Errorf("%s: from %s, then from %s", id, m[0].Sender, m[len(m)-1].Sender)
			}
		}
	})
}

// S6: a 429 for one number slows that one.
func TestSlowNumberHoldsBackNobodyElse(t *testing.T) {
	inWorld(t, fromTwo, func(w *world) {
		at := time.Now().Add(time.Minute)
		w.owing(40, at)
		w.carrier.set(func(m provider.Message) provider.Outcome {
			if m.Sender == numberA && time.Since(at) < 5*time.Minute {
				return refuses(engine.Failure{Code: 20429, Category: engine.CategoryRateLimit, Retry: engine.RetryYes, RetryAfter: 300_000})
			}
			return accepts(m)
		})
		w.pass(time.Minute + time.Second)
		got, s := w.carrier.count(), w.node.Stats().Outbox.Senders
		if got[numberA] != 0 || got[numberB] < 10 || s[1].Queued != 0 {
			t.Fatalf("accepted %v, senders %+v", got, s)
		}
		if s[0].SlowUntil == 0 || s[0].Window >= s[1].Window {
			t.Errorf("the slow one is not shown as such: %+v", s)
		}
		w.pass(30 * time.Minute)
		if got := w.carrier.count(); got[numberA]+got[numberB] != 40 {
			t.Errorf("accepted %v of 40", got)
		}
	})
}

// A number that left the pool is asked about by name, and its people move.
func TestRemovedNumberIsStillLookedUp(t *testing.T) {
	inWorld(t, fromTwo, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("ada", engine.CreateReminder{Text: "first", SendAt: time.Now().Add(time.Second).UnixMilli()})
		w.carrier.set(func(provider.Message) provider.Outcome { return provider.Outcome{Cause: "timeout"} })
		w.pass(2 * time.Second)
		had := w.reminders("ada")[0].Messages[0].Sender
		other := map[string]string{numberA: numberB, numberB: numberA}[had]
		var asked []string
		w.carrier.find = func(m provider.Message) provider.Sighting {
			asked = append(asked, m.Sender)
			return provider.Sighting{Result: provider.Found, SID: "SM1", Status: engine.MessageSent}
		}
		w.carrier.set(accepts)
		w.config = func(c *actors.Config) { c.Senders = []string{other} }
		w.crash()
		w.do("ada", engine.CreateReminder{Text: "second", SendAt: time.Now().Add(time.Second).UnixMilli()})
		w.pass(2 * time.Minute)
		if got := w.statuses("ada"); got != "[sent sent]" {
			t.Errorf("statuses %s", got)
		}
		if fmt.Sprint(asked) != fmt.Sprint([]string{had}) || w.reminders("ada")[1].Messages[0].Sender != other {
			t.Errorf("asked about %v, which was handed over from %s; then texted from %s", asked, had, w.reminders("ada")[1].Messages[0].Sender)
		}
	})
}

// S4: while a sender is stopped, tries are spread over the reminders that wait
// and the last hand-over of each is kept: with one reminder or many, none is
// used up before the fault is over.
func TestProbesUseUpNoReminder(t *testing.T) {
	for _, n := range []int{1, 5} {
		inWorld(t, func(c *actors.Config) { c.MaxSends = 1 }, func(w *world) {
			ids := w.owing(n, time.Now().Add(time.Minute))
			refused := 0
			w.carrier.set(func(m provider.Message) provider.Outcome {
				refused++
				return refuses(notOurs)
			})
			w.pass(50 * time.Minute)
			if refused < 2 {
				t.Fatalf("%d tries", refused)
			}
			for _, id := range ids {
				if r := w.reminders(id)[0]; r.Status != engine.StatusScheduled || r.Attempts > 2 {
					t.Fatalf("%d waiting: after 50 minutes %s is %s with %d hand-overs", n, id, r.Status, r.Attempts)
				}
			}
			w.carrier.set(accepts)
			w.pass(12 * time.Minute)
			if got := len(w.carrier.texts()); got != n {
				t.Errorf("%d of %d left when it was mended", got, n)
			}
		})
	}
}

// S5: resuming by request hurries what met the fault and what waited, one by
// one until the carrier has taken one.
func TestResumeHurriesWhatMetTheFault(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MaxSends = 8 }, func(w *world) {
		w.owing(20, time.Now().Add(time.Minute))
		refused := 0
		w.carrier.set(func(m provider.Message) provider.Outcome { refused++; return refuses(notOurs) })
		w.pass(70 * time.Second)
		before := refused
		if before > 8 {
			t.Fatalf("%d were refused", before)
		}
		resume := func() {
			if err := w.node.SetPaused(context.Background(), false); err != nil {
				t.Fatal(err)
			}
			w.pass(time.Second)
		}
		resume() // too early
		if refused != before+1 || w.node.Stats().Outbox.Stopped == "" {
			t.Errorf("%d more were refused, stopped %q", refused-before, w.node.Stats().Outbox.Stopped)
		}
		w.carrier.set(accepts)
		resume()
		if got := len(w.carrier.texts()); got != 20 {
			t.Errorf("%d of 20 left within a second", got)
		}
	})
}

// prober is a carrier that can be asked whether a fault is over.
type prober struct {
	*carrier
	verdict atomic.Uint32
	asked   atomic.Int32
}

func (p *prober) Probe(context.Context, engine.Failure) provider.Verdict {
	p.asked.Add(1)
	return provider.Verdict(p.verdict.Load())
}

// S5: a carrier that can be asked whether the fault is over is asked, and no
// reminder pays for it; one that says yes and refuses again is not believed
// twice.
func TestProbeByAsking(t *testing.T) {
	var p *prober
	inWorld(t, func(c *actors.Config) {
		p = &prober{carrier: c.Sender.(*carrier)}
		p.verdict.Store(uint32(provider.FaultLasts))
		c.Sender = p
	}, func(w *world) {
		w.owing(1, time.Now().Add(time.Minute))
		refused := 0
		w.carrier.set(func(m provider.Message) provider.Outcome { refused++; return refuses(notOurs) })
		w.pass(40 * time.Minute)
		if refused != 1 || p.asked.Load() < 4 {
			t.Fatalf("%d hand-overs, asked %d times", refused, p.asked.Load())
		}
		p.verdict.Store(uint32(provider.FaultOver)) // which is not so
		w.pass(15 * time.Minute)
		asked := p.asked.Load()
		w.pass(3 * time.Minute)
		if r := w.reminders("u0")[0]; r.Status != engine.StatusScheduled || refused != 2 || p.asked.Load() != asked {
			t.Fatalf("%s after %d hand-overs; asked %d more times", r.Status, refused, p.asked.Load()-asked)
		}
		w.carrier.set(accepts)
		w.pass(3 * time.Minute)
		if got := w.statuses("u0"); got != "[sent]" || w.node.Stats().Outbox.Stopped != "" {
			t.Errorf("%s, stopped %q", got, w.node.Stats().Outbox.Stopped)
		}
	})
}

// S5: where messages are accepted and given up later for a fault of the sender, an
// accepted try proves nothing until its report could have come: the others go on
// waiting, and are not used up one windowful after the other.
func TestAcceptedTryIsNoProofOfAReportedFault(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MaxSends = 2 }, func(w *world) {
		ids := w.owing(10, time.Now().Add(time.Minute))
		mended := false
		giveUp := func() {
			for _, id := range ids {
				r := w.reminders(id)[0]
				if m := r.Messages; r.Status == engine.StatusSent && !mended {
					w.do(id, engine.ReportDelivery{MessageID: m[len(m)-1].ID, SID: m[len(m)-1].SID, Status: engine.MessageUndelivered, Failure: engine.Failure{
						Code: 30034, Category: engine.CategoryAccountIssue, Message: "unregistered number",
					}})
				}
			}
		}
		w.pass(61 * time.Second)
		for range 30 * 12 {
			giveUp()
			w.pass(5 * time.Second)
		}
		begun := 0
		for _, id := range ids {
			r := w.reminders(id)[0]
			if begun += int(r.Attempts); r.Status != engine.StatusScheduled || r.Attempts > 2 {
				t.Fatalf("after half an hour %s is %s with %d hand-overs", id, r.Status, r.Attempts)
			}
		}
		if begun < 11 || begun > 15 {
			t.Errorf("%d hand-overs in half an hour", begun)
		}
		mended = true
		w.pass(15 * time.Minute)
		for _, id := range ids {
			if got := w.statuses(id); got != "[sent]" {
				t.Errorf("%s is %s", id, got)
			}
		}
	})
}

// S5: a token that is refused costs one reminder one hand-over a start, also when
// many are due and somebody tries again and again with the wrong one; a carrier
// that hangs holds the others back for a quarter of a second.
func TestFirstHandOverGoesAlone(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MaxSends = 64 }, func(w *world) {
		ids := w.owing(30, time.Now().Add(time.Minute))
		refused := 0
		w.carrier.set(func(provider.Message) provider.Outcome { refused++; return refuses(notOurs) })
		w.pass(61 * time.Second)
		for range 4 {
			w.crash()
			w.pass(2 * time.Second)
		}
		if refused != 5 {
			t.Errorf("%d hand-overs in five starts", refused)
		}
		for _, id := range ids {
			if r := w.reminders(id)[0]; r.Status != engine.StatusScheduled || r.Attempts > 1 {
				t.Errorf("%s is %s after %d hand-overs", id, r.Status, r.Attempts)
			}
		}
		w.carrier.set(accepts)
		w.carrier.hold = make(chan struct{})
		w.crash()
		w.pass(300 * time.Millisecond)
		if got := w.node.Stats().Outbox.Sending; got != 30 {
			t.Errorf("%d are with a carrier that hangs", got)
		}
		close(w.carrier.hold)
		w.pass(time.Second)
		if got := len(w.carrier.texts()); got != 30 {
			t.Errorf("%d of 30 left", got)
		}
	})
}
