package actors_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// C2: two people hold the same event id, as guests of one meeting do. Each has
// a reminder of their own, and one's deletion never touches the other.
func TestSharedEventIsEachOnesOwn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		people := []string{"ada", "bob", "cyd"}
		for i, id := range people {
			w.person(id, fmt.Sprintf("+1555010000%d", i))
			w.event(id, "meeting", 20*time.Minute)
		}
		w.do("bob", engine.DeleteEvent{ID: "meeting"})
		w.pass(10 * time.Minute)
		var to []string
		for _, m := range w.carrier.accepted {
			to = append(to, m.To)
		}
		slices.Sort(to)
		if got := fmt.Sprint(to); got != "[+15550100000 +15550100002]" {
			t.Errorf("texted %s", got)
		}
		if got := w.reminders("bob")[0]; got.Reason != engine.ReasonEventDeleted {
			t.Errorf("bob's is %s (%s)", got.Status, got.Reason)
		}
	})
}

// P10: a custom reminder for another day, known only to a state on disk, leaves
// when its time comes.
func TestCustomReminderDaysAheadLeaves(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.Idle = time.Minute }, func(w *world) {
		w.person("ada", "+15550100001")
		at := time.Now().Add(26 * time.Hour)
		w.do("ada", engine.CreateReminder{Text: "Passport", SendAt: at.UnixMilli()})
		w.crash()
		w.pass(26*time.Hour - time.Second)
		if got := w.carrier.texts(); len(got) != 0 {
			t.Fatalf("left early: %q", got)
		}
		w.pass(2 * time.Second)
		if got := fmt.Sprint(w.carrier.texts()); got != "[Passport]" {
			t.Errorf("texts %s", got)
		}
	})
}

// P5: changes that race for the last places of a day get as many as there are.
func TestChangesThatRaceKeepTheLimit(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("ada", engine.UpdateUser{DailyLimit: engine.Some(int32(3))})
		start := time.Now().Add(time.Hour).UnixMilli()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				e := engine.CalendarEvent{ID: fmt.Sprint("e", i), Title: fmt.Sprint("T", i), Start: start, End: start + 60_000}
				if _, err := w.try("ada", engine.Put(e)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		w.pass(2 * time.Hour)
		if got := len(w.carrier.texts()); got != 3 {
			t.Errorf("%d texts left, the limit is 3", got)
		}
		if u := w.do("ada", engine.GetUser{}).(engine.UserReply).User; u.Count != 3 || u.Reserved != 0 {
			t.Errorf("count %d, reserved %d", u.Count, u.Reserved)
		}
	})
}

// slow keeps the hand-overs to one number waiting.
type slow struct {
	provider.Sender
	to   string
	free chan struct{}
}

func (s slow) Send(ctx context.Context, m provider.Message) provider.Outcome {
	if m.To == s.to {
		<-s.free
	}
	return s.Sender.Send(ctx, m)
}

// S6: a call that takes long holds nobody else back.
func TestSlowHandOverHoldsNobodyBack(t *testing.T) {
	var free chan struct{} // made in the bubble: one from outside would stop its clock
	hold := func(c *actors.Config) {
		free = make(chan struct{})
		c.Sender = slow{c.Sender, "+15550100000", free}
	}
	inWorld(t, hold, func(w *world) {
		w.person("first", "+15550100099") // who is the first after a start goes alone
		w.do("first", engine.CreateReminder{Text: "T", SendAt: time.Now().UnixMilli()})
		due := time.Now().Add(time.Minute)
		for i := range 40 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+155501000%02d", i))
			w.do(id, engine.CreateReminder{Text: "T", SendAt: due.UnixMilli()})
		}
		w.pass(time.Minute + time.Second)
		if got := len(w.carrier.texts()) - 1; got != 39 {
			t.Errorf("%d texts left, 39 need not wait", got)
		}
		for _, at := range w.carrier.at[1:] {
			if late := at.Sub(due); late > 100*time.Millisecond {
				t.Errorf("one left %v late", late)
			}
		}
		close(free)
		w.pass(time.Second)
		if got := len(w.carrier.texts()) - 1; got != 40 {
			t.Errorf("%d texts left in the end", got)
		}
	})
}

// D1: a callback that comes again changes nothing, in the metrics neither.
func TestRepeatedCallbackCountsOnce(t *testing.T) {
	reg := prometheus.NewRegistry()
	inWorld(t, func(c *actors.Config) { c.Metrics = reg }, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("ada", engine.CreateReminder{Text: "Hi", SendAt: time.Now().UnixMilli()})
		w.pass(time.Second)
		m := w.reminders("ada")[0].Messages[0]
		for _, s := range []engine.MessageStatus{engine.MessageDelivered, engine.MessageDelivered, engine.MessageSent, engine.MessageDelivered} {
			w.do("ada", engine.ReportDelivery{MessageID: m.ID, SID: m.SID, Status: s})
			w.pass(time.Second)
		}
		for name, labels := range map[string]string{
			"carillon_carrier_outcomes_total": "delivered", "carillon_reminders_total": "delivered", "carillon_delivery_duration_seconds": "",
		} {
			if got := counted(t, reg, name, labels); got != 1 {
				t.Errorf("%s counts %v deliveries of one", name, got)
			}
		}
	})
}

// counted sums the series of a metric that have a label of that value.
func counted(t *testing.T, reg *prometheus.Registry, name, value string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			has := value == ""
			for _, l := range m.GetLabel() {
				has = has || l.GetValue() == value
			}
			if f.GetName() == name && has {
				sum += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}
