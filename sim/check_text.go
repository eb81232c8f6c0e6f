package sim

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"carillon/actors/provider"
	"carillon/engine"
)

// called holds a hand-over against what was known when it was begun. It is
// told of every call, accepted or not.
func (a *audit) called(m provider.Message) *intent {
	in := a.intents[m.MessageID]
	t := a.trail(m.ReminderID)
	t.calls++
	switch {
	case in == nil:
		a.early[m.MessageID] = true
		a.fail("intent", a.w.person(m.UserID), "message %s is handed over, and its beginning is not on the disk (S2)", m.MessageID)
		return nil
	case in.called:
		a.fail("intent", in.p, "message %s is handed over a second time (S3)", m.MessageID)
	case in.text != m.Text || in.to != m.To || in.reminder != m.ReminderID || in.sender != m.Sender:
		a.fail("intent", in.p, "message %s differs from what is on the disk (S2)", m.MessageID)
	case a.w.wall()-in.at > minute:
		a.fail("checked", in.p, "message %s is handed over %d s behind its last check (S1)", m.MessageID, (a.w.wall()-in.at)/second)
	case t.calls > 3:
		a.fail("attempts", in.p, "hand-over %d of reminder %s (S4)", t.calls, m.ReminderID)
	}
	in.called = true
	return in
}

// accepted holds a text that the carrier took against the specification.
func (a *audit) accepted(d *delivery, in *intent) {
	t := a.trail(d.msg.ReminderID)
	if !a.onItsWay(d) {
		a.once(d, t)
		t.accepted = append(t.accepted, d)
	}
	if in == nil {
		return
	}
	a.welcome(d, in)
	a.quiet(d, in)
	a.words(d, in)
	a.recipient(d, in)
	a.measure(d, in)
	a.thrice(d, in)
	a.conserved(d, in)
	in.p.limits.spend(a, d.msg.ReminderID, in)
	if t.canceled && in.life == in.p.life {
		a.fail("cancel", in.p, "reminder %s was shown cancelled, and is handed over (S3)", d.msg.ReminderID)
	}
}

// once is S3: a reminder gets another message only after its last one is known
// to have failed.
func (a *audit) once(d *delivery, t *trail) {
	before := t.accepted
	if token := firstWord(d.msg.Text); strings.HasPrefix(token, "c") {
		before = slices.Clone(a.texts[token])
		a.texts[token] = append(a.texts[token], d)
		if p := a.w.person(d.msg.UserID); p != nil { // one that was snoozed is another one
			before = slices.DeleteFunc(before, func(b *delivery) bool {
				return b.msg.ReminderID != d.msg.ReminderID && (p.snoozedSince(a.firstOf(b, t)) > 0 || // asked for while it was uncertain, perhaps
					a.askedApart(p, b, d, token))
			})
		}
	}
	for _, b := range before {
		switch {
		case b.lostAt(d.calledAt):
		case isPills(d.msg.Text): // one of the same words may be taken for another: a.conserved
		case a.taken(b): // it counts as the other one's
		case a.disguised(b, d.msg.ReminderID):
			a.unknowable++
		default:
			a.fail("once", a.w.person(d.msg.UserID), "reminder %s is texted twice: %s at %s and %s at %s, %q (S3)",
				d.msg.ReminderID, b.msg.MessageID, rfc3339(b.at), d.msg.MessageID, rfc3339(d.at), d.msg.Text)
		}
	}
}

// askedApart reports whether two texts were asked for again by replies to two
// others, before either of them left: a SNOOZE of the first text and a SNOOZE of
// its repetition may both wait for hours. There is a SNOOZE for each text but the
// first.
func (a *audit) askedApart(p *person, b, d *delivery, token string) bool {
	x, y := a.reminder(p.id, b.msg.ReminderID), a.reminder(p.id, d.msg.ReminderID)
	if x == nil || y == nil || x.SnoozeOf == y.SnoozeOf {
		return false
	}
	reminders, first := map[string]bool{}, d.calledAt
	for _, o := range a.texts[token] {
		if o.life == d.life {
			reminders[o.msg.ReminderID] = true
			first = min(first, a.firstOf(o, a.trail(o.msg.ReminderID)))
		}
	}
	return len(reminders) <= 1+p.snoozedSince(first)
}

