package twilio_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

// TestFaults: what Twilio and the network do to one create, and what is known
// after it (S3). Every row is one request at Twilio.
func TestFaults(t *testing.T) {
	const lost = provider.Uncertain
	for _, test := range []struct {
		name     string
		fault    twiliotest.Fault
		kind     provider.OutcomeKind
		accepted int
		says     string // part of the cause, or of the failure's message
	}{
		{"accepted, answer dropped", twiliotest.Drop().Accepted(), lost, 1, "connection closed"},
		{"dropped", twiliotest.Drop(), lost, 0, "connection closed"},
		{"accepted, reset", twiliotest.Reset().Accepted(), lost, 1, "connection reset"},
		{"reset", twiliotest.Reset(), lost, 0, "connection reset"},
		{"accepted, hangs", twiliotest.Hang().Accepted(), lost, 1, "timeout"},
		{"hangs", twiliotest.Hang(), lost, 0, "timeout"},
		{"429 of Twilio", twiliotest.Throttle(""), provider.Refused, 0, "Too Many Requests"},
		{"429 of Twilio, another code", twiliotest.Refuse(429, 14107), provider.Refused, 0, "rate limit"},
		{"429 of a proxy", twiliotest.Page(429), lost, 0, "http 429"},
		{"429 of a proxy, accepted", twiliotest.Page(429).Accepted(), lost, 1, "http 429"},
		{"429 of a gateway in JSON", twiliotest.Fault{Status: 429, Body: `{"code":429,"message":"slow down"}`}, lost, 0, "http 429"},
		{"500 before", twiliotest.Page(500), lost, 0, "http 500"},
		{"500 after", twiliotest.Page(500).Accepted(), lost, 1, "http 500"},
		{"500 of Twilio", twiliotest.Refuse(500, 20500), lost, 0, "20500"},
		{"503 of Twilio, accepted", twiliotest.Refuse(503, 20503).Accepted(), lost, 1, "20503"},
		{"502 with a refusal's code", twiliotest.Refuse(502, 21211), lost, 0, "http 502"},
		{"400 with a code that says nothing", twiliotest.Refuse(400, 21619).Accepted(), lost, 1, "21619"},
		{"success without JSON", twiliotest.Garbage("<html>ok</html>").Accepted(), lost, 1, "unreadable answer"},
		{"success without a sid", twiliotest.Garbage(`{"status":"queued"}`).Accepted(), lost, 1, "unreadable answer"},
		{"success that is empty", twiliotest.Garbage("").Accepted(), lost, 1, "unreadable answer"},
		{"success cut off", twiliotest.Cut().Accepted(), lost, 1, "unreadable answer: connection closed"},
		{"success without an end", twiliotest.Garbage(strings.Repeat(" ", 9<<20)).Accepted(), lost, 1, "too long"},
		{"redirect", twiliotest.Redirect("http://127.0.0.1:1/"), lost, 0, "a redirect is not followed"},
		{"404 of a proxy", twiliotest.Page(404), lost, 0, "http 404"},
		{"403 of a proxy", twiliotest.Page(403), lost, 0, "http 403"},
		{"wrong token", twiliotest.Refuse(401, 20003), provider.Refused, 0, "Permission Denied"},
		{"suspended", twiliotest.Refuse(403, 20005), provider.Refused, 0, "not active"},
		{"invalid number", twiliotest.Refuse(400, 21211), provider.Refused, 0, "Invalid 'To'"},
		{"opted out", twiliotest.Refuse(400, 21610), provider.Refused, 0, "unsubscribed"},
		{"unknown code", twiliotest.Refuse(400, 29999), provider.Refused, 0, "29999"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var change func(*twilio.Config)
			if test.fault.Hang {
				change = hasty
			}
			r := newRig(t, change)
			m := message(phone, "Standup in 15 mins")
			r.Fault(test.fault)
			out := r.client.Send(t.Context(), m)
			if out.Kind != test.kind || !strings.Contains(out.Cause+out.Failure.Message, test.says) {
				t.Errorf("outcome %+v, want kind %d that says %q", out, test.kind, test.says)
			}
			if strings.ContainsAny(out.Cause, "\n+") || strings.Contains(out.Failure.Message, "secret words") {
				t.Errorf("outcome %+v is not for logs", out)
			}
			if n := len(r.Accepted(phone, m.Text)); n != test.accepted {
				t.Errorf("accepted %d times, want %d", n, test.accepted)
			}
			if n := r.Creates(); n != 1 {
				t.Errorf("%d creates, want 1", n)
			}
		})
	}
}

