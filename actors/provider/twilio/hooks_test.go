package twilio_test

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"carillon/actors/provider/twilio"
	"carillon/engine"
)

// What was signed with npm twilio 6.2.0, whose first example is also the one of
// https://www.twilio.com/docs/usage/webhooks/webhooks-security.
var (
	ones    = strings.Repeat("1", 32)
	vectors = []struct {
		name, token, url, body, signature string
	}{
		{
			"the documented one", "12345", "https://example.com/myapp.php?foo=1&bar=2",
			"Digits=1234&To=%2B18005551212&From=%2B14158675310&Caller=%2B14158675310&CallSid=CA1234567890ABCDE",
			"L/OH5YylLD5NRKLltdqwSvS0BnU=",
		},
		{
			"a status callback", "test-token",
			"https://sms.example.org/webhooks/twilio/status?message_id=123e4567-e89b-12d3-a456-426614174000&user_id=42",
			"SmsSid=SM" + ones + "&MessageSid=SM" + ones + "&SmsStatus=delivered&MessageStatus=delivered" +
				"&To=%2B15558675310&AccountSid=AC" + strings.Repeat("a", 32) +
				"&From=%2B15557122661&ApiVersion=2010-04-01&RawDlrDoneDate=2611231415",
			"oi4udjw1f0m9BmREMlj1TSuTkNc=",
		},
		{
			"letters, a trailing blank, an empty value", "12345", "https://e.com/x?b=%C3%A9",
			"Body=%C3%9Cn%C3%AFc%C3%B8d%C3%A9+%F0%9F%91%8D+&FromZip=&NumMedia=0", "GQ9xY1oYNJIE7rh13rjq2EqwDIc=",
		},
		{"order of bytes", "12345", "https://e.com/x", "b=1&B=2&a=3&A=4", "xFOS4TDWyNQi8WCUTr2uqiBX2bQ="},
		{"repeated names", "12345", "https://e.com/x", "a=2&a=1&a=1", "Ln2hlySK0q0Ic5+K+WFOVtlfewE="},
		{"repeated names in order", "12345", "https://e.com/x", "a=1&a=2", "Ln2hlySK0q0Ic5+K+WFOVtlfewE="},
	}
)

func TestSignatureVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			form, err := url.ParseQuery(v.body)
			if err != nil {
				t.Fatal(err)
			}
			if got := twilio.Signature(v.token, v.url, form); got != v.signature {
				t.Errorf("signature %s, want %s", got, v.signature)
			}
			if !twilio.NewHooks(v.token).Signed(v.url, []byte(v.body), v.signature) {
				t.Error("refused")
			}
			for name, bad := range map[string][3]string{
				"another host":      {strings.Replace(v.url, ".", "-.", 1), v.body, v.signature},
				"http for https":    {strings.Replace(v.url, "https", "http", 1), v.body, v.signature},
				"query added":       {v.url + "&x=1", v.body, v.signature},
				"field added":       {v.url, v.body + "&zz=1", v.signature},
				"field changed":     {v.url, strings.Replace(v.body, "1", "9", 1), v.signature},
				"empty field added": {v.url, v.body + "&zz=", v.signature},
				"case of it":        {v.url, v.body, strings.ToLower(v.signature)},
				"none":              {v.url, v.body, ""},
				"cut":               {v.url, v.body, v.signature[:20]},
				"not base64":        {v.url, v.body, "!" + v.signature[1:]},
			} {
				if bad[1] == v.body && bad[0] == v.url && bad[2] == v.signature {
					continue // this one has nothing of that kind
				}
				if twilio.NewHooks(v.token).Signed(bad[0], []byte(bad[1]), bad[2]) {
					t.Errorf("accepted with %s", name)
				}
			}
		})
	}
}