// firstOf is when the first of two reminders was handed over first: the other
// may be its SNOOZE. Clocks that jump put hours between that and the texts. Of
// one that a restore has forgotten, two hours before its text will do.
func (a *audit) firstOf(b *delivery, t *trail) engine.Millis {
	first := b.calledAt - 2*hour
	if o := a.reminders[b.msg.ReminderID]; o != nil && o.begun != 0 {
		first = min(b.calledAt, o.begun)
	}
	if t.begun != 0 {
		first = min(first, t.begun)
	}
	return first
}

// disguised reports whether a text that left before a restore can't be
// recognized behind it: what was lost with the store had changed its words,
// its minute or its number, and look-ups compare texts.
func (a *audit) disguised(d *delivery, reminder string) bool {
	s := a.lookedFor(d, reminder)
	return s != nil && (s.Text != d.msg.Text || s.To != d.msg.To)
}

// lookedFor is what the first restore behind a text took to have left in its
// place; nil: by that backup the reminder was not due. What a later one assumes
// is about what left since.
func (a *audit) lookedFor(d *delivery, reminder string) *assumption {
	all := a.assumed[reminder]
	for i := range all {
		if d.calledAt < all[i].at && d.calledAt < a.w.restored {
			return &all[i]
		}
	}
	return nil
}

// unrecognized reports whether the engine can't know, for a store was restored, that
// the carrier has a reminder's text.
func (a *audit) unrecognized(d *delivery, reminder string) bool {
	return a.disguised(d, reminder) || a.overtaken(d, reminder)
}

// overtaken reports whether a text left before a restore for a lead that, by the
// backup, was due together with a later one: only that one is looked for (P9).
// What was lost with the store had set them apart (another zone, other leads). So
// is one whose retry was due behind the later one, in the same words.
func (a *audit) overtaken(d *delivery, reminder string) bool {
	u := a.shadow[d.msg.UserID]
	if u == nil || d.calledAt >= a.w.restored {
		return false
	}
	at := slices.IndexFunc(u.Reminders, func(r *engine.Reminder) bool { return r.ID == reminder })
	if at < 0 || u.Reminders[at].Reason != engine.ReasonStale {
		return false
	}
	r := u.Reminders[at]
	return slices.ContainsFunc(u.Reminders, func(o *engine.Reminder) bool {
		if o.EventID != r.EventID || o.Occ != r.Occ || o.Lead >= r.Lead {
			return false
		}
		return slices.ContainsFunc(a.assumed[o.ID], func(s assumption) bool { return r.Attempts == 0 || s.Text == d.msg.Text })
	})
}

// swapped reports whether a text that left before a restore is now taken for
// another reminder's, which has the same words.
func (a *audit) swapped(d *delivery) bool {
	return d.calledAt < a.w.restored && a.takenFor(d) != nil
}

// taken reports whether a look-up took a text for another reminder's of the same
// words, while the hand-overs of both were uncertain. That one has no text then,
// or its own is taken too, or follows the loss of what was taken: there are never
// more texts than reminders. A message that knows the sid by itself is not one of
// these, unless it was given up and another one begun before a late callback told it.
func (a *audit) taken(d *delivery) bool {
	o := a.takenFor(d)
	if o == nil || d.answered && d.calledAt >= a.w.restored { // an answer before that was lost with the store
		return false
	}
	for _, m := range o.Messages {
		if m.SID == d.sid && (m.Text != d.msg.Text || m.To != d.msg.To) {
			return false
		}
	}
	if all := a.messages(d.msg.UserID, d.msg.ReminderID); len(all) > 0 && all[len(all)-1].SID == d.sid {
		return false
	}
	return !slices.ContainsFunc(a.trail(o.ID).accepted, func(b *delivery) bool {
		return b.life == d.life && !b.lost() && !d.lostAt(b.calledAt) && a.takenFor(b) == nil
	})
}

// mixes notes that a look-up took another reminder's text of the same words, to
// the same number, while nothing was known of that one's own message: nobody can
// tell them apart. If the carrier names the other one later, two have its sid. One
// that was being handed over is to be waited for (underWay in the engine).
func (a *audit) mixes(user string, e engine.MessageAccepted) {
	d := a.w.carrier.bySID[e.SID]
	if e.By != "lookup" || d == nil || d.msg.MessageID == e.MessageID {
		return
	}
	open := slices.ContainsFunc(a.messages(user, d.msg.ReminderID), func(m engine.Message) bool {
		return m.ID == d.msg.MessageID && m.SID == "" && m.Status != engine.MessageSending
	})
	same := slices.ContainsFunc(a.messages(user, e.ID), func(m engine.Message) bool {
		return m.ID == e.MessageID && m.Text == d.msg.Text && m.To == d.msg.To
	})
	if open && same {
		a.mixed[e.MessageID] = d.sid
	}
}

