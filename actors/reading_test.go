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
