package codec

import (
	"google.golang.org/protobuf/encoding/protowire"

	"carillon/engine"
)

// The fields of the values that events and the state have in common.

func (c *coder) preferences(n protowire.Number, x *engine.Preferences) {
	if !c.begin(n) {
		return
	}
	boolean(c, 1, &x.Reminders)
	packed(c, 2, &x.Leads)
	c.quiet(3, &x.Quiet)
	unsigned(c, 4, &x.QuietPolicy)
	signed(c, 5, &x.DailyLimit)
	signed(c, 6, &x.AllDayAt)
	boolean(c, 7, &x.AllowUrgent)
	c.close()
}

func (c *coder) quiet(n protowire.Number, x *engine.Quiet) {
	if !c.begin(n) {
		return
	}
	boolean(c, 1, &x.Set)
	unsigned(c, 2, &x.Start)
	unsigned(c, 3, &x.End)
	c.close()
}

func (c *coder) day(n protowire.Number, x *engine.Day) {
	if !c.begin(n) {
		return
	}
	signed(c, 1, &x.Date)
	signed(c, 2, &x.Start)
	signed(c, 3, &x.End)
	signed(c, 4, &x.Account)
	c.close()
}

func (c *coder) calendarEvent(n protowire.Number, x *engine.CalendarEvent) {
	if x == nil || !c.begin(n) { // writing only: none is an empty one
		return
	}
	text(c, 1, &x.ID)
	text(c, 2, &x.Title)
	signed(c, 3, &x.Start)
	signed(c, 4, &x.End)
	signed(c, 5, &x.Version)
	boolean(c, 6, &x.HasVersion)
	boolean(c, 7, &x.AllDay)
	signed(c, 8, &x.Date)
	signed(c, 9, &x.EndDate)
	text(c, 10, &x.Location)
	text(c, 11, &x.Description)
	text(c, 12, &x.Link)
	texts(c, 13, &x.Attendees)
	boolean(c, 14, &x.Free)
	unsigned(c, 15, &x.Response)
	unsigned(c, 16, &x.Sync)
	c.close()
}

func (c *coder) plannedReminder(n protowire.Number, x *engine.PlannedReminder) {
	if !c.begin(n) {
		return
	}
	text(c, 1, &x.ID)
	unsigned(c, 2, &x.Type)
	text(c, 3, &x.EventID)
	text(c, 4, &x.Title)
	signed(c, 5, &x.Lead)
	boolean(c, 6, &x.AllDay)
	signed(c, 7, &x.Occ)
	signed(c, 8, &x.Start)
	signed(c, 9, &x.End)
	unsigned(c, 10, &x.Priority)
	signed(c, 11, &x.Due)
	signed(c, 12, &x.Deadline)
	signed(c, 13, &x.On)
	text(c, 14, &x.SnoozeOf)
	signed(c, 15, &x.AskedAt)
	c.close()
}

func (c *coder) reasonCount(n protowire.Number, x *engine.ReasonCount) {
	if !c.item(n) {
		return
	}
	unsigned(c, 1, &x.Reason)
	signed(c, 2, &x.Count)
	c.close()
}

// lastError and composed code what most reminders don't have.
func (c *coder) lastError(n protowire.Number, x **engine.Failure) {
	if !c.reading {
		if *x != nil {
			c.failure(n, *x)
		}
	} else if c.at(n, protowire.BytesType) {
		v := new(engine.Failure)
		if c.failure(n, v); *v != (engine.Failure{}) {
			*x = v
		}
	}
}

func (c *coder) composed(n protowire.Number, x **engine.Composition) {
	if !c.reading {
		if *x != nil {
			c.composition(n, *x)
		}
	} else if c.at(n, protowire.BytesType) {
		v := new(engine.Composition)
		if c.composition(n, v); *v != (engine.Composition{}) {
			*x = v
		}
	}
}

func (c *coder) failure(n protowire.Number, x *engine.Failure) {
	if !c.begin(n) {
		return
	}
	signed(c, 1, &x.Code)
	unsigned(c, 2, &x.Category)
	unsigned(c, 3, &x.Retry)
	text(c, 4, &x.Message)
	signed(c, 5, &x.RetryAfter)
	c.close()
}

func (c *coder) calendar(n protowire.Number, x *engine.Calendar) {
	if !c.item(n) {
		return
	}
	text(c, 1, &x.ID)
	unsigned(c, 2, &x.Kind)
	text(c, 3, &x.Source)
	text(c, 4, &x.Token)
	boolean(c, 5, &x.Access)
	text(c, 6, &x.Self)
	boolean(c, 7, &x.Private)
	signed(c, 8, &x.Every)
	signed(c, 9, &x.ConnectedAt)
	signed(c, 10, &x.NextAt)
	signed(c, 11, &x.AskedAt)
	signed(c, 12, &x.ReadAt)
	signed(c, 13, &x.WholeAt)
	text(c, 14, &x.Cursor)
	signed(c, 15, &x.Failures)
	text(c, 16, &x.Problem)
	c.channel(17, &x.Channel)
	c.close()
}

func (c *coder) channel(n protowire.Number, x *engine.Channel) {
	if !c.begin(n) {
		return
	}
	text(c, 1, &x.ID)
	text(c, 2, &x.Resource)
	text(c, 3, &x.Token)
	signed(c, 4, &x.Until)
	c.close()
}
