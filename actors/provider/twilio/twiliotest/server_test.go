package twiliotest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

const (
	start    = engine.Millis(1_796_000_000_000)
	messages = "/2010-04-01/Accounts/" + twiliotest.AccountSID + "/Messages.json"
)

func open(t *testing.T, opts twiliotest.Options) *twiliotest.Server {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() engine.Millis { return start }
	}
	s := twiliotest.New(opts)
	t.Cleanup(s.Close)
	return s
}

// ask is a client that knows nothing of ours. It returns the status and the
// JSON of the answer.
func ask(t *testing.T, s *twiliotest.Server, method, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(twiliotest.AccountSID, twiliotest.AuthToken)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var doc map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatalf("%s %s: http %d: %v", method, path, resp.StatusCode, err)
	}
	return resp.StatusCode, doc
}

func form(pairs ...string) url.Values {
	v := url.Values{"To": {"+15551230000"}, "From": {twiliotest.From}, "Body": {"hello"}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			v.Del(pairs[i])
			continue
		}
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// TestRefusals: the server checks a create as Twilio does.
func TestRefusals(t *testing.T) {
	s := open(t, twiliotest.Options{})
	for _, test := range []struct {
		form   url.Values
		status int
		code   float64
	}{
		{form(), http.StatusCreated, 0},
		{form("MessagingServiceSid", twiliotest.ServiceSID, "From", ""), http.StatusCreated, 0},
		{form("ValidityPeriod", "36000", "StatusCallback", "https://e.com/x?a=1#rc=5"), http.StatusCreated, 0},
		{form("To", ""), 400, 21604},
		{form("To", "0171"), 400, 21211},
		{form("From", ""), 400, 21603},
		{form("From", "+15559999999"), 400, 21659},
		{form("MessagingServiceSid", "MG2"), 400, 21701},
		{form("Body", " "), 400, 21602},
		{form("Body", strings.Repeat("ü", 1600)), http.StatusCreated, 0},
		{form("Body", strings.Repeat("ü", 1601)), 400, 21617},
		{form("ValidityPeriod", "0"), 400, 21624},
		{form("ValidityPeriod", "36001"), 400, 21624},
		{form("StatusCallback", "/path"), 400, 21609},
		{form("StatusCallback", "https://my_host/x"), 400, 21609},
	} {
		status, doc := ask(t, s, http.MethodPost, messages, test.form)
		code, _ := doc["code"].(float64)
		if status != test.status || code != test.code {
			t.Errorf("%v: http %d, %v; want http %d, code %v", test.form, status, doc, test.status, test.code)
		}
	}
	if n := len(s.Messages()); n != 4 || s.Creates() != 15 {
		t.Errorf("%d accepted of %d", n, s.Creates())
	}
}

// TestPages: newest first, whole, and not shifted by what comes meanwhile.
func TestPages(t *testing.T) {
	s := open(t, twiliotest.Options{})
	for _, body := range []string{"1", "2", "3", "4", "5"} {
		ask(t, s, http.MethodPost, messages, form("Body", body))
		ask(t, s, http.MethodPost, messages, form("Body", body, "To", "+15551239999"))
	}
	var got []string
	next := messages + "?To=%2B15551230000&PageSize=2"
	for pages := 0; next != "" && pages < 9; pages++ {
		_, doc := ask(t, s, http.MethodGet, next, nil)
		for _, m := range doc["messages"].([]any) {
			got = append(got, m.(map[string]any)["body"].(string))
		}
		next, _ = doc["next_page_uri"].(string)
		ask(t, s, http.MethodPost, messages, form("Body", "later"))
	}
	if strings.Join(got, "") != "54321" {
		t.Errorf("pages read %v", got)
	}
}

// TestDateSent finds nothing that was not sent: who reconciles by it loses
// what is queued.
func TestDateSent(t *testing.T) {
	s := open(t, twiliotest.Options{})
	_, doc := ask(t, s, http.MethodPost, messages, form())
	count := func(query string) int {
		_, doc := ask(t, s, http.MethodGet, messages+"?"+query, nil)
		return len(doc["messages"].([]any))
	}
	for _, q := range []string{"DateSent=2026-11-30", "DateSent%3E=2026-11-01", "DateSent%3C=2026-12-01"} {
		if n := count(q); n != 0 {
			t.Errorf("%s: %d queued messages", q, n)
		}
	}
	s.Move(doc["sid"].(string), "sent", 0)
	for q, want := range map[string]int{
		"DateSent=2026-11-30": 1, "DateSent=2026-11-29": 0, "DateSent%3E=2026-11-30": 1, "DateSent%3E=2026-12-01": 0,
		"DateSent%3C=2026-11-30": 1, "DateSent%3C=2026-11-29": 0, "From=%2B15550001111": 1, "From=%2B1": 0,
	} {
		if n := count(q); n != want {
			t.Errorf("%s: %d, want %d", q, n, want)
		}
	}
}

func TestCancel(t *testing.T) {
	s := open(t, twiliotest.Options{})
	_, doc := ask(t, s, http.MethodPost, messages, form())
	path := strings.TrimSuffix(messages, ".json") + "/" + doc["sid"].(string) + ".json"
	if status, doc := ask(t, s, http.MethodPost, path, url.Values{"Status": {"canceled"}}); status != 200 || doc["status"] != "canceled" {
		t.Errorf("http %d, %v", status, doc)
	}
	if status, doc := ask(t, s, http.MethodPost, path, url.Values{"Status": {"canceled"}}); status != 400 || doc["code"] != 30409.0 {
		t.Errorf("twice: http %d, %v", status, doc)
	}
	if status, doc := ask(t, s, http.MethodGet, path, nil); status != 200 || doc["status"] != "canceled" {
		t.Errorf("http %d, %v", status, doc)
	}
}

// TestSignIn: without the token nothing is known, in another account neither.
func TestSignIn(t *testing.T) {
	s := open(t, twiliotest.Options{})
	resp, err := http.Post(s.URL()+messages, "application/x-www-form-urlencoded", strings.NewReader(form().Encode()))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(string(body), "20003") {
		t.Errorf("http %d: %s", resp.StatusCode, body)
	}
	if status, doc := ask(t, s, http.MethodPost, "/2010-04-01/Accounts/AC2/Messages.json", form()); status != 404 || doc["code"] != 20404.0 {
		t.Errorf("http %d, %v", status, doc)
	}
	if s.Creates() != 0 {
		t.Errorf("%d creates", s.Creates())
	}
}

// TestCallbacks: a report reaches the URL of its create, signed over that URL
// even if it is reached elsewhere, and names the message.
func TestCallbacks(t *testing.T) {
	const public = "https://sms.example.org"
	hooks := twilio.NewHooks(twiliotest.AuthToken)
	var got []engine.ReportDelivery
	var refused atomic.Int32
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !hooks.Signed(public+r.RequestURI, body, r.Header.Get("X-Twilio-Signature")) {
			refused.Add(1)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if report, err := hooks.Status(body); err == nil {
			report.MessageID = r.URL.Query().Get("message_id")
			got = append(got, report)
		}
	}))
	defer ours.Close()
	s := open(t, twiliotest.Options{Reach: ours.URL})
	conf := s.Config()
	conf.PublicURL = public
	client, err := twilio.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// The answer is lost, and the callback names the message all the same.
	s.Fault(twiliotest.Drop().Accepted())
	client.Send(t.Context(), provider.Message{
		UserID: "ann & bob", MessageID: "m_1", To: "+15551230000", Text: "hello", CreatedAt: start, ValidUntil: start + 60_000,
	})
	sid := s.Messages()[0].SID
	if status, err := s.Report(t.Context(), sid, "undelivered", 30003); status != http.StatusOK || err != nil {
		t.Fatalf("http %d, %v", status, err)
	}
	if len(got) != 1 || got[0].SID != sid || got[0].MessageID != "m_1" || got[0].Failure.Code != 30003 {
		t.Errorf("callbacks %+v", got)
	}
	req, err := s.Callback(t.Context(), sid, "delivered", 0)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.RawQuery = strings.Replace(req.URL.RawQuery, "m_1", "m_2", 1)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || refused.Load() != 1 {
		t.Errorf("a changed query: http %d", resp.StatusCode)
	}
	if _, err := s.Report(t.Context(), "SM9", "sent", 0); err == nil {
		t.Error("a report of no message")
	}
}

