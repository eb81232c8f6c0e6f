package actors_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/actors"
	"carillon/engine"
)

// bad is a command that panics: the engine knows no nil.
var bad engine.Command

// DESIGN 3: a panic restarts that user from the log; the same command failing
// again is put aside with its input, and nobody else notices.
func TestCommandThatPanicsTwiceIsQuarantined(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.person("bob", "+15550100002")
		w.event("ada", "e1", time.Hour)
		if _, err := w.try("ada", bad); !errors.Is(err, actors.ErrQuarantined) {
			t.Fatalf("error %v", err)
		}
		if got := w.statuses("ada"); got != "[scheduled]" {
			t.Errorf("ada's reminders after it: %s", got)
		}
		if got := w.kinds("ada"); !strings.HasSuffix(got, "command_quarantined") {
			t.Errorf("timeline %s", got)
		}
		w.event("bob", "e1", time.Hour)
		w.crash()
		if got := w.statuses("ada"); got != "[scheduled]" {
			t.Errorf("ada's reminders after a crash: %s", got)
		}
	})
}

// What an actor decided before it panicked is with the journal: its next
// instance waits for that and loses nothing, and what came meanwhile is
// carried out in order.
func TestPanicLosesNothingThatIsUnflushed(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				if i%10 == 5 {
					_, _ = w.try("ada", bad)
					return
				}
				start := time.Now().Add(time.Hour).UnixMilli()
				_, err := w.try("ada", engine.Put(engine.CalendarEvent{ID: fmt.Sprint(i), Title: "T", Start: start, End: start}))
				if err != nil {
					t.Errorf("event %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		for i := range 60 {
			if i%10 != 5 {
				w.do("ada", engine.GetEvent{ID: fmt.Sprint(i)})
			}
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) kinds(user string) string {
	w.t.Helper()
	entries, _, known, err := w.node.Timeline(context.Background(), user, 0, 1000)
	if err != nil || !known {
		w.t.Fatalf("timeline: %t, %v", known, err)
	}
	var kinds []string
	for i, e := range entries {
		if e.Seq != uint64(i)+1 {
			w.t.Errorf("entry %d has number %d", i+1, e.Seq)
		}
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, " ")
}

func (w *world) check() error {
	_, err := actors.Check(w.log)
	return err
}
