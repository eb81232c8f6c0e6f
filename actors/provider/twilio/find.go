package twilio

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"carillon/actors/provider"
	"carillon/engine"
)

const (
	skewMillis = 5 * 60 * 1000 // between Twilio's clock and ours
	pageSize   = 100
	maxPages   = 20 // to one number, since one attempt: more proves nothing
	// trialPrefix is put before every text by trial accounts.
	trialPrefix = "Sent from your Twilio trial account - "
)

// Find reads the list of messages to the number, newest first, until it is
// older than the attempt (S3). It never filters by DateSent, which is empty
// for what was not sent yet.
func (c *Client) Find(ctx context.Context, m provider.Message, since int64) provider.Sighting {
	s := search{c: c, m: m, from: since - skewMillis}
	page, number := "", ""
	for range maxPages {
		params := &api.ListMessageParams{}
		params.SetTo(m.To)
		params.SetPageSize(pageSize)
		list, err := c.call(ctx).messages().PageMessage(params, page, number)
		if err != nil {
			return provider.Sighting{Cause: lookupCause(err)}
		}
		if list.Messages == nil {
			return provider.Sighting{Cause: "unreadable answer: no list of messages in it"}
		}
		s.read(list.Messages)
		uri := deref(list.NextPageUri)
		if uri == "" || s.past {
			return s.result()
		}
		var ok bool
		if page, number, ok = nextPage(uri); !ok {
			return provider.Sighting{Cause: "unreadable answer: a next page without a name"}
		}
	}
	return provider.Sighting{Cause: "too many messages to this number to look through"}
}

// nextPage takes only the page's name from the answer: where to ask is ours to
// say.
func nextPage(uri string) (token, number string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", "", false
	}
	q := u.Query()
	token, number = q.Get("PageToken"), q.Get("Page")
	return token, number, token != "" || number != ""
}

// search looks for one message in pages of the list.
type search struct {
	c       *Client
	m       provider.Message
	from    int64 // nothing older can be it
	past    bool  // a whole page was older
	best    *api.ApiV2010Message
	at      int64 // when best was created
	undated bool  // one that matches has no readable date
}

func (s *search) read(page []api.ApiV2010Message) {
	older := 0
	for i := range page {
		msg := &page[i]
		at, dated := created(msg)
		if dated && at < s.from {
			older++
			continue
		}
		if !s.matches(msg) {
			continue
		}
		if !dated {
			s.undated = true
			continue
		}
		if s.best == nil || distance(at, s.m.CreatedAt) < distance(s.at, s.m.CreatedAt) {
			s.best, s.at = msg, at
		}
	}
	s.past = len(page) > 0 && older == len(page)
}

func (s *search) matches(msg *api.ApiV2010Message) bool {
	sid := deref(msg.Sid)
	if sid == "" || slices.Contains(s.m.Others, sid) || strings.HasPrefix(deref(msg.Direction), "inbound") {
		return false
	}
	return s.sender(msg) && sameText(deref(msg.Body), s.m.Text)
}

// sender reports whether the message may come from where ours was handed over:
// from the sender that was recorded with it, whatever the settings are now. One
// without a sender is from before there was a pool, or was assumed after a
// restore: then any of ours.
func (s *search) sender(msg *api.ApiV2010Message) bool {
	from, service := deref(msg.From), deref(msg.MessagingServiceSid)
	switch conf := &s.c.conf; {
	case s.m.Sender == "":
		return slices.Contains(conf.From, from) || (conf.MessagingServiceSID != "" && service == conf.MessagingServiceSID)
	case service == s.m.Sender:
		return true // its from is null until the service picks a sender
	case from == "": // number and service were both named
		return service != "" && service == conf.MessagingServiceSID
	default:
		return from == s.m.Sender
	}
}

func (s *search) result() provider.Sighting {
	switch {
	case s.best != nil:
		return sighting(s.best)
	case s.undated:
		return provider.Sighting{Cause: "unreadable answer: a message that matches has no date"}
	}
	return provider.Sighting{Result: provider.Absent}
}

// Fetch asks for a message by its sid (D5).
func (c *Client) Fetch(ctx context.Context, sid string) provider.Sighting {
	if !plainSID(sid) {
		return provider.Sighting{Cause: "not a sid of Twilio"}
	}
	msg, err := c.call(ctx).messages().FetchMessage(sid, nil)
	answer, answered := errors.AsType[*answerError](err)
	switch {
	case answered && answer.status == http.StatusNotFound && answer.code != 0:
		return provider.Sighting{Result: provider.Absent}
	case err != nil:
		return provider.Sighting{Cause: lookupCause(err)}
	case deref(msg.Sid) != sid:
		return provider.Sighting{Cause: "unreadable answer: another message's sid"}
	}
	return sighting(msg)
}

func sighting(msg *api.ApiV2010Message) provider.Sighting {
	status, ok := statusOf(deref(msg.Status))
	if !ok {
		status = engine.MessageQueued
	}
	return provider.Sighting{
		Result: provider.Found, SID: deref(msg.Sid), Status: status, Failure: lossOf(status, msg.ErrorCode),
	}
}

func lookupCause(err error) string {
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answer.Error()
	}
	return lostCause(err)
}

// created reads date_created, RFC 2822 in GMT.
func created(msg *api.ApiV2010Message) (int64, bool) {
	at, err := time.Parse(time.RFC1123Z, deref(msg.DateCreated))
	if err != nil {
		at, err = time.Parse(time.RFC1123, deref(msg.DateCreated))
	}
	return at.UnixMilli(), err == nil
}

func sameText(theirs, ours string) bool {
	ours = strings.TrimSpace(ours)
	theirs = strings.TrimSpace(theirs)
	return theirs == ours || strings.TrimPrefix(theirs, trialPrefix) == ours
}

func distance(a, b int64) int64 {
	if a < b {
		return b - a
	}
	return a - b
}

// plainSID keeps what could change the path out of it.
func plainSID(sid string) bool {
	for _, r := range sid {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return sid != "" && len(sid) <= 64
}
