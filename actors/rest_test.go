package actors_test

import (
	"fmt"
	"reflect"
	"testing"
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
