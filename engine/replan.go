package engine

import "slices"

// maxMissedDays bounds how many missed day plans are made up for one by one.
const maxMissedDays = 8

// lateAfter is how late a day plan may run and still be the midnight one.
const lateAfter = minute

// advance makes every day plan that is due, oldest first (P1, P9).
func (t *turn) advance() {
	if t.u.Day.End != 0 && t.env.Now >= t.u.Day.End {
		t.endStale() // before a plan lets go of the events they are for
	}
	for t.u.Day.End != 0 && t.env.Now >= t.u.Day.End {
		loc := t.zone()
		d := dateOf(t.u.Day.End, loc)
		if today := dateOf(t.env.Now, loc); today-d > maxMissedDays {
			d = today - maxMissedDays
		}
		cause := ReasonMidnight
		if t.env.Now-dayStart(d, loc) > lateAfter {
			cause = ReasonCatchUp
		}
		t.planDay(t.day(d), cause)
		if t.fenced != 0 {
			t.assume()
		}
	}
}

// day returns the local date with its bounds. A date that the zone skips is
// empty and never planned: it takes the next one that exists.
func (t *turn) day(d Date) Day {
	loc := t.zone()
	start, end := dayStart(d, loc), dayStart(d+1, loc)
	for end <= start {
		d++
		end = dayStart(d+1, loc)
	}
	return Day{Date: d, Start: start, End: end, Account: max(d, t.u.Day.Account)}
}

// planDay begins a local day: its run record, then its reminders (P1, P8).
func (t *turn) planDay(day Day, cause Reason) {
	asOf := t.env.Now
	if cause == ReasonMidnight || cause == ReasonCatchUp {
		asOf = day.Start
	}
	p := planning{u: t.u, loc: t.zone(), day: day, now: t.env.Now, asOf: asOf}
	items := p.evaluate(t.scratch())
	run := PlanRan{Cause: cause, Day: day, Forget: t.env.Now - t.env.Policy.Keep}
	counts := [reasonCount]int32{}
	for i := range items {
		if items[i].Type != EventReminder || items[i].SnoozeOf != "" {
			continue
		}
		run.Seen++
		if items[i].why == ReasonNone {
			run.Scheduled++
		} else {
			counts[items[i].why]++
		}
	}
	for why, n := range counts {
		if n > 0 {
			run.Skipped = append(run.Skipped, ReasonCount{Reason: Reason(why), Count: n})
		}
	}
	changes := t.changes(items)
	t.events = slices.Grow(t.events, 1+len(changes))
	t.emit(run)
	t.emitAll(changes)
}

// replan decides anew about everything that is pending, and about the rest of
// the day, in the same turn (P2, P7).
func (t *turn) replan() {
	p := planning{u: t.u, loc: t.zone(), day: t.u.Day, now: t.env.Now, asOf: t.env.Now}
	changes := t.changes(p.evaluate(t.scratch()))
	t.makeRoom(changes)
	t.emitAll(changes)
	t.settle(&p)
}

// makeRoom lets the list of reminders grow once for what is planned: one by one
// it would double, and a day of five would have room for eight.
func (t *turn) makeRoom(changes []Event) {
	n := 0
	for _, e := range changes {
		if _, ok := e.(ReminderPlanned); ok {
			n++
		}
	}
	if n > 1 {
		t.u.Reminders = slices.Grow(t.u.Reminders, n)
	}
}

