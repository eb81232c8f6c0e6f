package sim

import (
	"errors"
	"slices"
	"strings"

	"carillon/actors"
	"carillon/engine"
)

// look reads what the engine shows of the person, and holds it against what
// was acknowledged and what the carrier knows.
func (p *person) look() {
	w := p.w
	if w.over {
		return
	}
	w.after(w.d.about(w.pace.looks), p.look)
	p.lookAt(func() {})
}

func (p *person) lookAt(done func()) {
	w := p.w
	before := p.standing()
	if p.busy() {
		before[0] = -1 // what is under way may count or not
	}
	w.ask(p.id, engine.GetUser{}, "", 0, func(reply engine.Reply, err error) {
		w.digest.reply(p.id, reply, err)
		p.shown(reply)
		if errors.Is(err, actors.ErrQuarantined) {
			w.audit.fail("internal_error", p, "a read: %v", err)
		}
		if err == nil && before == p.standing() && !p.busy() {
			p.lookUser(reply)
		}
	})
	w.ask(p.id, engine.ListReminders{Limit: 1 << 20}, "", 0, func(reply engine.Reply, err error) {
		w.digest.reply(p.id, reply, err)
		p.shown(reply)
		if r, ok := reply.(engine.RemindersReply); ok && err == nil {
			p.lookReminders(r.Items, before[4] == p.follows.changes)
			if before == p.standing() && !p.busy() {
				p.waits(r.Items)
			}
		}
		done()
	})
	p.lookFollowed(before)
	if e := p.pickEvent(func(*calEvent) bool { return true }); e != nil && p.exists() {
		w.ask(p.id, engine.GetEvent{ID: e.ID}, "", 0, func(reply engine.Reply, err error) {
			w.digest.reply(p.id, reply, err)
			p.shown(reply)
			if err == nil && before == p.standing() && !p.busy() {
				p.lookEvent(e, reply)
			}
		})
	}
}

// standing changes with everything that is asked for.
func (p *person) standing() [5]int64 {
	return [5]int64{p.asked, int64(p.life), p.w.restored, int64(p.out), p.follows.changes}
}

// shown is W1 for reads: nobody is shown what a crash can take back. What a
// reply knows was decided no later than the last record that was flushed.
func (p *person) shown(reply engine.Reply) {
	a := p.w.audit
	var newest engine.Millis
	switch r := reply.(type) { //nolint:gochecksumtype // the others are no reads
	case engine.UserReply:
		newest = r.User.UpdatedAt
	case engine.EventReply:
		newest = r.UpdatedAt
	case engine.RemindersReply:
		for i := range r.Items {
			newest = max(newest, r.Items[i].UpdatedAt)
		}
	}
	if newest > a.shadowAt[p.id] && p.w.jumped == 0 && p.w.restored == 0 {
		a.fail("shown", p, "a %T knows of %s, and the journal is flushed up to %s (W1)", reply, rfc3339(newest), rfc3339(a.shadowAt[p.id]))
	}
}

// watch looks at the person at the worst moment.
func (p *person) watch(in engine.Millis) {
	w := p.w
	if w.pace.watched {
		w.after(in+w.d.between(0, second), func() { p.lookAt(func() {}) })
	}
}

// lookUser is W2: what was acknowledged is there.
func (p *person) lookUser(reply engine.Reply) {
	want := p.prof.now
	r, ok := reply.(engine.UserReply)
	if !want.exists {
		if ok {
			p.w.audit.fail("erased", p, "the user is there behind an erasure (N6)")
		}
		return
	}
	u := r.User
	bad := ""
	switch {
	case !ok:
		bad = "the user"
	case u.Zone != want.zone:
		bad = "the time zone"
	case u.Prefs.Quiet != want.quiet || u.Prefs.QuietPolicy != want.policy:
		bad = "the quiet hours"
	case u.Prefs.DailyLimit != want.limit:
		bad = "the daily limit"
	case u.Prefs.Reminders != want.reminders || u.Prefs.AllDayAt != want.allDayAt || u.Prefs.AllowUrgent != want.urgent:
		bad = "a switch"
	case !slices.Equal(u.Prefs.Leads, want.leads):
		bad = "the lead times"
	case u.Phone != want.phone || u.Verified != want.verified:
		bad = "the number"
	case u.Paused != want.paused:
		bad = "the pause"
	case p.out != perhapsOut && u.OptedOut != (p.out == optedOut):
		bad = "the consent"
	}
	if bad != "" {
		p.w.audit.fail("acknowledged_write", p, "%s is not what was acknowledged (W2): %+v, want %+v, consent %d", bad, u, *want, p.out)
	}
}

