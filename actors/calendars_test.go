package actors_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// feed is a source of calendars that keeps count.
type feed struct {
	mu    sync.Mutex
	asked int
	hold  chan struct{} // Read waits for it, if there is one
}

func (f *feed) Read(_ context.Context, q provider.CalendarQuery) (provider.CalendarReading, error) {
	f.mu.Lock()
	f.asked++
	n, hold := f.asked, f.hold
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	start := q.Start + 48*time.Hour.Milliseconds()
	return provider.CalendarReading{
		Whole: true, Cursor: fmt.Sprint(n), Events: []engine.CalendarEvent{{ID: "e1", Title: "Lunch", Start: start, End: start}},
	}, nil
}

func (f *feed) wait(hold chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = hold
}

func (f *feed) reads() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// W3: nobody waits for a connected calendar. While the disk is low none is read, and
// what has been read is kept; it is recorded, and what has become due is read, as soon
// as there is room.
func TestCalendarsWaitForRoomOnTheDisk(t *testing.T) {
	var low atomic.Bool
	source := &feed{}
	inWorld(t, func(c *actors.Config) { c.Calendars, c.LowOnSpace = source, low.Load }, func(w *world) {
		w.person("ada", "+15550100001")
		w.person("bob", "+15550100002")
		w.do("bob", engine.ConnectCalendar{Source: "https://calendar.example/bob"})
		w.pass(13 * time.Minute)
		if got := w.calendar("bob"); got.ReadAt == 0 {
			t.Fatal("bob's was not read")
		}
		hold := make(chan struct{})
		source.wait(hold)
		w.do("ada", engine.ConnectCalendar{Source: "https://calendar.example/ada"})
		w.pass(time.Second)
		if got := source.reads(); got != 2 {
			t.Fatalf("%d readings were begun, want bob's and ada's", got)
		}
		low.Store(true)
		w.pass(2 * time.Second)
		next := w.log.NextSeq()
		close(hold)
		w.pass(20 * time.Minute) // bob's is due
		if got := w.log.NextSeq(); got != next {
			t.Errorf("%d records are written while the disk is low", got-next)
		}
		if got := source.reads(); got != 2 {
			t.Errorf("%d readings are begun while the disk is low", got-2)
		}
		low.Store(false)
		w.pass(2 * time.Second)
		if got := w.calendar("ada"); got.Cursor != "2" {
			t.Errorf("what was read of ada's is lost: %+v", got)
		}
		if got := w.calendar("bob"); got.Cursor != "3" {
			t.Errorf("bob's is not read: %+v", got)
		}
		if got := source.reads(); got != 3 {
			t.Errorf("%d readings in all, want 3", got)
		}
	})
}

// SPEC 9: the decision about the first of two readings finds the second calendar
// due still. When both are flushed at once, that must not be heard behind the end of
// the second reading: its source may have asked to be left alone.
func TestCalendarsThatAreRecordedInOneBatchAreReadOnce(t *testing.T) {
	g, source := &gated{}, &feed{}
	inWorld(t, func(c *actors.Config) { g.put(c); c.Calendars = source }, func(w *world) {
		hold := make(chan struct{})
		source.wait(hold)
		g.open(func() {
			w.person("ada", "+15550100001")
			w.person("bob", "+15550100002")
			for n := range 2 {
				w.do("ada", engine.ConnectCalendar{Source: fmt.Sprint("https://calendar.example/ada/", n)})
			}
			synctest.Wait()
		})
		wrote := make(chan error, 1)
		go func() { _, err := w.try("bob", engine.SetConsent{OptOut: true}); wrote <- err }()
		synctest.Wait()
		close(hold) // while bob's record is being flushed: both readings go into the batch behind it
		synctest.Wait()
		g.gate <- struct{}{}
		synctest.Wait()
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		flushed := w.log.NextSeq()
		g.gate <- struct{}{}
		synctest.Wait()
		if n := w.log.NextSeq() - flushed; n != 2 {
			t.Fatalf("%d records are in the batch behind bob's, and not both readings", n)
		}
		close(g.gate)
		w.pass(time.Second)
		if got := source.reads(); got != 2 {
			t.Errorf("two calendars were read %d times", got)
		}
	})
}

// calendar is the one that somebody has connected.
func (w *world) calendar(user string) engine.Calendar {
	w.t.Helper()
	items := w.do(user, engine.GetCalendars{}).(engine.CalendarsReply).Items
	if len(items) != 1 {
		w.t.Fatalf("%s has %d calendars", user, len(items))
	}
	return items[0]
}
