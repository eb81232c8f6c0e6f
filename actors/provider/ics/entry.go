package ics

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// maxID is the longest event id that is kept as it is, in bytes.
const maxID = 200

// entry is one VEVENT, understood.
type entry struct {
	event    engine.CalendarEvent // but for its id and its times
	start    moment
	length   time.Duration // of time, or of whole days for an all-day one
	rules    []string
	added    []moment
	dropped  []moment
	stands   time.Time // RECURRENCE-ID: the instant of the instance that it changes
	onward   bool      // and all that follow
	sequence int64
	stamp    string
}

// moment is a time as written, with the zone that it is in.
type moment struct {
	stamp
	loc *time.Location
}

// instant is when a moment is. A date is its first instant.
func (m moment) instant() time.Time { return at(m.wall, m.loc) }

func (e *entry) olderThan(o *entry) bool {
	if e.sequence != o.sequence {
		return e.sequence < o.sequence
	}
	return e.stamp < o.stamp
}

var oldest, newest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// moment reads a property's first value, or one of several.
func (r *reader) moment(p *property, value string) (moment, error) {
	s, err := parseStamp(value)
	if err != nil {
		return moment{}, fmt.Errorf("%s: %w", p.name, err)
	}
	if s.wall.Before(oldest) || s.wall.After(newest) {
		return moment{}, fmt.Errorf("%s is not between 1900 and 2200", p.name)
	}
	m := moment{stamp: s, loc: r.opt.Zone}
	switch id := p.param("TZID"); {
	case s.utc:
		m.loc = time.UTC
	case s.date || id == "":
	default:
		if m.loc, err = r.zones.find(id); err != nil {
			return moment{}, err
		}
	}
	return m, nil
}

// moments reads every value of every property of a name. A PERIOD counts by
// its beginning.
func (r *reader) moments(c *component, name string) ([]moment, error) {
	var out []moment
	for i := range c.props {
		p := &c.props[i]
		if p.name != name {
			continue
		}
		for value := range strings.SplitSeq(p.value, ",") {
			value, _, _ = strings.Cut(value, "/")
			m, err := r.moment(p, value)
			if err != nil {
				return nil, err
			}
			if len(out) == maxInstances {
				return nil, fmt.Errorf("more than %d in %s", maxInstances, name)
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// entry reads a VEVENT.
func (r *reader) entry(c *component) (*entry, error) {
	start := c.prop("DTSTART")
	stands := c.prop("RECURRENCE-ID")
	e := &entry{event: r.words(c), stamp: c.text("DTSTAMP")}
	e.sequence, _ = strconv.ParseInt(c.text("SEQUENCE"), 10, 64)
	var err error
	if stands != nil {
		m, err := r.moment(stands, stands.value)
		if err != nil {
			return nil, err
		}
		e.stands, e.onward = m.instant(), upper(stands.param("RANGE")) == "THISANDFUTURE"
		if start == nil && e.event.Sync == engine.SyncCanceled { // it need not say when it would have been
			start = stands
		}
	}
	if start == nil {
		return nil, errors.New("no DTSTART")
	}
	if e.start, err = r.moment(start, start.value); err != nil {
		return nil, err
	}
	if e.length, err = r.length(c, e.start); err != nil {
		return nil, err
	}
	if stands == nil {
		for i := range c.props {
			if c.props[i].name == "RRULE" && len(e.rules) < 4 {
				e.rules = append(e.rules, c.props[i].value)
			}
		}
	}
	if e.added, err = r.moments(c, "RDATE"); err != nil {
		return nil, err
	}
	e.dropped, err = r.moments(c, "EXDATE")
	return e, err
}

// length is how long an event takes: to DTEND, or DURATION, or a day for a
// date and nothing for a time.
func (r *reader) length(c *component, start moment) (time.Duration, error) {
	var length time.Duration
	switch end, duration := c.prop("DTEND"), c.prop("DURATION"); {
	case end != nil:
		m, err := r.moment(end, end.value)
		if err != nil {
			return 0, err
		}
		if length = m.instant().Sub(start.instant()); start.date {
			length = m.wall.Sub(start.wall).Truncate(24 * time.Hour)
		}
	case duration != nil:
		var err error
		if length, err = parseDuration(duration.value); err != nil {
			return 0, err
		}
	}
	if start.date {
		length = max(length.Truncate(24*time.Hour), 24*time.Hour)
	}
	return min(max(length, 0), maxDuration), nil
}

// words reads what an event says, but for its times.
func (r *reader) words(c *component) engine.CalendarEvent {
	e := provider.Bounded(engine.CalendarEvent{
		Title: c.text("SUMMARY"), Location: c.text("LOCATION"), Description: c.text("DESCRIPTION"), Link: link(c),
		Free: upper(c.text("TRANSP")) == "TRANSPARENT" || upper(c.text("X-MICROSOFT-CDO-BUSYSTATUS")) == "FREE",
	})
	if class := upper(c.text("CLASS")); r.opt.HidePrivate && (class == "PRIVATE" || class == "CONFIDENTIAL") {
		e = provider.Wordless(e)
	}
	if r.canceled || upper(c.text("STATUS")) == "CANCELLED" {
		e.Sync = engine.SyncCanceled
	}
	if r.opt.Self != "" {
		e.Response = r.answer(c)
	}
	return e
}

var answers = map[string]engine.Response{
	"ACCEPTED": engine.ResponseAccepted, "TENTATIVE": engine.ResponseTentative, "DECLINED": engine.ResponseDeclined,
	"NEEDS-ACTION": engine.ResponseNeedsAction,
}

// answer is the person's own word on an invitation.
func (r *reader) answer(c *component) engine.Response {
	for i := range c.props {
		p := &c.props[i]
		if p.name != "ATTENDEE" {
			continue
		}
		address := strings.TrimSpace(p.value)
		if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
			address = address[7:]
		}
		if strings.EqualFold(address, r.opt.Self) {
			return answers[upper(p.param("PARTSTAT"))]
		}
	}
	return engine.ResponseNone
}

// link is where to join: RFC 7986's CONFERENCE, what Google and Microsoft
// write, or the event's URL.
func link(c *component) string {
	for _, name := range []string{"CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "URL"} {
		p := c.prop(name)
		if p == nil {
			continue
		}
		if v := strings.TrimSpace(p.value); provider.IsLink(v) {
			return v
		}
	}
	return ""
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
