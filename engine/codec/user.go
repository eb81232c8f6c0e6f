package codec

import (
	"google.golang.org/protobuf/encoding/protowire"

	"carillon/engine"
)

// The fields of the state.

func (c *coder) user(u *engine.User) {
	text(c, 1, &u.ID)
	boolean(c, 2, &u.Exists)
	text(c, 3, &u.Zone)
	c.preferences(4, &u.Prefs)
	text(c, 5, &u.Phone)
	boolean(c, 6, &u.Verified)
	c.day(7, &u.Day)
	unsigned(c, 8, &u.EventSeq)
	signed(c, 9, &u.CreatedAt)
	signed(c, 10, &u.UpdatedAt)
	c.storedEvents(11, &u.Events)
	c.reminders(12, &u.Reminders)
	for i := range list(c, 13, &u.Spent) {
		c.dayCount(13, &u.Spent[i])
	}
	packed(c, 14, &u.Starts)
	for i := range list(c, 15, &u.Keys) {
		c.usedKey(15, &u.Keys[i])
	}
	text(c, 16, &u.PendingPhone)
	boolean(c, 17, &u.OptedOut)
	boolean(c, 18, &u.Paused)
	signed(c, 19, &u.Fence)
	text(c, 20, &u.Sender)
	signed(c, 21, &u.StartedAt)
	for i := range list(c, 22, &u.Calendars) {
		c.calendar(22, &u.Calendars[i])
	}
}

// storedEvents reads what the events say into pieces of three. A piece of more than 512
// bytes begins with a pointer of the allocator's, and fresh memory is not to be written
// to by a pointer first (writeFirst).
func (c *coder) storedEvents(n protowire.Number, x *[]engine.StoredEvent) {
	const piece = 3
	size := list(c, n, x)
	if c.reading && size > 0 {
		writeFirst(&(*x)[0].UpdatedAt)
		var said []engine.CalendarEvent
		for i := range size {
			if len(said) == 0 {
				said = make([]engine.CalendarEvent, min(piece, size-i))
			}
			(*x)[i].CalendarEvent, said = &said[0], said[1:]
		}
	}
	for i := range size {
		c.storedEvent(n, &(*x)[i])
	}
}

func (c *coder) storedEvent(n protowire.Number, x *engine.StoredEvent) {
	if !c.item(n) {
		return
	}
	c.calendarEvent(1, x.CalendarEvent)
	boolean(c, 2, &x.Deleted)
	signed(c, 3, &x.UpdatedAt)
	for i := range list(c, 4, &x.Skips) {
		c.skip(4, &x.Skips[i])
	}
	c.close()
}

func (c *coder) skip(n protowire.Number, x *engine.Skip) {
	if !c.item(n) {
		return
	}
	signed(c, 1, &x.Lead)
	signed(c, 2, &x.Occ)
	unsigned(c, 3, &x.Reason)
	c.close()
}

// reminders reads each with its plan into one piece.
func (c *coder) reminders(n protowire.Number, x *[]*engine.Reminder) {
	if c.reading {
		if size := c.count(n); size > 0 {
			all := make([]struct {
				reminder engine.Reminder
				planned  engine.PlannedReminder
			}, size)
			*x = make([]*engine.Reminder, size)
			for i := range all {
				all[i].reminder.PlannedReminder = &all[i].planned
				(*x)[i] = &all[i].reminder
			}
		}
	}
	for _, r := range *x {
		c.reminder(n, r)
	}
}

// The first fifteen numbers take one byte and went to what most reminders
// have.
func (c *coder) reminder(n protowire.Number, x *engine.Reminder) {
	if !c.item(n) {
		return
	}
	text(c, 1, &x.ID)
	text(c, 2, &x.EventID)
	text(c, 3, &x.Title)
	signed(c, 4, &x.Lead)
	signed(c, 5, &x.Occ)
	signed(c, 6, &x.Start)
	signed(c, 7, &x.End)
	unsigned(c, 8, &x.Status)
	unsigned(c, 9, &x.Priority)
	signed(c, 10, &x.Due)
	signed(c, 11, &x.Deadline)
	signed(c, 12, &x.On)
	boolean(c, 13, &x.Reserved)
	signed(c, 14, &x.CreatedAt)
	signed(c, 15, &x.UpdatedAt)
	unsigned(c, 16, &x.Type)
	boolean(c, 17, &x.AllDay)
	unsigned(c, 18, &x.Reason)
	signed(c, 19, &x.RetryAt)
	boolean(c, 20, &x.Spent)
	signed(c, 21, &x.Attempts)
	unsigned(c, 22, &x.CancelAsked)
	c.lastError(23, &x.LastError)
	for i := range list(c, 24, &x.Messages) {
		c.message(24, &x.Messages[i])
	}
	signed(c, 25, &x.SentAt)
	signed(c, 26, &x.DeliveredAt)
	signed(c, 27, &x.CanceledAt)
	c.composed(28, &x.Composed)
	signed(c, 29, &x.ConfirmedAt)
	text(c, 30, &x.SnoozeOf)
	signed(c, 31, &x.AskedAt)
	c.close()
}

func (c *coder) composition(n protowire.Number, x *engine.Composition) {
	if !c.begin(n) {
		return
	}
	fixed(c, 1, &x.Of)
	unsigned(c, 2, &x.Outcome)
	text(c, 3, &x.Text)
	text(c, 4, &x.Phrase)
	text(c, 5, &x.Model)
	signed(c, 6, &x.PromptTokens)
	signed(c, 7, &x.CachedTokens)
	signed(c, 8, &x.CompletionTokens)
	signed(c, 9, &x.CostMicros)
	signed(c, 10, &x.Tries)
	c.close()
}

func (c *coder) message(n protowire.Number, x *engine.Message) {
	if !c.item(n) {
		return
	}
	text(c, 1, &x.ID)
	text(c, 2, &x.SID)
	text(c, 3, &x.To)
	text(c, 4, &x.Text)
	unsigned(c, 5, &x.Via)
	unsigned(c, 6, &x.Encoding)
	signed(c, 7, &x.Segments)
	unsigned(c, 8, &x.Status)
	c.failure(9, &x.Error)
	signed(c, 10, &x.ValidUntil)
	signed(c, 11, &x.CreatedAt)
	signed(c, 12, &x.UpdatedAt)
	signed(c, 13, &x.SentAt)
	signed(c, 14, &x.DeliveredAt)
	signed(c, 15, &x.LookupAt)
	signed(c, 16, &x.Absent)
	text(c, 17, &x.Sender)
	boolean(c, 18, &x.Restored)
	boolean(c, 19, &x.NotMade)
	c.close()
}

func (c *coder) dayCount(n protowire.Number, x *engine.DayCount) {
	if !c.item(n) {
		return
	}
	signed(c, 1, &x.On)
	signed(c, 2, &x.Spent)
	c.close()
}

func (c *coder) usedKey(n protowire.Number, x *engine.UsedKey) {
	if !c.item(n) {
		return
	}
	text(c, 1, &x.Key)
	fixed(c, 2, &x.Hash)
	text(c, 3, &x.Ref)
	signed(c, 4, &x.At)
	c.close()
}
