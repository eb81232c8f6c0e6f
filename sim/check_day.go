package sim

import (
	"slices"
	"strings"
	"time"

	"carillon/engine"
)

// thrice is the fuse: a number gets one text at most twice on a local day.
// Words that are for this alone make the case (person.pills).
func (a *audit) thrice(d *delivery, in *intent) {
	if len(in.prof) != 1 || in.p.quieted > a.w.now-36*hour || a.w.jumped != 0 || a.w.restored != 0 {
		return // whose day it is
	}
	n, today := 0, in.prof[0].date(in.at)
	for _, b := range a.w.carrier.byNumber[d.msg.To] {
		if b.msg.Text == d.msg.Text && !b.lost() && in.prof[0].date(b.calledWall) == today && b.life == d.life && b.msg.UserID == d.msg.UserID {
			n++
		}
	}
	if n > 2 {
		a.fail("fuse", in.p, "%q for the third time today", d.msg.Text)
	}
}

// conserved is S3 for texts of the same words: of two whose answers are lost a
// look-up may take one for the other, and then it is the other that is sent
// again. There are never more of them than reminders: at no call, that is, for
// one that the carrier takes late may have been under way when another was lost.
func (a *audit) conserved(d *delivery, in *intent) {
	if !isPills(d.msg.Text) || a.w.restored != 0 {
		return
	}
	var same []*delivery
	for _, b := range a.w.carrier.byNumber[d.msg.To] {
		if b.msg.Text == d.msg.Text && b.msg.UserID == d.msg.UserID {
			same = append(same, b)
		}
	}
	texts := 0
	for _, x := range same {
		if x.calledAt < d.calledAt {
			continue // nothing of d was to be known then
		}
		n := 0
		for _, b := range same {
			if b.calledAt <= x.calledAt && !b.lostAt(x.calledAt) {
				n++
			}
		}
		texts = max(texts, n)
	}
	reminders := map[string]bool{}
	for _, i := range in.p.intents {
		if i.text == in.text && i.to == in.to {
			reminders[i.reminder] = true
		}
	}
	if texts > len(reminders) {
		a.fail("once", in.p, "%d times %q for %d reminders (S3)", texts, d.msg.Text, len(reminders))
	}
}

// collapsed is P9: of several overdue leads of an event only the last goes out.
// An earlier one must not be begun for the first time when a later one, which
// goes out too, was due already, whichever of the two leaves first.
func (a *audit) collapsed(in *intent, e *calEvent) {
	p := in.p
	key := e.token + " " + itoa(e.Start)
	last := p.lastOf[key]
	p.lastOf[key] = in
	if last == nil || last.reminder == in.reminder || e.AllDay || p.touched[e.ID] || a.w.restored != 0 || a.w.jumped != 0 || len(p.snoozes) > 0 {
		return
	}
	early, late := last, in
	if a.lead(p, early.reminder) < a.lead(p, late.reminder) {
		early, late = late, early
	}
	lead := a.lead(p, late.reminder)
	due := e.Start - int64(lead)*minute
	switch m, of := a.messages(p.id, late.reminder), a.messages(p.id, early.reminder); {
	case lead == 0 || len(m) == 0 || len(of) == 0 || of[0].CreatedAt < early.at: // a retry: its first was in time, perhaps
	case m[0].CreatedAt < early.at && m[0].CreatedAt < late.at: // the later one was on its way when the earlier one was begun
	case len(early.cal) != 1 || len(early.prof) != 1 || a.w.now-p.swayed < 10*minute || early.at < e.known+p.w.skew+minute:
	case late.at < early.at && late.at < due: // quiet hours had moved the later one before the earlier one
	case due < early.at-second:
		a.fail("collapse", p, "%q, %d minutes ahead, was begun when the lead of %d minutes was due as well (P9)", early.text, a.lead(p, early.reminder), lead)
	}
}

// lead is a reminder's, as the journal has it.
func (a *audit) lead(p *person, reminder string) int32 {
	if u := a.shadow[p.id]; u != nil {
		for i := range u.Reminders {
			if u.Reminders[i].ID == reminder {
				return u.Reminders[i].Lead
			}
		}
	}
	return 0
}

