package httpgate

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"carillon/engine"
)

// Config describes a gateway. URL, Body and Now are needed. Paths lead to a
// value in a JSON answer: member names and list positions with dots between
// them (messages.0.id), or a JSON pointer (/messages/0/id).
type Config struct {
	// URL takes one message, by Method: POST (the default) or PUT.
	URL, Method string
	// Headers are sent with every request, "Name: value" each. They may hold
	// secrets and never show.
	Headers []string
	// Body is the request's body, ContentType what it is. Placeholders are
	// replaced, escaped as the content type needs: inside JSON strings, or in a
	// form. Default: application/json.
	Body, ContentType string

	// Accepted and Refused are statuses, such as "200-299" and "400-499,!404".
	// What is in neither is no answer: the message is uncertain.
	Accepted, Refused string
	// OK is "path=value", which must hold in an accepted answer: for gateways
	// that say no with a 200.
	OK string
	// ID is the path of the gateway's id of the message. Empty: it gives none.
	ID string
	// Code is the path of the error code in a refusal. With it, a refusal that
	// has none is a proxy's page, and the message is uncertain.
	Code string
	// Codes says what codes mean: "category=code,code;category=code". A code
	// that is in none has one more try.
	Codes string

	// FindURL asks for a message by what we know of it ({message_id}, {to}), and
	// StatusURL by the gateway's {id}. Both are GETs; both may be empty.
	FindURL, StatusURL string
	// FoundID, FoundStatus, FoundText, FoundTo and FoundCreated are paths in
	// their answers. Text, number and time (RFC 3339, or Unix seconds or
	// milliseconds) are compared where there is a path.
	FoundID, FoundStatus, FoundText, FoundTo, FoundCreated string
	// Absent is how the gateway says that it does not know the message: a
	// status with a JSON answer, or "path=value" in a success. Empty: it can't.
	Absent string
	// Statuses gives the gateway's words for ours: "delivered=DELIVRD,READ;
	// failed=REJECTD". Ours are known without it.
	Statuses string

	// MaxConns is how many idle connections are kept. Default: 64.
	MaxConns int
	// Proxy is asked for the proxy of a request. Default: the environment's.
	Proxy func(*http.Request) (*url.URL, error)
	// Now is the wall clock.
	Now func() engine.Millis
}

// Defaults of Config.
const (
	DefaultAccepted = "200-299"
	DefaultRefused  = "400-499"
)

// plan is a Config that was read.
type plan struct {
	conf              Config
	url, body         template
	findURL, askURL   template            // look-ups
	escape            func(string) string // for the body
	header            []headerLine
	accepted, refused statusSet
	ok                *condition
	codes             map[string]engine.Category
	words             map[string]engine.MessageStatus
	absent            *condition
	absentStatus      int
}

func (c Config) plan() (p plan, err error) {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&c.Method, http.MethodPost)
	set(&c.ContentType, "application/json")
	set(&c.Accepted, DefaultAccepted)
	set(&c.Refused, DefaultRefused)
	if c.MaxConns <= 0 {
		c.MaxConns = 64
	}
	p.conf = c
	if err := c.check(); err != nil {
		return p, err
	}
	return p, p.read()
}

// fault names the setting to blame. No value is in it: it may be a secret.
func fault(name, what string, args ...any) error {
	variable := "CARILLON_HTTP_CARRIER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	return fmt.Errorf("http carrier: %s %s (%s)", name, fmt.Sprintf(what, args...), variable)
}

func (c *Config) check() error {
	switch {
	case c.Now == nil:
		return errors.New("http carrier: no clock was handed in")
	case c.Method != http.MethodPost && c.Method != http.MethodPut:
		return fault("method", "must be POST or PUT: others may be repeated on their way")
	case c.Body == "":
		return fault("body", "is missing")
	case c.StatusURL != "" && !strings.Contains(c.StatusURL, "{id}"):
		return fault("status-url", "has no {id} in it")
	case c.FindURL != "" && !strings.Contains(c.FindURL, "{message_id}") && !strings.Contains(c.FindURL, "{to}"):
		return fault("find-url", "has neither {message_id} nor {to} in it")
	case c.FindURL != "" && !strings.Contains(c.FindURL, "{message_id}") && (c.FoundText == "" || c.FoundCreated == ""):
		return fault("find-url", "has no {message_id}, so found-text and found-created must tell messages apart")
	case (c.FindURL != "" || c.StatusURL != "") && c.FoundStatus == "":
		return fault("found-status", "is missing: where a look-up's answer has the status")
	case c.FindURL != "" && c.ID != "" && c.FoundID == "":
		return fault("found-id", "is missing: where a look-up's answer has the id")
	}
	for _, u := range []struct{ name, raw string }{{"url", c.URL}, {"find-url", c.FindURL}, {"status-url", c.StatusURL}} {
		if u.raw == "" && u.name != "url" {
			continue
		}
		parsed, err := url.Parse(cut(u.raw).fill(queryEscape, func(string) string { return "x" }))
		if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
			return fault(u.name, "must be a URL with http:// or https:// and a host")
		}
		if name := unknown(u.raw); name != "" {
			return fault(u.name, "has a placeholder {%s} that there is not", name)
		}
	}
	if name := unknown(c.Body); name != "" {
		return fault("body", "has a placeholder {%s} that there is not", name)
	}
	return nil
}

