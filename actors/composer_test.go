package actors_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// writer is a Composer of a few lines.
type writer func(ctx context.Context, b engine.Brief) (provider.Composition, error)

func (w writer) Compose(ctx context.Context, b engine.Brief) (provider.Composition, error) {
	return w(ctx, b)
}

const textCost = 60 // micro-USD

func says(text string) (provider.Composition, error) {
	return provider.Composition{Text: text, Model: "m1", PromptTokens: 200, CompletionTokens: 20, CostMicros: textCost, Priced: "base"}, nil
}

func wellWritten(_ context.Context, b engine.Brief) (provider.Composition, error) {
	return says("Heads up: " + b.Title + " starts " + b.Phrase)
}

// rush gives ten people an event each, with reminders that are due at once,
// and lets them all leave. It returns the texts and how late the latest was.
func (w *world) rush(t *testing.T) (texts []string, late time.Duration) {
	t.Helper()
	start := time.Now().Add(20 * time.Minute)
	for i := range 10 {
		id := fmt.Sprint("u", i)
		w.person(id, fmt.Sprintf("+1555010%04d", i))
		w.do(id, engine.Put(engine.CalendarEvent{ID: "e1", Title: "Review", Start: start.UnixMilli(), End: start.Add(time.Hour).UnixMilli()}))
	}
	w.pass(10 * time.Minute)
	due := start.Add(-15 * time.Minute)
	for _, at := range w.carrier.at {
		late = max(late, at.Sub(due))
		if at.Before(due) {
			t.Errorf("one left %v early", due.Sub(at))
		}
	}
	return w.carrier.texts(), late
}

// X4: whatever the composer does, every reminder leaves when it is due, once,
// with a text that is true.
func TestComposerNeverDelaysFalsifiesOrBreaks(t *testing.T) {
	const template, written = "Review in 15 mins", "Heads up: Review starts in 15 mins"
	for name, test := range map[string]struct {
		write   writer
		text    string
		outcome engine.ComposeOutcome
		cost    int64 // of one
	}{
		"writes well": {wellWritten, written, engine.ComposeOK, textCost},
		"hangs": {func(ctx context.Context, _ engine.Brief) (provider.Composition, error) {
			<-ctx.Done()
			return provider.Composition{CostMicros: 90}, ctx.Err()
		}, template, engine.ComposeTimeout, 90},
		"answers garbage": {func(context.Context, engine.Brief) (provider.Composition, error) {
			return provider.Composition{}, &provider.ComposeError{Outcome: engine.ComposeUnreadable, Cause: "no JSON"}
		}, template, engine.ComposeUnreadable, 0},
		"lies about the time": {func(context.Context, engine.Brief) (provider.Composition, error) { return says("Review in 2 hours") }, template, engine.ComposeInvalid, textCost},
		"invents a link": {func(_ context.Context, b engine.Brief) (provider.Composition, error) {
			return says(b.Title + " " + b.Phrase + " https://bit.ly/x")
		}, template, engine.ComposeInvalid, textCost},
		"says nothing": {func(context.Context, engine.Brief) (provider.Composition, error) { return says(" \n ") }, template, engine.ComposeInvalid, textCost},
		"panics":       {func(context.Context, engine.Brief) (provider.Composition, error) { panic("oops") }, template, engine.ComposeUnavailable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(c *actors.Config) { c.Composer = test.write }, func(w *world) {
				texts, late := w.rush(t)
				if want := slices.Repeat([]string{test.text}, 10); !slices.Equal(texts, want) {
					t.Errorf("texts %q, want %q", texts, want)
				}
				if late > 50*time.Millisecond {
					t.Errorf("the latest left %v after it was due", late)
				}
				r := w.reminders("u0")[0]
				if c := r.Composition(); c.Outcome != test.outcome || c.CostMicros != test.cost || c.Tries != 1 {
					t.Errorf("recorded %+v", c)
				}
				if via := map[bool]engine.Via{true: engine.ViaLLM, false: engine.ViaTemplate}[test.text == written]; r.Messages[0].Via != via {
					t.Errorf("via %d, want %d", r.Messages[0].Via, via)
				}
			})
		})
	}
}

