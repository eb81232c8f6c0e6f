package provider

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"carillon/engine"
)

// CalendarQuery asks for one connected calendar (SPEC 9).
type CalendarQuery struct {
	UserID   string
	Calendar engine.Calendar
	Zone     *time.Location // the person's: floating times and whole days are theirs
	Now      engine.Millis
	// Start and End are the window: it begins with the person's day.
	Start, End engine.Millis
}

// CalendarReading is what a calendar says. Whole: Events are all that begin in
// the window; else they are what has changed since the cursor, and Gone what
// is not there any more. Events have the source's ids, and Cursor is given back
// with the next query. Channel is how the source tells of changes from now on.
type CalendarReading struct {
	Whole   bool
	Events  []engine.CalendarEvent
	Gone    []string
	Cursor  string
	Channel engine.Channel
}

// The problems of reading a calendar: a closed set, stable, on the wire.
const (
	CalendarUnreachable = "unreachable"    // no connection, or no answer in time
	CalendarUnavailable = "unavailable"    // the source says that it has a fault
	CalendarRateLimited = "rate_limited"   // the source asks to be left alone for a while
	CalendarDenied      = "access_denied"  // this address or calendar is not ours to read
	CalendarAccessEnded = "access_ended"   // access was taken back, or has run out
	CalendarNotFound    = "not_found"      // there is no such calendar
	CalendarUnreadable  = "not_a_calendar" // what came is no calendar
	CalendarTooLarge    = "too_large"
	CalendarForbidden   = "address_forbidden" // the address leads into a network that settings forbid
)

// CalendarProblems lists them all.
func CalendarProblems() []string {
	return []string{
		CalendarUnreachable, CalendarUnavailable, CalendarRateLimited, CalendarDenied, CalendarAccessEnded,
		CalendarNotFound, CalendarUnreadable, CalendarTooLarge, CalendarForbidden,
	}
}

// CalendarError is why a calendar could not be read. Final: asking again is of
// no use before it is connected anew. RetryAfter is what the source asks for, 0
// for "no idea".
type CalendarError struct {
	Problem    string
	Cause      string // one line, without address or content
	Final      bool
	RetryAfter engine.Millis
}

// Error implements error.
func (e *CalendarError) Error() string { return "calendar: " + e.Problem + ": " + e.Cause }

// CalendarReader reads connected calendars.
//
// Read returns soon after ctx ends, and an error is a *CalendarError. It is safe
// for concurrent use.
type CalendarReader interface {
	Read(ctx context.Context, q CalendarQuery) (CalendarReading, error)
}

// CalendarStatus sorts an HTTP answer that is not the calendar.
func CalendarStatus(status int, h http.Header) *CalendarError {
	e := &CalendarError{Problem: CalendarUnavailable, Cause: "HTTP " + strconv.Itoa(status)}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Problem = CalendarDenied
	case http.StatusNotFound, http.StatusGone:
		e.Problem = CalendarNotFound
	case http.StatusTooManyRequests:
		e.Problem = CalendarRateLimited
	}
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = engine.Millis(min(s, 86_400)) * 1000
	}
	return e
}

// Bounds of an event's texts, in characters: as the API has them.
const (
	maxTitle       = 1000
	maxDescription = 8000
	maxLink        = 2048
)

// Bounded cuts an event's texts to what the API takes. What is not UTF-8 is
// replaced, and a link that is none, or too long, goes.
func Bounded(e engine.CalendarEvent) engine.CalendarEvent {
	e.Title, e.Location, e.Description = cut(e.Title, maxTitle), cut(e.Location, maxTitle), cut(e.Description, maxDescription)
	if !IsLink(e.Link) {
		e.Link = ""
	}
	return e
}

// IsLink reports whether that can be an event's link.
func IsLink(s string) bool {
	return len(s) <= maxLink && (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://"))
}

// Wordless is an event that is marked private: it is known when, not what.
func Wordless(e engine.CalendarEvent) engine.CalendarEvent {
	e.Title, e.Location, e.Description, e.Link = "", "", "", ""
	return e
}

// cut keeps a text's first characters.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}
