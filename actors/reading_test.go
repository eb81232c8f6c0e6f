package actors_test

import (
	"fmt"
	"testing"
	"time"

	"carillon/engine"
)

// A read at the very moment that something is due owes no effects; it must not
// move the wake that does. Somebody who watches a reminder would make it late
// by a minute.
func TestReadingDelaysNothing(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		const people = 20
		w.pass(500 * time.Microsecond) // alarms ring up to a millisecond late, and that is when it matters
		for i := range people {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.CreateReminder{Text: "T", SendAt: time.Now().Add(10 * time.Second).UnixMilli()})
		}
		due := time.Now().Add(10 * time.Second)
		for time.Now().Before(due.Add(5 * time.Second)) {
			for i := range people {
				w.do(fmt.Sprint("u", i), engine.GetUser{})
			}
			w.pass(500 * time.Microsecond)
		}
		if got := len(w.carrier.texts()); got != people {
			t.Errorf("%d of %d left within 5 seconds of their time", got, people)
		}
	})
}

// What is overdue ends, however often its person is looked at: a read does not
// put off the minute after which it is looked at again.
func TestReadsDoNotPutOffWhatIsOverdue(t *testing.T) {
	inWorld(t, nil, func(w *world) { // at midnight UTC of 2000-01-01
		w.person("ada", "+15550100001")
		w.do("ada", engine.UpdateUser{Zone: engine.Some("Etc/GMT+8"), AllDayAt: engine.Some[int16](20 * 60)})
		const lastOf1999 = 10956
		w.do("ada", engine.Put(engine.CalendarEvent{ID: "e1", Title: "Rent", AllDay: true, Date: lastOf1999, EndDate: lastOf1999 + 1}))
		if got := w.statuses("ada"); got != "[scheduled]" {
			t.Fatalf("at 16:00 of that day: %s", got)
		}
		w.do("ada", engine.UpdateUser{Zone: engine.Some("Etc/GMT-14")}) // where that day is over
		for range 10 {
			w.pass(20 * time.Second)
			w.statuses("ada")
		}
		if got := w.statuses("ada"); got != "[cancelled]" {
			t.Errorf("three minutes after: %s", got)
		}
	})
}