// takenFor is the reminder that has another one's text by the journal, or nil.
func (a *audit) takenFor(d *delivery) *engine.Reminder {
	u := a.shadow[d.msg.UserID]
	if u == nil {
		return nil
	}
	for i := range u.Reminders {
		for _, m := range u.Reminders[i].Messages {
			if m.SID == d.sid && u.Reminders[i].ID != d.msg.ReminderID {
				return u.Reminders[i]
			}
		}
	}
	return nil
}

// welcome is S1: consent, number, switch, pause, and that there is somebody.
func (a *audit) welcome(d *delivery, in *intent) {
	event := strings.HasPrefix(firstWord(d.msg.Text), "e")
	never := func(bad func(*profile) bool) bool {
		return !slices.ContainsFunc(in.prof, func(q *profile) bool { return !bad(q) })
	}
	switch {
	case in.out == optedOut:
		a.fail("consent", in.p, "%q to somebody who has opted out (N3)", d.msg.Text)
	case never(func(q *profile) bool { return !q.exists }):
		a.fail("erased", in.p, "%q to somebody who was erased (N6)", d.msg.Text)
	case never(func(q *profile) bool { return !q.verified }):
		a.fail("verified", in.p, "%q to a number that is not verified (S1)", d.msg.Text)
	case never(func(q *profile) bool { return q.paused }):
		a.fail("pause", in.p, "%q while the person is paused (S8)", d.msg.Text)
	case event && never(func(q *profile) bool { return !q.reminders }):
		a.fail("switch", in.p, "%q while reminders are off (S1)", d.msg.Text)
	}
	if in.pausedAll {
		a.fail("pause", in.p, "%q while sending is paused for everybody (S8)", d.msg.Text)
	}
}

// quiet is T4 and P4, at the instant of the hand-over.
func (a *audit) quiet(d *delivery, in *intent) {
	if c := in.custom(firstWord(d.msg.Text)); c != nil && c.priority == engine.PriorityUrgent &&
		slices.ContainsFunc(in.prof, func(q *profile) bool { return q.urgent }) {
		return
	}
	at := d.calledWall
	if in.late || a.w.jumped >= in.trueAt-pauseGrace {
		at = in.at // the clock may have jumped since it was decided
	}
	if !slices.ContainsFunc(in.prof, func(q *profile) bool { return !q.quietAt(at) }) {
		a.fail("quiet", in.p, "%q at %s local time, quiet hours are %s (T4)", d.msg.Text,
			time.UnixMilli(at).In(in.prof[0].loc).Format("15:04"), in.prof[0].quietText())
	}
}

func (a *audit) recipient(d *delivery, in *intent) {
	if !slices.ContainsFunc(in.prof, func(q *profile) bool { return q.phone == d.msg.To }) {
		a.fail("recipient", in.p, "%q to %s, which is not the person's number (I19)", d.msg.Text, d.msg.To)
	}
}

// words holds the text against the event as it was acknowledged, and the
// instant against its start (X1, C2, C3, S1).
func (a *audit) words(d *delivery, in *intent) {
	token := firstWord(d.msg.Text)
	if strings.HasPrefix(token, "c") {
		a.customWords(d, in, token)
		return
	}
	if isPills(d.msg.Text) {
		return
	}
	why, foreign := "no event of that title is known (X1, C4)", ""
	for _, cal := range in.calendars() {
		for _, e := range *cal {
			if e.token != token {
				continue
			}
			if why = e.judge(d, in); why == "" {
				if w := e.guarded(d, in); w != "" { // a change of place or link may be under way
					foreign = w
					continue
				}
				in.p.noteText(e)
				a.collapsed(in, e)
				if !e.AllDay {
					a.inTime(d, in, e.Start)
				}
				return
			}
		}
	}
	if foreign != "" {
		a.fail("guarded", in.p, "%q has %q in it, which is not the event's (X4)", d.msg.Text, foreign)
		return
	}
	a.fail("words", in.p, "%q: %s", d.msg.Text, why)
}

// judge says what is wrong with a text for the event as it is.
func (e *calEvent) judge(d *delivery, in *intent) string {
	switch {
	case e.deleted || e.Sync == engine.SyncCanceled:
		return "its event is deleted (C2)"
	case e.Response == engine.ResponseDeclined:
		return "its event is declined (P3)"
	case e.Free:
		return "its event is free time (P3)"
	case !e.synced && !in.p.wantedAgain(e):
		return "its event was never synced (P3)"
	case e.AllDay:
		return e.judgeDay(d, in)
	case d.calledWall >= e.Start:
		return "its event has started (S1)"
	case !saysWhen(d.msg.Text, e.Start-in.at):
		return "it does not say how far the event is (X1): it starts " + rfc3339(e.Start) + ", begun " + rfc3339(in.at)
	}
	return ""
}

