package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carillon/actors/provider"
	"carillon/engine"
)

// reader asks the sources for what they hold, as one process does.
type reader struct {
	w *world
	p *process
}

var _ provider.CalendarReader = (*reader)(nil)

const readTimeout = 30 * second

// Read implements provider.CalendarReader. A source says what it holds half
// way between the question and the answer.
func (r *reader) Read(_ context.Context, q provider.CalendarQuery) (provider.CalendarReading, error) {
	w, s := r.w, r.w.sources
	w.digest.add("read", q.UserID, q.Calendar.Source, q.Calendar.Cursor)
	c, begun, wall := s.byName[q.Calendar.Source], w.now, w.wall()
	if c == nil || c.p.id != q.UserID {
		w.audit.fail("followed", w.person(q.UserID), "%s is read, and nobody has connected it (SPEC 9)", q.Calendar.Source)
		return provider.CalendarReading{}, &provider.CalendarError{Problem: provider.CalendarNotFound}
	}
	w.audit.polled(c.p, c)
	c.askedIn = q.Zone.String()
	answers, hangs := s.d.between(30, 900), s.hit(SourceHangs, 0.04)
	switch {
	case hangs:
		answers = readTimeout
	case s.hit(SourceSlow, 0.1):
		answers = s.d.between(1, 25) * second
	}
	if !wait(w, r.p, answers/2) {
		return provider.CalendarReading{}, errDown
	}
	c.patience, c.refused = 0, false
	err := c.trouble(hangs)
	var got *reading
	if err == nil {
		got = c.say(q)
		got.begun, got.wall = begun, wall
	}
	if !wait(w, r.p, answers-answers/2) {
		return provider.CalendarReading{}, errDown
	}
	if err != nil {
		if failed, ok := errors.AsType[*provider.CalendarError](err); ok {
			c.patience, c.refused = failed.RetryAfter, failed.Final
		}
		return provider.CalendarReading{}, err
	}
	cursor := fmt.Sprintf("%d of %s", len(s.readings), c.name)
	s.readings[cursor] = got
	return got.answer(cursor, c.channelFor(q)), nil
}

// trouble is why a source can't be read now; nil: it can.
func (c *source) trouble(hangs bool) error {
	s := c.s
	switch {
	case hangs:
		return &provider.CalendarError{Problem: provider.CalendarUnreachable, Cause: "no answer in time"}
	case s.w.now < c.downUntil:
		return pick(s.d,
			&provider.CalendarError{Problem: provider.CalendarUnavailable, Cause: "HTTP 503"},
			&provider.CalendarError{Problem: provider.CalendarUnreachable, Cause: "connection refused"})
	case c.kind == engine.CalendarGoogle && s.hit(SourceEnds, 0.01):
		c.ended = true
	case s.hit(SourceFails, 0.08):
		return c.failure()
	}
	if c.ended {
		return &provider.CalendarError{Problem: provider.CalendarAccessEnded, Cause: "invalid_grant", Final: true}
	}
	return nil
}

// failure is one that comes once.
func (c *source) failure() error {
	d := c.s.d
	e := &provider.CalendarError{Cause: "once", Problem: pick(d, provider.CalendarUnavailable, provider.CalendarUnavailable,
		provider.CalendarRateLimited, provider.CalendarDenied, provider.CalendarNotFound, provider.CalendarUnreadable, provider.CalendarTooLarge)}
	if e.Problem == provider.CalendarRateLimited {
		e.RetryAfter = pick(d, 0, minute, hour)
		return e
	}
	if d.chance(0.1) {
		panic("sim: the reader of calendars panics")
	}
	if d.chance(0.1) {
		return errors.New("sim: an error without a kind")
	}
	return e
}

// channelFor is how the source tells of changes from now on.
func (c *source) channelFor(q provider.CalendarQuery) engine.Channel {
	was := q.Calendar.Channel
	if !c.pushes || was.ID != "" && was.Until-q.Now > day {
		return was
	}
	n := len(c.s.readings)
	c.channel = engine.Channel{ID: fmt.Sprintf("ch-%d", n), Resource: c.name, Token: fmt.Sprintf("token-%d", n), Until: q.Now + 7*day}
	c.calendar = q.Calendar.ID
	return c.channel
}

// say is what the source says now. A feed that has not changed says so, and
// Google only tells what has.
func (c *source) say(q provider.CalendarQuery) *reading {
	got := &reading{of: c, version: len(c.versions) - 1, whole: true, start: q.Start, end: q.End, zone: q.Zone}
	since := c.s.readings[q.Calendar.Cursor]
	if since != nil && c.fresh(since, q) && !c.s.hit(SourceForgets, 0.06) {
		got.whole = false
		c.sayChanges(got, since)
		return got
	}
	for _, id := range slices.Sorted(maps.Keys(c.now())) {
		if e := c.now()[id].in(q.Zone); within(e, got) {
			got.events = append(got.events, e)
		}
	}
	return got
}

// fresh reports whether a source that is asked for changes tells them: the
// window has not moved too far, and nobody else's zone is meant.
func (c *source) fresh(since *reading, q provider.CalendarQuery) bool {
	if c.kind == engine.CalendarGoogle {
		return q.Calendar.WholeAt >= q.Start && q.Now-q.Calendar.WholeAt < 20*hour
	}
	return since.version == len(c.versions)-1 && since.zone.String() == q.Zone.String() && since.start == q.Start && q.Now-q.Calendar.WholeAt < 12*hour
}

func within(e *calEvent, r *reading) bool {
	at := e.begins(r.zone)
	return r.start <= at && at < r.end
}

// sayChanges tells what has changed since another reading. Of a series that is
// gone only its own name is told.
func (c *source) sayChanges(got, since *reading) {
	was, is := c.versions[since.version], c.now()
	for _, id := range slices.Sorted(maps.Keys(is)) {
		if e := is[id]; was[id] != e {
			got.events = append(got.events, e.in(got.zone))
		}
	}
	left := map[string]bool{} // series that go on
	for id := range is {
		left[seriesOf(id)] = true
	}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		name := id
		if !left[seriesOf(id)] {
			name = seriesOf(id)
		}
		if is[id] == nil && !slices.Contains(got.gone, name) {
			got.gone = append(got.gone, name)
		}
	}
}

// seriesOf is the name of the series that an instance is of, its own if it is none.
func seriesOf(id string) string {
	name, _, _ := strings.Cut(id, "_")
	return name
}

func (r *reading) answer(cursor string, ch engine.Channel) provider.CalendarReading {
	out := provider.CalendarReading{Whole: r.whole, Gone: r.gone, Cursor: cursor, Channel: ch}
	for _, e := range r.events {
		out.Events = append(out.Events, e.CalendarEvent)
	}
	return out
}
