//go:build linux

package proc

import (
	"fmt"
	"sync"
	"time"
)

// kind is what a person is there to show.
type kind int

const (
	open     kind = iota // everything is welcome
	limited              // a daily limit, and more asked for
	quiet                // it is quiet all the time
	wavering             // STOP and START, opt-out and opt-in
	resting              // quiet hours that come and go
	kindCount
)

// dailyLimit is that of limited people.
const dailyLimit = 3

// ledger is what was acknowledged, to everybody.
type ledger struct {
	mu     sync.Mutex
	people []*person
	claims map[string]*claim // by the token that a text carries
	serial int
}

func newLedger() *ledger { return &ledger{claims: map[string]*claim{}} }

// claim is a text that somebody asked for. Its token is in the text, and in no
// other.
type claim struct {
	token string
	who   *person
	// from and until are when it may be accepted: not before it is due, not
	// when it is of no use any more.
	from, until int64
	custom      bool
	acked       bool   // to have been stored
	id          string // of a custom reminder that was acknowledged
	withdrawn   int64  // when it was acknowledged that it is not wanted; 0: never
	canceled    int64  // when the answer showed it cancelled: it must not go any more; 0: never
	probe       bool   // after everything healed: it must go
}

// calendarEvent is what a client knows of an event: what was acknowledged
// last, and what may have come since.
type calendarEvent struct {
	id      string
	version int64
	acked   *eventState
	maybe   []eventState
	looked  bool // since it last changed
}

type eventState struct {
	version int64
	title   string
	claim   *claim // nil: it is days away
	deleted bool
}

// span is a time in which nothing may be sent.
type span struct {
	from, to int64 // to 0: it lasts
	strict   bool  // it began before there was anything to send
}

// person is one user and its client.
type person struct {
	id, number, zone string
	kind             kind

	mu       sync.Mutex // held while a request of theirs is under way
	events   []*calendarEvent
	customs  []*claim
	out      []span // opted out, as was acknowledged
	hush     []span // quiet
	texts    int    // asked for
	complete bool   // set up
	retired  bool
	unsureOf bool  // whether they are opted out
	erased   int64 // when it was acknowledged that they are; 0: never
	perhaps  bool  // nobody knows whether they are
}

// newPerson gives a person an id and a number that nobody had.
func (l *ledger) newPerson(k kind, now time.Time) *person {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial++
	p := &person{id: fmt.Sprintf("p%d", l.serial), number: fmt.Sprintf("+1555%07d", 2_000_000+l.serial), zone: noonZone(now), kind: k}
	l.people = append(l.people, p)
	return p
}

// everybody returns who there is.
func (l *ledger) everybody() []*person {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*person(nil), l.people...)
}

// claim invents a token for a text.
func (l *ledger) claim(p *person, from, until int64) *claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &claim{token: fmt.Sprintf("K%dK", len(l.claims)+1), who: p, from: from, until: until}
	l.claims[c.token] = c
	p.texts++
	return c
}

// noonZone is a zone in which it is about noon, so that no midnight comes
// while the campaign runs.
func noonZone(now time.Time) string {
	switch east := 12 - now.UTC().Hour(); {
	case east > 0:
		return fmt.Sprintf("Etc/GMT-%d", east)
	case east < 0:
		return fmt.Sprintf("Etc/GMT+%d", -east)
	}
	return "Etc/UTC"
}

func shut(spans []span, at int64) {
	if n := len(spans); n > 0 && spans[n-1].to == 0 {
		spans[n-1].to = at
	}
}
