package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"carillon/actors/provider"
	"carillon/engine"
)

const (
	// statusPath is where httpapi takes status callbacks.
	statusPath = "/webhooks/twilio/status"
	// callbackOverrides asks Twilio to repeat a callback that failed in any
	// way, up to five times within its 15 seconds; by default it repeats only
	// when it could not connect. The fragment is neither sent nor signed.
	// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
	callbackOverrides = "#ct=2000&rt=4000&tt=15000&rc=5&rp=all"

	minValidity = 1     // seconds, Twilio's bounds of ValidityPeriod
	maxValidity = 36000 // ten hours
)

// Send creates one message with one POST.
func (c *Client) Send(ctx context.Context, m provider.Message) provider.Outcome {
	left := m.ValidUntil - c.conf.Now()
	if left <= 0 {
		return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{
			Category: engine.CategoryExpired, Message: "its deadline passed before it was handed over",
		}}
	}
	k := c.call(ctx)
	msg, err := k.messages().CreateMessage(c.createParams(m, left))
	if err != nil && k.body != nil {
		var sid, status string
		sid, status, err = essence(k.body)
		msg = &api.ApiV2010Message{Sid: &sid, Status: &status}
	}
	if err != nil {
		return outcomeOf(err)
	}
	return accepted(msg)
}

// essence reads the two fields that matter out of a success that twilio-go
// can't decode: a type that changed in another field must not make every
// message uncertain.
func essence(body []byte) (sid, status string, err error) {
	var doc struct {
		SID    string `json:"sid"`
		Status string `json:"status"`
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.SID == "" {
		return "", "", &lostError{"unreadable answer: no sid in it"}
	}
	return doc.SID, doc.Status, nil
}

func (c *Client) createParams(m provider.Message, left engine.Millis) *api.CreateMessageParams {
	p := &api.CreateMessageParams{}
	p.SetTo(m.To)
	p.SetBody(m.Text)
	p.SetValidityPeriod(int(min(max(left/1000, minValidity), maxValidity)))
	if c.conf.MessagingServiceSID != "" {
		p.SetMessagingServiceSid(c.conf.MessagingServiceSID)
	}
	if from := c.from(m.Sender); from != "" {
		p.SetFrom(from)
	}
	if c.conf.PublicURL != "" {
		p.SetStatusCallback(callbackURL(c.conf.PublicURL, m.UserID, m.MessageID))
	}
	return p
}

// from is the number that a message leaves from: the one it names, or the first
// if it names none of ours. A service alone picks its own.
func (c *Client) from(sender string) string {
	switch {
	case len(c.conf.From) == 0:
		return ""
	case slices.Contains(c.conf.From, sender):
		return sender
	}
	return c.conf.From[0]
}

// callbackURL names user and message, so that a callback resolves a message
// whose sid was never learned (S3, D2).
func callbackURL(public, userID, messageID string) string {
	return strings.TrimRight(public, "/") + statusPath +
		"?user_id=" + url.QueryEscape(userID) + "&message_id=" + url.QueryEscape(messageID) + callbackOverrides
}

func accepted(msg *api.ApiV2010Message) provider.Outcome {
	sid := deref(msg.Sid)
	if sid == "" {
		return provider.Outcome{Cause: "unreadable answer: a success without a sid"}
	}
	status, ok := statusOf(deref(msg.Status))
	if !ok {
		status = engine.MessageQueued // it has a sid, so Twilio has it; callbacks say the rest
	}
	return provider.Outcome{Kind: provider.Accepted, SID: sid, Status: status, Failure: lossOf(status, msg.ErrorCode)}
}

// outcomeOf sorts a create that did not succeed (S3): only Twilio's own word
// in a 4xx is a no. A 429 of a proxy, a 5xx and silence prove nothing.
func outcomeOf(err error) provider.Outcome {
	answer, ok := errors.AsType[*answerError](err)
	if !ok {
		return provider.Outcome{Cause: lostCause(err)}
	}
	row, known := Lookup(answer.code)
	switch {
	case answer.code == 0, answer.status < 400, answer.status >= 500:
		return provider.Outcome{Cause: answer.Error()}
	case known && row.Retry == RetryReconcile:
		return provider.Outcome{Cause: answer.Error()}
	}
	return provider.Outcome{Kind: provider.Refused, Failure: answer.failure()}
}

// failure is the table's word with what this answer adds to it. A 429 that the
// table does not know is about our pace.
func (e *answerError) failure() engine.Failure {
	f := failure(e.code)
	if e.status == http.StatusTooManyRequests && f.Category == engine.CategoryUnknown {
		f.Category = engine.CategoryRateLimit
	}
	if e.retryAfter > 0 {
		f.RetryAfter = e.retryAfter
	}
	return f
}

// lostCause never shows the words of an error that we did not make: they may
// quote the answer.
func lostCause(err error) string {
	if lost, ok := errors.AsType[*lostError](err); ok {
		return lost.cause
	}
	return "unreadable answer: not the JSON of a message"
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
