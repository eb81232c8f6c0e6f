package codec

import "carillon/engine"

// The fields of the events of a reminder and of its messages.

func (c *coder) reminderPlanned(e *engine.ReminderPlanned) {
	if c.reading {
		e.Reminder = new(engine.PlannedReminder)
	}
	c.plannedReminder(1, e.Reminder)
}

func (c *coder) reminderMoved(e *engine.ReminderMoved) {
	text(c, 1, &e.ID)
	signed(c, 2, &e.Due)
	signed(c, 3, &e.Deadline)
	signed(c, 4, &e.On)
	text(c, 5, &e.Title)
	signed(c, 6, &e.Start)
	signed(c, 7, &e.End)
	unsigned(c, 8, &e.Reason)
}

func (c *coder) reminderSkipped(e *engine.ReminderSkipped) {
	text(c, 1, &e.EventID)
	signed(c, 2, &e.Lead)
	signed(c, 3, &e.Occ)
	signed(c, 4, &e.At)
	unsigned(c, 5, &e.Reason)
}

func (c *coder) reminderCanceled(e *engine.ReminderCanceled) {
	text(c, 1, &e.ID)
	unsigned(c, 2, &e.Reason)
}

func (c *coder) cancelAsked(e *engine.CancelAsked) {
	text(c, 1, &e.ID)
	unsigned(c, 2, &e.Reason)
}

func (c *coder) retryPlanned(e *engine.RetryPlanned) {
	text(c, 1, &e.ID)
	signed(c, 2, &e.At)
}

func (c *coder) reminderFailed(e *engine.ReminderFailed) {
	text(c, 1, &e.ID)
	unsigned(c, 2, &e.Reason)
	boolean(c, 3, &e.KeepPlace)
}

func (c *coder) attemptStarted(e *engine.AttemptStarted) {
	text(c, 1, &e.ID)
	text(c, 2, &e.MessageID)
	text(c, 3, &e.To)
	text(c, 4, &e.Text)
	unsigned(c, 5, &e.Via)
	unsigned(c, 6, &e.Encoding)
	signed(c, 7, &e.Segments)
	signed(c, 8, &e.On)
	signed(c, 9, &e.ValidUntil)
	boolean(c, 10, &e.Assumed)
	signed(c, 11, &e.Since)
	text(c, 12, &e.Sender)
}

func (c *coder) messageAccepted(e *engine.MessageAccepted) {
	text(c, 1, &e.ID)
	text(c, 2, &e.MessageID)
	text(c, 3, &e.SID)
	unsigned(c, 4, &e.Status)
	text(c, 5, &e.By)
	signed(c, 6, &e.ConfirmAt)
}

func (c *coder) messageRefused(e *engine.MessageRefused) {
	text(c, 1, &e.ID)
	text(c, 2, &e.MessageID)
	c.failure(3, &e.Failure)
	boolean(c, 4, &e.NotMade)
}

func (c *coder) messageRecorded(e *engine.MessageRecorded) {
	text(c, 1, &e.ID)
	text(c, 2, &e.MessageID)
}

func (c *coder) attemptUncertain(e *engine.AttemptUncertain) {
	text(c, 1, &e.ID)
	text(c, 2, &e.MessageID)
	unsigned(c, 3, &e.Reason)
	text(c, 4, &e.Cause)
	signed(c, 5, &e.LookupAt)
}

func (c *coder) lookupDone(e *engine.LookupDone) {
	text(c, 1, &e.ID)
	text(c, 2, &e.MessageID)
	boolean(c, 3, &e.Absent)
	signed(c, 4, &e.LookupAt)
}

func (c *coder) messageReported(e *engine.MessageReported) {
	text(c, 1, &e.ID)
	text(c, 2, &e.MessageID)
	text(c, 3, &e.SID)
	unsigned(c, 4, &e.Status)
	c.failure(5, &e.Failure)
}

func (c *coder) textComposed(e *engine.TextComposed) {
	text(c, 1, &e.ID)
	fixed(c, 2, &e.Content)
	unsigned(c, 3, &e.Outcome)
	text(c, 4, &e.Why)
	text(c, 5, &e.Text)
	text(c, 6, &e.Phrase)
	text(c, 7, &e.Model)
	signed(c, 8, &e.PromptTokens)
	signed(c, 9, &e.CachedTokens)
	signed(c, 10, &e.CompletionTokens)
	signed(c, 11, &e.CostMicros)
	text(c, 12, &e.Priced)
}

func (c *coder) reminderConfirmed(e *engine.ReminderConfirmed) {
	text(c, 1, &e.ID)
	text(c, 2, &e.By)
}