// inTime is S7: nothing may arrive once it is of no use.
func (a *audit) inTime(d *delivery, in *intent, until engine.Millis) {
	if d.msg.ValidUntil > until {
		a.fail("validity", in.p, "%q may arrive until %s, and is of use until %s (S7)", d.msg.Text, rfc3339(d.msg.ValidUntil), rfc3339(until))
	}
}

// shares is P5 as a list shows it: who was cancelled for the limit has no
// lower priority waiting on the same date.
func (a *audit) shares(p *person, items []engine.ReminderView) {
	q := p.prof.settled()
	if q == nil || p.busy() || a.w.jumped != 0 || a.w.restored != 0 || p.quieted > a.w.now-36*hour {
		return
	}
	for i := range items {
		r := &items[i]
		if r.Status != engine.StatusCanceled || r.Reason != engine.ReasonDailyLimit || r.Due < a.w.wall()+10*minute || r.SnoozeOf != "" || !p.stands(r) || q.urgentAgain(r) {
			continue
		}
		for j := range items {
			o := &items[j]
			if o.Status == engine.StatusScheduled && o.Attempts == 0 && !o.Spent && o.Priority < r.Priority &&
				o.Due > a.w.wall()+10*minute && q.date(o.Due) == q.date(r.Due) && !q.quietAt(r.Due) && !q.quietAt(o.Due) {
				a.fail("priority", p, "reminder %s is cancelled for the limit, and %s of a lower priority is not (P5)", r.ID, o.ID)
			}
		}
	}
}

// urgentAgain reports whether quiet hours had put a reminder off that may come
// in them since the person allows urgent ones: it stands at its own instant
// again, on another date perhaps, and the one that is shown is from before.
func (p *profile) urgentAgain(r *engine.ReminderView) bool {
	return p.urgent && r.Priority == engine.PriorityUrgent && r.Due != r.Occ && p.quietAt(r.Occ)
}

// stands reports whether a reminder that has ended could come back where it is
// shown: its event, if it has one, is where it was, and wanted, and its like are
// switched on, at that lead too (P3, P7). None comes back once its own instant is
// past (P3), though quiet hours had put it off, and one of an all-day event comes
// at the time of day that the person has now.
func (p *person) stands(r *engine.ReminderView) bool {
	if r.Type != engine.EventReminder {
		return true
	}
	e := p.event(r.EventID)
	if e == nil || !p.prof.now.reminders || !e.wanted() || e.Sync != engine.SyncSynced {
		return false
	}
	if !e.at(r.Occ) || !e.AllDay && !slices.Contains(p.prof.now.leads, r.Lead) {
		return false
	}
	at := p.prof.now.instant(e, r.Lead)
	return at > p.w.wall()+10*minute && (at == r.Due || p.prof.now.quietAt(at))
}

// instant is when a lead of an event is due, before quiet hours; 0: never.
func (p *profile) instant(e *calEvent, lead int32) engine.Millis {
	switch {
	case !e.AllDay:
		return e.Start - int64(lead)*minute
	case p.allDayAt == engine.NoAllDay:
		return 0
	}
	y, m, d := time.Unix(int64(e.Date)*86400, 0).UTC().Date()
	return time.Date(y, m, d, 0, int(p.allDayAt), 0, 0, p.loc).UnixMilli()
}

// pills is a text that a caller asks for again and again, in the same words.
// Nothing tells one from another, so that only the fuse is held against them.
func (p *person) pills() *op {
	d, wall := p.w.d, p.w.wall()
	at := wall + d.between(0, 12)*hour
	n := int(d.between(1, 4))
	var one func() *op
	one = func() *op {
		n--
		return &op{cmd: engine.CreateReminder{Text: pillsToken + " take your pills", SendAt: at}, keyed: true, begin: func() {}, settle: func(engine.Reply, bool) {
			if n > 0 && p.writers[2].cur == nil && p.exists() && !p.w.ended {
				at += d.between(0, 2) * 40 * minute
				p.writers[2].run(one())
			}
		}}
	}
	return one()
}

const pillsToken = "pills"

func isPills(text string) bool { return strings.Contains(text, pillsToken+" take") }
