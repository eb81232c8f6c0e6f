package actors_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/engine"
)

// Who has nothing to do has its state in its snapshot, and nobody can tell:
// reads and writes find it as it was, and what falls due is sent on time.
func TestUsersAtRestAreAsTheyWere(t *testing.T) {
	reg := prometheus.NewRegistry()
	inWorld(t, func(c *actors.Config) { c.Metrics, c.SnapshotEvery, c.Idle = reg, 10*time.Second, time.Hour }, func(w *world) {
		before := map[string][]engine.ReminderView{}
		for i := range 10 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.event(id, "e1", 2*time.Hour)
			w.event(id, "e2", 3*time.Hour)
			before[id] = w.reminders(id)
		}
		w.pass(30 * time.Second)
		if n := metric(t, reg, "carillon_actors_at_rest"); n != 10 {
			t.Fatalf("%v of 10 rest after a round of snapshots", n)
		}
		for id, want := range before {
			if got := w.reminders(id); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, want %+v", id, got, want)
			}
		}
		if n := metric(t, reg, "carillon_actors_at_rest"); n != 0 {
			t.Errorf("%v rest although all were asked", n)
		}
		w.event("u3", "e3", 4*time.Hour) // only u3 is in the next round; the others stay up
		w.pass(30 * time.Second)
		if n := metric(t, reg, "carillon_actors_at_rest"); n != 1 {
			t.Errorf("%v rest, want u3 alone", n)
		}
		w.pass(5 * time.Hour)
		if got := len(w.carrier.texts()); got != 21 {
			t.Errorf("%d of 21 texts left", got)
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
	})
}

// Who was just written to will be again: a round does not send them to the disk.
func TestWhoIsBusyStaysUp(t *testing.T) {
	reg := prometheus.NewRegistry()
	inWorld(t, func(c *actors.Config) { c.Metrics, c.SnapshotEvery, c.Idle = reg, 10*time.Second, time.Hour }, func(w *world) {
		rests := func(when string, want float64) {
			t.Helper()
			if n := metric(t, reg, "carillon_actors_at_rest"); n != want {
				t.Errorf("%v rest %s, want %v", n, when, want)
			}
		}
		w.person("busy", "+15550100001")
		w.person("calm", "+15550100002")
		for i := range 25 {
			w.event("busy", fmt.Sprint("e", i), 2*time.Hour)
			w.pass(time.Second)
			if n := metric(t, reg, "carillon_actors_at_rest"); n > 1 {
				t.Fatalf("both rest %d seconds after the start, a second after one was written to", i+1)
			}
		}
		if n := metric(t, reg, "carillon_snapshots_total"); n < 3 {
			t.Fatalf("%v snapshots, want two rounds at least", n)
		}
		rests("while one is written to", 1)
		w.pass(15 * time.Second)
		rests("when nobody is", 2)
	})
}

// tenUntilMidnight makes ten people with an event on the day after, one of whom has
// something due half a minute into it as well, and ends a second before it. The world
// begins at a midnight.
func (w *world) tenUntilMidnight() {
	w.t.Helper()
	for i := range 10 {
		id := fmt.Sprint("u", i)
		w.person(id, fmt.Sprintf("+1555010%04d", i))
		w.event(id, "e1", 26*time.Hour)
	}
	w.event("u9", "e2", 24*time.Hour+15*time.Minute+30*time.Second)
	w.pass(24*time.Hour - time.Second)
}

