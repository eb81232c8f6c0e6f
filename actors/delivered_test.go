package actors_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// D2: a reminder counts as delivered once, whatever is reported of which of its
// messages; messages count each for itself.
func TestReminderIsCountedAsDeliveredOnce(t *testing.T) {
	lost := engine.Failure{Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes}
	type news struct {
		message int
		status  engine.MessageStatus
	}
	for name, test := range map[string]struct {
		news                []news // behind the loss of the first and the acceptance of the second
		reminders, messages float64
	}{
		"the second":               {[]news{{1, engine.MessageDelivered}}, 1, 1},
		"both, the older last":     {[]news{{1, engine.MessageDelivered}, {0, engine.MessageDelivered}}, 1, 2},
		"both, the older first":    {[]news{{0, engine.MessageDelivered}, {1, engine.MessageDelivered}}, 1, 2},
		"the older alone":          {[]news{{0, engine.MessageDelivered}}, 0, 1},
		"the older, then a loss":   {[]news{{0, engine.MessageDelivered}, {1, engine.MessageUndelivered}}, 1, 1},
		"that, and taken back":     {[]news{{0, engine.MessageDelivered}, {1, engine.MessageUndelivered}, {1, engine.MessageDelivered}}, 1, 2},
		"a loss, and the older so": {[]news{{1, engine.MessageUndelivered}, {0, engine.MessageDelivered}}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			inWorld(t, func(c *actors.Config) { c.Metrics = reg }, func(w *world) {
				w.person("ada", "+15550100001")
				w.do("ada", engine.CreateReminder{Text: "T", SendAt: time.Now().Add(time.Second).UnixMilli()})
				w.pass(2 * time.Second)
				report := func(i int, status engine.MessageStatus) {
					m := w.reminders("ada")[0].Messages[i]
					r := engine.ReportDelivery{MessageID: m.ID, SID: m.SID, Status: status}
					if status == engine.MessageUndelivered {
						r.Failure = lost
					}
					w.do("ada", r)
					w.pass(time.Second)
				}
				report(0, engine.MessageUndelivered)
				w.pass(2 * time.Minute)
				for _, n := range test.news {
					for range 2 { // the carrier repeats itself
						report(n.message, n.status)
					}
				}
				want := 0.0
				if w.statuses("ada") == "[delivered]" {
					want = 1
				}
				if got := countedWith(t, reg, "carillon_reminders_total", "status", "delivered"); got != test.reminders || got < want {
					t.Errorf("reminders delivered: %v, want %v; it is %s", got, test.reminders, w.statuses("ada"))
				}
				if got := countedWith(t, reg, "carillon_carrier_outcomes_total", "outcome", "delivered"); got != test.messages {
					t.Errorf("messages delivered: %v, want %v", got, test.messages)
				}
			})
		})
	}
}

// countedWith sums the series of a counter that have that label.
func countedWith(t *testing.T, reg *prometheus.Registry, name, label, value string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetName() == label && l.GetValue() == value {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// S5: failures are counted by code, ones that no table knows among them, and
// their series are bounded.
func TestFailuresAreCountedByCode(t *testing.T) {
	reg := prometheus.NewRegistry()
	inWorld(t, func(c *actors.Config) { c.Metrics = reg }, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("ada", engine.UpdateUser{DailyLimit: engine.Some(int32(100))})
		code := 99_000
		w.carrier.set(func(provider.Message) provider.Outcome {
			code++
			return refuses(engine.Failure{Code: code, Category: engine.CategoryUnknown})
		})
		for i := range 104 {
			w.do("ada", engine.CreateReminder{Text: fmt.Sprint("T", i), SendAt: time.Now().UnixMilli()})
			w.pass(time.Second)
		}
		if got := countedWith(t, reg, "carillon_carrier_errors_total", "code", "99001"); got != 1 {
			t.Errorf("code 99001: %v", got)
		}
		if got := countedWith(t, reg, "carillon_carrier_errors_total", "code", "other"); got != 4 {
			t.Errorf("other: %v, want 4", got)
		}
	})
}