func (p *person) lookEvent(want *calEvent, reply engine.Reply) {
	r, ok := reply.(engine.EventReply)
	switch {
	case !ok && !want.deleted:
		p.w.audit.fail("acknowledged_write", p, "event %s, which was acknowledged, is not there (W2)", want.ID)
	case ok && want.deleted:
		p.w.audit.fail("acknowledged_write", p, "event %s, which was deleted, is there (W2)", want.ID)
	case ok && strings.HasPrefix(want.ID, callers) && !alike(r.Event, &want.CalendarEvent), // what is followed is held behind each record
		ok && (r.Event.Title != want.Title || r.Event.Start != want.Start || r.Event.Sync != want.Sync || r.Event.Response != want.Response):
		p.w.audit.fail("acknowledged_write", p, "event %s is %+v, and %+v was acknowledged (W2, C1)", want.ID, r.Event, want.CalendarEvent)
	}
}

// lookReminders holds the list against the one before and against the carrier.
// steady: no connected calendar has changed since it was asked for.
func (p *person) lookReminders(items []engine.ReminderView, steady bool) {
	a, w := p.w.audit, p.w
	now := make(map[string]*engine.ReminderView, len(items))
	for i := range items {
		r := &items[i]
		now[r.ID] = r
		if p.buried[r.ID] {
			a.fail("erased", p, "reminder %s of somebody who was erased is shown (N6)", r.ID)
		}
		before, had := p.listed[r.ID]
		if had {
			p.forward(before, r)
		}
		p.truth(r)
		p.last(r)
		// A change of zone may have moved an all-day one's deadline just now.
		if had && before.Deadline == r.Deadline && !final(r.Status) && w.wall() > r.Deadline+stuckAfter && w.calm(stuckAfter) && w.audit.maxDeadlineCalm() {
			a.fail("stuck", p, "reminder %s is %s, %d minutes behind its deadline (L1)", r.ID, r.Status, (w.wall()-r.Deadline)/minute)
		}
	}
	for id, r := range p.listed {
		if _, there := now[id]; !there && !final(r.Status) && r.Deadline > w.wall()-kept {
			a.fail("lost", p, "reminder %s, which was %s, is gone (I11)", id, r.Status)
		}
	}
	p.listed = now
	if steady {
		a.shares(p, items)
	}
	p.unsure(items)
}

// waits is C2, C3 and P3: what is not wanted any more ends with the change that
// says so, and not when its turn comes, for its place is another one's.
func (p *person) waits(items []engine.ReminderView) {
	for i := range items {
		r := &items[i]
		e := p.event(r.EventID)
		if e == nil || r.Status != engine.StatusScheduled || r.Type != engine.EventReminder {
			continue
		}
		if e.deleted || e.Sync == engine.SyncCanceled || e.Response == engine.ResponseDeclined || e.Free || !e.at(r.Occ) {
			p.w.audit.fail("waits", p, "reminder %s waits, and by what was acknowledged its event is not there, is not wanted, or has moved (C2, C3)", r.ID)
		}
	}
}

// at reports whether an occurrence is the event's as it is (P6).
func (e *calEvent) at(occ engine.Millis) bool {
	return !e.AllDay && e.Start == occ || e.AllDay && int64(e.Date)*day == occ
}

// kept is how long what has ended is shown for sure, whatever the clock says.
const kept = 5 * day

const stuckAfter = 15 * minute

func final(s engine.ReminderStatus) bool {
	return s == engine.StatusSent || s == engine.StatusDelivered || s == engine.StatusFailed || s == engine.StatusCanceled
}

// forward is D1: what was shown is not taken back.
func (p *person) forward(before, now *engine.ReminderView) {
	a := p.w.audit
	if before.Status == engine.StatusDelivered && now.Status != engine.StatusDelivered {
		a.fail("forward", p, "reminder %s was delivered and is %s (D1)", now.ID, now.Status)
	}
	if len(now.Messages) < len(before.Messages) {
		a.fail("forward", p, "reminder %s had %d messages and has %d", now.ID, len(before.Messages), len(now.Messages))
		return
	}
	for i := range before.Messages {
		b, n := &before.Messages[i], &now.Messages[i]
		back := ahead(b.Status) > ahead(n.Status) && !a.foundLate(b, n, now.ID)
		if back || (b.SID != "" && b.SID != b.ID && n.SID != b.SID) {
			a.fail("forward", p, "message %s was %s (%s) and is %s (%s) (D1)", n.ID, b.Status, b.SID, n.Status, n.SID)
		}
		if (b.SentAt != 0 && n.SentAt != b.SentAt) || (b.DeliveredAt != 0 && n.DeliveredAt != b.DeliveredAt) {
			a.fail("forward", p, "a time of message %s was changed (D1)", n.ID)
		}
	}
}

