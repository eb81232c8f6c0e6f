package engine_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carillon/engine"
)

// world is the machine of the laws: one user, a carrier that knows the truth,
// and commands in any order at any time.
type world struct {
	u     *engine.User
	now   engine.Millis
	log   []logged
	truth map[string]carried       // message id: what became of it at the carrier
	ranks map[string]int           // message id: highest status seen
	owed  map[string]engine.Effect // what an outbox would hold
	// What records, replies and the state share, as it was put and planned.
	said    map[*engine.CalendarEvent]engine.CalendarEvent
	planned map[*engine.PlannedReminder]engine.PlannedReminder

	settled engine.Settled
	twin    *engine.User // the same, of whom nothing is settled
}

// carried is what a carrier did with a message.
type carried struct {
	reminder string
	accepted bool
	lost     bool // accepted, and given up by the carrier
	told     bool // the engine was told that it is not there, or lost
}

// lawPolicy is the default, with a composer that may answer anything.
func lawPolicy() *engine.Policy {
	p := engine.DefaultPolicy()
	p.Compose = true
	return &p
}

func newWorld() *world {
	return &world{
		u: &engine.User{ID: "law"}, now: time.Date(2026, 3, 28, 6, 0, 0, 0, time.UTC).UnixMilli(),
		truth: map[string]carried{}, ranks: map[string]int{}, owed: map[string]engine.Effect{}, twin: &engine.User{ID: "law"},
		said: map[*engine.CalendarEvent]engine.CalendarEvent{}, planned: map[*engine.PlannedReminder]engine.PlannedReminder{},
	}
}

func (w *world) decide(t *rapid.T, cmd engine.Command) engine.Decision {
	env := engine.Env{Now: w.now, Zone: time.LoadLocation, Policy: *lawPolicy(), Draw: rapid.Uint64().Draw(t, "draw")}
	full := engine.Decide(w.twin, env, cmd)
	env.Settled = &w.settled
	d := engine.Decide(w.u, env, cmd)
	if !reflect.DeepEqual(d, full) {
		t.Fatalf("%#v\nled to   %#v\nin full  %#v", cmd, d, full)
	}
	next, earliest := w.settled.Wakes(w.u, w.now, &env.Policy)
	if fullNext, fullEarliest := w.twin.Wakes(w.now, &env.Policy); next != fullNext || earliest != fullEarliest {
		t.Fatalf("%#v: the wakes are %d and %d, in full %d and %d", cmd, next, earliest, fullNext, fullEarliest)
	}
	for _, e := range d.Events {
		w.log = append(w.log, logged{w.now, e})
		switch e := e.(type) { //nolint:gochecksumtype // the others share nothing
		case engine.EventPut:
			w.said[e.Event] = *e.Event
		case engine.ReminderPlanned:
			w.planned[e.Reminder] = *e.Reminder
		}
	}
	for _, e := range d.Effects {
		w.owed[e.Key()] = e
	}
	return d
}

var lawZones = []string{"Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"}

func (w *world) update(t *rapid.T) {
	c := engine.UpdateUser{Create: true}
	if !w.u.Exists || rapid.Bool().Draw(t, "zone?") {
		c.Zone = engine.Some(rapid.SampledFrom(lawZones).Draw(t, "zone"))
	}
	c.Reminders = engine.Some(rapid.IntRange(0, 5).Draw(t, "on") > 0)
	c.DailyLimit = engine.Some(int32(rapid.IntRange(0, 4).Draw(t, "limit")))
	c.Leads = engine.Some(rapid.SampledFrom([][]int32{{15}, {5, 60}, {10, 30, 1440}}).Draw(t, "leads"))
	c.QuietPolicy = engine.Some(engine.QuietPolicy(rapid.IntRange(0, 2).Draw(t, "policy")))
	c.Quiet = engine.Some(rapid.SampledFrom([]engine.Quiet{{}, {Set: true, Start: 22 * 60, End: 8 * 60}, {Set: true, Start: 13 * 60, End: 14 * 60}}).Draw(t, "quiet"))
	w.decide(t, c)
}

