package twilio_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/engine"
)

// recorder answers every request the same and keeps the last one.
type recorder struct {
	*httptest.Server
	req  *http.Request
	form url.Values
}

func record(t *testing.T, status int, answer string) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.req = req
		r.form, _ = url.ParseQuery(string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) client(t *testing.T, change func(*twilio.Config)) *twilio.Client {
	t.Helper()
	conf := twilio.Config{
		AccountSID: "AC1", AuthToken: "tok", From: []string{"+15550001111"}, BaseURL: r.URL,
		Now: func() engine.Millis { return start },
	}
	if change != nil {
		change(&conf)
	}
	c, err := twilio.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

const created = `{"sid":"SM1","status":"queued"}`

// TestCreateSends: the request, whole.
func TestCreateSends(t *testing.T) {
	r := record(t, http.StatusCreated, created)
	c := r.client(t, func(conf *twilio.Config) { conf.PublicURL = "https://sms.example.org/carillon/" })
	m := message("+15551230000", "Café & crème 👍 in 15 mins")
	m.UserID, m.MessageID = "ann & bob/é?", "m_1_1"
	m.ValidUntil = start + 90_999
	if out := c.Send(t.Context(), m); out.Kind != provider.Accepted || out.SID != "SM1" {
		t.Fatalf("outcome %+v", out)
	}
	want := url.Values{
		"To": {"+15551230000"}, "From": {"+15550001111"}, "Body": {"Café & crème 👍 in 15 mins"}, "ValidityPeriod": {"90"},
		"StatusCallback": {"https://sms.example.org/carillon/webhooks/twilio/status" +
			"?user_id=ann+%26+bob%2F%C3%A9%3F&message_id=m_1_1#ct=2000&rt=4000&tt=15000&rc=5&rp=all"},
	}
	if r.form.Encode() != want.Encode() {
		t.Errorf("form %v\nwant %v", r.form, want)
	}
	if r.req.Method != http.MethodPost || r.req.URL.Path != "/2010-04-01/Accounts/AC1/Messages.json" {
		t.Errorf("%s %s", r.req.Method, r.req.URL)
	}
	if user, token, _ := r.req.BasicAuth(); user != "AC1" || token != "tok" {
		t.Errorf("signed in as %s", user)
	}
	if got := r.req.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
		t.Errorf("content type %q", got)
	}
	for name := range r.req.Header {
		if strings.Contains(strings.ToLower(name), "idempotency") {
			t.Errorf("header %s: net/http would repeat the POST", name)
		}
	}
}

