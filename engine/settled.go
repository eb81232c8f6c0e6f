package engine

import "math"

// Settled is what is known of a user's plan: that planning again would change
// nothing until the local day ends or the state changes, what is left of the
// limit, and when the next wake is. A shell may keep one for each user whose
// state it holds, and hand it in with every decision. Then an event that comes
// is planned alone, and the others need not be looked at. It changes no
// decision: a law compares every one with that of a full plan.
//
// Once nobody is turned away for the limit and no reminder stands elsewhere
// than the plan would have it, time alone changes nothing within a day: who
// pends keeps its due time and its date, who was skipped stays so for the
// reason that was said, and a place is only taken.
type Settled struct {
	seq   uint64    // the EventSeq of the state that it is true of
	since Millis    // when that was planned; a clock that went back proves nothing
	wake  Millis    // the earliest instant that has work; 0: not known
	on    Date      // the day's accounting date
	left  int32     // places that are free on it
	occs  [4]uint64 // a bit for each occurrence that the state has a reminder for, and perhaps for more
}

// Unsettled returns what is known before anything is: it is of no state, which is
// written down, since the next thing is to look (codec.writeFirst says what that costs).
func Unsettled() *Settled { return &Settled{seq: math.MaxUint64} }

// note remembers that there is a reminder for an occurrence: for one that nobody
// noted there is none, and no reminder need be looked at.
func (s *Settled) note(occ Millis) {
	word, bit := occBit(occ)
	s.occs[word] |= bit
}

// noted reports whether there may be one.
func (s *Settled) noted(occ Millis) bool {
	word, bit := occBit(occ)
	return s.occs[word]&bit != 0
}

// occBit spreads occurrences, which are whole minutes mostly, by the golden ratio
// (Knuth, The Art of Computer Programming 3, 6.4).
func occBit(occ Millis) (word int, bit uint64) {
	h := uint64(occ) * 0x9e3779b97f4a7c15
	return int(h >> 62), 1 << (h >> 56 & 63)
}

// of returns s if it holds for the state and that instant, else nil.
func (s *Settled) of(u *User, now Millis) *Settled {
	if s == nil || !u.Exists || s.seq != u.EventSeq || now < s.since || now >= u.Day.End {
		return nil
	}
	return s
}

// Wakes is User.Wakes, which it remembers.
func (s *Settled) Wakes(u *User, now Millis, p *Policy) (next, earliest Millis) {
	s = s.of(u, now)
	if s != nil && now < s.wake {
		return s.wake, s.wake
	}
	next, earliest = u.Wakes(now, p)
	if s != nil && !u.Paused { // one who pauses has two, and they are rare
		s.wake = earliest
	}
	return next, earliest
}

// nothingOwed reports whether it is known that the state owes no effects yet.
func (t *turn) nothingOwed() bool {
	s := t.env.Settled.of(t.u, t.env.Now)
	return s != nil && t.env.Now < s.wake
}

// settle notes that the plan which was just carried out settled everything.
func (t *turn) settle(p *planning) {
	s := t.env.Settled
	switch {
	case s == nil:
	case p.unsettled || t.env.Now < p.day.Start:
		*s = Settled{}
	default:
		*s = Settled{seq: t.u.EventSeq, since: t.env.Now, on: p.day.Account, left: p.room(p.day.Account).left}
		for _, r := range t.u.Reminders {
			s.note(r.Occ)
		}
	}
}

// replanOf is replan when nothing but the event at that place has changed; anew
// says that there was none of its id. Known is what was settled before.
func (t *turn) replanOf(place int, anew bool, known *Settled) {
	if known == nil {
		t.replan()
		return
	}
	if known.seq == t.u.EventSeq {
		return
	}
	p := planning{u: t.u, loc: t.zone(), day: t.u.Day, now: t.env.Now, asOf: t.env.Now}
	s := t.scratch()
	taken, ok := p.evaluateOf(s, &t.u.Events[place], anew, known)
	if !ok {
		t.replan()
		return
	}
	changes := t.changes(p.items)
	t.unmet = p.unmet
	t.emitAll(changes)
	t.unmet = false
	known.note(t.u.Events[place].occurrence())
	known.seq, known.since, known.left = t.u.EventSeq, t.env.Now, known.left-taken
	t.settleWake(known, anew, changes)
}

// settleWake moves the next wake forward to what was planned. Where something
// was changed or ended it may be later now: that is for NextWake to look up.
func (t *turn) settleWake(s *Settled, anew bool, changes []Event) {
	if s.wake == 0 || !anew {
		s.wake = 0
		return
	}
	for _, e := range changes {
		switch e := e.(type) { //nolint:gochecksumtype // the others change or end something
		case ReminderSkipped:
		case ReminderPlanned:
			t.u.wakesOf(t.u.reminder(e.Reminder.ID), &t.env.Policy, func(at, _ Millis) { s.wake = min(s.wake, at) })
		default:
			s.wake = 0
			return
		}
	}
}

// evaluateOf is evaluate for one event. It returns how many places of the day
// are taken, and false if it can't be told without the others.
func (p *planning) evaluateOf(s *Scratch, e *StoredEvent, anew bool, known *Settled) (taken int32, ok bool) {
	p.begin(s)
	p.alone = true
	if p.unmet = anew && !known.noted(e.occurrence()); !p.unmet {
		p.findMine(e, anew)
	}
	p.collectEvent(e)
	p.collectSnoozed()
	p.decideAll(s)
	for _, c := range p.competing(s) {
		if c.r != nil && c.r.pending() && c.r.On == c.On {
			continue // it has its place
		}
		if taken++; c.On != known.on || taken > known.left {
			return 0, false
		}
	}
	return taken, !p.unsettled
}

// findMine lists the event's reminders.
func (p *planning) findMine(e *StoredEvent, anew bool) {
	occ := e.occurrence()
	for j, r := range p.u.Reminders {
		// An event that was not there has no pending reminders: at most some that
		// ended, and they are of the same occurrence, or don't matter.
		if (!anew || r.Occ == occ) && r.Type == EventReminder && r.EventID == e.ID {
			p.mine = append(p.mine, j)
			if !r.ended() {
				p.live = append(p.live, j)
			}
		}
	}
}
