package httpgate

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"carillon/actors/provider"
	"carillon/engine"
)

const skewMillis = 5 * 60 * 1000 // between the gateway's clock and ours

// Find asks for a message by what we know of it.
func (c *Client) Find(ctx context.Context, m provider.Message, since int64) provider.Sighting {
	if c.conf.FindURL == "" {
		return provider.Sighting{Cause: "no look-up is configured"}
	}
	a, s, ok := c.look(ctx, c.findURL, m, "")
	if !ok {
		return s
	}
	if other, cause := c.another(a.doc, m, since); other || cause != "" {
		if other {
			s.Result = provider.Absent
		}
		s.Cause = cause
		return s
	}
	id := at(a.doc, c.conf.FoundID)
	if c.conf.FoundID != "" && id == "" {
		return provider.Sighting{Cause: "unreadable answer: a message without an id"}
	}
	if slices.Contains(m.Others, id) {
		return provider.Sighting{Result: provider.Absent}
	}
	return c.sighting(a.doc, id)
}

// fetcher is a Client whose gateway can be asked by its own id.
type fetcher struct{ *Client }

var _ provider.Fetcher = fetcher{}

// Fetch asks for a message by the gateway's id.
func (c fetcher) Fetch(ctx context.Context, sid string) provider.Sighting {
	a, s, ok := c.look(ctx, c.askURL, provider.Message{}, sid)
	if !ok {
		return s
	}
	return c.sighting(a.doc, sid)
}

// look asks, and sorts out what is no message.
func (c *Client) look(ctx context.Context, target template, m provider.Message, id string) (a answer, s provider.Sighting, ok bool) {
	value := values(m, id, c.conf.Now())
	a, lost := c.call(ctx, http.MethodGet, target, "", value)
	switch {
	case lost != "":
		return a, provider.Sighting{Cause: lost}, false
	case c.absentStatus != 0 && a.status == c.absentStatus && a.json:
		return a, provider.Sighting{Result: provider.Absent}, false
	case !c.accepted.has(a.status):
		return a, provider.Sighting{Cause: "http " + strconv.Itoa(a.status)}, false
	case !a.json:
		return a, provider.Sighting{Cause: "unreadable answer: not JSON"}, false
	case c.absent != nil && c.absent.holds(a.doc):
		return a, provider.Sighting{Result: provider.Absent}, false
	}
	return a, s, true
}

// another reports whether what was found is another message, or why that
// can't be told.
func (c *Client) another(doc any, m provider.Message, since int64) (other bool, cause string) {
	if p := c.conf.FoundText; p != "" && strings.TrimSpace(at(doc, p)) != strings.TrimSpace(m.Text) {
		return true, ""
	}
	if p := c.conf.FoundTo; p != "" && strings.TrimPrefix(at(doc, p), "+") != strings.TrimPrefix(m.To, "+") {
		return true, ""
	}
	if p := c.conf.FoundCreated; p != "" {
		when, ok := instant(at(doc, p))
		if !ok {
			return false, "unreadable answer: a message without a time"
		}
		return when < since-skewMillis, ""
	}
	return false, ""
}

func (c *Client) sighting(doc any, id string) provider.Sighting {
	word := strings.ToLower(at(doc, c.conf.FoundStatus))
	status, ok := c.words[word]
	if !ok {
		if status, ok = parseStatus(word); !ok {
			status = engine.MessageQueued // the gateway has it; more is not known
		}
	}
	s := provider.Sighting{Result: provider.Found, SID: id, Status: status}
	switch status { //nolint:exhaustive // the others are no loss
	case engine.MessageFailed, engine.MessageUndelivered, engine.MessageCanceled:
		code := at(doc, c.conf.Code)
		s.Failure.Code, _ = strconv.Atoi(code)
		category, known := c.codes[strings.ToLower(code)]
		if s.Failure.Category = category; !known {
			s.Failure.Category, s.Failure.Retry = engine.CategoryUnknown, engine.RetryOnce
		}
		s.Failure.Message = "the gateway reports " + status.String()
	}
	return s
}
