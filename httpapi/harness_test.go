package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp/fasthttputil"

	"carillon/engine"
	"carillon/httpapi"
)

// start is Monday morning in Berlin, and the instant at which all tests begin.
const start = "2026-03-02T08:00:00+01:00"

// house is a server on an in-memory network, and a client of it.
type house struct {
	t      *testing.T
	fake   *fake
	server *httpapi.Server
	client *http.Client
	dial   func() (net.Conn, error)
	logs   *bytes.Buffer
	reg    *prometheus.Registry
}

func open(t *testing.T, change func(*httpapi.Config)) *house {
	t.Helper()
	h := &house{t: t, fake: newFake(at(start)), logs: new(bytes.Buffer), reg: prometheus.NewRegistry()}
	c := httpapi.Config{
		Backend: h.fake, Hooks: hooks{token: "token"}, PublicURL: "https://sms.example.org/", DefaultRegion: "DE", Version: "test",
		Now: func() engine.Millis { return h.fake.now }, Logger: slog.New(slog.NewTextHandler(h.logs, nil)),
		Registerer: h.reg, Gatherer: h.reg,
	}
	if change != nil {
		change(&c)
	}
	h.server = httpapi.New(c)
	l := fasthttputil.NewInmemoryListener()
	served := make(chan error, 1)
	go func() { served <- h.server.Serve(l) }()
	if first, err := l.Dial(); err == nil { // it is accepted: a Shutdown before Serve would leave Serve waiting for ever
		_ = first.Close()
	}
	h.dial = l.Dial
	h.client = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return l.Dial() }}}
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := h.server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		_ = l.Close() // a test that asked nothing may be here before Serve is
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return h
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	raw    []byte
}

// call asks with the admin's key unless a header says otherwise; headers are
// "Name: value".
func (h *house) call(method, path, body string, headers ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, "http://carillon"+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer admin-key")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, v, _ := strings.Cut(line, ": ")
		req.Header.Set(name, v)
		if v == "" {
			req.Header.Del(name)
		}
	}
	resp, err := h.client.Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{t: h.t, status: resp.StatusCode, header: resp.Header, raw: raw}
	h.conform(req, body, a)
	return a
}

// is checks the status, and shows the body if it differs.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status is %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

func (a answer) json() map[string]any {
	a.t.Helper()
	var out map[string]any
	if err := json.Unmarshal(a.raw, &out); err != nil {
		a.t.Fatalf("not a JSON object: %v: %s", err, a.raw)
	}
	return out
}

// at returns what is at a dotted path of the body; numbers index lists.
func (a answer) at(path string) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(a.raw, &v); err != nil {
		a.t.Fatalf("not JSON: %v: %s", err, a.raw)
	}
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			got, there := in[step]
			if !there {
				a.t.Fatalf("there is no %s in %s", path, a.raw)
			}
			v = got
		case []any:
			i := int(step[0] - '0')
			if i >= len(in) {
				a.t.Fatalf("there is no %s in %s", path, a.raw)
			}
			v = in[i]
		default:
			a.t.Fatalf("there is no %s in %s", path, a.raw)
		}
	}
	return v
}

// has checks what is at a path. Numbers are float64.
func (a answer) has(path string, want any) answer {
	a.t.Helper()
	if got := a.at(path); got != want {
		a.t.Errorf("%s is %v, want %v in %s", path, got, want, a.raw)
	}
	return a
}

// problem checks a problem document; field may be empty.
func (a answer) problem(status int, code, field string) answer {
	a.t.Helper()
	a.is(status).has("code", code).has("status", float64(status)).has("title", http.StatusText(status)).has("type", "about:blank")
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("Content-Type is %q", got)
	}
	if got, _ := a.json()["field"].(string); got != field {
		a.t.Errorf("the problem blames %q, want %q: %s", got, field, a.raw)
	}
	if a.header.Get("X-Request-Id") == "" {
		a.t.Error("there is no X-Request-Id")
	}
	return a
}

// ann makes a user who gets reminders.
func (h *house) ann() {
	h.t.Helper()
	h.call("PUT", "/v1/users/ann", `{"timezone":"Europe/Berlin","preferences":{"event_reminders_enabled":true}}`).is(201)
	h.call("POST", "/v1/users/ann/phone/attest", `{"phone_number":"+4915112345678"}`).is(200)
}
