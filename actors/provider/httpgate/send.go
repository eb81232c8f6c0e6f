package httpgate

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"carillon/actors/provider"
	"carillon/engine"
)

const maxAnswer = 1 << 20

// Send posts one message, once.
func (c *Client) Send(ctx context.Context, m provider.Message) provider.Outcome {
	now := c.conf.Now()
	if m.ValidUntil <= now {
		return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{
			Category: engine.CategoryExpired, Message: "its deadline passed before it was handed over",
		}}
	}
	value := values(m, "", now)
	a, lost := c.call(ctx, c.conf.Method, c.url, c.body.fill(c.escape, value), value)
	if lost != "" {
		return provider.Outcome{Cause: lost}
	}
	switch {
	case c.accepted.has(a.status):
		return c.success(a)
	case c.refused.has(a.status):
		return c.refusal(a)
	}
	return provider.Outcome{Cause: "http " + strconv.Itoa(a.status)}
}

// success reads an answer with a good status.
func (c *Client) success(a answer) provider.Outcome {
	if c.ok != nil && !a.json {
		return provider.Outcome{Cause: "unreadable answer: not JSON"}
	}
	if c.ok != nil && !c.ok.holds(a.doc) {
		return c.refusal(a)
	}
	id := at(a.doc, c.conf.ID)
	if c.conf.ID != "" && id == "" {
		return provider.Outcome{Cause: "unreadable answer: a success without an id"}
	}
	return provider.Outcome{Kind: provider.Accepted, SID: id, Status: engine.MessageQueued}
}

// refusal reads the gateway's no. Where it has codes, a no without one is
// somebody else's, and proves nothing.
func (c *Client) refusal(a answer) provider.Outcome {
	code := at(a.doc, c.conf.Code)
	if c.conf.Code != "" && code == "" {
		return provider.Outcome{Cause: "http " + strconv.Itoa(a.status) + " without an error code"}
	}
	f := engine.Failure{RetryAfter: a.retryAfter}
	f.Code, _ = strconv.Atoi(code)
	category, known := c.codes[strings.ToLower(code)]
	if f.Category = category; !known {
		f.Category = byStatus(a.status)
	}
	switch f.Category { //nolint:exhaustive // the others are not tried again
	case engine.CategoryRateLimit, engine.CategoryUnreachable, engine.CategoryCarrierIssue:
		f.Retry = engine.RetryYes
	case engine.CategoryUnknown:
		f.Retry = engine.RetryOnce
	}
	f.Message = "refused with http " + strconv.Itoa(a.status)
	if plainCode(code) {
		f.Message += ", code " + code
	}
	return provider.Outcome{Kind: provider.Refused, Failure: f}
}

// byStatus sorts a refusal that no code explains.
func byStatus(status int) engine.Category {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return engine.CategoryAccountIssue
	case http.StatusTooManyRequests:
		return engine.CategoryRateLimit
	}
	return engine.CategoryUnknown
}

// plainCode reports whether a code can be shown: a text in its place may quote
// the message.
func plainCode(code string) bool {
	if code == "" || len(code) > 32 {
		return false
	}
	letters := 0
	for _, r := range code {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == '-', r == '.':
			letters++
		case r < '0' || r > '9':
			return false
		}
	}
	return letters > 0 || len(code) < 7 // a longer number may be a person's
}

// answer is an HTTP answer that was read.
type answer struct {
	status     int
	doc        any
	json       bool
	retryAfter int64
}

// call carries out one request. lost says why there is no answer.
func (c *Client) call(ctx context.Context, method string, target template, body string, value func(string) string) (a answer, lost string) {
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target.fill(queryEscape, value), in)
	if err != nil {
		return a, "the request could not be made"
	}
	req.GetBody = nil // net/http repeats no request whose body it can't have again, whatever the headers
	for _, h := range c.header {
		req.Header.Add(h.name, headerEscape(h.line.fill(headerEscape, value)))
	}
	if body != "" {
		req.Header.Set("Content-Type", c.conf.ContentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return a, provider.LostCause(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := provider.ReadCapped(resp.Body, maxAnswer)
	if err != nil {
		return a, "unreadable answer: " + provider.LostCause(err)
	}
	a.status = resp.StatusCode
	a.doc, a.json = document(text)
	if s, err := strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 64); err == nil {
		a.retryAfter = min(max(s, 0), 24*60*60) * 1000
	}
	return a, ""
}