// changes turns a plan into the events that lead there from the present
// state. Cancellations come first, so that places are free before they are
// given away. It emits nothing itself: the candidates point into the state.
func (t *turn) changes(items []candidate) []Event {
	s := t.scratch()
	out := t.orphans(s.changes[:0], s)
	for i := range items {
		c := &items[i]
		switch {
		case c.r != nil && c.r.inFlight():
			if c.why != ReasonNone && c.r.CancelAsked == ReasonNone {
				out = append(out, CancelAsked{ID: c.r.ID, Reason: endReason(c.why)})
			}
		case c.r != nil && c.r.pending() && c.why != ReasonNone:
			out = append(out, ReminderCanceled{ID: c.r.ID, Reason: endReason(c.why)})
		case c.r == nil && c.why != ReasonNone && c.why != c.seen:
			out = append(out, ReminderSkipped{EventID: c.EventID, Lead: c.Lead, Occ: c.Occ, At: c.at, Reason: c.why})
		}
	}
	for i := range items {
		c := &items[i]
		switch {
		case c.why != ReasonNone:
		case c.r == nil:
			c.ID = reminderID(t.u.ID, c.EventID, c.Lead, c.Occ)
			out = append(out, c.planned())
		case c.r.revivable():
			c.ID = c.r.ID
			out = append(out, c.planned())
		case c.r.pending() && c.differs():
			out = append(out, c.moved())
		}
	}
	s.changes = out
	return out
}

// planned is the event that has the reminder as it was decided. The candidate's
// room is used again.
func (c *candidate) planned() ReminderPlanned {
	p := new(PlannedReminder)
	p.Due = c.Due // a number first: the collector's barrier would look at the memory before a text is written there
	*p = c.PlannedReminder
	return ReminderPlanned{Reminder: p}
}

// endReason is what a pending reminder ends with: to the person a cancelled
// event is gone like a deleted one (C2).
func endReason(why Reason) Reason {
	if why == ReasonEventCanceled {
		return ReasonEventDeleted
	}
	return why
}

// differs reports whether the plan changes a pending reminder.
func (c *candidate) differs() bool {
	r := c.r
	on := c.On
	if r.Spent {
		on = r.On // its place is used up where it is
	}
	return r.Due != c.Due || r.Deadline != c.Deadline || r.On != on || r.Title != c.Title ||
		r.Start != c.Start || r.End != c.End
}

func (c *candidate) moved() ReminderMoved {
	m := ReminderMoved{
		ID: c.r.ID, Due: c.Due, Deadline: c.Deadline, On: c.On, Title: c.Title, Start: c.Start, End: c.End,
	}
	if c.r.Spent {
		m.On = c.r.On
	}
	if c.Due != c.r.Due {
		m.Reason = ReasonPreferences
		if c.Due != c.at {
			m.Reason = ReasonQuietHours
		}
	}
	return m
}

// orphans ends the reminders that no candidate stands for: their event is
// gone or moved, or their lead is not wanted any more (C2, C3, P7).
func (t *turn) orphans(out []Event, s *Scratch) []Event {
	for _, i := range s.live {
		r := t.u.Reminders[i]
		if r.Type != EventReminder || s.stood[i] {
			continue
		}
		reason := t.orphanReason(r)
		switch {
		case r.pending():
			out = append(out, ReminderCanceled{ID: r.ID, Reason: reason})
		case r.CancelAsked == ReasonNone:
			out = append(out, CancelAsked{ID: r.ID, Reason: reason})
		}
	}
	return out
}

func (t *turn) orphanReason(r *Reminder) Reason {
	i, found := t.u.findEvent(r.EventID)
	switch {
	case !found || t.u.Events[i].Deleted:
		return ReasonEventDeleted
	case r.about(t.u.Events[i].CalendarEvent):
		return ReasonLeadRemoved
	}
	s := &t.u.Events[i]
	if s.Sync == SyncCanceled {
		return ReasonEventDeleted
	}
	if t.leadAhead(s) {
		return ReasonEventMoved
	}
	return ReasonEventMovedPast
}

// leadAhead reports whether any reminder instant of the event is still to
// come (C3).
func (t *turn) leadAhead(s *StoredEvent) bool {
	if s.AllDay {
		return t.u.Prefs.AllDayAt != NoAllDay && instantAt(s.Date, int(t.u.Prefs.AllDayAt), t.zone()) >= t.env.Now
	}
	for _, lead := range t.u.Prefs.Leads {
		if s.Start-int64(lead)*minute >= t.env.Now {
			return true
		}
	}
	return false
}
