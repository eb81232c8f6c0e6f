package httpapi

import (
	"fmt"
	"math"

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

// eventJSON is a calendar event as shown and as it may be put back.
type eventJSON struct {
	EventID     string   `json:"event_id"`
	Title       string   `json:"title"`
	Start       string   `json:"start"`
	End         string   `json:"end"`
	AllDay      bool     `json:"all_day"`
	Location    string   `json:"location"`
	Description string   `json:"description"`
	Link        string   `json:"link"`
	Attendees   []string `json:"attendees"`
	Response    *string  `json:"response"`
	Busy        bool     `json:"busy"`
	SyncStatus  string   `json:"sync_status"`
	Version     *int64   `json:"version,omitempty"`
	UpdatedAt   *string  `json:"updated_at,omitempty"`

	// Only in the answer to a write.
	Unchanged bool `json:"unchanged,omitempty"`
	Ignored   bool `json:"ignored,omitempty"`
}

var (
	responseWords = []string{"accepted", "tentative", "declined", "needs_action"}
	responses     = []engine.Response{engine.ResponseAccepted, engine.ResponseTentative, engine.ResponseDeclined, engine.ResponseNeedsAction}

	syncWords    = []string{"synced", "pending", "failed", "cancelled"}
	syncStatuses = []engine.SyncStatus{engine.SyncSynced, engine.SyncPending, engine.SyncFailed, engine.SyncCanceled}
)

func showEvent(e engine.CalendarEvent) eventJSON {
	out := eventJSON{
		EventID: e.ID, Title: e.Title, Start: showInstant(e.Start), End: showInstant(e.End), AllDay: e.AllDay,
		Location: e.Location, Description: e.Description, Link: e.Link, Attendees: e.Attendees,
		Busy: !e.Free, SyncStatus: word(syncWords, e.Sync),
	}
	if e.AllDay {
		out.Start, out.End = e.Date.String(), e.EndDate.String()
	}
	if out.Attendees == nil {
		out.Attendees = []string{}
	}
	if e.Response != engine.ResponseNone {
		out.Response = textOrNull(word(responseWords, e.Response-1))
	}
	if e.HasVersion {
		out.Version = &e.Version
		if at := e.Version; at >= firstVersionInstant && at/1000 < int64(lastDate)*daySeconds {
			out.UpdatedAt = instantOrNull(at)
		}
	}
	return out
}

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
	e.Title, _ = f.text("title", maxTitle)
	e.Location, _ = f.text("location", maxLocation)
	e.Description, _ = f.text("description", maxDescription)
	e.Link, _ = f.text("link", maxLink)
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
	for i, v := range list {
		s, ok := v.(string)
		if !ok || len([]rune(s)) > limit {
			f.fail(fmt.Sprintf("%s[%d]", name, i), codeInvalidField, fmt.Sprintf("a string of at most %d characters is needed", limit))
			return nil
		}
		out = append(out, s)
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
	for i, v := range list {
		name := fmt.Sprintf("events[%d]", i)
		members, ok := v.([]member)
		if !ok {
			f.fail(name, codeInvalidField, "an object is needed, not "+kindOf(v))
			continue
		}
		c.Events = append(c.Events, readEvent(newFields(name+".", members, f.bad), ""))
	}
	f.done()
	return c
}
