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
	reached int64 // the latest date that has begun; it never goes back
	unsure  int64 // nothing is said of dates up to this one
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
	if b.known[reminder] {
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
		if int32(i) >= s.limit {
			a.fail("limit", in.p, "reminder %s is number %d of its day, and the limit was %d when it was begun (P5)", s.reminder, i+1, s.limit)
		}
	}
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
