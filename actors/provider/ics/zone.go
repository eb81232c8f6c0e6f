package ics

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// zones finds the zones of a feed by their TZID, which need not be a name that
// anybody else knows.
type zones struct {
	defined map[string]*component
	known   map[string]*time.Location
	to      time.Time // transitions are needed up to here
	budget  *budget
}

// find returns a zone, or an error: never UTC in its place (T1).
func (z *zones) find(id string) (*time.Location, error) {
	if loc, ok := z.known[id]; ok {
		if loc == nil {
			return nil, fmt.Errorf("unknown time zone %.60q", id)
		}
		return loc, nil
	}
	loc := z.look(id)
	z.known[id] = loc
	if loc == nil {
		return nil, fmt.Errorf("unknown time zone %.60q", id)
	}
	return loc, nil
}

// look tries the name, the tail of a path, the name that libical leaves in the
// definition, the names of Windows, and at last the definition itself.
func (z *zones) look(id string) *time.Location {
	name := strings.Trim(strings.TrimSpace(id), `"`)
	if loc := load(name); loc != nil {
		return loc
	}
	if parts := strings.Split(name, "/"); len(parts) > 2 {
		for n := min(3, len(parts)-1); n >= 2; n-- {
			if loc := load(strings.Join(parts[len(parts)-n:], "/")); loc != nil {
				return loc
			}
		}
	}
	c := z.defined[id]
	if c != nil {
		if loc := load(c.text("X-LIC-LOCATION")); loc != nil {
			return loc
		}
	}
	if loc := load(windowsZones[strings.ToLower(name)]); loc != nil {
		return loc
	}
	if c != nil {
		return z.evaluate(id, c)
	}
	return nil
}

// load finds a zone of the tz database. The machine's own zone has no name in
// a feed.
func load(name string) *time.Location {
	if name == "" || strings.EqualFold(name, "local") {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

// change is an instant from which a zone has another offset.
type change struct {
	at  int64 // Unix seconds
	off int
	dst bool
}

// evaluate makes a zone of a VTIMEZONE.
func (z *zones) evaluate(id string, c *component) *time.Location {
	var all []change
	first := change{}
	for _, part := range c.parts {
		changes, before, err := z.observance(part)
		if err != nil {
			return nil
		}
		if part.kind == "STANDARD" && len(changes) > 0 && (first.at == 0 || changes[0].at < first.at) {
			first = change{changes[0].at, before, false}
		}
		all = append(all, changes...)
	}
	if len(all) == 0 || len(all) > maxInstances {
		return nil
	}
	slices.SortFunc(all, func(a, b change) int { return int(min(max(a.at-b.at, -1), 1)) })
	loc, err := time.LoadLocationFromTZData(id, tzif(first.off, all))
	if err != nil {
		return nil
	}
	return loc
}

// observance lists the changes to one of a zone's times, and the offset before
// them.
func (z *zones) observance(c *component) (out []change, before int, err error) {
	var start stamp
	var off int
	for _, need := range []struct {
		name string
		read func(string) error
	}{
		{"DTSTART", func(v string) (err error) { start, err = parseStamp(v); return err }},
		{"TZOFFSETFROM", func(v string) (err error) { before, err = parseOffset(v); return err }},
		{"TZOFFSETTO", func(v string) (err error) { off, err = parseOffset(v); return err }},
	} {
		p := c.prop(need.name)
		if p == nil {
			return nil, 0, fmt.Errorf("a zone's definition without %s", need.name)
		}
		if err := need.read(p.value); err != nil {
			return nil, 0, err
		}
	}
	from := time.Duration(before) * time.Second
	if oldest := time.Date(1902, 1, 1, 0, 0, 0, 0, time.UTC); start.wall.Before(oldest) {
		start.wall = oldest.AddDate(0, int(start.wall.Month())-1, start.wall.Day()-1).Add(start.wall.Sub(start.wall.Truncate(24 * time.Hour)))
	}
	walls := []wall{start.wall}
	if rule := c.prop("RRULE"); rule != nil {
		more, err := expand(rule.value, start.wall, start.wall, z.to.AddDate(1, 0, 0), func(t time.Time) wall { return t.Add(from) }, z.budget)
		if err != nil {
			return nil, 0, err
		}
		walls = append(walls, more...)
	}
	for i := range c.props {
		if c.props[i].name == "RDATE" {
			for v := range strings.SplitSeq(c.props[i].value, ",") {
				if s, err := parseStamp(v); err == nil {
					walls = append(walls, s.wall)
				}
			}
		}
	}
	for _, w := range walls {
		out = append(out, change{w.Add(-from).Unix(), off, c.kind == "DAYLIGHT"})
	}
	return out, before, nil
}

// tzif writes a zone as the tz database's files do (RFC 8536, version 1), which
// is the only way to give time.Location changes of our own.
func tzif(first int, all []change) []byte {
	types := []change{{off: first}}
	index := make([]byte, 0, len(all))
	var times []int32
	for _, c := range all {
		k := slices.IndexFunc(types, func(t change) bool { return t.off == c.off && t.dst == c.dst })
		if k < 0 {
			k = len(types)
			types = append(types, change{off: c.off, dst: c.dst})
		}
		if len(types) > 250 || (len(times) > 0 && int64(times[len(times)-1]) == c.at) || c.at != int64(int32(c.at)) {
			continue
		}
		times, index = append(times, int32(c.at)), append(index, byte(k))
	}
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.BigEndian, v) } // a buffer takes all
	b.WriteString("TZif")
	b.Write(make([]byte, 16))
	put([]uint32{0, 0, 0, uint32(len(times)), uint32(len(types)), 4})
	put(times)
	b.Write(index)
	for _, t := range types {
		put(int32(t.off))
		b.Write([]byte{map[bool]byte{true: 1}[t.dst], 0})
	}
	b.WriteString("ICS\x00")
	return b.Bytes()
}
