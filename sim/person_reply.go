package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carillon/engine"
)

// snooze is one SNOOZE that may have been heard: it justifies another text.
type snooze struct {
	asked   engine.Millis // true time
	heard   engine.Millis // true time of its answer: until then it may have been carried out; 0: it has none
	until   engine.Millis // wall clock: when the reminder is wanted again
	latest  engine.Millis // the same if it was carried out before its answer was heard, by a clock that has jumped
	minutes int64
}

// chooseReply draws what somebody texts back (N4).
func (p *person) chooseReply() *op {
	if !p.exists() || !p.prof.now.verified {
		return nil
	}
	switch d := p.w.d; d.intn(5) {
	case 0:
		return p.reply(pick(d, "C", "c", "Confirm."), p.confirmed)
	case 1, 2:
		return p.snooze(d.between(1, p.w.pace.snooze))
	case 3:
		return p.askAgenda()
	default:
		return p.reply(pick(d, "HELP", "who is this?", "stop please", "SNOOZE soon"), func(engine.TextReply) {})
	}
}

// reply is a text of the person, and what its answer is held against.
func (p *person) reply(text string, judge func(engine.TextReply)) *op {
	p.texts++
	cmd := engine.ReceiveText{SID: fmt.Sprintf("MM-%s-%d-%d", p.id, p.life, p.texts), Text: text}
	before := p.standing()
	return &op{cmd: cmd, begin: func() {}, settle: func(reply engine.Reply, refused bool) {
		r, ok := reply.(engine.TextReply)
		switch {
		case refused || !ok:
			return
		case p.out == optedOut && before[3] == int64(optedOut) && r.Answer != "" && r.Keyword != engine.KeywordHelp:
			p.w.audit.fail("silence", p, "%q is answered with %q to somebody who has opted out (N3)", text, r.Answer)
		default:
			judge(r)
		}
		if p.w.faults.hit(TextTwice, 0.3) {
			p.repeatLater(&op{cmd: cmd}, 5*minute)
		}
	}}
}

// confirmed holds the answer against what was sent: it names a text that the
// person got.
func (p *person) confirmed(r engine.TextReply) {
	title, ok := strings.CutPrefix(r.Answer, "Confirmed: ")
	if !ok || p.w.restored != 0 {
		return
	}
	token := firstWord(title)
	for _, phone := range p.numbersOfAll() {
		if slices.ContainsFunc(p.w.carrier.byNumber[phone], func(d *delivery) bool { return firstWord(d.msg.Text) == token }) {
			return
		}
	}
	for _, in := range p.intents {
		if firstWord(in.text) == token {
			return // uncertain: the person may have it
		}
	}
	for _, e := range p.allEvents() {
		if e.token == token {
			return // the title has changed since
		}
	}
	p.w.audit.fail("answer", p, "%q confirms something that the person never got (N4)", r.Answer)
}

func (p *person) numbersOfAll() []string {
	var out []string
	for _, o := range p.w.people {
		out = append(out, o.numbers...)
	}
	return out
}

// snooze asks for the latest reminder once more. Whether there is one to
// repeat, the engine says; that it may be, the auditor knows from now on.
func (p *person) snooze(minutes int64) *op {
	w := p.w
	s := &snooze{minutes: minutes}
	o := p.reply("SNOOZE "+strconv.FormatInt(minutes, 10), func(r engine.TextReply) {
		if strings.HasPrefix(r.Answer, "You will be reminded again at ") {
			p.expectSnoozed(s)
		}
	})
	o.begin = func() {
		s.asked, s.until = w.now, w.wall()+minutes*minute
		p.snoozes = append(p.snoozes, s)
	}
	settle := o.settle
	o.settle = func(reply engine.Reply, refused bool) {
		s.heard, s.until = w.now, max(s.until, w.wall()+minutes*minute) // it was carried out some time since it was asked
		settle(reply, refused)
	}
	return o
}

// expectSnoozed plans a look at when the reminder that was sent last is due
// again, if it is an event's and nothing about it is open.
func (p *person) expectSnoozed(s *snooze) {
	w := p.w
	sent := w.carrier.byNumber[p.prof.now.phone]
	if len(sent) == 0 || w.now-s.asked > 2*second || w.now-sent[len(sent)-1].calledAt < 2*second {
		return
	}
	last := sent[len(sent)-1]
	if last.lost() || w.audit.otherMeant(p, last) {
		return // it is about one before, or about one that the person may have
	}
	for _, e := range p.allEvents() {
		if e.token != firstWord(last.msg.Text) || e.AllDay || p.touched[e.ID] || last.msg.UserID != p.id {
			continue
		}
		p.touched[e.ID] = true // its other reminders may be outrun by this one
		event, count, touches := *e, len(p.snoozes), p.touches[e.ID]
		t := target{p: p, token: e.token, at: s.until - w.wall() + s.asked + w.skew, deadline: e.Start, event: true}
		t.at = max(t.at, s.until-2*second)
		t.wanted = func() bool {
			cur := p.event(event.ID)
			return cur != nil && cur.token == event.token && cur.Start == event.Start && cur.wanted() && cur.Sync == engine.SyncSynced && len(p.snoozes) == count &&
				p.touches[event.ID] == touches && // a send-now has it leave before
				p.swayed < s.asked // one that a STOP ended does not come back with the START
		}
		t.plan()
	}
}

