package ics

import (
	"errors"
	"io"
	"slices"
)

// component is an event, a zone, or a part of a zone.
type component struct {
	kind  string
	props []property
	parts []*component
}

// prop returns the first property of a name; nil if there is none.
func (c *component) prop(name string) *property {
	for i := range c.props {
		if c.props[i].name == name {
			return &c.props[i]
		}
	}
	return nil
}

// text returns a TEXT property; empty if there is none.
func (c *component) text(name string) string {
	if p := c.prop(name); p != nil {
		return unescape(p.value)
	}
	return ""
}

// file is what a feed holds, before any of it is understood.
type file struct {
	events    []*component
	zones     map[string]*component
	method    string
	badLines  int
	tooMany   int // events beyond maxEvents
	calendars int
}

// readFile reads all components. Lines that are none are counted and left out.
func readFile(r io.Reader) (*file, error) {
	f := &file{zones: map[string]*component{}}
	in := newLines(r)
	var open []*component
	for {
		line, err := in.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		p, ok := parseLine(line)
		switch {
		case !ok:
			if line != "" {
				f.badLines++
			}
		case p.name == "BEGIN":
			open = f.begin(open, &component{kind: upper(p.value)})
		case p.name == "END":
			open = f.end(open, upper(p.value))
		case len(open) > 0 && len(open) <= maxDepth:
			f.add(open[len(open)-1], p)
		}
		if f.calendars == 0 && (ok || line != "") && len(open) == 0 {
			return nil, errNoFeed
		}
	}
	for len(open) > 0 { // the end of the file is missing
		open = f.end(open, open[len(open)-1].kind)
	}
	if f.calendars == 0 {
		return nil, errNoFeed
	}
	return f, nil
}

func (f *file) begin(open []*component, c *component) []*component {
	if c.kind == "VCALENDAR" {
		f.calendars++
	}
	return append(open, c)
}

// end closes the innermost component of a kind, and those inside that were
// left open.
func (f *file) end(open []*component, kind string) []*component {
	for i, innermost := range slices.Backward(open) {
		if innermost.kind != kind {
			continue
		}
		for _, c := range open[i:] {
			f.close(c)
		}
		if i > 0 && open[i-1].kind == "VTIMEZONE" {
			open[i-1].parts = append(open[i-1].parts, innermost)
		}
		return open[:i]
	}
	return open
}

func (f *file) close(c *component) {
	switch c.kind {
	case "VEVENT":
		if len(f.events) == maxEvents {
			f.tooMany++
			return
		}
		f.events = append(f.events, c)
	case "VTIMEZONE":
		if id := c.prop("TZID"); id != nil && len(f.zones) < 1000 {
			f.zones[id.value] = c
		}
	}
}

// add keeps the properties that are looked at.
func (f *file) add(c *component, p property) {
	switch {
	case c.kind == "VCALENDAR" && p.name == "METHOD":
		f.method = upper(p.value)
	case c.kind == "VEVENT" && eventProps[p.name], zoneProps[p.name] && (c.kind == "VTIMEZONE" || c.kind == "STANDARD" || c.kind == "DAYLIGHT"):
		if len(c.props) < maxProps {
			c.props = append(c.props, p)
		}
	}
}

// maxProps is how many properties of one component are kept.
const maxProps = 5000

var eventProps = set("UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "DTSTAMP",
	"SUMMARY", "LOCATION", "DESCRIPTION", "STATUS", "CLASS", "TRANSP", "ATTENDEE", "URL", "CONFERENCE", "X-GOOGLE-CONFERENCE",
	"X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-CDO-BUSYSTATUS")

var zoneProps = set("TZID", "X-LIC-LOCATION", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE")

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}
