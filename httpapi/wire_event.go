package httpapi

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"carillon/engine"
)

// Limits of an event's fields, in characters.
const (
	maxTitle       = 1000
	maxLocation    = 1000
	maxDescription = 8000
	maxLink        = 2048
	maxAttendees   = 200
	maxAttendee    = 320
)

// firstVersionInstant tells a version that is an updated_at from one that
// counts: milliseconds since 1970 have been above it since 2001.
const firstVersionInstant = 1_000_000_000_000

// eventJSON is a calendar event as shown and as it may be put back. The
// answer to a write also says what became of it.
type eventJSON struct {
	engine.CalendarEvent
	unchanged, ignored bool
	exported           bool // of the two ways to write a version only one
}

var (
	responseWords = []string{"accepted", "tentative", "declined", "needs_action"}
	responses     = []engine.Response{engine.ResponseAccepted, engine.ResponseTentative, engine.ResponseDeclined, engine.ResponseNeedsAction}

	syncWords    = []string{"synced", "pending", "failed", "cancelled"}
	syncStatuses = []engine.SyncStatus{engine.SyncSynced, engine.SyncPending, engine.SyncFailed, engine.SyncCanceled}
)

// appendJSON implements appender.
func (e *eventJSON) appendJSON(b []byte) []byte {
	b = appendText(append(b, `{"event_id":`...), e.ID)
	b = appendText(append(b, `,"title":`...), e.Title)
	if e.AllDay {
		b = append(append(b, `,"start":"`...), e.Date.String()...)
		b = append(append(append(b, `","end":"`...), e.EndDate.String()...), `","all_day":true`...)
	} else {
		b = appendInstant(append(b, `,"start":`...), e.Start)
		b = append(appendInstant(append(b, `,"end":`...), e.End), `,"all_day":false`...)
	}
	b = appendText(append(b, `,"location":`...), e.Location)
	b = appendText(append(b, `,"description":`...), e.Description)
	b = appendText(append(b, `,"link":`...), e.Link)
	b = append(b, `,"attendees":[`...)
	for i, who := range e.Attendees {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, who)
	}
	b = append(b, `],"response":`...)
	if e.Response == engine.ResponseNone {
		b = append(b, "null"...)
	} else {
		b = appendText(b, word(responseWords, e.Response-1))
	}
	b = strconv.AppendBool(append(b, `,"busy":`...), !e.Free)
	b = appendText(append(b, `,"sync_status":`...), word(syncWords, e.Sync))
	return append(e.appendOutcome(e.appendVersion(b)), '}')
}

// appendVersion also shows the version as the instant that it may be.
func (e *eventJSON) appendVersion(b []byte) []byte {
	if !e.HasVersion {
		return b
	}
	b = strconv.AppendInt(append(b, `,"version":`...), e.Version, 10)
	if at := e.Version; !e.exported && at >= firstVersionInstant && at/1000 < int64(lastDate)*daySeconds {
		b = appendInstant(append(b, `,"updated_at":`...), at)
	}
	return b
}

func (e *eventJSON) appendOutcome(b []byte) []byte {
	if e.unchanged {
		b = append(b, `,"unchanged":true`...)
	}
	if e.ignored {
		b = append(b, `,"ignored":true`...)
	}
	return b
}

// MarshalJSON implements json.Marshaler.
func (e *eventJSON) MarshalJSON() ([]byte, error) { return e.appendJSON(nil), nil }

// readEvent reads one calendar event. id is the path's; where the path has
// none, the body must.
func readEvent(f *fields, id string) engine.CalendarEvent {
	e := engine.CalendarEvent{ID: id}
	if id != "" {
		f.same("event_id", id)
	} else if v, ok := f.text("event_id", maxEventID); !ok {
		f.need("event_id", "the event's id in its calendar is needed")
	} else if e.ID = v; !goodID(v, maxEventID) {
		f.fail("event_id", codeInvalidField, idRule(maxEventID))
	}
	title, _ := f.letters("title", maxTitle)
	location, _ := f.letters("location", maxLocation)
	e.Description, _ = f.text("description", maxDescription)
	link, _ := f.letters("link", maxLink)
	keepTexts(&e, title, location, link)
	e.Attendees = f.texts("attendees", maxAttendees, maxAttendee)
	e.Response, _ = choice(f, "response", responseWords, responses)
	e.Sync, _ = choice(f, "sync_status", syncWords, syncStatuses)
	if busy, ok := f.boolean("busy"); ok {
		e.Free = !busy
	}
	f.span(&e)
	f.version(&e)
	f.done()
	return e
}

