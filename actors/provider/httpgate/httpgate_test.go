package httpgate_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/actors/provider/httpgate"
	"carillon/actors/provider/providertest"
	"carillon/engine"
)

const phone = "+15551230000"

func drop(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close()
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func no(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code) }
}

func TestSenderConforms(t *testing.T) {
	providertest.RunSender(t, func(t *testing.T) providertest.World {
		t.Helper()
		g := newGateway(t)
		return providertest.World{
			Sender: g.client(t, nil), Accepted: g.accepted, Creates: g.creates, Now: g.clock.Load,
			Advance: func(d engine.Millis) { g.clock.Add(d) },
			Blind: func(blind bool) {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.blind = blind
			},
			Arrange: func(tr providertest.Trouble) (string, bool) {
				switch tr {
				case providertest.NoTrouble:
				case providertest.Refusal:
					g.meet(false, no(400, "no_such_number"))
				case providertest.Throttled:
					g.meet(false, no(429, "too_fast"))
				case providertest.AnswerLost:
					g.meet(true, drop)
				case providertest.RequestLost:
					g.meet(false, drop)
				case providertest.NoAnswer:
					g.meet(false, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				case providertest.AccountRefuse:
					g.meet(false, no(401, "bad_key"))
				}
				return phone, true
			},
		}
	})
}

func message(g *gateway, text string) provider.Message {
	return provider.Message{
		UserID: "ann & bob", ReminderID: "r_1", MessageID: "m_1_1", To: phone, Text: text, Segments: 1,
		CreatedAt: g.clock.Load(), ValidUntil: g.clock.Load() + 15*60*1000,
	}
}

// Only the gateway's own word is an answer (S3).
func TestAnswers(t *testing.T) {
	const lost = provider.Uncertain
	for _, test := range []struct {
		name    string
		fault   http.HandlerFunc
		conf    func(*httpgate.Config)
		kind    provider.OutcomeKind
		class   engine.Category
		retry   engine.RetryRule
		says    string
		created bool
	}{
		{name: "accepted", fault: nil, kind: provider.Accepted, created: true},
		{name: "500", fault: answer(500, ""), kind: lost, says: "http 500"},
		{name: "302", fault: answer(302, ""), kind: lost, says: "http 302"},
		{name: "404 of a proxy", fault: answer(404, "<html>"), kind: lost, says: "without an error code"},
		{name: "429 of a proxy", fault: answer(429, "slow down"), kind: lost, says: "without an error code"},
		{name: "success without an id", fault: answer(200, `{"messages":[]}`), kind: lost, says: "without an id"},
		{name: "success that is no JSON", fault: answer(200, "OK"), kind: lost, says: "without an id"},
		{name: "success of 2 MB", fault: answer(200, strings.Repeat(" ", 2<<20)), kind: lost, says: "too long"},
		{name: "known code", fault: no(400, "no_such_number"), kind: provider.Refused, class: engine.CategoryInvalidNumber, says: "no_such_number"},
		{name: "opted out", fault: no(403, "BLOCKED"), kind: provider.Refused, class: engine.CategoryOptedOut, says: "BLOCKED"},
		{name: "unknown code", fault: no(400, "hm"), kind: provider.Refused, class: engine.CategoryUnknown, retry: engine.RetryOnce, says: "hm"},
		{name: "code that quotes the number", fault: no(400, "15551230000"), kind: provider.Refused, class: engine.CategoryUnknown, retry: engine.RetryOnce, says: "http 400"},
		{name: "too fast", fault: no(429, "too_fast"), kind: provider.Refused, class: engine.CategoryRateLimit, retry: engine.RetryYes, says: "429"},
		{
			name: "no code configured, 403", fault: answer(403, ""), conf: func(c *httpgate.Config) { c.Code = "" },
			kind: provider.Refused, class: engine.CategoryAccountIssue, says: "403",
		},
		{
			name: "no by a 200", fault: answer(200, `{"ok":false,"error":{"code":"no_such_number"}}`), conf: func(c *httpgate.Config) { c.OK = "ok=true" },
			kind: provider.Refused, class: engine.CategoryInvalidNumber, says: "no_such_number",
		},
		{
			name: "200 that should say and doesn't", fault: answer(200, "fine"), conf: func(c *httpgate.Config) { c.OK = "ok=true" },
			kind: lost, says: "not JSON",
		},
		{
			name: "gateway without ids", fault: answer(204, ""), conf: func(c *httpgate.Config) { c.ID = "" },
			kind: provider.Accepted,
		},
		{
			name: "status that is left out", fault: no(409, "hm"), conf: func(c *httpgate.Config) { c.Refused = "400-499,!409" },
			kind: lost, says: "http 409",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGateway(t)
			if test.fault != nil {
				g.meet(false, test.fault)
			}
			c := g.client(t, test.conf)
			m := message(g, `Tea "for two" \ @ 5`)
			out := c.Send(t.Context(), m)
			if out.Kind != test.kind || out.Failure.Category != test.class || out.Failure.Retry != test.retry || !strings.Contains(out.Cause+out.Failure.Message, test.says) {
				t.Errorf("outcome %+v", out)
			}
			if strings.Contains(out.Cause+out.Failure.Message, "secret words") || strings.Contains(out.Failure.Message, phone[1:]) {
				t.Errorf("outcome %+v is not for logs", out)
			}
			if n := g.creates(phone, m.Text); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// A header that net/http takes as leave to repeat a POST does not repeat ours.
func TestDroppedKeepAlive(t *testing.T) {
	g := newGateway(t)
	c := g.client(t, func(c *httpgate.Config) { c.Headers = append(c.Headers, "Idempotency-Key: {message_id}") })
	if out := c.Send(t.Context(), message(g, "first")); out.Kind != provider.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	g.meet(true, drop)
	m := message(g, "second")
	if out := c.Send(t.Context(), m); out.Kind != provider.Uncertain {
		t.Errorf("outcome %+v", out)
	}
	if n := g.creates(phone, "second"); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// States that the gateway tells when it is asked.
func TestStatusWords(t *testing.T) {
	g := newGateway(t)
	c := g.client(t, nil)
	out := c.Send(t.Context(), message(g, "hello"))
	f, ok := c.(provider.Fetcher)
	if !ok {
		t.Fatal("a gateway with a status URL can be asked")
	}
	for word, want := range map[string]engine.MessageStatus{
		"ACCEPTD": engine.MessageQueued, "delivrd": engine.MessageDelivered, "EXPIRED": engine.MessageUndelivered, "sent": engine.MessageSent,
	} {
		g.mu.Lock()
		g.messages[0].State = word
		g.mu.Unlock()
		s := f.Fetch(t.Context(), out.SID)
		if s.Result != provider.Found || s.Status != want || (want == engine.MessageUndelivered) != (s.Failure.Category != engine.CategoryNone) {
			t.Errorf("%s: %+v, want %v", word, s, want)
		}
	}
}

// Without a look-up nothing is ever taken for absent.
func TestNoLookUpProvesNothing(t *testing.T) {
	g := newGateway(t)
	c := g.client(t, func(c *httpgate.Config) { c.FindURL, c.StatusURL = "", "" })
	if _, ok := c.(provider.Fetcher); ok {
		t.Error("there is no status URL")
	}
	if s := c.Find(t.Context(), message(g, "hello"), begin); s.Result != provider.FindUnknown || s.Cause == "" {
		t.Errorf("sighting %+v", s)
	}
	c = g.client(t, func(c *httpgate.Config) { c.Absent = "" })
	if s := c.Find(t.Context(), message(g, "hello"), begin); s.Result != provider.FindUnknown {
		t.Errorf("sighting %+v: a 404 was not said to mean absent", s)
	}
}

func TestBadConfig(t *testing.T) {
	g := newGateway(t)
	for name, test := range map[string]struct {
		change func(*httpgate.Config)
		says   string
	}{
		"no url":         {func(c *httpgate.Config) { c.URL = "" }, "url must be a URL"},
		"ftp":            {func(c *httpgate.Config) { c.URL = "ftp://x/y" }, "url must be a URL"},
		"no body":        {func(c *httpgate.Config) { c.Body = "" }, "body is missing"},
		"get":            {func(c *httpgate.Config) { c.Method = "GET" }, "method must be POST or PUT"},
		"placeholder":    {func(c *httpgate.Config) { c.Body = `{"to":"{number}"}` }, "placeholder {number}"},
		"header":         {func(c *httpgate.Config) { c.Headers = []string{"X: 1", "s3cret"} }, "line 2"},
		"accepted":       {func(c *httpgate.Config) { c.Accepted = "2xx" }, "accepted has"},
		"codes":          {func(c *httpgate.Config) { c.Codes = "wrong=1" }, "codes has"},
		"statuses":       {func(c *httpgate.Config) { c.Statuses = "arrived=DELIVRD" }, "statuses has"},
		"ok":             {func(c *httpgate.Config) { c.OK = "yes" }, "ok is not path=value"},
		"status url":     {func(c *httpgate.Config) { c.StatusURL = g.URL }, "status-url has no {id}"},
		"find url":       {func(c *httpgate.Config) { c.FindURL = g.URL }, "find-url has neither"},
		"find by number": {func(c *httpgate.Config) { c.FindURL = g.URL + "?to={to}"; c.FoundText = "" }, "found-text and found-created"},
		"no status path": {func(c *httpgate.Config) { c.FoundStatus = "" }, "found-status is missing"},
		"no id path":     {func(c *httpgate.Config) { c.FoundID = "" }, "found-id is missing"},
		"absent":         {func(c *httpgate.Config) { c.Absent = "never" }, "absent is not path=value"},
		"no clock":       {func(c *httpgate.Config) { c.Now = nil }, "no clock"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := g.config()
			test.change(&conf)
			_, err := httpgate.New(conf)
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	g := newGateway(t)
	g.meet(true, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := g.client(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if out := c.Send(ctx, message(g, "hello")); out.Kind != provider.Uncertain || out.Cause != "timeout" {
		t.Errorf("outcome %+v", out)
	}
}
