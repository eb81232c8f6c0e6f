package sim

import (
	"slices"

	"carillon/engine"
)

// target is a reminder that has to leave, if nothing comes between: silence
// must not be the safest engine.
type target struct {
	p        *person
	token    string
	at       engine.Millis // wall clock, before quiet hours
	deadline engine.Millis
	event    bool
	wanted   func() bool // it is still to be sent at that instant
}

// expectEvent plans a look at every instant at which a reminder of the event
// is due.
func (p *person) expectEvent(e *calEvent) {
	if e.AllDay || !e.wanted() {
		return
	}
	for _, lead := range p.prof.now.leads {
		t := target{p: p, token: e.token, at: e.Start - int64(lead)*minute, deadline: e.Start, event: true}
		t.wanted = func() bool {
			cur := p.event(e.ID)
			return cur != nil && cur.token == e.token && cur.Start == e.Start && cur.wanted() && cur.Sync == engine.SyncSynced &&
				t.at-10*minute > cur.known+p.w.skew && slices.Contains(p.prof.now.leads, lead) && !p.touched[e.ID]
		}
		t.plan()
	}
}

// expectCustom does it for a custom reminder. One that could not be sent for a
// moment is cancelled for good, so nothing may have changed since it was asked for.
func (p *person) expectCustom(c *custom, asked engine.Millis) {
	t := target{p: p, token: c.token, at: c.sendAt, deadline: c.expires}
	t.wanted = func() bool {
		cur := (*p.cus.now)[c.token]
		return cur != nil && !cur.canceled && !p.touched[c.id] && p.swayed < asked
	}
	if c.sendAt > p.w.wall()+10*minute && p.prof.now.verified && p.out == optedIn {
		t.plan()
	}
}

func (t *target) plan() {
	t.p.w.after(t.at-t.p.w.wall()-2*second, t.weigh)
	t.p.watch(t.at - t.p.w.wall())
}

// weigh decides shortly before an instant whether the reminder has to leave
// then or, by the policy "later", at the end of quiet.
func (t *target) weigh() {
	if !t.certain() {
		return
	}
	q, due := t.p.prof.now, t.at
	for q.quietAt(due) {
		if q.policy != engine.QuietLater || due >= t.deadline {
			return
		}
		due += minute - due%minute
	}
	w := t.p.w
	within := w.within()
	if due >= t.deadline-within || q.quietWithin(due, within) {
		return // a turn that comes so late finds quiet hours, and nothing leaves (S1)
	}
	w.after(due-w.wall()+within, func() {
		if since := due - t.at + 30*minute; t.certain() && w.calm(since) && !w.carrier.holdsBack(t.p, since) {
			t.hasLeft(due)
		}
	})
}

// within is how late a reminder may be when all is well: a burst at the run's
// pace.
func (w *world) within() engine.Millis {
	if w.pace.watched {
		return 12 * w.pace.held // as many turns and flushes as there are on the way
	}
	if w.shape.maxSends >= 8 && (w.shape.mps == 0 || w.shape.mps >= 10) {
		return 5 * second
	}
	return 2 * minute
}

// certain reports that nothing is open, or has changed of late, that decides
// about the reminder.
func (t *target) certain() bool {
	p, w := t.p, t.p.w
	q := p.prof.settled()
	switch {
	case w.ended || w.jumped != 0 || w.restored != 0 || !w.calm(30*minute) || w.paused.known || w.pauseWanted || w.carrier.holdsBack(p, 30*minute):
		return false
	case q == nil, p.cal.next != nil, p.cus.next != nil, !p.exists(), !q.verified, q.paused, p.out != optedIn,
		q.limit < 100, p.crowded(), w.carrier.blocked[q.phone], t.event && !q.reminders:
		return false
	case w.now-p.swayed < 15*minute+max(w.wall()-t.at, 0), w.now-p.quieted < 24*hour: // once its instant is past, none comes back (P3)
		return false
	}
	return t.wanted()
}

// crowded reports whether even a limit of a hundred may be reached: the date that
// it is kept on lasts up to two days when the zone goes west (P5), and others
// hold places for later.
func (p *person) crowded() bool {
	begun, from := map[string]bool{}, p.limits.reached*day-14*hour // nowhere it begins before
	for _, in := range slices.Backward(p.intents) {
		if in.at < from {
			break
		}
		begun[in.reminder] = true
	}
	return int32(len(begun)) > p.prof.now.limit/2
}

func (t *target) hasLeft(due engine.Millis) {
	a := t.p.w.audit
	for _, in := range slices.Backward(t.p.intents) {
		if in.called && firstWord(in.text) == t.token && in.at >= t.at-second {
			a.expected++
			return
		}
	}
	a.fail("missed", t.p, "the reminder %s, for %s, had to leave at %s and has not (P1, P4)", t.token, rfc3339(t.deadline), rfc3339(due))
}
