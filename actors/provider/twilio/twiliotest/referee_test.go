//go:build referee

package twiliotest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

// The referee is two programs that neither the client nor the fake wrote:
// prism (npm @stoplight/prism-cli 5.14.2), which holds both to Twilio's OpenAPI
// files, and npm twilio 6.2.0, which signs and checks signatures. Run it with
//
//	REFEREE_NODE_MODULES=…/node_modules REFEREE_OAI=…/oai go test -tags referee .
//
// where the second directory has twilio_api_v2010.json and twilio_verify_v2.json
// of github.com/twilio/twilio-oai.
func referee(t *testing.T) (modules, oai string) {
	t.Helper()
	modules, oai = os.Getenv("REFEREE_NODE_MODULES"), os.Getenv("REFEREE_OAI")
	if _, err := exec.LookPath("node"); err != nil || modules == "" || oai == "" {
		t.Skip("no referee: node, REFEREE_NODE_MODULES and REFEREE_OAI are needed")
	}
	return modules, oai
}

// prism stands between a client and the fake, and returns where it listens.
func prism(t *testing.T, modules, spec, upstream string, flags ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	args := []string{filepath.Join(modules, ".bin", "prism"), "proxy", spec, upstream, "-p", port, "-h", "127.0.0.1"}
	cmd := exec.CommandContext(t.Context(), "node", append(args, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "listening") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://127.0.0.1:" + port
		}
	}
	t.Fatal("prism ended before it listened")
	return ""
}

