package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/engine/sms"
)

// Our own answers. Those to STOP, START and HELP are for carriers that leave
// them to us; the others nobody else can give (N4).
const (
	answerStop       = "You will get no more reminders. Reply START to get them again."
	answerStart      = "Reminders are on again. Reply STOP to end them."
	answerHelp       = "Calendar reminders. Reply C to confirm, SNOOZE 10 to be reminded again in 10 minutes, AGENDA for the rest of today, STOP to end them."
	answerNoReminder = "There is no reminder that this could be about."
	answerSnooze     = "Reply SNOOZE and 1 to 720 minutes, such as SNOOZE 10."
	answerNoRepeat   = "No: this reminder can't be repeated."
	answerNothing    = "Nothing more today."
)

// confirmLatest notes that the person has seen the latest reminder (N4).
func (t *turn) confirmLatest() string {
	r := t.latest()
	if r == nil {
		return answerNoReminder
	}
	title := r.Title
	if r.ConfirmedAt == 0 {
		t.emit(ReminderConfirmed{ID: r.ID, By: bySMS})
	}
	body, _, ok := fit("Confirmed: ", cleanTitle(title, t.env.Policy.MaxSegments), "", t.env.Policy.MaxSegments, 0)
	if !ok {
		return "Confirmed."
	}
	return body
}

// agenda lists the rest of the day in one message (N4): what lasts all day,
// what goes on, what comes. What has no room is counted.
func (t *turn) agenda() string {
	items := t.restOfDay()
	if len(items) == 0 {
		return answerNothing
	}
	segments := t.env.Policy.MaxSegments
	for n := len(items); n > 0; n-- {
		body, size := encode(strings.Join(items[:n], "; ") + more(len(items)-n))
		if size.Segments <= segments {
			return body
		}
	}
	body, _, _ := fit("", items[0], more(len(items)-1), segments, 0)
	return body
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return "; +" + strconv.Itoa(n) + " more"
}

// agendaTitle is how many units of a title an agenda shows.
const agendaTitle = 40

// restOfDay words the events of today that are not over, in order.
func (t *turn) restOfDay() []string {
	loc := t.zone()
	today := dateOf(t.env.Now, loc)
	end := dayStart(today+1, loc)
	var events []*StoredEvent
	for i := range t.u.Events {
		s := &t.u.Events[i]
		switch {
		case s.Deleted, s.Sync == SyncCanceled, s.Response == ResponseDeclined:
		case s.AllDay && s.Date <= today && today < s.EndDate,
			!s.AllDay && s.Start < end && max(s.End, s.Start+1) > t.env.Now:
			events = append(events, s)
		}
	}
	slices.SortStableFunc(events, func(a, b *StoredEvent) int {
		return cmp.Or(cmp.Compare(flag(!a.AllDay), flag(!b.AllDay)), cmp.Compare(a.Start, b.Start))
	})
	out := make([]string, 0, len(events))
	for _, s := range events {
		title := sms.Fit(cleanTitle(s.Title, 1), sms.UCS2, agendaTitle)
		switch {
		case s.AllDay:
			out = append(out, "all day "+title)
		case s.Start <= t.env.Now:
			out = append(out, "now "+title)
		default:
			out = append(out, t.clockOf(s.Start)+" "+title)
		}
	}
	return out
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// clockOf words an instant as the person's clock shows it, with the date if it
// is not today.
func (t *turn) clockOf(at Millis) string {
	loc := t.zone()
	s := localSeconds(at, loc) / 60 % minutesPerDay
	clock := fmt.Sprintf("%02d:%02d", s/60, s%60)
	if d := dateOf(at, loc); d != dateOf(t.env.Now, loc) {
		clock += " on " + d.String()
	}
	return clock
}
