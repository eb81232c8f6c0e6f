package engine

import (
	"fmt"
	"strconv"

	"carillon/engine/sms"
)

const customLife = hour // how long a custom reminder is useful (P10)

// createReminder schedules a text that came by API. It goes through the same
// planning as the calendar's (P10).
func (t *turn) createReminder(c CreateReminder) Reply {
	if c.ExpiresAt == 0 {
		c.ExpiresAt = c.SendAt + customLife
	}
	text := sms.Clean(c.Text)
	if refused := t.checkCustom(c, text); refused != nil {
		return *refused
	}
	p := &PlannedReminder{
		ID: customID(t.u.ID, t.u.EventSeq+1, t.env.Now), Type: CustomReminder, Title: text,
		Occ: c.SendAt, Start: c.SendAt, End: c.SendAt, Priority: c.Priority,
		Due: c.SendAt, Deadline: c.ExpiresAt, On: t.u.accountDate(max(c.SendAt, t.env.Now), t.zone()),
	}
	t.emit(ReminderPlanned{Reminder: p})
	t.replan()
	return ReminderReply{Reminder: t.view(t.u.reminder(p.ID)), Created: true}
}

func (t *turn) checkCustom(c CreateReminder, text string) *Refusal {
	var r Refusal
	_, size := encode(text)
	switch {
	case text == "":
		r = invalid(CodeMissingField, "text", "the text has nothing that can be sent")
	case size.Segments > t.env.Policy.MaxSegments:
		r = invalid(CodeInvalidField, "text", fmt.Sprintf("the text needs %d SMS segments, max_segments is %d", size.Segments, t.env.Policy.MaxSegments))
	case c.ExpiresAt <= c.SendAt:
		r = invalid(CodeInvalidField, "expires_at", "expires_at must be after send_at")
	case t.env.Now >= c.ExpiresAt:
		r = invalid(CodeInvalidField, "send_at", "send_at is so long past that the reminder has expired")
	case t.livePending() >= t.env.Policy.MaxReminders:
		r = conflict(CodeTooManyReminders, "the user holds as many pending reminders as the configuration allows")
	default:
		return nil
	}
	return &r
}

func (t *turn) livePending() int {
	n := 0
	for i := range t.u.Reminders {
		if !t.u.Reminders[i].ended() {
			n++
		}
	}
	return n
}

// cancelReminder ends a pending reminder. One that is with the carrier just
// now ends as the carrier's answer says: not sent, or sent and shown sent
// (S3).
func (t *turn) cancelReminder(id string) Reply {
	r := t.u.reminder(id)
	switch {
	case r == nil:
		return notFound(CodeReminderNotFound, "no such reminder")
	case r.pending(), r.revivable(): // a plan may not bring back what was cancelled by hand
		t.emit(ReminderCanceled{ID: id, Reason: ReasonByRequest})
		t.replan()
	case r.inFlight():
		if r.CancelAsked == ReasonNone {
			t.emit(CancelAsked{ID: id, Reason: ReasonByRequest})
		}
	case r.Status != StatusCanceled:
		return conflict(CodeReminderEnded, "the reminder is "+r.Status.String()+" already")
	}
	return ReminderReply{Reminder: t.view(t.u.reminder(id))}
}

// sendNow moves a pending reminder forward. The checks of S1 hold as ever.
func (t *turn) sendNow(id string) Reply {
	r := t.u.reminder(id)
	switch {
	case r == nil:
		return notFound(CodeReminderNotFound, "no such reminder")
	case r.inFlight():
		return conflict(CodeReminderInFlight, "the reminder is with the carrier already")
	case !r.pending():
		return conflict(CodeReminderEnded, "the reminder is "+r.Status.String()+" already")
	}
	m := ReminderMoved{
		ID: id, Due: min(r.Due, t.env.Now), Deadline: r.Deadline, On: r.On,
		Title: r.Title, Start: r.Start, End: r.End, Reason: ReasonSendNow,
	}
	if !r.Spent {
		m.On = t.u.accountDate(t.env.Now, t.zone())
	}
	t.emit(m)
	t.replan()
	return ReminderReply{Reminder: t.view(t.u.reminder(id))}
}

func itoa(i int) string { return strconv.Itoa(i) }