// keepTexts copies an event's short texts and its id, which lie in the request
// still, into one piece. The description is not among them: a reminder keeps the
// title for long.
func keepTexts(e *engine.CalendarEvent, title, location, link []byte) {
	var all strings.Builder
	all.Grow(len(e.ID) + len(title) + len(location) + len(link))
	all.WriteString(e.ID)
	all.Write(title)
	all.Write(location)
	all.Write(link)
	s := all.String()
	e.ID, s = s[:len(e.ID)], s[len(e.ID):]
	e.Title, s = s[:len(title)], s[len(title):]
	e.Location, e.Link = s[:len(location)], s[len(location):]
}

// span reads start and end: two instants, or two dates for an all-day event.
// An event without an end takes no time, or the whole of its day.
func (f *fields) span(e *engine.CalendarEvent) {
	allDay, said := f.boolean("all_day")
	start, ok := f.text("start", 64)
	end, hasEnd := f.text("end", 64)
	if !ok {
		f.need("start", "an instant, or a date for an all-day event, is needed")
		return
	}
	e.AllDay = allDay || !said && isDate(start)
	if e.AllDay {
		e.Date = f.date("start", start)
		if e.Date == lastDate { // the day after could not be written
			f.fail("start", codeInvalidField, errYear.Error())
		}
		e.EndDate = e.Date + 1
		if hasEnd {
			e.EndDate = f.date("end", end)
		}
		return
	}
	e.Start = f.at("start", start)
	e.End = e.Start
	if hasEnd {
		e.End = f.at("end", end)
	}
}

func (f *fields) date(name, s string) engine.Date {
	d, err := parseDate(s)
	if err != nil {
		f.fail(name, codeInvalidField, "an all-day event has dates: "+err.Error())
	}
	return d
}

func (f *fields) at(name, s string) engine.Millis {
	at, err := parseInstant(s)
	if err != nil {
		f.fail(name, codeInvalidField, err.Error())
	}
	return at
}

// version reads the event's version: a whole number, or the instant of its
// last change (C1).
func (f *fields) version(e *engine.CalendarEvent) {
	n, counted := f.whole("version", 0, math.MaxInt64)
	at, dated := f.instant("updated_at")
	switch {
	case counted && dated && n != at:
		f.fail("updated_at", codeInvalidField, "give version or updated_at, not both")
	case counted:
		e.Version, e.HasVersion = n, true
	case dated:
		e.Version, e.HasVersion = at, true
	}
}

// texts reads a list of strings.
func (f *fields) texts(name string, most, limit int) []string {
	list, ok := f.list(name, most)
	if !ok || len(list) == 0 {
		return nil
	}
	out := make([]string, 0, len(list))
	for i := range list {
		v := &list[i].value
		if v.kind != isString || utf8.RuneCount(v.bytes()) > limit {
			f.fail(fmt.Sprintf("%s[%d]", name, i), codeInvalidField, fmt.Sprintf("a string of at most %d characters is needed", limit))
			return nil
		}
		out = append(out, string(v.bytes()))
	}
	return out
}

// readSync reads the body of a full sync.
func readSync(f *fields, most int) engine.SyncEvents {
	var c engine.SyncEvents
	if w, ok := f.object("window"); ok {
		c.Start, _ = w.instant("start")
		c.End, _ = w.instant("end")
		w.need("start", "the window needs a start")
		w.need("end", "the window needs an end")
		w.done()
	} else {
		f.need("window", "the window that the events cover is needed")
	}
	list, ok := f.list("events", most)
	if !ok {
		f.need("events", "a list is needed; an empty one deletes what is in the window")
	}
	for i := range list {
		name, v := fmt.Sprintf("events[%d]", i), &list[i].value
		if v.kind != isObject {
			f.fail(name, codeInvalidField, "an object is needed, not "+kindOf(v))
			continue
		}
		c.Events = append(c.Events, readEvent(newFields(name+".", v.kids, f.bad), ""))
	}
	f.done()
	return c
}
