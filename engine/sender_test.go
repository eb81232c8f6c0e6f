package engine_test

import (
	"fmt"
	"testing"
	"time"

	"carillon/engine"
)

// sticky is a person who gets a text every minute from a pool that changes.
type sticky struct {
	t      *testing.T
	u      *engine.User
	now    engine.Millis
	events []engine.Event
	at     []engine.Millis
}

func newSticky(t *testing.T, id string) *sticky {
	t.Helper()
	s := &sticky{t: t, u: &engine.User{ID: id}, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixMilli()}
	s.decide(nil, engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Reminders: engine.Some(true), DailyLimit: engine.Some(int32(100))})
	s.decide(nil, engine.AttestPhone{Phone: "+4915112345678"})
	return s
}

func (s *sticky) decide(pool []string, cmd engine.Command) engine.Decision {
	p := engine.DefaultPolicy()
	p.Senders = pool
	d := engine.Decide(s.u, engine.Env{Now: s.now, Zone: time.LoadLocation, Policy: p}, cmd)
	for _, e := range d.Events {
		s.events, s.at = append(s.events, e), append(s.at, s.now)
	}
	return d
}

// sends hands a text over and returns the sender; offer, hand-over and state
// must name the same one.
func (s *sticky) sends(pool ...string) string {
	s.t.Helper()
	s.now += 60_000
	d := s.decide(pool, engine.CreateReminder{Text: fmt.Sprint("text ", s.now), SendAt: s.now})
	offer := d.Effects[len(d.Effects)-1].(engine.Offer)
	out := s.decide(pool, engine.HandOver{ReminderID: offer.ReminderID}).Reply.(engine.HandOverReply).Message
	last := s.u.Reminders[len(s.u.Reminders)-1].Messages[0]
	if offer.Sender != out.Sender || out.Sender != last.Sender {
		s.t.Fatalf("offered for %q, handed over for %q, recorded %q", offer.Sender, out.Sender, last.Sender)
	}
	s.decide(pool, engine.RecordOutcome{MessageID: out.MessageID, Kind: engine.OutcomeAccepted, SID: "SM" + out.MessageID, Status: engine.MessageQueued})
	return out.Sender
}

// S6: a person's texts come from one number as long as it is in the pool. What
// is added moves nobody, what is removed only those who had it, and a replay
// draws nothing.
func TestSenderIsSticky(t *testing.T) {
	const a, b, c, d = "+15550000001", "+15550000002", "+15550000003", "+15550000004"
	s := newSticky(t, "ada")
	first := s.sends(a, b, c)
	for range 5 {
		if got := s.sends(c, b, a, d); got != first {
			t.Fatalf("from %s, then from %s, which is in the pool still", first, got)
		}
	}
	var rest []string
	for _, n := range []string{a, b, c, d} {
		if n != first {
			rest = append(rest, n)
		}
	}
	second := s.sends(rest...)
	if second == first {
		t.Fatalf("from %s, which left the pool", first)
	}
	if got := s.sends(a, b, c, d); got != second {
		t.Errorf("the number that came back took the person with it: %s, then %s", second, got)
	}
	replayed := &engine.User{ID: "ada"}
	for i, e := range s.events {
		replayed.Apply(s.at[i], e)
	}
	if replayed.Sender != second || replayed.Reminders[0].Messages[0].Sender != first {
		t.Errorf("a replay says %s and %s, want %s and %s", replayed.Sender, replayed.Reminders[0].Messages[0].Sender, second, first)
	}
}

// A look-up asks for the sender that the message was handed over from, whatever
// the pool is by then (S3).
func TestLookUpNamesTheSenderOfTheAttempt(t *testing.T) {
	s := newSticky(t, "ada")
	s.now += 60_000
	d := s.decide([]string{"+15550000001"}, engine.CreateReminder{Text: "T", SendAt: s.now})
	offer := d.Effects[0].(engine.Offer)
	out := s.decide([]string{"+15550000001"}, engine.HandOver{ReminderID: offer.ReminderID}).Reply.(engine.HandOverReply).Message
	s.decide(nil, engine.RecordOutcome{MessageID: out.MessageID, Kind: engine.OutcomeUncertain, Cause: "timeout"})
	s.now += 60_000
	d = s.decide([]string{"+15550000002"}, engine.Wake{})
	if l, ok := d.Effects[0].(engine.LookUp); !ok || l.Message.Sender != "+15550000001" {
		t.Errorf("looked up as %+v", d.Effects[0])
	}
}

// A pool is drawn from evenly, also when its numbers differ in one digit.
func TestSendersAreDrawnEvenly(t *testing.T) {
	pool := []string{"+15550000001", "+15550000002", "+15550000003", "+15550000004", "+15550000005"}
	had := map[string]int{}
	const people = 5000
	for i := range people {
		had[newSticky(t, fmt.Sprint("user-", i)).sends(pool...)]++
	}
	for _, n := range pool {
		if fair := people / len(pool); had[n] < fair*85/100 || had[n] > fair*115/100 {
			t.Errorf("%s has %d of %d people, fair is %d", n, had[n], people, fair)
		}
	}
}