// TestTwoTokens: while a token is rotated, callbacks of both are taken, and an
// empty setting is not a token.
func TestTwoTokens(t *testing.T) {
	v := vectors[0]
	for _, test := range []struct {
		tokens []string
		want   bool
	}{
		{[]string{v.token, "new"}, true},
		{[]string{"old", v.token}, true},
		{[]string{v.token, ""}, true},
		{[]string{"old", "new"}, false},
		{[]string{"", ""}, false},
		{nil, false},
	} {
		if got := twilio.NewHooks(test.tokens...).Signed(v.url, []byte(v.body), v.signature); got != test.want {
			t.Errorf("%v: %v", test.tokens, got)
		}
	}
	empty := twilio.Signature("", v.url, url.Values{})
	if twilio.NewHooks("").Signed(v.url, nil, empty) {
		t.Error("a signature by the empty token is accepted")
	}
}

// TestPorts: the default port may be signed or not; another one must be.
func TestPorts(t *testing.T) {
	hooks := twilio.NewHooks("t")
	form := url.Values{"a": {"1"}}
	for _, test := range []struct {
		signed, configured string
		want               bool
	}{
		{"https://e.com/x", "https://e.com/x", true},
		{"https://e.com:443/x?q=%2F", "https://e.com/x?q=%2F", true},
		{"https://e.com/x", "https://e.com:443/x", true},
		{"http://e.com:80/x", "http://e.com/x", true},
		{"https://e.com:8443/x", "https://e.com:8443/x", true},
		{"https://e.com:8443/x", "https://e.com/x", false},
		{"https://[::1]:443/x", "https://[::1]/x", true},
		{"https://e.com/x", "https://user:pw@e.com/x#rc=5", true},
		{"https://e.com/x", "https://e.com/X", false},
		{"https://e.com/x?q=/", "https://e.com/x?q=%2F", false},
		{"https://e.com?q", "https://e.com?q", true},
	} {
		signature := twilio.Signature("t", test.signed, form)
		if got := hooks.Signed(test.configured, []byte("a=1"), signature); got != test.want {
			t.Errorf("signed %s, configured %s: %v", test.signed, test.configured, got)
		}
	}
}

// TestSignedBody: a body that is no form is signed by its hash in the URL.
func TestSignedBody(t *testing.T) {
	const body = `{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}`
	u := "https://e.com/x?foo=1&bodySHA256=5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"
	signature := twilio.Signature("t", u, nil)
	hooks := twilio.NewHooks("t")
	if !hooks.Signed(u, []byte(body), signature) {
		t.Error("refused")
	}
	if hooks.Signed(u, []byte(body+" "), signature) || hooks.Signed(u, nil, signature) {
		t.Error("another body is accepted")
	}
	if hooks.Signed(strings.Replace(u, "5cc", "5cd", 1), []byte(body), signature) {
		t.Error("another hash is accepted")
	}
}

func TestStatus(t *testing.T) {
	hooks := twilio.NewHooks("t")
	for word, want := range map[string]engine.MessageStatus{
		"scheduled": engine.MessageScheduled, "accepted": engine.MessageQueued, "queued": engine.MessageQueued,
		"sending": engine.MessageSending, "sent": engine.MessageSent, "delivered": engine.MessageDelivered,
		"read": engine.MessageDelivered, "partially_delivered": engine.MessageSent,
		"undelivered": engine.MessageUndelivered, "failed": engine.MessageFailed, "canceled": engine.MessageCanceled,
	} {
		got, err := hooks.Status([]byte("MessageSid=SM1&SmsSid=SM1&SmsStatus=sent&New=x&MessageStatus=" + word))
		if err != nil || got.SID != "SM1" || got.Status != want || got.MessageID != "" {
			t.Errorf("%s: %+v, %v", word, got, err)
		}
		lost := want == engine.MessageUndelivered || want == engine.MessageFailed || want == engine.MessageCanceled
		if (got.Failure != engine.Failure{}) != lost {
			t.Errorf("%s: failure %+v", word, got.Failure)
		}
	}
	if got, err := hooks.Status([]byte("SmsSid=SM1&SmsStatus=sent")); err != nil || got.SID != "SM1" || got.Status != engine.MessageSent {
		t.Errorf("the old names: %+v, %v", got, err)
	}
	if got, err := hooks.Status([]byte("MessageSid=SM1&MessageStatus=delivered&ErrorCode=30003")); err != nil || got.Failure != (engine.Failure{}) {
		t.Errorf("a code with a delivery: %+v, %v", got, err)
	}
	for body, says := range map[string]string{
		"":                                      "MessageSid is missing",
		"MessageStatus=sent":                    "MessageSid is missing",
		"MessageSid=SM1":                        "MessageStatus is missing",
		"MessageSid=SM1&MessageStatus=received": "MessageStatus is not",
		"MessageSid=SM1&MessageStatus=SENT":     "MessageStatus is not",
		"MessageSid=SM1&MessageStatus=failed&ErrorCode=x":  "ErrorCode",
		"MessageSid=SM1&MessageStatus=failed&ErrorCode=-1": "ErrorCode",
		"MessageSid=%zz": "not a form",
	} {
		if got, err := hooks.Status([]byte(body)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %+v, %v, want %q", body, got, err, says)
		}
	}
}

