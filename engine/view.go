package engine

import (
	"slices"
	"time"
)

func (t *turn) getUser() Reply {
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	return UserReply{User: t.u.view(t.zone(), t.env.Now)}
}

// view shows the user. A day whose plan is a moment late is shown as begun.
func (u *User) view(loc *time.Location, now Millis) UserView {
	date := u.Day.Account
	if now >= u.Day.End {
		date = u.accountDate(now, loc)
	}
	v := UserView{
		ID: u.ID, Phone: u.Phone, Verified: u.Verified, PendingPhone: u.PendingPhone, OptedOut: u.OptedOut,
		Paused: u.Paused, Zone: u.Zone, Prefs: u.Prefs, Date: date, Count: u.spentOn(date), Reserved: u.held(date),
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
	v.Prefs.Leads = slices.Clone(u.Prefs.Leads)
	return v
}

func (t *turn) getEvent(id string) Reply {
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	i, found := t.u.findEvent(id)
	if !found || t.u.Events[i].Deleted {
		return notFound(CodeEventNotFound, "no such event")
	}
	return EventReply{Event: t.u.Events[i].CalendarEvent, UpdatedAt: t.u.Events[i].UpdatedAt}
}

func (t *turn) getReminder(id string) Reply {
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	r := t.u.reminder(id)
	if r == nil {
		return notFound(CodeReminderNotFound, "no such reminder")
	}
	return ReminderReply{Reminder: t.view(r)}
}

// view shows a reminder with its text: what was sent last, or what the
// template would send when it is due.
func (t *turn) view(r *Reminder) ReminderView {
	v := ReminderView{Reminder: *r, UserID: t.u.ID, Zone: t.u.Zone}
	v.Messages = slices.Clone(r.Messages)
	if m := r.last(); m != nil && !r.pending() {
		v.Preview, v.Via, v.Encoding, v.Segments = m.Text, m.Via, m.Encoding, m.Segments
		return v
	}
	c := t.compose(r, r.nextAt())
	v.Preview, v.Via, v.Encoding, v.Segments = c.body, c.via, c.size.Encoding, int32(c.size.Segments)
	return v
}

func (t *turn) listReminders(c ListReminders) Reply {
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	out := RemindersReply{Items: []ReminderView{}}
	from := 0
	if c.After != "" {
		i := slices.IndexFunc(t.u.Reminders, func(r *Reminder) bool { return r.ID == c.After })
		if i < 0 {
			return invalid(CodeInvalidField, "after", "this cursor is not from a list of this user")
		}
		from = i + 1
	}
	out.Items = slices.Grow(out.Items, t.listed(c, from))
	for i := from; i < len(t.u.Reminders); i++ {
		r := t.u.Reminders[i]
		if !c.shows(r) {
			continue
		}
		if len(out.Items) == c.Limit {
			out.Next = out.Items[len(out.Items)-1].ID
			break
		}
		out.Items = append(out.Items, t.view(r))
	}
	return out
}

// shows reports whether the list has such a reminder in it.
func (c *ListReminders) shows(r *Reminder) bool {
	return c.Status == StatusNone || r.Status == c.Status
}

// listed counts what a page of the list will have: a reminder's view is large,
// and a page that grows copies it again and again.
func (t *turn) listed(c ListReminders, from int) (n int) {
	for i := from; i < len(t.u.Reminders) && n < c.Limit; i++ {
		if c.shows(t.u.Reminders[i]) {
			n++
		}
	}
	return n
}

// previewPlan computes a date's plan as P1 would at its midnight: with all
// its places free and nothing sent yet. Date 0 means the user's today.
func (t *turn) previewPlan(d Date) Reply {
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	if d == 0 {
		d = dateOf(t.env.Now, t.zone())
	}
	day := Day{Date: d, Start: dayStart(d, t.zone()), End: dayStart(d+1, t.zone())}
	p := planning{u: t.u, loc: t.zone(), day: day, now: day.Start, asOf: day.Start, fresh: true}
	items := p.evaluate(&Scratch{})
	plan := Plan{Date: d, Zone: t.u.Zone, Start: day.Start, End: day.End, Limit: t.u.Prefs.DailyLimit, Items: []PlanItem{}}
	for i := range items {
		plan.Items = append(plan.Items, t.planItem(&items[i]))
	}
	slices.SortStableFunc(plan.Items, func(a, b PlanItem) int { return int(sign(a.Due - b.Due)) })
	return PlanReply{Plan: plan}
}

func (t *turn) planItem(c *candidate) PlanItem {
	item := PlanItem{
		EventID: c.EventID, ReminderID: c.ID, Title: c.Title, Lead: c.Lead, Due: c.Due,
		Scheduled: c.why == ReasonNone, Reason: c.why,
	}
	if item.ReminderID == "" {
		item.ReminderID = reminderID(t.u.ID, c.EventID, c.Lead, c.Occ)
	}
	if c.Due == 0 {
		item.Due = c.at
	}
	if item.Scheduled {
		r := Reminder{PlannedReminder: &PlannedReminder{
			Type: c.Type, EventID: c.EventID, Title: c.Title, AllDay: c.AllDay, Occ: c.Occ, Start: c.Start, End: c.End,
		}}
		item.Text = t.compose(&r, c.Due).body
	}
	return item
}

func sign(d int64) int64 {
	switch {
	case d < 0:
		return -1
	case d > 0:
		return 1
	}
	return 0
}