func (w *world) put(t *rapid.T) {
	id := fmt.Sprintf("e%d", rapid.IntRange(0, 5).Draw(t, "event"))
	start := w.now + int64(rapid.IntRange(-60, 3000).Draw(t, "in"))*60_000
	e := engine.CalendarEvent{ID: id, Title: "T", Start: start, End: start + 60_000}
	e.Free = rapid.IntRange(0, 9).Draw(t, "free") == 0
	if rapid.IntRange(0, 9).Draw(t, "cancelled") == 0 {
		e.Sync = engine.SyncCanceled
	}
	w.decide(t, engine.Put(e))
	// Planning twice changes nothing (P6).
	if d := w.decide(t, engine.Put(e)); len(d.Events) != 0 {
		t.Fatalf("the same event again led to %#v", d.Events)
	}
}

func (w *world) handOver(t *rapid.T) {
	for _, key := range sortedKeys(w.owed) {
		o, ok := w.owed[key].(engine.Offer)
		if !ok {
			continue
		}
		delete(w.owed, key)
		r, ok := w.decide(t, engine.HandOver{ReminderID: o.ReminderID}).Reply.(engine.HandOverReply)
		if !ok || r.Message == nil {
			continue
		}
		w.send(t, *r.Message)
	}
}

// send is the carrier: it may accept, refuse, or lose its answer either way.
func (w *world) send(t *rapid.T, m engine.Outgoing) {
	w.noSecondText(t, m.ReminderID)
	w.saysWhen(t, m)
	if _, again := w.truth[m.MessageID]; again {
		t.Fatalf("message %s was handed over twice", m.MessageID)
	}
	if rapid.IntRange(0, 9).Draw(t, "sleep") == 0 {
		w.decide(t, engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeNotMade, Cause: "slept"})
		return
	}
	c := carried{reminder: m.ReminderID, accepted: rapid.IntRange(0, 3).Draw(t, "accept") > 0}
	w.truth[m.MessageID] = c
	switch {
	case rapid.IntRange(0, 3).Draw(t, "lose answer") == 0:
		w.decide(t, engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeUncertain, Cause: "timeout"})
	case rapid.IntRange(0, 9).Draw(t, "crash") == 0:
		w.restart(t)
	case c.accepted:
		w.decide(t, engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeAccepted, SID: "SM" + m.MessageID, Status: engine.MessageQueued})
	default:
		c.told = true
		w.truth[m.MessageID] = c
		f := engine.Failure{Category: engine.CategoryCarrierIssue, Retry: engine.RetryRule(rapid.IntRange(0, 2).Draw(t, "retry"))}
		w.decide(t, engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeRefused, Failure: f})
	}
}

// noSecondText is S3: no message goes out while an earlier one of the same
// reminder is with the carrier and not known to be lost.
func (w *world) noSecondText(t *rapid.T, reminder string) {
	for _, id := range sortedKeys(w.truth) {
		if c := w.truth[id]; c.reminder == reminder && c.accepted && (!c.lost || !c.told) {
			t.Fatalf("reminder %s is texted again while the carrier has %s", reminder, id)
		}
	}
}

// compose is a composer that answers well, badly, or for what was asked long
// ago.
func (w *world) compose(t *rapid.T) {
	for _, key := range sortedKeys(w.owed) {
		c, ok := w.owed[key].(engine.Compose)
		if !ok || rapid.IntRange(0, 3).Draw(t, "hang") == 0 {
			continue
		}
		delete(w.owed, key)
		w.decide(t, engine.RecordComposition{
			ReminderID: c.ReminderID, Content: c.Content, Model: "m", CostMicros: 7,
			Outcome: rapid.SampledFrom(engine.ComposeOutcomes()).Draw(t, "outcome"),
			Text:    rapid.SampledFrom([]string{"", "T " + c.Brief.Phrase + ", see you there", "T in 99 mins", "Pay at http://evil.example " + c.Brief.Phrase}).Draw(t, "text"),
		})
	}
}

// saysWhen is X1: whoever wrote the text, it says how far the event is now.
func (w *world) saysWhen(t *rapid.T, m engine.Outgoing) {
	for _, r := range w.u.Reminders {
		if r.ID != m.ReminderID || r.Type == engine.CustomReminder {
			continue
		}
		plain, _ := engine.Template(engine.CalendarEvent{Title: "T"}, r.Start-w.now, 1)
		if !strings.Contains(m.Text, strings.TrimPrefix(plain, "T")) || strings.Contains(m.Text, "evil") {
			t.Fatalf("%q leaves where the template says %q", m.Text, plain)
		}
		if n := r.Composition().Tries; n > engine.MaxCompositions+4 || r.Composition().CostMicros != 7*int64(n) {
			t.Fatalf("%d compositions for %d", n, r.Composed.CostMicros)
		}
	}
}

