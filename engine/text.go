package engine

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"carillon/engine/sms"
)

// composed is a text ready to leave.
type composed struct {
	body string
	via  Via
	size sms.Size
}

// Kind is what sort of event a text is about (X3).
type Kind uint8

// The kinds of events.
const (
	KindMeeting Kind = iota
	KindDeadline
	KindAllDay
)

// KindOf sorts an event by its title: a deadline says so in a whole word, so
// "Purdue" and "delivery" are meetings.
func KindOf(e CalendarEvent) Kind {
	if e.AllDay {
		return KindAllDay
	}
	for _, w := range strings.FieldsFunc(strings.ToLower(e.Title), func(r rune) bool { return !unicode.IsLetter(r) }) {
		switch w {
		case "deadline", "due", "submit", "deliver", "finish":
			return KindDeadline
		}
	}
	return KindMeeting
}

// compose writes the reminder's text as of an instant, from the event as it
// is now (X1). What a model wrote is taken only if it is true then.
func (t *turn) compose(r *Reminder, at Millis) composed {
	if r.Type == CustomReminder {
		body, size := encode(r.Title)
		return composed{body: body, via: ViaCaller, size: size}
	}
	e := t.eventOf(r)
	if body, ok := t.written(r, at); ok {
		return composed{body: body, via: ViaLLM, size: sms.Measure(body)}
	}
	ahead := t.ahead(&e, at)
	body, size := Template(e, ahead, t.env.Policy.MaxSegments)
	return composed{body: body, via: ViaTemplate, size: size}
}

// eventOf is what a reminder is about: the event as it is, or what the reminder
// keeps of it when that is gone or has moved.
func (t *turn) eventOf(r *Reminder) CalendarEvent {
	if i, found := t.u.findEvent(r.EventID); found && !t.u.Events[i].Deleted && r.about(t.u.Events[i].CalendarEvent) {
		return *t.u.Events[i].CalendarEvent
	}
	return CalendarEvent{
		ID: r.EventID, Title: r.Title, Start: r.Start, End: r.End, AllDay: r.AllDay, Date: Date(floorDiv(r.Occ, dayMillis)),
	}
}

// ahead is how far an event is from an instant: an all-day one in whole days of
// the person's calendar, whatever their length.
func (t *turn) ahead(e *CalendarEvent, at Millis) Millis {
	if e.AllDay {
		return int64(e.Date-dateOf(at, t.zone())) * dayMillis
	}
	return e.Start - at
}

// Template writes a reminder by the template of X3 in at most that many
// segments: "<title> in 15 mins @ <location>. <link>", or "Today: <title>"
// for an all-day event: "Tomorrow: <title>" on the day before, "Mon 2 Nov: <title>"
// when it is further (somebody sends it now, or a clock goes back). ahead is the
// time until the start, milliseconds.
//
// What does not fit is given up in this order: the title's end, while 40
// units of it stay; the location; the link. A link is whole or absent (X2).
func Template(e CalendarEvent, ahead Millis, segments int) (string, sms.Size) {
	title := cleanTitle(e.Title, segments)
	head, phrase := "", " in "+inTime(ahead)
	if e.AllDay {
		head, phrase = "Today: ", ""
		switch {
		case ahead > dayMillis:
			head = time.Unix(int64(e.Date)*daySeconds, 0).UTC().Format("Mon 2 Jan: ")
		case ahead > 0: // moved before its day by quiet hours (P4)
			head = "Tomorrow: "
		}
	}
	place, link := "", ""
	if l := sms.Clean(e.Location); l != "" && l != cleanLink(e.Link) {
		place = " @ " + l
	}
	if l := cleanLink(e.Link); l != "" {
		link = ". " + l
	}
	for _, tail := range []string{phrase + place + link, phrase + link, phrase + place} {
		if body, size, ok := fit(head, title, tail, segments, minTitle); ok {
			return body, size
		}
	}
	body, size, ok := fit(head, title, phrase, segments, 0)
	if !ok { // nothing of the title can be cut out whole
		return encode(head + noTitle + phrase)
	}
	return body, size
}

const noTitle = "Event"

// cleanTitle returns the title without what can't be sent. Of a very long one
// the end goes first, so that it can't decide the encoding of what is sent.
func cleanTitle(s string, segments int) string {
	s = sms.Clean(s)
	if room := sms.Capacity(sms.GSM7, segments) + 1; len(s) > room {
		s = sms.Cut(s, sms.UCS2, room)
	}
	if s == "" {
		return noTitle
	}
	return s
}

// minTitle is how much of a title, in septets or UTF-16 units, is kept before
// location and link are given up for it.
const minTitle = 40

// fit puts the parts together and cuts the title until they fit. ok is false
// when less than keep units of the title, or nothing, would be left.
func fit(head, title, tail string, segments, keep int) (string, sms.Size, bool) {
	link := ""
	if i := strings.LastIndex(tail, ". http"); i >= 0 {
		tail, link = tail[:i], tail[i:] // a link is sent as it is written
	}
	body, size := encode(head + title + tail)
	if link != "" {
		body += link
		size = sms.Measure(body)
	}
	if size.Segments <= segments {
		return body, size, true
	}
	enc := size.Encoding
	if enc == sms.GSM7 {
		title, _ = sms.ToGSM7(title)
	}
	rest := units(head, enc) + units(tail, enc) + units(link, enc)
	for room := sms.Capacity(enc, segments) - rest; room > 0 && room >= keep; room-- {
		short := sms.Fit(title, enc, room)
		if short == "" {
			break
		}
		body, _ = encode(head + short + tail)
		body += link
		if size = sms.Measure(body); size.Segments <= segments {
			return body, size, true
		}
	}
	return body, size, false
}

// units is what a part costs in a message of that encoding. A part that would
// be transliterated is measured as it will be sent.
func units(s string, enc sms.Encoding) int {
	if enc == sms.GSM7 {
		g, _ := sms.ToGSM7(s)
		return sms.Measure(g).Units
	}
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// encode transliterates a text where that makes all of it GSM-7 (X2).
func encode(s string) (string, sms.Size) {
	if g, ok := sms.ToGSM7(s); ok {
		s = g
	}
	return s, sms.Measure(s)
}

// cleanLink returns a web link that can be sent as it is; anything else is no
// link.
func cleanLink(s string) string {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return ""
	}
	for _, r := range s {
		if r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) {
			return ""
		}
	}
	return s
}

// inTime words the time until the start, to the nearest minute (X3).
func inTime(ahead Millis) string {
	mins := max((ahead+minute/2)/minute, 1)
	days, hours, rest := mins/minutesPerDay, mins%minutesPerDay/60, mins%60
	switch {
	case mins < 60:
		return count(mins, "min")
	case mins%minutesPerDay == 0:
		return count(days, "day")
	case mins < minutesPerDay && rest == 0:
		return count(hours, "hour")
	case mins < minutesPerDay:
		return strconv.FormatInt(hours, 10) + " h " + count(rest, "min")
	case hours == 0:
		return count(days, "day")
	default:
		return count(days, "day") + " " + strconv.FormatInt(hours, 10) + " h"
	}
}

func count(n int64, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.FormatInt(n, 10) + " " + unit
}