func TestInbound(t *testing.T) {
	hooks := twilio.NewHooks("t")
	from, text, err := hooks.Inbound([]byte("MessageSid=SM1&From=%2B15551230000&Body=+Stop%21+&OptOutType=STOP&FromZip="))
	if want := (engine.ReceiveText{SID: "SM1", Text: " Stop! ", OptOut: "STOP"}); err != nil || from != phone || text != want {
		t.Errorf("%s, %+v, %v", from, text, err)
	}
	if _, text, err = hooks.Inbound([]byte("SmsSid=SM1&From=%2B1&Body=")); err != nil || text.SID != "SM1" || text.Text != "" {
		t.Errorf("a picture alone: %+v, %v", text, err)
	}
	for body, says := range map[string]string{
		"From=%2B1&Body=x":      "MessageSid is missing",
		"MessageSid=SM1&Body=x": "From is missing",
		"MessageSid=SM1&From=1": "Body is missing",
		"MessageSid=SM1;From=1": "not a form",
	} {
		if _, _, err := hooks.Inbound([]byte(body)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", body, err, says)
		}
	}
}

func TestAnswer(t *testing.T) {
	hooks := twilio.NewHooks("t")
	kind, body := hooks.Answer("")
	if kind != "text/xml; charset=utf-8" || !strings.HasSuffix(string(body), "<Response></Response>") {
		t.Errorf("%s: %s", kind, body)
	}
	const text = `You're in. <b>&amp;</b> "Ünï" 👍`
	_, body = hooks.Answer(text)
	var doc struct {
		XMLName xml.Name `xml:"Response"`
		Message string   `xml:"Message"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil || doc.Message != text {
		t.Errorf("%s reads %q, %v", body, doc.Message, err)
	}
}

// FuzzHooks: nobody's bytes panic, and none are signed by chance.
func FuzzHooks(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.url, []byte(v.body), v.signature)
	}
	f.Add("https://e.com/x?bodySHA256=00", []byte("{}"), "AAAA")
	f.Add("://", []byte("%"), "")
	f.Fuzz(func(t *testing.T, u string, body []byte, signature string) {
		hooks := twilio.NewHooks("a token that signed none of this")
		if hooks.Signed(u, body, signature) {
			t.Errorf("%q is taken as signed", u)
		}
		if r, err := hooks.Status(body); err == nil && (r.SID == "" || r.Status == engine.MessageNone) {
			t.Errorf("%q reads %+v", body, r)
		}
		if from, text, err := hooks.Inbound(body); err == nil && (from == "" || text.SID == "") {
			t.Errorf("%q reads %q, %+v", body, from, text)
		}
		if form, err := url.ParseQuery(string(body)); err == nil && !strings.Contains(u, "bodySHA256") {
			if !hooks.Signed(u, body, twilio.Signature("a token that signed none of this", u, form)) {
				t.Errorf("%q, %q: our own signature is refused", u, body)
			}
		}
	})
}