// The window is two minutes: nothing is asked before, and nothing at midnight.
func TestComposerIsAskedInTheWindowOnly(t *testing.T) {
	var asked []time.Time
	inWorld(t, func(c *actors.Config) {
		c.Composer = writer(func(ctx context.Context, b engine.Brief) (provider.Composition, error) {
			asked = append(asked, time.Now())
			return wellWritten(ctx, b)
		})
	}, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 40*time.Hour)
		due := time.Now().Add(40*time.Hour - 15*time.Minute)
		w.pass(41 * time.Hour)
		if len(asked) != 1 || asked[0].Before(due.Add(-2*time.Minute)) || asked[0].After(due.Add(-2*time.Minute+time.Second)) {
			t.Errorf("asked at %v, due at %v", asked, due)
		}
		if got := w.carrier.texts(); len(got) != 1 || !strings.HasPrefix(got[0], "Heads up: Review") {
			t.Errorf("texts %q", got)
		}
	})
}

// Only so many are asked at a time, those that are due first; what is not
// begun in time goes by template.
func TestComposerConcurrency(t *testing.T) {
	var now, most atomic.Int32
	inWorld(t, func(c *actors.Config) {
		c.MaxComposes, c.ComposeTimeout = 2, time.Minute
		c.Composer = writer(func(ctx context.Context, b engine.Brief) (provider.Composition, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			<-time.After(50 * time.Second) // four of ten are begun within two minutes and done, two are late
			return wellWritten(ctx, b)
		})
	}, func(w *world) {
		texts, late := w.rush(t)
		outcomes := map[engine.ComposeOutcome]int{}
		for i := range 10 {
			outcomes[w.reminders(fmt.Sprint("u", i))[0].Composed.Outcome]++
		}
		want := map[engine.ComposeOutcome]int{engine.ComposeOK: 4, engine.ComposeLate: 2, engine.ComposeBusy: 4}
		if most.Load() != 2 || !maps.Equal(outcomes, want) || len(texts) != 10 || late > 50*time.Millisecond {
			t.Errorf("%d at a time, outcomes %v, %d texts, %v late", most.Load(), outcomes, len(texts), late)
		}
	})
}

// A day's budget holds over a restart; the next UTC day begins at 0.
func TestComposerBudget(t *testing.T) {
	reg := prometheus.NewRegistry()
	var asked int
	config := func(c *actors.Config) {
		c.ComposeBudget, c.MaxComposes, c.Metrics = 3*textCost, 1, reg
		c.Composer = writer(func(ctx context.Context, b engine.Brief) (provider.Composition, error) {
			asked++
			return wellWritten(ctx, b)
		})
	}
	inWorld(t, config, func(w *world) {
		if texts, late := w.rush(t); len(texts) != 10 || late > 50*time.Millisecond || asked != 3 {
			t.Fatalf("asked %d times, %d texts, %v late", asked, len(texts), late)
		}
		if got := metric(t, reg, "carillon_composer_cost_usd_total"); got != 3*textCost/1e6 {
			t.Errorf("cost %v", got)
		}
		reg = prometheus.NewRegistry()
		w.crash()
		w.event("u0", "e2", 20*time.Minute)
		w.pass(10 * time.Minute)
		if asked != 3 || metric(t, reg, "carillon_composer_spent_usd") < 3*textCost/1e6 {
			t.Errorf("a restart began the budget anew: asked %d times", asked)
		}
		w.pass(24 * time.Hour)
		w.event("u0", "e3", 20*time.Minute)
		w.pass(10 * time.Minute)
		if asked != 4 {
			t.Errorf("asked %d times on the next day, want once more", asked)
		}
	})
}

func metric(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// A crash between question and answer asks again, and texts nobody twice.
func TestComposerAndCrash(t *testing.T) {
	first := true
	inWorld(t, func(c *actors.Config) {
		c.ComposeTimeout = time.Minute
		c.Composer = writer(func(ctx context.Context, b engine.Brief) (provider.Composition, error) {
			if first {
				first = false
				<-ctx.Done()
				return provider.Composition{}, ctx.Err()
			}
			return wellWritten(ctx, b)
		})
	}, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		w.pass(3*time.Minute + time.Second)
		w.crash()
		w.pass(2 * time.Minute)
		if got := w.carrier.texts(); len(got) != 1 || got[0] != "Heads up: Review e1 starts in 15 mins" {
			t.Errorf("texts %q", got)
		}
	})
}