func (w *world) lookUp(t *rapid.T) {
	for _, key := range sortedKeys(w.owed) {
		l, ok := w.owed[key].(engine.LookUp)
		if !ok {
			continue
		}
		delete(w.owed, key)
		s := engine.RecordSighting{MessageID: l.Message.MessageID, Kind: engine.SightingAbsent}
		if w.truth[l.Message.MessageID].accepted {
			s.Kind, s.SID, s.Status = engine.SightingFound, "SM"+l.Message.MessageID, engine.MessageSent
		}
		if rapid.IntRange(0, 4).Draw(t, "unknown") == 0 {
			s.Kind = engine.SightingUnknown
		} else if s.Kind == engine.SightingAbsent && rapid.IntRange(0, 4).Draw(t, "early") == 0 {
			s.Kind, s.Wait = engine.SightingEarly, int64(rapid.IntRange(1, 30).Draw(t, "wait"))*1000
		}
		w.decide(t, s)
	}
}

// report plays callbacks: late, repeated, in any order.
func (w *world) report(t *rapid.T) {
	ids := sortedKeys(w.truth)
	if len(ids) == 0 {
		return
	}
	id := rapid.SampledFrom(ids).Draw(t, "message")
	c := w.truth[id]
	if !c.accepted {
		return
	}
	st := rapid.SampledFrom([]engine.MessageStatus{engine.MessageQueued, engine.MessageSending, engine.MessageSent, engine.MessageDelivered, engine.MessageUndelivered}).Draw(t, "status")
	if st == engine.MessageDelivered && c.lost {
		st = engine.MessageSent // this carrier does not take back what it said
	}
	if st == engine.MessageUndelivered {
		if w.statusOf(id) == engine.MessageDelivered {
			return
		}
		c.lost, c.told = true, true
		w.truth[id] = c
	}
	w.decide(t, engine.ReportDelivery{
		MessageID: id, SID: "SM" + id, Status: st,
		Failure: engine.Failure{Category: engine.CategoryUnreachable, Retry: engine.RetryYes},
	})
}

func (w *world) statusOf(id string) engine.MessageStatus {
	for i := range w.u.Reminders {
		for _, m := range w.u.Reminders[i].Messages {
			if m.ID == id {
				return m.Status
			}
		}
	}
	return engine.MessageNone
}

// restart loses memory and the outbox; the journal gives the state back.
func (w *world) restart(t *rapid.T) {
	again := &engine.User{ID: w.u.ID}
	for _, l := range w.log {
		again.Apply(l.at, l.e)
	}
	if !reflect.DeepEqual(normal(again), normal(w.u)) {
		t.Fatalf("replay differs from the live state\nreplay %+v\nlive   %+v", again, w.u)
	}
	w.u = again
	clear(w.owed)
	w.decide(t, engine.Recover{})
}

func (w *world) check(t *rapid.T) {
	w.checkPlaces(t)
	w.checkForward(t)
	w.checkSettled(t)
	for shared, said := range w.said {
		if !reflect.DeepEqual(*shared, said) {
			t.Fatalf("what was put as %+v was changed to %+v", said, *shared)
		}
	}
	for shared, planned := range w.planned {
		if *shared != planned {
			t.Fatalf("what was planned as %+v was changed to %+v", planned, *shared)
		}
	}
}

// checkSettled is P6 and P7: whatever came before, planning twice at one
// instant changes nothing the second time. A patch of nothing plans.
func (w *world) checkSettled(t *rapid.T) {
	if !w.u.Exists || w.now >= w.u.Day.End {
		return // a day plan is due
	}
	w.decide(t, engine.UpdateUser{}) // time has passed since the last plan
	if d := w.decide(t, engine.UpdateUser{}); len(d.Events) != 0 {
		t.Fatalf("planning again led to %#v", d.Events)
	}
	seen := map[string]bool{}
	for _, r := range w.u.Reminders {
		if seen[r.ID] {
			t.Fatalf("two reminders %s", r.ID)
		}
		seen[r.ID] = true
	}
}

