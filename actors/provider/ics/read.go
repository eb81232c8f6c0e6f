package ics

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"carillon/engine"
)

// Options of Read. Zone is needed.
type Options struct {
	// From and To are the window: instances that begin in it are listed.
	From, To engine.Millis
	// Zone is the person's: floating times and whole days are theirs.
	Zone *time.Location
	// Self is the person's mail address, to find their own answer to an
	// invitation; empty: answers are not looked at.
	Self string
	// HidePrivate leaves out the words of events that are marked private or
	// confidential (CLASS, RFC 5545 3.8.1.3).
	HidePrivate bool
}

// Feed is what a calendar says of the window.
type Feed struct {
	Events  []engine.CalendarEvent // in order of their beginning
	Skipped []Skipped
}

// Skipped is something that was left out, and why. UID is empty for the feed's
// own lines.
type Skipped struct{ UID, Why string }

// maxListed is how many instances a feed may have in the window, and
// maxSkipped how many of those left out are told one by one.
const (
	maxListed  = 50_000
	maxSkipped = 100
)

// Read reads a feed and expands it over the window. An error means that it is
// no calendar at all, or larger than any.
func Read(r io.Reader, opt Options) (Feed, error) {
	f, err := readFile(r)
	if err != nil {
		return Feed{}, err
	}
	b := &budget{maxWork}
	to := time.UnixMilli(opt.To).UTC()
	rd := &reader{
		opt: opt, budget: b, canceled: f.method == "CANCEL",
		zones: &zones{defined: f.zones, known: map[string]*time.Location{}, to: to, budget: b},
	}
	if f.badLines > 0 {
		rd.skip("", fmt.Sprintf("%d lines are no content lines", f.badLines))
	}
	if f.tooMany > 0 {
		rd.skip("", fmt.Sprintf("%d events beyond %d", f.tooMany, maxEvents))
	}
	for _, s := range rd.series(f.events) {
		if err := rd.list(s); err != nil {
			rd.skip(s.uid, err.Error())
		}
	}
	slices.SortStableFunc(rd.out.Events, func(a, b engine.CalendarEvent) int {
		return cmp.Or(cmp.Compare(rd.begins(a), rd.begins(b)), cmp.Compare(a.ID, b.ID))
	})
	return rd.out, nil
}

// reader turns components into events.
type reader struct {
	opt      Options
	zones    *zones
	budget   *budget
	canceled bool // the whole feed is a cancellation
	out      Feed
	untold   int
}

func (r *reader) skip(uid, why string) {
	if len(r.out.Skipped) < maxSkipped {
		r.out.Skipped = append(r.out.Skipped, Skipped{UID: uid, Why: why})
	}
}

// begins is when an event begins for the person.
func (r *reader) begins(e engine.CalendarEvent) engine.Millis {
	if e.AllDay {
		return at(dayOf(e.Date), r.opt.Zone).UnixMilli()
	}
	return e.Start
}

func dayOf(d engine.Date) wall { return time.Unix(int64(d)*86400, 0).UTC() }

func dateOf(w wall) engine.Date { return engine.Date(floorDiv(w.Unix(), 86400)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// series is one UID: the event that repeats, or stands alone, and what was
// changed about single instances.
type series struct {
	uid     string
	master  *entry
	changed []*entry // ascending by the instant that each stands for
}

// series sorts events by UID, in the order of the file. Of two versions of one
// the higher SEQUENCE, then the later DTSTAMP, counts.
func (r *reader) series(events []*component) []*series {
	byUID := map[string]*series{}
	var out []*series
	for i, c := range events {
		uid := c.text("UID")
		if uid == "" {
			uid = fmt.Sprintf("event-%d", i+1)
		}
		e, err := r.entry(c)
		if err != nil {
			r.skip(uid, err.Error())
			continue
		}
		s := byUID[uid]
		if s == nil {
			s = &series{uid: uid}
			byUID[uid], out = s, append(out, s)
		}
		s.add(e)
	}
	for _, s := range out {
		slices.SortStableFunc(s.changed, func(a, b *entry) int { return a.stands.Compare(b.stands) })
	}
	return out
}

func (s *series) add(e *entry) {
	if e.stands.IsZero() {
		if s.master == nil || !e.olderThan(s.master) {
			s.master = e
		}
		return
	}
	for i, o := range s.changed {
		if o.stands.Equal(e.stands) && o.onward == e.onward {
			if !e.olderThan(o) {
				s.changed[i] = e
			}
			return
		}
	}
	if len(s.changed) < maxInstances {
		s.changed = append(s.changed, e)
	}
}

// instanceID names an instance by the instant that the rule gave it. Ids of
// ours are short and have no slash.
func instanceID(uid string, repeats bool, stands time.Time, date bool) string {
	id := uid
	if repeats {
		form := "20060102T150405Z"
		if date {
			form = "20060102"
		}
		id += "_" + stands.UTC().Format(form)
	}
	if len(id) <= maxID && !strings.ContainsFunc(id, func(c rune) bool { return c == '/' || c < '!' || c == 0x7f || c > 0xff }) {
		return id
	}
	return "ics-" + digest(id)
}
