package sim

import (
	"slices"
	"strconv"

	"carillon/engine"
)

// limitBook is the daily limit as a person would keep it: a page per local
// date, and on it the reminders that the carrier took, in the order in which
// they were begun. A reminder is written down once, on its first date (P5).
type limitBook struct {
	begun   engine.Millis // true time: what was handed over before is somebody else's of that id
	reached int64         // the latest date that has begun; it never goes back
	unsure  int64         // nothing is said of dates up to this one
	pages   map[int64][]*spent
	known   map[string]bool
}

type spent struct {
	seq      uint64
	limit    int32
	reminder string
}

// reach turns to the page of an instant.
func (b *limitBook) reach(q *profile, at engine.Millis) int64 {
	b.reached = max(b.reached, q.date(at))
	return b.reached
}

// doubt: nobody can say on which date the engine counts.
func (b *limitBook) doubt(q *profile, at engine.Millis) {
	if q.exists {
		b.unsure = max(b.unsure, b.reach(q, at)+1)
	}
}

// unsure writes down what ended with nobody knowing: its place stays spent (S3).
func (p *person) unsure(items []engine.ReminderView) {
	for i := range items {
		r := &items[i]
		if r.Status != engine.StatusFailed || r.Reason != engine.ReasonUncertainExpired || len(r.Messages) == 0 {
			continue
		}
		if in := p.w.audit.intents[r.Messages[0].ID]; in != nil && in.life == p.life && len(in.prof) == 1 && in.prof[0].date(in.at) == p.limits.reached {
			p.limits.spend(p.w.audit, r.ID, in)
		}
	}
}

func (b *limitBook) spend(a *audit, reminder string, in *intent) {
	if b.known[reminder] || in.trueAt < b.begun {
		return // a retry: its place is spent
	}
	if b.pages == nil {
		b.pages, b.known = map[int64][]*spent{}, map[string]bool{}
	}
	b.known[reminder] = true
	date, limit := int64(0), int32(0)
	for _, q := range in.prof {
		limit = max(limit, q.limit)
		date = max(date, q.date(in.at))
	}
	date = max(date, b.reached)
	if len(in.prof) > 1 && in.prof[0].zone != in.prof[1].zone {
		b.unsure = max(b.unsure, date+1)
	}
	b.reached = max(b.reached, date)
	if date <= b.unsure {
		return
	}
	b.pages[date] = append(b.pages[date], &spent{in.seq, limit, reminder})
	page := b.pages[date]
	slices.SortFunc(page, func(x, y *spent) int { return int(int64(x.seq) - int64(y.seq)) })
	for i, s := range page {
		if int32(i) < s.limit {
			continue
		}
		if n := b.places(a, in.p, page[:i+1]); n > s.limit {
			a.fail("limit", in.p, "reminder %s is number %d of its day, and the limit was %d when it was begun (P5)", s.reminder, n, s.limit)
		}
	}
}

// places counts those that a part of a page stands for. One whose text was taken
// for another's is that one's, which may have a line of its own.
func (b *limitBook) places(a *audit, p *person, page []*spent) (n int32) {
	held := map[string]bool{}
	for _, s := range page {
		of := a.holder(p, s.reminder)
		if held[of] || (of != s.reminder && b.known[of]) {
			continue
		}
		held[of] = true
		n++
	}
	return n
}

// holder is the reminder whose place a reminder's texts have spent: its own, or
// the one that look-ups took them for. Then each of its own messages has failed
// without a sid, and its place came back (P5). What waits for an answer, or got
// none in time, keeps it (S3).
func (a *audit) holder(p *person, reminder string) string {
	r := a.reminder(p.id, reminder)
	if r == nil || r.Spent || r.Reason == engine.ReasonUncertainExpired {
		return reminder
	}
	for i := range r.Messages {
		if m := &r.Messages[i]; m.SID != "" || m.Status != engine.MessageFailed {
			return reminder
		}
	}
	of := reminder
	for _, d := range a.trail(reminder).accepted {
		o := a.takenFor(d)
		if o == nil || !slices.ContainsFunc(o.Messages, func(m engine.Message) bool { return m.SID == d.sid && a.mixed[m.ID] == d.sid }) {
			return reminder
		}
		of = o.ID
	}
	return of
}

func (p *profile) quietText() string {
	hhmm := func(m uint16) string { return strconv.Itoa(int(m)/60) + ":" + strconv.Itoa(int(m)%60) }
	return hhmm(p.quiet.Start) + " to " + hhmm(p.quiet.End) + " in " + p.zone
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func plural(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return itoa(n) + " " + unit + "s"
}