func (p *plan) read() (err error) {
	c := &p.conf
	p.url, p.body, p.findURL, p.askURL = cut(c.URL), cut(c.Body), cut(c.FindURL), cut(c.StatusURL)
	p.escape = escapeFor(c.ContentType)
	if p.header, err = readHeaders(c.Headers); err != nil {
		return err
	}
	if p.accepted, err = readStatuses(c.Accepted); err != nil {
		return fault("accepted", "%v", err)
	}
	if p.refused, err = readStatuses(c.Refused); err != nil {
		return fault("refused", "%v", err)
	}
	if p.ok, err = readCondition(c.OK); err != nil {
		return fault("ok", "%v", err)
	}
	if p.codes, err = readMap(c.Codes, engine.ParseCategory); err != nil {
		return fault("codes", "%v", err)
	}
	if p.words, err = readMap(c.Statuses, parseStatus); err != nil {
		return fault("statuses", "%v", err)
	}
	if n, err := strconv.Atoi(c.Absent); err == nil {
		p.absentStatus = n
		return nil
	}
	if p.absent, err = readCondition(c.Absent); err != nil {
		return fault("absent", "%v", err)
	}
	return nil
}

// headerLine is a header of every request.
type headerLine struct {
	name string
	line template
}

func readHeaders(lines []string) ([]headerLine, error) {
	var h []headerLine
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fault("headers", "line %d is not \"Name: value\"", i+1)
		}
		h = append(h, headerLine{name, cut(strings.TrimSpace(value))})
	}
	return h, nil
}

// readMap reads "ours=theirs,theirs;ours=theirs" into theirs to ours.
func readMap[T any](raw string, parse func(string) (T, bool)) (map[string]T, error) {
	out := map[string]T{}
	for part := range strings.SplitSeq(raw, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		ours, theirs, ok := strings.Cut(part, "=")
		v, known := parse(strings.TrimSpace(ours))
		if !ok || !known {
			return nil, fmt.Errorf("has %q, which is not word=theirs,theirs with a word of ours", strings.TrimSpace(part))
		}
		for word := range strings.SplitSeq(theirs, ",") {
			out[strings.ToLower(strings.TrimSpace(word))] = v
		}
	}
	return out, nil
}

// parseStatus knows our words for a message that a carrier has.
func parseStatus(word string) (engine.MessageStatus, bool) {
	for _, s := range []engine.MessageStatus{
		engine.MessageScheduled, engine.MessageQueued, engine.MessageSending, engine.MessageSent, engine.MessageDelivered,
		engine.MessageUndelivered, engine.MessageFailed, engine.MessageCanceled,
	} {
		if s.String() == word {
			return s, true
		}
	}
	return engine.MessageNone, false
}

// statusSet is a set of HTTP statuses.
type statusSet []statusRange

type statusRange struct {
	from, to int
	not      bool
}

func readStatuses(raw string) (statusSet, error) {
	var out statusSet
	for part := range strings.SplitSeq(raw, ",") {
		part, not := strings.CutPrefix(strings.TrimSpace(part), "!")
		low, high, ranged := strings.Cut(part, "-")
		if !ranged {
			high = low
		}
		from, err := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || from < 100 || to > 599 || from > to {
			return nil, fmt.Errorf("has %q, which is no status and no range such as 200-299", part)
		}
		out = append(out, statusRange{from, to, not})
	}
	return out, nil
}

// has reports whether a status is in the set; the last word on it counts.
func (s statusSet) has(status int) bool {
	in := false
	for _, r := range s {
		if status >= r.from && status <= r.to {
			in = !r.not
		}
	}
	return in
}