// through is a client whose requests and answers pass the referee.
func through(t *testing.T, s *twiliotest.Server, base string, service bool) *twilio.Client {
	t.Helper()
	conf := s.Config()
	conf.BaseURL, conf.PublicURL = base, "https://sms.example.org"
	if service {
		conf.From, conf.MessagingServiceSID = nil, twiliotest.ServiceSID
	}
	c, err := twilio.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRefereeMessages(t *testing.T) {
	modules, oai := referee(t)
	for _, service := range []bool{false, true} {
		s := open(t, twiliotest.Options{})
		base := prism(t, modules, filepath.Join(oai, "twilio_api_v2010.json"), s.URL(), "--errors")
		c := through(t, s, base, service)
		m := provider.Message{
			UserID: "ann & bob", MessageID: "m_1", To: "+15551230000", Text: "Café 👍 in 15 mins", CreatedAt: start,
			ValidUntil: start + 900_000,
		}
		out := c.Send(t.Context(), m)
		if out.Kind != provider.Accepted {
			t.Fatalf("send: %+v", out)
		}
		for _, status := range []string{"sending", "sent", "undelivered", "delivered"} {
			s.Move(out.SID, status, 30003)
			if got := c.Fetch(t.Context(), out.SID); got.Result != provider.Found || got.Status == engine.MessageQueued {
				t.Errorf("fetch when %s: %+v", status, got)
			}
		}
		if got := c.Probe(t.Context(), engine.Failure{Code: 20003}); got != provider.FaultOver {
			t.Errorf("probe: %d", got)
		}
		s.Fault(twiliotest.Refuse(http.StatusBadRequest, 21610), twiliotest.Throttle("2"))
		if out := c.Send(t.Context(), m); out.Failure.Category != engine.CategoryOptedOut {
			t.Errorf("refusal: %+v", out)
		}
		if out := c.Send(t.Context(), m); out.Failure.RetryAfter != 2000 {
			t.Errorf("429: %+v", out)
		}
		control(t, base)
	}
}

// TestRefereeList: Twilio's file wants absolute URIs for pages, and Twilio
// itself, as its own example in that file, gives paths. Everything else of a
// list must be as the file says.
func TestRefereeList(t *testing.T) {
	modules, oai := referee(t)
	s := open(t, twiliotest.Options{})
	base := prism(t, modules, filepath.Join(oai, "twilio_api_v2010.json"), s.URL())
	c := through(t, s, base, false)
	m := provider.Message{To: "+15551230000", Text: "hello", CreatedAt: start, ValidUntil: start + 900_000}
	out := c.Send(t.Context(), m)
	for range 120 {
		s.Plant(twiliotest.Message{To: m.To, From: twiliotest.From, Body: "noise", Status: "sent", CreatedAt: start, SentAt: start})
	}
	if got := c.Find(t.Context(), m, start); got.SID != out.SID {
		t.Errorf("find on the second page: %+v", got)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+messages+"?To=%2B15551230000&PageSize=100", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(twiliotest.AccountSID, twiliotest.AuthToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	var violations []struct {
		Location []string `json:"location"`
		Message  string   `json:"message"`
	}
	if err := json.Unmarshal([]byte(resp.Header.Get("Sl-Violations")), &violations); err != nil {
		t.Fatalf("%v: %q", err, resp.Header.Get("Sl-Violations"))
	}
	for _, v := range violations {
		if !strings.Contains(v.Message, `format "uri"`) || !strings.Contains(fmt.Sprint(v.Location), "_uri") &&
			!strings.HasSuffix(fmt.Sprint(v.Location), "uri]") {
			t.Errorf("%v: %s", v.Location, v.Message)
		}
	}
	if len(violations) == 0 {
		t.Error("no violation at all: the exception for page URIs can go")
	}
}

// control: a request that Twilio's files forbid does not pass.
func control(t *testing.T, base string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+messages,
		strings.NewReader(url.Values{"Body": {"no number"}, "ValidityPeriod": {"soon"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(twiliotest.AccountSID, twiliotest.AuthToken)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the referee lets a bad request pass: http %d", resp.StatusCode)
	}
}

func TestRefereeVerify(t *testing.T) {
	modules, oai := referee(t)
	s := open(t, twiliotest.Options{})
	c := through(t, s, prism(t, modules, filepath.Join(oai, "twilio_verify_v2.json"), s.URL(), "--errors"), false)
	const phone = "+15551230000"
	if err := c.Start(t.Context(), phone); err != nil {
		t.Fatalf("start: %v", err)
	}
	if ok, err := c.Check(t.Context(), phone, "999999"); ok || err != nil {
		t.Errorf("wrong code: %v, %v", ok, err)
	}
	if ok, err := c.Check(t.Context(), phone, s.Code(phone)); !ok || err != nil {
		t.Errorf("right code: %v, %v", ok, err)
	}
}

// script reads cases on standard input, signs each with npm twilio, and says
// what npm twilio makes of our signatures.
const script = `
const t = require('twilio');
const cases = JSON.parse(require('fs').readFileSync(0));
console.log(JSON.stringify(cases.map(c => ({
  signature: t.getExpectedTwilioSignature(c.token, c.url, c.params),
  valid: t.validateRequest(c.token, c.ours, c.url, c.params),
}))));`

type signCase struct {
	Token  string              `json:"token"`
	URL    string              `json:"url"`
	Params map[string][]string `json:"params"`
	Ours   string              `json:"ours"`
}

// TestRefereeSignatures: npm twilio and our check agree, on callbacks of our
// shape and on odd ones.
func TestRefereeSignatures(t *testing.T) {
	modules, _ := referee(t)
	odd := []string{"", " ", "a", "Ünï 👍 ", "+1 & =", "%2B", "\t\r\n", "x\x00y", strings.Repeat("long ", 300)}
	var cases []signCase
	for i, v := range odd {
		for j, u := range []string{
			"https://sms.example.org/webhooks/twilio/status?user_id=ann+%26+bob%2F%C3%A9&message_id=m_1",
			"https://sms.example.org:8443/a%2Fb//c?x=&y", "http://127.0.0.1:8080/hook",
		} {
			form := url.Values{
				"Body": {v}, "FromZip": {""}, "MessageSid": {fmt.Sprintf("SM%d", i)}, "b": {"2", "1", "2"}, "B": {v, "z"},
			}
			token := fmt.Sprintf("token%d", j)
			cases = append(cases, signCase{token, u, form, twilio.Signature(token, u, form)})
		}
	}
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-e", script)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs []struct {
		Signature string `json:"signature"`
		Valid     bool   `json:"valid"`
	}
	if err := json.Unmarshal(output, &theirs); err != nil || len(theirs) != len(cases) {
		t.Fatalf("%d answers for %d cases, %v", len(theirs), len(cases), err)
	}
	for i, c := range cases {
		body := []byte(url.Values(c.Params).Encode())
		hooks := twilio.NewHooks("another", c.Token)
		if !hooks.Signed(c.URL, body, theirs[i].Signature) || !theirs[i].Valid {
			t.Errorf("%+v: we take theirs %v, they take ours %v", c, hooks.Signed(c.URL, body, theirs[i].Signature), theirs[i].Valid)
		}
		if hooks.Signed(c.URL, append(body, "&x=1"...), theirs[i].Signature) || hooks.Signed(c.URL+"x", body, theirs[i].Signature) {
			t.Errorf("%+v: a changed request is taken", c)
		}
	}
}
