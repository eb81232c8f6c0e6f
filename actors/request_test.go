package actors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"carillon/actors"
	"carillon/engine"
	"carillon/wal"
)

// gated is a log whose flushes wait for a gate, which is made in the bubble.
type gated struct {
	wal.Log
	gate chan struct{}
}

// put makes a node's log gated.
func (g *gated) put(c *actors.Config) {
	g.Log, g.gate = c.Log, make(chan struct{}, 10)
	c.Log = g
}

func (g *gated) Append(batch []wal.Entry) (uint64, error) {
	<-g.gate
	return g.Log.Append(batch)
}

// DESIGN 1: a read is an output too. It is not shown what a crash can still
// take back, so it waits behind the flush.
func TestReadWaitsForWhatItShows(t *testing.T) {
	g := &gated{}
	inWorld(t, g.put, func(w *world) {
		gate := g.gate
		for range cap(gate) {
			gate <- struct{}{}
		}
		w.person("ada", "+15550100001")
		for len(gate) > 0 {
			<-gate
		}
		wrote, read := make(chan error, 1), make(chan bool, 1)
		go func() { _, err := w.try("ada", engine.SetConsent{OptOut: true}); wrote <- err }()
		synctest.Wait()
		go func() {
			reply, _ := w.try("ada", engine.GetUser{})
			u, _ := reply.(engine.UserReply)
			read <- u.User.OptedOut
		}()
		synctest.Wait()
		if len(wrote)+len(read) != 0 {
			t.Fatal("something was answered before the flush")
		}
		gate <- struct{}{}
		synctest.Wait()
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		if !<-read {
			t.Error("the read does not show the write before it")
		}
		close(gate)
	})
}

// Back-pressure is at the door: who comes when too many are in flight is
// refused and told when to come again.
func TestTooManyInFlightAreRefused(t *testing.T) {
	g := &gated{}
	inWorld(t, func(c *actors.Config) { g.put(c); c.MaxInFlight = 2 }, func(w *world) {
		done := make(chan error, 2)
		for _, id := range []string{"ada", "bob"} {
			go func() {
				_, err := w.try(id, engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
				done <- err
			}()
		}
		synctest.Wait()
		_, err := w.try("eve", engine.GetUser{})
		var f *actors.Fault
		if !errors.As(err, &f) || !errors.Is(err, actors.ErrOverloaded) {
			t.Fatalf("error %v", err)
		}
		if code, after := f.Fault(); code != "overloaded" || after <= 0 {
			t.Errorf("%s, %v", code, after)
		}
		close(g.gate)
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// Idempotency (SPEC 9): the key is in the journal, so that a repeated request
// after a crash makes no second reminder.
func TestIdempotencyKeyOutlivesACrash(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		now := w.now()
		post := func() engine.ReminderReply {
			t.Helper()
			reply, err := w.node.Do(context.Background(), "ada", engine.CreateReminder{Text: "T", SendAt: now + 60_000}, "key-1", 7)
			r, ok := reply.(engine.ReminderReply)
			if err != nil || !ok {
				t.Fatalf("%v %v", reply, err)
			}
			return r
		}
		first := post()
		w.crash()
		if again := post(); again.Reminder.ID != first.Reminder.ID || again.Created {
			t.Errorf("%s, then %s", first.Reminder.ID, again.Reminder.ID)
		}
		if got := len(w.reminders("ada")); got != 1 {
			t.Errorf("%d reminders", got)
		}
	})
}

func (w *world) now() engine.Millis { return actors.SystemClock{}.Now() }