// TestNoConnection: a carrier that can't be reached is uncertain, and the
// cause says what to look at.
func TestNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	plain := newRig(t, nil)
	for name, test := range map[string]struct{ url, says string }{
		"nobody listens": {nobody, "not connected: connection refused"},
		"no such host":   {"http://twilio.invalid", "not connected: host not found"},
		"TLS to no TLS":  {strings.Replace(plain.URL(), "http:", "https:", 1), "not connected: the other side does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *twilio.Config) { c.BaseURL = test.url })
			out := r.client.Send(t.Context(), message(phone, "hello"))
			if out.Kind != provider.Uncertain || out.Cause != test.says {
				t.Errorf("outcome %+v, want %q", out, test.says)
			}
			if s := r.client.Find(t.Context(), message(phone, "hello"), start); s.Result != provider.FindUnknown || s.Cause != test.says {
				t.Errorf("sighting %+v, want %q", s, test.says)
			}
		})
	}
}

// TestDroppedKeepAlive: a connection that was reused and is dropped loses one
// answer and repeats nothing. The control shows what one header would do.
func TestDroppedKeepAlive(t *testing.T) {
	r := newRig(t, nil)
	if out := r.client.Send(t.Context(), message(phone, "first")); out.Kind != provider.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	r.Fault(twiliotest.Drop().Accepted())
	out := r.client.Send(t.Context(), message(phone, "second"))
	if out.Kind != provider.Uncertain {
		t.Errorf("outcome %+v, want uncertain", out)
	}
	if n := r.CreatesOf(phone, "second"); n != 1 || r.IdempotencyKeys() != 0 {
		t.Errorf("%d creates, %d idempotency keys", n, r.IdempotencyKeys())
	}
	r.Heal()

	naive := &http.Client{}
	defer naive.CloseIdleConnections()
	post := func(body string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			r.URL()+"/2010-04-01/Accounts/"+twiliotest.AccountSID+"/Messages.json",
			strings.NewReader("To=%2B15551230000&From=%2B15550001111&Body="+body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(twiliotest.AccountSID, twiliotest.AuthToken)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Idempotency-Key", "k")
		resp, err := naive.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is used again
		_ = resp.Body.Close()
	}
	post("third")
	r.Fault(twiliotest.Drop().Accepted())
	post("fourth")
	if n := len(r.Accepted(phone, "fourth")); n != 2 {
		t.Errorf("the control was accepted %d times; if it is no longer 2, this test shows nothing", n)
	}
}

// TestRetryAfter: Twilio's own word on when to come back is kept, in either
// form (S4).
func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]int64{
		"": 0, "2": 2000, "0": 0, "-5": 0, "soon": 0, "99999999999": 86_400_000,
		"Mon, 30 Nov 2026 00:53:50 GMT": 30_000, "Mon, 30 Nov 2026 00:53:00 GMT": 0,
	} {
		r := newRig(t, nil)
		r.Fault(twiliotest.Throttle(header))
		out := r.client.Send(t.Context(), message(phone, "hello"))
		if out.Failure.RetryAfter != want || out.Failure.Category != engine.CategoryRateLimit {
			t.Errorf("%q: %+v, want %d ms", header, out.Failure, want)
		}
	}
}

// TestContextIsHeard: the caller's ctx ends the request, whatever the timeout.
func TestContextIsHeard(t *testing.T) {
	r := newRig(t, nil)
	r.FaultReads(twiliotest.Hang(), twiliotest.Hang())
	r.FaultVerify(twiliotest.Hang(), twiliotest.Hang())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan string)
	go func() { done <- r.client.Find(ctx, message(phone, "x"), start).Cause }()
	go func() { done <- r.client.Fetch(ctx, "SM1").Cause }()
	go func() { done <- r.client.Start(ctx, phone).Error() }()
	go func() {
		_, err := r.client.Check(ctx, phone, "123456")
		done <- err.Error()
	}()
	cancel()
	for range 4 {
		if says := <-done; !strings.HasSuffix(says, "canceled") {
			t.Errorf("%q, want canceled", says)
		}
	}
}

// TestConnectionsAreReused: errors too leave the connection usable.
func TestConnectionsAreReused(t *testing.T) {
	r := newRig(t, nil)
	for range 20 {
		r.Fault(twiliotest.Refuse(400, 21211), twiliotest.Page(503), twiliotest.Fault{})
		for range 3 {
			r.client.Send(t.Context(), message(phone, "hello"))
		}
	}
	if n := r.Connections(); n != 1 {
		t.Errorf("%d connections for 60 requests in a row, want 1", n)
	}
}
