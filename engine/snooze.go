package engine

import (
	"strconv"
	"strings"
)

// snoozeDefault and snoozeMost are minutes (N4).
const (
	snoozeDefault = 10
	snoozeMost    = 720
)

// snooze plans the latest reminder once more, so many minutes from now, if
// that is in time (N4). It is a reminder of its own, under all the rules:
// quiet hours, limit and deadline. A second SNOOZE takes the first one's place.
func (t *turn) snooze(text string) string {
	minutes, ok := snoozeMinutes(text)
	r := t.latest()
	switch {
	case !ok:
		return answerSnooze
	case r == nil:
		return answerNoReminder
	}
	p := t.snoozed(r, t.env.Now+minutes*minute)
	switch {
	case p.AskedAt >= p.Deadline && p.Type == EventReminder && !p.AllDay:
		return "Too late: it starts at " + t.clockOf(p.Start) + "."
	case p.AskedAt >= p.Deadline:
		return "Too late: it would be of no use any more."
	case t.livePending() >= t.env.Policy.MaxReminders:
		return answerNoRepeat
	}
	t.unsnooze(r.ID)
	t.emit(ReminderPlanned{Reminder: p})
	t.replan()
	return t.snoozeAnswer(p.SnoozeOf)
}

// snoozed is the reminder once more at that instant. What it is about and until
// when it is useful stay; a custom reminder without an end of its own has a new
// hour.
func (t *turn) snoozed(r *Reminder, at Millis) *PlannedReminder {
	p := &PlannedReminder{
		ID: snoozeID(t.u.ID, r.ID, at), Type: r.Type, EventID: r.EventID, Title: r.Title, AllDay: r.AllDay, Occ: r.Occ,
		Start: r.Start, End: r.End, Priority: r.Priority, Due: at, Deadline: r.Deadline,
		On: t.u.accountDate(at, t.zone()), SnoozeOf: r.ID, AskedAt: at,
	}
	switch {
	case p.Type == CustomReminder:
		if r.Deadline == r.Occ+customLife {
			p.Deadline = at + customLife
		}
		p.Occ, p.Start, p.End = at, at, at
	case p.AllDay: // its day may be another one in the zone of now
		p.Start, p.End, p.Deadline = t.dayOf(r)
	default:
		p.Lead = int32(max(p.Start-at, 0) / minute)
	}
	return p
}

// dayOf is when an all-day event begins and ends where its person is, and when
// its first day is over there.
func (t *turn) dayOf(r *Reminder) (start, end, over Millis) {
	if i, found := t.u.findEvent(r.EventID); found && t.u.Events[i].AllDay {
		s := &t.u.Events[i]
		return dayStart(s.Date, t.zone()), dayStart(s.EndDate, t.zone()), dayStart(s.Date+1, t.zone())
	}
	return r.Start, r.End, r.Deadline
}

// unsnooze takes back what an earlier SNOOZE of the same reminder planned.
func (t *turn) unsnooze(id string) {
	for _, o := range t.u.Reminders {
		if o.SnoozeOf == id && o.pending() {
			t.emit(ReminderCanceled{ID: o.ID, Reason: ReasonByRequest})
		}
	}
}

// snoozeAnswer says what became of the last SNOOZE of a reminder.
func (t *turn) snoozeAnswer(id string) string {
	var d *Reminder
	for _, o := range t.u.Reminders {
		if o.SnoozeOf == id {
			d = o
		}
	}
	switch {
	case d == nil:
		return answerNoRepeat
	case d.pending():
		return "You will be reminded again at " + t.clockOf(d.Due) + "."
	case d.Reason == ReasonQuietHours:
		return "No: that is in your quiet hours."
	case d.Reason == ReasonDailyLimit:
		return "No: your reminders of that day are used up."
	}
	return answerNoRepeat
}

// latest is the reminder that a reply is about: the one that the person got
// last. Nobody replies to what is a day old, and to what the carrier does not
// know at two look-ups (on_uncertain: hold leaves it there) only if there is
// nothing else.
func (t *turn) latest() *Reminder {
	var found *Reminder
	for _, r := range t.u.Reminders {
		m := r.last()
		if m == nil || t.env.Now-m.CreatedAt > replyLife {
			continue
		}
		switch r.Status { //nolint:exhaustive // of the others the person has no text
		case StatusSent, StatusDelivered, StatusUncertain:
			if found == nil || !m.before(found.last()) {
				found = r
			}
		}
	}
	return found
}

// before reports whether somebody who replies means rather the other message.
func (m *Message) before(o *Message) bool {
	if here, there := m.notFound(), o.notFound(); here != there {
		return here
	}
	return m.CreatedAt < o.CreatedAt
}

// notFound reports whether the carrier does not know a message that is
// uncertain, by as many look-ups as are a proof.
func (m *Message) notFound() bool { return m.Status == MessageUncertain && m.Absent >= absentProof }

const replyLife = 24 * hour

// snoozeMinutes reads "SNOOZE", "SNOOZE 20" or "snooze 20 min".
func snoozeMinutes(text string) (Millis, bool) {
	words := strings.Fields(strings.ToUpper(plainWords(text)))
	if len(words) == 1 {
		return snoozeDefault, true
	}
	number := words[1]
	for _, unit := range []string{"MINUTES", "MINUTE", "MINS", "MIN", "M"} {
		if short, cut := strings.CutSuffix(number, unit); cut && len(words) == 2 {
			number = short
			break
		}
		if len(words) == 3 && words[2] == unit {
			words = words[:2]
		}
	}
	n, err := strconv.Atoi(number)
	if err != nil || len(words) > 2 || n < 1 || n > snoozeMost {
		return 0, false
	}
	return int64(n), true
}
