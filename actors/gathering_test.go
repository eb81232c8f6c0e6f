package actors_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"carillon/actors"
	"carillon/engine"
)

// versions are puts of one event, a title each.
func versions(user string, n int) []engine.Call {
	calls := make([]engine.Call, 0, n)
	for i := range n {
		e := engine.CalendarEvent{ID: "e", Title: fmt.Sprint(i), Start: 4_000_000_000_000, End: 4_000_000_000_000}
		calls = append(calls, engine.Call{UserID: user, Cmd: engine.Put(e)})
	}
	return calls
}

// open lets pass what do flushes.
func (g *gated) open(do func()) {
	for range cap(g.gate) {
		g.gate <- struct{}{}
	}
	do()
	for len(g.gate) > 0 {
		<-g.gate
	}
}

// DoAll decides one user's commands in their order, refuses each on its own,
// and returns when all of them are flushed, which takes one flush.
func TestManyCommandsShareAFlush(t *testing.T) {
	g := &gated{}
	inWorld(t, g.put, func(w *world) {
		g.open(func() { w.person("ada", "+15550100001") })
		calls := append(versions("ada", 50), versions("nobody", 1)...)
		done := make(chan bool, 1)
		go func() { w.node.DoAll(context.Background(), calls); done <- true }()
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("it returned before the flush")
		}
		// The first record may have left alone; what came meanwhile goes at once.
		g.gate <- struct{}{}
		g.gate <- struct{}{}
		synctest.Wait()
		if len(done) == 0 {
			t.Fatal("50 commands of one user need more than two flushes")
		}
		close(g.gate)
		for i, c := range calls[:50] {
			e, ok := c.Reply.(engine.EventReply)
			if c.Err != nil || !ok || e.Event.Title != fmt.Sprint(i) || e.Created != (i == 0) {
				t.Errorf("command %d: %+v, %v", i, c.Reply, c.Err)
			}
		}
		if no, ok := calls[50].Reply.(engine.Refusal); !ok || no.Code != engine.CodeUserNotFound {
			t.Errorf("an event of nobody: %+v, %v", calls[50].Reply, calls[50].Err)
		}
	})
}

// What is refused at the door is refused for its command alone.
func TestManyCommandsAreAdmittedOneByOne(t *testing.T) {
	g := &gated{}
	inWorld(t, func(c *actors.Config) { g.put(c); c.MaxInFlight = 2 }, func(w *world) {
		calls := versions("ada", 3)
		done := make(chan bool)
		go func() { w.node.DoAll(context.Background(), calls); close(done) }()
		synctest.Wait()
		close(g.gate)
		<-done
		if !errors.Is(calls[2].Err, actors.ErrOverloaded) || calls[0].Err != nil || calls[1].Err != nil {
			t.Errorf("%v, %v, %v", calls[0].Err, calls[1].Err, calls[2].Err)
		}
	})
}

// A caller that can't wait any longer is told that the outcome is not known,
// and an answer that comes later finds nobody.
func TestManyCommandsWhoseCallerLeaves(t *testing.T) {
	g := &gated{}
	inWorld(t, g.put, func(w *world) {
		g.open(func() { w.person("ada", "+15550100001") })
		ctx, leave := context.WithCancel(context.Background())
		calls := versions("ada", 3)
		done := make(chan bool)
		go func() { w.node.DoAll(ctx, calls); close(done) }()
		synctest.Wait()
		leave()
		<-done
		for i, c := range calls {
			if !errors.Is(c.Err, actors.ErrUnknownOutcome) || c.Reply != nil {
				t.Errorf("command %d: %+v, %v", i, c.Reply, c.Err)
			}
		}
		close(g.gate)
		synctest.Wait()
		if e, ok := w.do("ada", engine.GetEvent{ID: "e"}).(engine.EventReply); !ok || e.Event.Title != "2" {
			t.Errorf("the commands were lost: %+v", e)
		}
		if calls[2].Reply != nil {
			t.Error("a late answer was written")
		}
	})
}
