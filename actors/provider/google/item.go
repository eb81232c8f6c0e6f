package google

import (
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// item is an event of Google's. Of a cancelled one only the id is sure to be
// there.
type item struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	Summary     string `json:"summary"`
	Description string `json:"description"`
	Location    string `json:"location"`
	HangoutLink string `json:"hangoutLink"`
	Start       moment `json:"start"`
	End         moment `json:"end"`

	Transparency string `json:"transparency"`
	Visibility   string `json:"visibility"`
	Attendees    []struct {
		Self           bool   `json:"self"`
		ResponseStatus string `json:"responseStatus"`
	} `json:"attendees"`
	ConferenceData struct {
		EntryPoints []struct {
			Type string `json:"entryPointType"`
			URI  string `json:"uri"`
		} `json:"entryPoints"`
	} `json:"conferenceData"`
}

// moment is an instant, or a date of an all-day event.
type moment struct {
	DateTime string `json:"dateTime"`
	Date     string `json:"date"`
}

var answers = map[string]engine.Response{
	"accepted": engine.ResponseAccepted, "tentative": engine.ResponseTentative,
	"declined": engine.ResponseDeclined, "needsAction": engine.ResponseNeedsAction,
}

// event returns what the person has in their calendar; false if it is
// cancelled, or can't be understood: then it is as if it was not there.
func (it *item) event(loc *time.Location, private bool) (engine.CalendarEvent, bool) {
	e := provider.Bounded(engine.CalendarEvent{
		ID: it.ID, Title: it.Summary, Location: it.Location, Description: it.Description, Link: it.link(),
		Free: it.Transparency == "transparent",
	})
	if it.ID == "" || it.Status == "cancelled" || !it.times(&e, loc) {
		return e, false
	}
	for _, a := range it.Attendees {
		if a.Self {
			e.Response = answers[a.ResponseStatus]
		}
	}
	if !private && (it.Visibility == "private" || it.Visibility == "confidential") {
		e = provider.Wordless(e)
	}
	return e, true
}

func (it *item) times(e *engine.CalendarEvent, loc *time.Location) bool {
	if it.Start.Date != "" {
		first, err := time.Parse(time.DateOnly, it.Start.Date)
		last, err2 := time.Parse(time.DateOnly, it.End.Date)
		if err != nil {
			return false
		}
		if err2 != nil || !last.After(first) {
			last = first.AddDate(0, 0, 1)
		}
		e.AllDay, e.Date, e.EndDate = true, engine.Date(first.Unix()/86400), engine.Date(last.Unix()/86400)
		return true
	}
	start, err := time.ParseInLocation(time.RFC3339, it.Start.DateTime, loc)
	if err != nil {
		return false
	}
	e.Start, e.End = start.UnixMilli(), start.UnixMilli()
	if end, err := time.ParseInLocation(time.RFC3339, it.End.DateTime, loc); err == nil && end.After(start) {
		e.End = end.UnixMilli()
	}
	return true
}

// link is where to join.
func (it *item) link() string {
	for _, p := range it.ConferenceData.EntryPoints {
		if p.Type == "video" && provider.IsLink(p.URI) {
			return p.URI
		}
	}
	return it.HangoutLink
}