// checkPlaces is P5: what pends never holds more places of a date than are
// left of the limit.
func (w *world) checkPlaces(t *rapid.T) {
	pending, used := map[engine.Date]int32{}, map[engine.Date]int32{}
	for _, c := range w.u.Spent {
		used[c.On] += c.Spent
	}
	for _, r := range w.u.Reminders {
		switch {
		case !r.Reserved:
		case r.Status == engine.StatusScheduled:
			pending[r.On]++
		default:
			used[r.On]++
		}
		if r.Reserved && (r.Status == engine.StatusCanceled || r.Status == engine.StatusFailed || r.Spent) {
			t.Fatalf("reminder %s holds a place as %s", r.ID, r.Status)
		}
		if r.Attempts > engine.MaxAttempts {
			t.Fatalf("reminder %s had %d hand-overs", r.ID, r.Attempts)
		}
	}
	for _, on := range sortedDates(pending) {
		if left := max(0, w.u.Prefs.DailyLimit-used[on]); pending[on] > left {
			t.Fatalf("%s: %d reserved, %d places left of %d", on, pending[on], left, w.u.Prefs.DailyLimit)
		}
	}
}

// checkForward is D1 as seen from outside: a carrier's word is never taken
// back for a lesser one.
func (w *world) checkForward(t *rapid.T) {
	order := []engine.MessageStatus{engine.MessageSent, engine.MessageUndelivered, engine.MessageDelivered}
	for i := range w.u.Reminders {
		for _, m := range w.u.Reminders[i].Messages {
			at := slices.Index(order, m.Status) + 1
			if at < w.ranks[m.ID] {
				t.Fatalf("message %s went back to %s", m.ID, m.Status)
			}
			w.ranks[m.ID] = max(at, w.ranks[m.ID])
		}
	}
}

// TestLaws holds, under any order of commands, answers, callbacks and
// crashes: replay equals live state (W2), places (P5), one text (S3), three
// hand-overs (S4), forward only (D1), idempotent planning (P6), an end for
// every reminder.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.update(t)
		w.decide(t, engine.AttestPhone{Phone: "+4915112345678"})
		t.Repeat(map[string]func(*rapid.T){
			"":          w.check,
			"update":    w.update,
			"put":       w.put,
			"put more":  w.put,
			"hand over": w.handOver,
			"look up":   w.lookUp,
			"report":    w.report,
			"restart":   w.restart,
			"delete": func(t *rapid.T) {
				w.decide(t, engine.DeleteEvent{ID: fmt.Sprintf("e%d", rapid.IntRange(0, 5).Draw(t, "event"))})
			},
			"custom": func(t *rapid.T) {
				at := w.now + int64(rapid.IntRange(-30, 600).Draw(t, "in"))*60_000
				w.decide(t, engine.CreateReminder{Text: "C", SendAt: at, Priority: engine.Priority(rapid.IntRange(0, 3).Draw(t, "priority"))})
			},
			"stop or start": func(t *rapid.T) {
				w.decide(t, engine.ReceiveText{Text: rapid.SampledFrom([]string{"STOP", "START"}).Draw(t, "word")})
			},
			"compose": w.compose,
			"reply": func(t *rapid.T) {
				w.decide(t, engine.ReceiveText{Text: rapid.SampledFrom([]string{"C", "SNOOZE", "SNOOZE 1", "SNOOZE 300", "AGENDA"}).Draw(t, "reply")})
			},
			"cancel": func(t *rapid.T) {
				if len(w.u.Reminders) > 0 {
					w.decide(t, engine.CancelReminder{ID: rapid.SampledFrom(w.u.Reminders).Draw(t, "reminder").ID})
				}
			},
			"time passes": func(t *rapid.T) {
				w.now += int64(rapid.IntRange(1, 300).Draw(t, "minutes")) * 60_000
				w.decide(t, engine.Wake{})
			},
			"until the next wake": func(t *rapid.T) {
				if at := w.u.NextWake(w.now, lawPolicy()); at > 0 {
					w.now = at
				}
				w.decide(t, engine.Wake{})
			},
		})
		w.restart(t)
		w.settle(t)
	})
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func sortedDates(m map[engine.Date]int32) []engine.Date {
	var out []engine.Date
	for d := range m {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}