func TestInbound(t *testing.T) {
	s := open(t, twiliotest.Options{})
	const webhook = "https://sms.example.org/webhooks/twilio/inbound"
	req, err := s.Inbound(t.Context(), webhook, "+15551230000", "Stop", "STOP")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	hooks := twilio.NewHooks(twiliotest.AuthToken)
	if !hooks.Signed(webhook, body, req.Header.Get("X-Twilio-Signature")) {
		t.Error("our own check refuses it")
	}
	from, text, err := hooks.Inbound(body)
	if err != nil || from != "+15551230000" || text.Text != "Stop" || text.OptOut != "STOP" {
		t.Errorf("%s, %+v, %v", from, text, err)
	}
	if _, err := hooks.Status(body); err == nil {
		t.Error("an inbound text reads as a status callback")
	}
}

// TestScript: faults come in order, a number's own before them, and healing
// ends them.
func TestScript(t *testing.T) {
	s := open(t, twiliotest.Options{})
	status := func(to string) int {
		code, _ := ask(t, s, http.MethodPost, messages, form("To", to))
		return code
	}
	s.Fault(twiliotest.Refuse(400, 21610), twiliotest.Refuse(429, 20429), twiliotest.Refuse(503, 20503).Always())
	s.FaultFor("+15551111111", twiliotest.Refuse(400, 21614))
	var got []int
	for _, to := range []string{"+15552222222", "+15551111111", "+15552222222", "+15552222222", "+15552222222"} {
		got = append(got, status(to))
	}
	want := []int{400, 400, 429, 503, 503}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("answers %v, want %v", got, want)
		}
	}
	s.FaultFor("+15551111111", twiliotest.Fault{})
	s.Heal()
	if status("+15551111111") != http.StatusCreated || status("+15552222222") != http.StatusCreated {
		t.Error("still at fault when healed")
	}
}
