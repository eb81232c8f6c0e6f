package actors

import (
	"sync"

	"carillon/engine"
)

// steps knows when the wall clock was last set ahead. An instant that it says has
// come then came too soon: what another machine needs real time for, as a carrier
// does to list what it has (S3), is not done by it.
//
// Nothing is watched. Who begins to wait looks, and so does who has waited: what
// the wall clock is ahead of a steady one has grown in between, or it has not.
type steps struct {
	clock Clock

	mu    sync.Mutex
	ahead engine.Millis // what the wall clock is ahead of the steady one, and was since at least
	at    engine.Millis // when it was last found set ahead, or the process began; steady
}

// grain is how far two readings may differ that are both cut to milliseconds.
const grain = engine.Millis(5)

func newSteps(c Clock) *steps {
	now, steady := c.Steady()
	return &steps{clock: c, ahead: now - steady, at: steady}
}

// look notes that somebody begins to wait by the wall clock, and returns for how
// long it has not been set ahead. A clock that goes back makes them wait longer,
// but then it may go ahead again.
func (s *steps) look() engine.Millis {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, steady := s.clock.Steady()
	switch ahead := now - steady; {
	case ahead > s.ahead+grain:
		s.ahead, s.at = ahead, steady
	case ahead < s.ahead:
		s.ahead = ahead
	}
	return steady - s.at
}

// lacks is what who has waited so long by the wall clock may lack of it really; 0:
// nothing.
func (s *steps) lacks(d engine.Millis) engine.Millis {
	if left := d - s.look(); left > grain {
		return left
	}
	return 0
}
