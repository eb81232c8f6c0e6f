package codec

import "carillon/engine"

// The fields of the events of a person and of a calendar. A new field takes
// the next number, at the end of its method.

func (c *coder) profileSet(e *engine.ProfileSet) {
	boolean(c, 1, &e.Created)
	text(c, 2, &e.Zone)
	c.preferences(3, &e.Prefs)
}

func (c *coder) phoneSet(e *engine.PhoneSet) {
	text(c, 1, &e.Phone)
	boolean(c, 2, &e.Verified)
	text(c, 3, &e.Pending)
	text(c, 4, &e.Had)
	text(c, 5, &e.By)
}

func (c *coder) verificationStarted(e *engine.VerificationStarted) {
	text(c, 1, &e.Phone)
}

func (c *coder) consentChanged(e *engine.ConsentChanged) {
	boolean(c, 1, &e.OptedOut)
	text(c, 2, &e.By)
	text(c, 3, &e.Text)
}

func (c *coder) userPaused(e *engine.UserPaused) {
	boolean(c, 1, &e.Paused)
}

func (c *coder) keyUsed(e *engine.KeyUsed) {
	text(c, 1, &e.Key)
	fixed(c, 2, &e.Hash)
	text(c, 3, &e.Ref)
}

func (c *coder) fenced(e *engine.Fenced) {
	signed(c, 1, &e.BackupAt)
}

func (c *coder) inboundReceived(e *engine.InboundReceived) {
	text(c, 1, &e.SID)
	text(c, 2, &e.Keyword)
	text(c, 3, &e.Text)
}

func (c *coder) commandQuarantined(e *engine.CommandQuarantined) {
	text(c, 1, &e.Command)
	text(c, 2, &e.Input)
	text(c, 3, &e.Cause)
}

func (c *coder) planRan(e *engine.PlanRan) {
	unsigned(c, 1, &e.Cause)
	c.day(2, &e.Day)
	signed(c, 3, &e.Seen)
	signed(c, 4, &e.Scheduled)
	for i := range list(c, 5, &e.Skipped) {
		c.reasonCount(5, &e.Skipped[i])
	}
	signed(c, 6, &e.Forget)
}

func (c *coder) eventPut(e *engine.EventPut) {
	if c.reading {
		e.Event = new(engine.CalendarEvent)
	}
	c.calendarEvent(1, e.Event)
}

func (c *coder) eventDeleted(e *engine.EventDeleted) {
	text(c, 1, &e.ID)
	signed(c, 2, &e.Version)
	boolean(c, 3, &e.HasVersion)
}

func (c *coder) calendarConnected(e *engine.CalendarConnected) {
	c.calendar(1, &e.Calendar)
}

func (c *coder) calendarDisconnected(e *engine.CalendarDisconnected) {
	text(c, 1, &e.ID)
}

func (c *coder) calendarAsked(e *engine.CalendarAsked) {
	text(c, 1, &e.ID)
	signed(c, 2, &e.NextAt)
}

func (c *coder) calendarRead(e *engine.CalendarRead) {
	text(c, 1, &e.ID)
	boolean(c, 2, &e.Whole)
	text(c, 3, &e.Cursor)
	c.channel(4, &e.Channel)
	signed(c, 5, &e.NextAt)
	signed(c, 6, &e.Created)
	signed(c, 7, &e.Updated)
	signed(c, 8, &e.Deleted)
}

func (c *coder) calendarFailed(e *engine.CalendarFailed) {
	text(c, 1, &e.ID)
	text(c, 2, &e.Problem)
	text(c, 3, &e.Cause)
	signed(c, 4, &e.NextAt)
}
