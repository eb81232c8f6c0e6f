package sim

import (
	"context"

	"carillon/actors/provider"
	"carillon/engine"
)

// number is one that texts come from, as the carrier has it (S6).
type number struct {
	downUntil    engine.Millis // true time: it is refused
	late         bool          // while it is down it takes messages, and gives them up later
	limitedUntil engine.Millis // true time: it is told to slow down, each time
	doubted      bool          // it was refused, and no hand-over has told since that it is not
	triedAt      engine.Millis // true time of the last hand-over, or of the last word that stops it
	disturbed    engine.Millis // when it last was not as it should be, which others are not held up by
}

// What the carrier says of the account, of a number when a message is handed
// over, and of one that it took.
const accountRefused = 20003

var (
	numberRefused = engine.Failure{Code: 21659, Category: engine.CategoryAccountIssue, Retry: engine.RetryNever, Message: "not a number of the account"}
	numberUnknown = engine.Failure{Code: 30034, Category: engine.CategoryAccountIssue, Retry: engine.RetryNever, Message: "not registered"}
)

// stops reports whether a failure is one of the whole sender (S5).
func stops(f engine.Failure) bool {
	return f.Code == accountRefused || f.Code == numberRefused.Code || f.Code == numberUnknown.Code
}

func (c *carrier) number(name string) *number {
	n := c.numbers[name]
	if n == nil {
		n = &number{}
		c.numbers[name] = n
	}
	return n
}

func (n *number) limits(now engine.Millis) bool  { return now < n.limitedUntil }
func (n *number) refuses(now engine.Millis) bool { return now < n.downUntil && !n.late }
func (n *number) loses(now engine.Millis) bool   { return now < n.downUntil && n.late }

// heal ends what is wrong with the account and its numbers.
func (c *carrier) heal() {
	c.downUntil = 0
	for _, n := range c.numbers {
		n.downUntil, n.limitedUntil = 0, 0
	}
}

// disturb notes that a number is not as it should be. In a pool that is nobody
// else's affair.
func (c *carrier) disturb(n *number) {
	if c.w.pool.on {
		n.disturbed = c.w.now
	}
}

// learned notes what an answer says about a number: one that is lost says
// nothing, and a stopped sender stays stopped (S5).
func (c *carrier) learned(n *number, pl *plan) {
	switch {
	case pl.panics, pl.lost != "":
	case !pl.accept && stops(pl.refusal):
		n.doubted = true
		c.w.receiver.refused()
	case n.doubted:
		n.doubted = false
		if c.disturb(n); !c.w.pool.on {
			c.w.disturb(c.w.now)
		}
	}
}

// told notes that the engine may hear of a message that was lost for a fault of
// its number: that stops the sender too.
func (c *carrier) told(name string, f engine.Failure) {
	if stops(f) {
		n := c.number(name)
		n.doubted, n.triedAt = true, c.w.now
		c.disturb(n)
	}
}

// stopped reports whether the engine may hold back who is texted from a number,
// since it has heard that it is refused and nothing else since. It tries every
// ten minutes at least.
func (c *carrier) stopped(n *number) bool { return n.doubted && c.w.now < n.triedAt+11*minute }

// holdsBack reports whether a number that the person may be texted from is
// stopped, or was not as it should be for so long.
func (c *carrier) holdsBack(p *person, d engine.Millis) bool {
	for _, name := range c.w.pool.mayBe(p.id) {
		if n := c.number(name); c.stopped(n) || n.disturbed != 0 && c.w.now-n.disturbed <= d {
			return true
		}
	}
	return false
}

// askable is a carrier that can be asked whether a fault is over. Of the account
// it knows; of a number only a message can tell.
type askable struct{ *sender }

var _ provider.Prober = askable{}

// Probe implements provider.Prober. Whichever number it is for, who is stopped
// for the account is asked about no later than by a hand-over.
func (s askable) Probe(_ context.Context, f engine.Failure) provider.Verdict {
	w := s.c.w
	for _, name := range w.pool.now {
		if n := s.c.number(name); n.doubted {
			n.triedAt = w.now
		}
	}
	switch {
	case !s.wait(w.d.between(20, 400)), f.Code != accountRefused:
		return provider.FaultUnknown
	case w.now < s.c.downUntil, w.faults.hit(FindDown, 0.3):
		return provider.FaultLasts
	}
	return provider.FaultOver
}