// otherMeant reports whether a reply may be about another text than the carrier's
// last: one that was begun since, or with it (which of the two was the last, the
// person can't tell). What the carrier does not know at two look-ups is not meant.
func (a *audit) otherMeant(p *person, last *delivery) bool {
	for id, in := range a.intents {
		if in.p != p || in.reminder == last.msg.ReminderID && in.trueAt <= last.calledAt || in.trueAt <= last.calledAt-2*second {
			continue
		}
		if !slices.ContainsFunc(a.messages(p.id, in.reminder), func(m engine.Message) bool {
			return m.ID == id && m.Status == engine.MessageUncertain && m.Absent >= 2
		}) {
			return true
		}
	}
	return false
}

// snoozedSince counts the SNOOZEs that may have been carried out since an
// instant: one that was asked for while the service was down is repeated for
// hours, and is about the text that was the latest when it was heard.
func (p *person) snoozedSince(at engine.Millis) (n int) {
	for _, s := range p.snoozes {
		if s.heard == 0 || s.heard >= at {
			n++
		}
	}
	return n
}

// occurrence names the event at the time that it has (P6).
func (e *calEvent) occurrence() string { return e.ID + " " + itoa(e.Start) + " " + itoa(int64(e.Date)) }

// noteText notes that the person has a text about the event at its time.
func (p *person) noteText(e *calEvent) {
	if p.texted[e.occurrence()] == 0 {
		p.texted[e.occurrence()] = p.w.now
	}
}

// wantedAgain reports whether a SNOOZE may ask for the event once more: the
// person has a text about it. Its sync_status is not looked at then.
func (p *person) wantedAgain(e *calEvent) bool {
	had := p.texted[e.occurrence()]
	return had != 0 && p.snoozedSince(had) > 0
}

// unheardBy notes that a SNOOZE of which nothing was heard yet may have been carried
// out at an instant of the wall clock, which is about to jump.
func (p *person) unheardBy(wall engine.Millis) {
	for _, s := range p.snoozes {
		if s.heard == 0 {
			s.latest = max(s.latest, wall+s.minutes*minute)
		}
	}
}

// snoozedUntil is until when a custom reminder may be of use again (P10, N4).
func (p *person) snoozedUntil() (until engine.Millis) {
	p.unheardBy(p.w.wall())
	for _, s := range p.snoozes {
		until = max(until, s.until+hour, s.latest+hour)
	}
	return until
}

// askAgenda asks for the rest of the day, and holds the answer against the
// calendar as it was acknowledged.
func (p *person) askAgenda() *op {
	w := p.w
	var before []string
	var standing [5]int64
	open := false
	o := p.reply("AGENDA", func(r engine.TextReply) {
		after := p.agenda()
		if p.out != optedIn || open || standing != p.standing() || !slices.Equal(before, after) || w.jumped != 0 {
			return
		}
		w.audit.agenda(p, r.Answer, after)
	})
	o.begin = func() {
		standing, before = p.standing(), p.agenda()
		open = slices.ContainsFunc(p.writers, func(c *writer) bool { return c.cur != nil && c.cur != o })
	}
	return o
}

// agenda is the rest of the day, as somebody would read it off the calendar.
func (p *person) agenda() []string {
	q, wall := p.prof.now, p.w.wall()
	today := q.date(wall)
	var events []*calEvent
	for _, e := range p.allEvents() {
		switch {
		case e.deleted, e.Sync == engine.SyncCanceled, e.Response == engine.ResponseDeclined:
		case e.AllDay && int64(e.Date) <= today && today < int64(e.EndDate),
			!e.AllDay && q.date(e.Start) <= today && max(e.End, e.Start+1) > wall:
			events = append(events, e)
		}
	}
	slices.SortFunc(events, func(a, b *calEvent) int {
		switch {
		case a.AllDay != b.AllDay && a.AllDay:
			return -1
		case a.AllDay != b.AllDay:
			return 1
		case a.Start != b.Start:
			return int(min(max(a.Start-b.Start, -1), 1))
		}
		return strings.Compare(a.ID, b.ID)
	})
	out := make([]string, 0, len(events))
	for _, e := range events {
		when := time.UnixMilli(e.Start).In(q.loc).Format("15:04")
		switch {
		case e.AllDay:
			when = "all day"
		case e.Start <= wall:
			when = "now"
		}
		out = append(out, when+" "+e.token)
	}
	return out
}

// agenda is N4: in order, complete or counted.
func (a *audit) agenda(p *person, answer string, want []string) {
	if len(want) == 0 {
		if answer != "Nothing more today." {
			a.fail("answer", p, "%q, and nothing is left today (N4)", answer)
		}
		return
	}
	listed := strings.Split(answer, "; ")
	left := 0
	if more, ok := strings.CutSuffix(strings.TrimPrefix(listed[len(listed)-1], "+"), " more"); ok {
		left, _ = strconv.Atoi(more)
		listed = listed[:len(listed)-1]
	}
	if len(listed)+left != len(want) {
		a.fail("answer", p, "%q, and the rest of the day is %q (N4)", answer, want)
		return
	}
	for i, line := range listed {
		if !strings.HasPrefix(line, want[i]) {
			a.fail("answer", p, "%q, and the rest of the day is %q (N4)", answer, want)
			return
		}
	}
}