// foundLate reports whether a message that was taken as not sent, for look-ups
// did not know its words or took it for another one of the same words, is the one
// that left, before a restore in the first case: the carrier names it in a callback. That it had failed was a conclusion, not the
// carrier's word, and the carrier is believed.
func (a *audit) foundLate(before, now *engine.Message, reminder string) bool {
	d := a.w.carrier.bySID[now.SID]
	if before.Status != engine.MessageFailed || before.SID != "" || d == nil || d.msg.MessageID != now.ID {
		return false
	}
	concluded := before.Error.Category == engine.CategoryUnknown && before.Error.Code == 0
	return concluded && (a.mistaken(d) || d.calledAt < a.w.restored && a.disguised(d, reminder))
}

// mistaken reports whether a look-up took a text for another reminder's of the same
// words (mixes): its own look-ups don't find it then.
func (a *audit) mistaken(d *delivery) bool {
	for _, sid := range a.mixed {
		if sid == d.sid {
			return true
		}
	}
	return false
}

// ahead numbers the states of a message as SPEC D1 lists them.
func ahead(s engine.MessageStatus) int {
	switch s {
	case engine.MessageNone, engine.MessageScheduled, engine.MessageQueued:
		return 1
	case engine.MessageSending, engine.MessageUncertain:
		return 1 // a message that was uncertain may turn out to be queued
	case engine.MessageSent:
		return 2
	case engine.MessageCanceled, engine.MessageFailed, engine.MessageUndelivered:
		return 3
	case engine.MessageDelivered:
		return 4
	}
	return 0
}

// last is D2: what an older message of a reminder says is its own affair. A
// reminder is delivered by its last message; by another one only if the last
// one was lost, so that nobody is texted once more (S3).
func (p *person) last(r *engine.ReminderView) {
	n := len(r.Messages)
	if r.Status != engine.StatusDelivered || n == 0 || r.Messages[n-1].Status == engine.MessageDelivered {
		return
	}
	if s := r.Messages[n-1].Status; ahead(s) != ahead(engine.MessageFailed) {
		p.w.audit.fail("older", p, "reminder %s is shown delivered, and its last message %s (D2)", r.ID, s)
	}
}

// truth holds what is shown against the carrier's book.
func (p *person) truth(r *engine.ReminderView) {
	a := p.w.audit
	t := a.reminders[r.ID]
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.SID == "" || m.SID == m.ID {
			continue
		}
		d := p.w.carrier.bySID[m.SID]
		switch {
		case d != nil && isPills(d.msg.Text): // of the same words one may be taken for another
		case d == nil:
			a.fail("truth", p, "message %s has sid %s, which the carrier never gave", m.ID, m.SID)
		case d.msg.ReminderID != r.ID && d.calledAt < p.w.restored && d.msg.Text == m.Text: // taken for one another
		case d.msg.MessageID != m.ID && d.msg.ReminderID != r.ID && !a.taken(d) && a.mixed[m.ID] != m.SID:
			a.fail("truth", p, "message %s has the sid of message %s", m.ID, d.msg.MessageID)
		case ahead(m.Status) > ahead(d.status):
			a.fail("truth", p, "message %s is shown %s, and the carrier has it %s", m.ID, m.Status, d.status)
		}
	}
	if t == nil {
		return
	}
	for _, d := range t.accepted {
		if d.life != p.life {
			continue
		}
		switch {
		case a.swapped(d), a.unrecognized(d, r.ID), isPills(d.msg.Text):
		case r.Status == engine.StatusCanceled && !d.lost() && d.answered:
			a.fail("cancel", p, "reminder %s is shown cancelled (%s), and the carrier has accepted %s (S3)", r.ID, r.Reason, d.sid)
		case r.Status == engine.StatusScheduled && !d.lost() && p.w.restored == 0 && !a.taken(d):
			a.fail("truth", p, "reminder %s is shown scheduled (%s), and the carrier has accepted %s", r.ID, r.Reason, d.sid)
		}
	}
}

// maxDeadlineCalm reports that nothing holds everybody's reminders back.
func (a *audit) maxDeadlineCalm() bool { return a.w.now > a.w.carrier.downUntil+20*minute }
