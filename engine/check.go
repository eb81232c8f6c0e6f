package engine

import (
	"errors"
	"fmt"
)

// Checker checks one state after the other.
type Checker struct{ reminders, messages idSet }

// Check holds what is true of every state that Decide leaves, and names the
// first thing that is not. A store is checked with it.
func (u *User) Check() error { return new(Checker).Check(u) }

// Check is User.Check, in the room that the last one took.
func (c *Checker) Check(u *User) error {
	n := 0
	for i := range u.Reminders {
		n += len(u.Reminders[i].Messages)
	}
	c.reminders.empty(len(u.Reminders))
	c.messages.empty(n)
	for _, r := range u.Reminders {
		if !c.reminders.add(r.ID) {
			return fmt.Errorf("reminder %s is there twice", r.ID)
		}
		if err := r.check(); err != nil {
			return fmt.Errorf("reminder %s: %w", r.ID, err)
		}
		for j := range r.Messages {
			if id := r.Messages[j].ID; !c.messages.add(id) {
				return fmt.Errorf("message %s is there twice", id)
			}
		}
	}
	for i := 1; i < len(u.Events); i++ {
		if u.Events[i-1].ID >= u.Events[i].ID {
			return fmt.Errorf("events %q and %q are out of order", u.Events[i-1].ID, u.Events[i].ID)
		}
	}
	return nil
}

// check holds what is true of every reminder.
func (r *Reminder) check() error {
	switch {
	case r.Status == StatusNone || r.Status >= statusCount:
		return errors.New("has no status")
	case r.Attempts > MaxAttempts || r.made() != int(r.Attempts):
		return fmt.Errorf("%d attempts and %d messages", r.Attempts, len(r.Messages))
	case r.Reserved && r.Spent:
		return errors.New("its place is held and spent (P5)")
	case r.Reserved && r.ended():
		return errors.New("it has ended and holds a place (P5)")
	case r.pending() && !r.Reserved && !r.Spent:
		return errors.New("it is pending without a place (P5)")
	case r.Status == StatusDelivered && r.DeliveredAt == 0:
		return errors.New("it is delivered at no time")
	case r.Deadline != 0 && r.Due > r.Deadline:
		return errors.New("it is due behind its deadline")
	}
	return nil
}

// made counts the messages that are hand-overs.
func (r *Reminder) made() int {
	n := len(r.Messages)
	for i := range r.Messages {
		if r.Messages[i].NotMade {
			n--
		}
	}
	return n
}

// idSet is a set of as many ids as it was made for. A map of them was most of
// what a check costs.
type idSet struct{ slots []string }

// empty makes room for n ids, twice as much as they need.
func (s *idSet) empty(n int) {
	size := 8
	for size < 2*n {
		size *= 2
	}
	if cap(s.slots) < size {
		s.slots = make([]string, size)
	}
	s.slots = s.slots[:size]
	clear(s.slots)
}

// add reports whether the id was not there. An empty id is no id, and passes.
func (s *idSet) add(id string) bool {
	h := uint64(len(id))
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 0x100000001b3
	}
	mask := len(s.slots) - 1
	for at := int(h>>32) & mask; ; at = (at + 1) & mask {
		switch s.slots[at] {
		case "":
			s.slots[at] = id
			return true
		case id:
			return false
		}
	}
}