// TestCallbackOverrides holds the fragment to Twilio's ranges.
func TestCallbackOverrides(t *testing.T) {
	r := record(t, http.StatusCreated, created)
	c := r.client(t, func(conf *twilio.Config) { conf.PublicURL = "https://sms.example.org" })
	c.Send(t.Context(), message(phone, "hello"))
	u, err := url.Parse(r.form.Get("StatusCallback"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := url.ParseQuery(u.Fragment)
	if err != nil {
		t.Fatal(err)
	}
	for key, bounds := range map[string][2]int{"ct": {100, 10_000}, "rt": {100, 15_000}, "tt": {100, 15_000}, "rc": {0, 5}} {
		var n int
		if err := json.Unmarshal([]byte(got.Get(key)), &n); err != nil || n < bounds[0] || n > bounds[1] {
			t.Errorf("%s=%s is not within %v", key, got.Get(key), bounds)
		}
	}
	if got.Get("rp") != "all" || len(got) != 5 {
		t.Errorf("overrides %v", got)
	}
}

// TestNoPublicURLNoCallback: a callback to nowhere is refused by Twilio.
func TestNoPublicURLNoCallback(t *testing.T) {
	r := record(t, http.StatusCreated, created)
	r.client(t, nil).Send(t.Context(), message(phone, "hello"))
	if r.form.Has("StatusCallback") {
		t.Errorf("form %v", r.form)
	}
}

// TestValidityPeriod: nothing arrives after the deadline (S7).
func TestValidityPeriod(t *testing.T) {
	r := record(t, http.StatusCreated, created)
	c := r.client(t, nil)
	for left, want := range map[engine.Millis]string{
		1: "1", 999: "1", 1000: "1", 1999: "1", 2000: "2", 900_000: "900", 36_000_000: "36000", 360_000_000: "36000",
	} {
		m := message(phone, "hello")
		m.ValidUntil = start + left
		c.Send(t.Context(), m)
		if got := r.form.Get("ValidityPeriod"); got != want {
			t.Errorf("%d ms left: %s, want %s", left, got, want)
		}
	}
}

// TestSenders: a number of several, a service, or both. A message names its
// number; one that names none of ours leaves from the first.
func TestSenders(t *testing.T) {
	for _, test := range []struct{ sender, from, service string }{
		{"", "+1", ""}, {"", "", "MG1"}, {"MG1", "", "MG1"}, {"", "+1", "MG1"}, {"+2", "+2", ""}, {"+2", "+2", "MG1"}, {"+3", "+1", ""},
	} {
		r := record(t, http.StatusCreated, created)
		c := r.client(t, func(conf *twilio.Config) {
			if conf.From, conf.MessagingServiceSID = nil, test.service; test.from != "" {
				conf.From = []string{"+1", "+2"}
			}
		})
		m := message(phone, "hello")
		m.Sender = test.sender
		c.Send(t.Context(), m)
		if r.form.Get("From") != test.from || r.form.Get("MessagingServiceSid") != test.service {
			t.Errorf("%+v: form %v", test, r.form)
		}
	}
}

// TestAnswers: what a success says of the message.
func TestAnswers(t *testing.T) {
	for answer, want := range map[string]provider.Outcome{
		`{"sid":"SM1","status":"accepted"}`:  {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageQueued},
		`{"sid":"SM1","status":"queued"}`:    {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageQueued},
		`{"sid":"SM1","status":"sending"}`:   {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageSending},
		`{"sid":"SM1","status":"sent"}`:      {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageSent},
		`{"sid":"SM1","status":"delivered"}`: {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageDelivered},
		`{"sid":"SM1","status":"new word"}`:  {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageQueued},
		`{"sid":"SM1"}`:                      {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageQueued},
		// A type that changed elsewhere loses nothing.
		`{"sid":"SM1","status":"sent","num_segments":1,"error_code":"x"}`: {Kind: provider.Accepted, SID: "SM1", Status: engine.MessageSent},
		`{"sid":"SM1","status":"failed","error_code":30007}`: {
			Kind: provider.Accepted, SID: "SM1", Status: engine.MessageFailed,
			Failure: engine.Failure{Code: 30007, Category: engine.CategoryFiltered, Message: "Message filtered"},
		},
	} {
		r := record(t, http.StatusCreated, answer)
		if out := r.client(t, nil).Send(t.Context(), message(phone, "hello")); out != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", answer, out, want)
		}
	}
}

// TestRealHosts: without a base URL, requests go to Twilio's own hosts, whatever
// the environment says.
func TestRealHosts(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "elsewhere")
	t.Setenv("TWILIO_REGION", "xx1")
	var hosts []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		hosts = append(hosts, req.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	c, err := twilio.New(twilio.Config{
		AccountSID: "AC1", AuthToken: "t", From: []string{"+1"}, VerifyServiceSID: "VA1",
		Now: func() engine.Millis { return start },
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	twilio.UseProxy(c, u)
	c.Send(t.Context(), message(phone, "hello"))
	if err := c.Start(t.Context(), phone); err == nil {
		t.Error("started through a proxy that says 502")
	}
	if got := strings.Join(hosts, " "); got != "api.twilio.com:443 verify.twilio.com:443" {
		t.Errorf("asked for %s", got)
	}
}

func TestSettings(t *testing.T) {
	good := twilio.Config{
		AccountSID: "AC1", AuthToken: "hush", From: []string{"+1"}, Now: func() engine.Millis { return start },
	}
	for says, change := range map[string]func(*twilio.Config){
		"account sid is missing":     func(c *twilio.Config) { c.AccountSID = "" },
		"account sid has characters": func(c *twilio.Config) { c.AccountSID = "AC1/../AC2" },
		"auth token is missing":      func(c *twilio.Config) { c.AuthToken = "" },
		"sender number or a":         func(c *twilio.Config) { c.From = nil },
		"empty and equal":            func(c *twilio.Config) { c.From = []string{"+1", "+2", "+1"} },
		"without empty":              func(c *twilio.Config) { c.From = []string{"+1", ""} },
		"has no + before it":         func(c *twilio.Config) { c.From = []string{"15550001111"} },
		"clock":                      func(c *twilio.Config) { c.Now = nil },
		"base URL: must begin":       func(c *twilio.Config) { c.BaseURL = "ftp://hush" },
		"base URL: has no host":      func(c *twilio.Config) { c.BaseURL = "http:///hush" },
		"base URL: is not a URL":     func(c *twilio.Config) { c.BaseURL = "http://hush:x y" },
		"public URL: must not have":  func(c *twilio.Config) { c.PublicURL = "https://e.com/?hush" },
		"underscore":                 func(c *twilio.Config) { c.PublicURL = "https://my_host.example" },
	} {
		bad := good
		change(&bad)
		_, err := twilio.New(bad)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v, want %q and no secret", err, says)
		}
	}
	if _, err := twilio.New(good); err != nil {
		t.Error(err)
	}
}

// TestBadCredentials: what a token that Twilio refuses looks like, from the
// server's own check.
func TestBadCredentials(t *testing.T) {
	for name, change := range map[string]func(*twilio.Config){
		"token":   func(c *twilio.Config) { c.AuthToken = "old" },
		"account": func(c *twilio.Config) { c.AccountSID = "AC2" },
		"sender":  func(c *twilio.Config) { c.From = []string{"+15559999999"} },
		"service": func(c *twilio.Config) { c.From, c.MessagingServiceSID = nil, "MG2" },
	} {
		r := newRig(t, change)
		out := r.client.Send(t.Context(), message(phone, "hello"))
		if out.Kind != provider.Refused || out.Failure.Category != engine.CategoryAccountIssue || !r.client.Stops(out.Failure) {
			t.Errorf("%s: %+v, want an account_issue that stops the sender", name, out)
		}
	}
}
