package engine

import (
	"errors"
	"fmt"
)

// Checker checks one state after the other.
type Checker struct{ reminders, messages map[string]bool } // ids of the state under way

// Check holds what is true of every state that Decide leaves, and names the
// first thing that is not. A store is checked with it.
func (u *User) Check() error { return new(Checker).Check(u) }

// Check is User.Check, in the room that the last one took.
func (c *Checker) Check(u *User) error {
	if c.reminders == nil {
		c.reminders, c.messages = make(map[string]bool, len(u.Reminders)), make(map[string]bool, len(u.Reminders))
	}
	clear(c.reminders)
	clear(c.messages)
	ids, messages := c.reminders, c.messages
	for i := range u.Reminders {
		r := &u.Reminders[i]
		if ids[r.ID] {
			return fmt.Errorf("reminder %s is there twice", r.ID)
		}
		ids[r.ID] = true
		if err := r.check(); err != nil {
			return fmt.Errorf("reminder %s: %w", r.ID, err)
		}
		for j := range r.Messages {
			id := r.Messages[j].ID
			if messages[id] {
				return fmt.Errorf("message %s is there twice", id)
			}
			messages[id] = true
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
	case r.Attempts > MaxAttempts || len(r.Messages) != int(r.Attempts):
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