// A midnight leaves nobody up who has nothing due: what it planned is in the
// log, behind a snapshot or without one, and is found there by whoever asks, by
// the next round, by a start, and when it is due.
func TestWhoWasPlannedAtMidnightRests(t *testing.T) {
	for name, every := range map[string]time.Duration{"behind a snapshot": 10 * time.Second, "without one": 1000 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			inWorld(t, func(c *actors.Config) { c.Metrics, c.SnapshotEvery, c.Idle = reg, every, 1000*time.Hour }, func(w *world) {
				rests := func(when string, want float64) {
					t.Helper()
					if n := metric(t, reg, "carillon_actors_at_rest"); n != want {
						t.Errorf("%v rest %s, want %v", n, when, want)
					}
				}
				w.tenUntilMidnight()
				if got := w.statuses("u0"); got != "[]" {
					t.Errorf("u0 has %s on the day before", got)
				}
				w.pass(5 * time.Second)
				rests("after midnight", 9)
				if got := len(w.reminders("u0")); got != 1 {
					t.Errorf("u0 has %d reminders", got)
				}
				w.event("u1", "e3", 3*time.Hour)
				if got := len(w.reminders("u1")); got != 2 {
					t.Errorf("u1 has %d reminders", got)
				}
				rests("after two were asked for", 7)
				w.pass(time.Minute) // with a round, or none
				if got := len(w.reminders("u2")); got != 1 {
					t.Errorf("u2 has %d reminders", got)
				}
				if every > time.Hour {
					reg = prometheus.NewRegistry()
					w.crash()
				}
				w.pass(4 * time.Hour)
				if got := len(w.carrier.texts()); got != 12 {
					t.Errorf("%d of 12 texts left", got)
				}
				if err := w.check(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Nobody is in memory at most people's midnight. Who is read for it alone does not
// keep its state either: a zone of a million would have four gigabytes.
func TestWhoIsReadForMidnightRests(t *testing.T) {
	reg := prometheus.NewRegistry()
	inWorld(t, func(c *actors.Config) { c.Metrics, c.SnapshotEvery, c.Idle = reg, 1000*time.Hour, time.Minute }, func(w *world) {
		up := func(when string, want float64) {
			t.Helper()
			if n := metric(t, reg, "carillon_actors_alive") - metric(t, reg, "carillon_actors_at_rest"); n != want {
				t.Errorf("%v are up %s, want %v", n, when, want)
			}
		}
		w.tenUntilMidnight()
		if n := metric(t, reg, "carillon_actors_alive"); n != 0 {
			t.Fatalf("%v actors before midnight, want none", n)
		}
		w.pass(5 * time.Second)
		up("after midnight", 1)
		if got := strings.Count(w.kinds("u0"), "plan_ran"); got != 2 {
			t.Errorf("planned %d times, want once when created and once at midnight", got)
		}
		w.event("u1", "e3", 3*time.Hour)
		up("after one of them was read and one written to", 3)
		w.pass(4 * time.Hour)
		if got := len(w.carrier.texts()); got != 12 {
			t.Errorf("%d of 12 texts left", got)
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
	})
}

// Who lies down behind a record that the disk does not have yet gets up with
// the state that decided it: a log that lacks the record would have the day
// planned twice.
func TestWhoLiesDownGetsUpBeforeTheFlush(t *testing.T) {
	reg := prometheus.NewRegistry()
	g := &gated{}
	inWorld(t, func(c *actors.Config) {
		g.put(c)
		c.Metrics, c.SnapshotEvery, c.Idle = reg, 1000*time.Hour, 1000*time.Hour
	}, func(w *world) {
		for range cap(g.gate) {
			g.gate <- struct{}{}
		}
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 26*time.Hour) // of the day after: the world begins at a midnight
		w.pass(24*time.Hour - time.Second)
		for len(g.gate) > 0 {
			<-g.gate
		}
		w.pass(5 * time.Second)
		if n := metric(t, reg, "carillon_actors_at_rest"); n != 1 {
			t.Fatalf("%v rest while the plan is being flushed, want 1", n)
		}
		start := w.now() + 3*time.Hour.Milliseconds()
		wrote := make(chan error, 1)
		go func() {
			_, err := w.try("ada", engine.Put(engine.CalendarEvent{ID: "e2", Title: "T", Start: start, End: start}))
			wrote <- err
		}()
		synctest.Wait()
		if len(wrote) != 0 {
			t.Fatal("answered before the flush")
		}
		close(g.gate)
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		if got := w.statuses("ada"); got != "[scheduled scheduled]" {
			t.Errorf("ada has %s", got)
		}
		if got := strings.Count(w.kinds("ada"), "plan_ran"); got != 2 {
			t.Errorf("planned %d times, want once when created and once at midnight", got)
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
	})
}

// What is due soon keeps its actor up: a minute later it would have to be read
// again.
func TestWhoIsDueSoonDoesNotRest(t *testing.T) {
	reg := prometheus.NewRegistry()
	inWorld(t, func(c *actors.Config) { c.Metrics, c.SnapshotEvery = reg, 10*time.Second }, func(w *world) {
		w.person("u1", "+15550100001")
		w.event("u1", "e1", 15*time.Minute+50*time.Second)
		w.pass(15 * time.Second)
		if n := metric(t, reg, "carillon_actors_at_rest"); n != 0 {
			t.Errorf("%v rest 35 seconds before a text", n)
		}
		w.pass(time.Minute)
		if got := len(w.carrier.texts()); got != 1 {
			t.Errorf("%d texts left", got)
		}
	})
}