// judgeDay is judge for an all-day event.
func (e *calEvent) judgeDay(d *delivery, in *intent) string {
	date := int64(e.Date)
	named := time.Unix(date*86400, 0).UTC().Format("Mon 2 Jan: ")
	further := strings.HasPrefix(d.msg.Text, named)
	switch {
	case further: // than tomorrow
		date -= 2
	case strings.HasPrefix(d.msg.Text, "Tomorrow: "):
		date--
	}
	for _, q := range in.prof {
		if on := q.date(in.at); on == date || further && on < date {
			return ""
		}
	}
	return "its day is another one than it says (S1, X1)"
}

// saysWhen looks for the number of minutes, hours or days until the start.
func saysWhen(text string, ahead engine.Millis) bool {
	for _, m := range []engine.Millis{ahead / minute, ahead/minute + 1, (ahead + minute/2) / minute} {
		m = max(m, 1)
		d, h, r := m/1440, m%1440/60, m%60
		var say string
		switch {
		case m < 60:
			say = plural(m, "min")
		case m < 1440 && r == 0:
			say = plural(h, "hour")
		case m < 1440:
			say = itoa(h) + " h " + plural(r, "min")
		case h == 0:
			say = plural(d, "day")
		default:
			say = plural(d, "day") + " " + itoa(h) + " h"
		}
		if strings.Contains(text, " in "+say) {
			return true
		}
	}
	return false
}

func (a *audit) customWords(d *delivery, in *intent, token string) {
	c := in.custom(token)
	switch {
	case c == nil:
		a.fail("words", in.p, "%q: nobody has asked for it (P10)", d.msg.Text)
	case d.calledWall >= max(c.expires, in.p.snoozedUntil()):
		a.fail("words", in.p, "%q: it has expired at %s (P10)", d.msg.Text, rfc3339(c.expires))
	case c.canceled && in.p.snoozedSince(0) == 0 && !slices.ContainsFunc(in.cus, func(m *customs) bool { x := (*m)[token]; return x != nil && !x.canceled }):
		a.fail("words", in.p, "%q: it is cancelled (S3)", d.msg.Text)
	default:
		in.p.said[token] = max(in.p.said[token], d.calledWall)
		a.inTime(d, in, max(c.expires, in.p.snoozedUntil()))
	}
}

// calendars are those that may hold: a caller's, as answers say, and the connected
// ones, of which the journal says what was read.
func (in *intent) calendars() []*calendar {
	if len(in.follows) == 0 {
		return in.cal
	}
	return append(slices.Clip(in.cal), &in.follows)
}

func (in *intent) custom(token string) *custom {
	for _, m := range in.cus {
		if c := (*m)[token]; c != nil {
			return c
		}
	}
	return nil
}

// measure is X2: one segment.
func (a *audit) measure(d *delivery, in *intent) {
	units, limit := len(utf16.Encode([]rune(d.msg.Text))), 160
	for _, r := range d.msg.Text {
		if r < ' ' || r == 0x7f {
			a.fail("text", in.p, "%q holds a control character (X2)", d.msg.Text)
		}
		if r > 0x7f && !strings.ContainsRune("£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", r) {
			limit = 70
		}
	}
	if units > limit {
		a.fail("text", in.p, "%q has %d units, and %d are one segment (X2)", d.msg.Text, units, limit)
	}
}

// dayHead is how the text of an all-day event begins that is further away than
// tomorrow.
var dayHead = regexp.MustCompile(`^[A-Z][a-z]{2} [0-9]{1,2} [A-Z][a-z]{2}: `)

// firstWord is a text's token; the time that the fuse puts before a third one,
// "20:00" or "00:21 on 2025-07-30", is not it.
func firstWord(text string) string {
	if len(text) > 3 && text[3] == ' ' {
		text = dayHead.ReplaceAllString(text, "")
	}
	for w := range strings.FieldsSeq(text) {
		clock, date := len(w) == 5 && w[2] == ':', len(w) == 10 && w[4] == '-' && w[7] == '-'
		if !clock && !date && w != "on" && w != "Today:" && w != "Tomorrow:" {
			return w
		}
	}
	return ""
}
