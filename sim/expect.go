package sim

import (
	"strings"

	"carillon/engine"
)

// expect plans a look at every instant at which a reminder of the event has to
// leave: silence must not be the safest engine.
func (p *person) expect(e *calEvent) {
	if e.AllDay || !e.wanted() {
		return
	}
	for _, lead := range p.prof.now.leads {
		at := e.Start - int64(lead)*minute
		p.w.after(at-p.w.wall()-2*second, func() { p.weigh(e, lead, at) })
	}
}

// weigh decides shortly before an instant whether a reminder has to leave then
// or, by the policy "later", at the end of quiet.
func (p *person) weigh(e *calEvent, lead int32, at engine.Millis) {
	if !p.certain(e, lead, at) {
		return
	}
	q, due := p.prof.now, at
	for q.quietAt(due) {
		if q.policy != engine.QuietLater || due >= e.Start {
			return
		}
		due += minute - due%minute
	}
	if due >= e.Start-expectWithin {
		return
	}
	p.w.after(due-p.w.wall()+expectWithin, func() {
		if p.certain(e, lead, at) && p.w.calm(due-at+30*minute) {
			p.mustHaveLeft(e, at, due)
		}
	})
}

// expectWithin is how late a reminder may be when all is well: a burst at the
// slowest pace that a run has.
const expectWithin = 2 * minute

// certain reports that nothing is open or has changed of late that decides
// about the event's reminder.
func (p *person) certain(e *calEvent, lead int32, at engine.Millis) bool {
	w, q := p.w, p.prof.settled()
	if w.ended || w.jumped != 0 || w.restored != 0 || !w.calm(30*minute) || w.paused.known || p.cal.next != nil || q == nil {
		return false
	}
	cur := (*p.cal.now)[e.ID]
	switch {
	case !p.exists() || !q.verified || q.paused || !q.reminders || p.out != optedIn || p.hold, q.limit < 100,
		w.carrier.blocked[q.phone], cur == nil || cur.token != e.token || cur.Start != e.Start || !cur.wanted() || cur.Sync != engine.SyncSynced:
		return false
	case w.now-p.swayed < 24*hour, at-10*minute < cur.known+w.skew, p.handMade != 0 && w.now-p.handMade < 5*day:
		return false
	}
	for _, l := range q.leads {
		if l == lead {
			return true
		}
	}
	return false
}

func (p *person) mustHaveLeft(e *calEvent, at, due engine.Millis) {
	a := p.w.audit
	for _, in := range a.intents {
		if in.p == p && in.called && strings.HasPrefix(in.text, e.token) && in.at >= at-second {
			a.expected++
			return
		}
	}
	a.fail("missed", p, "the reminder of %q, start %s, had to leave at %s and has not (P1, P4)", e.Title, rfc3339(e.Start), rfc3339(due))
}
