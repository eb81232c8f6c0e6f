package httpapi_test

import (
	"net/url"
	"strings"
	"testing"

	"carillon/engine"
	"carillon/httpapi"
)

// hook sends a form as the carrier would, signed over the public URL.
func (h *house) hook(path, form string) answer {
	h.t.Helper()
	signature := hooks{token: "token"}.sign("https://sms.example.org"+path, []byte(form))
	return h.call("POST", path, form, "Authorization: ", "Content-Type: application/x-www-form-urlencoded", "X-Twilio-Signature: "+signature)
}

// send brings ann's first reminder to the carrier and returns its ids.
func (h *house) send() (reminder, message string) {
	h.t.Helper()
	h.ann()
	h.call("PUT", "/v1/users/ann/events/e", `{"title":"Standup","start":"2026-03-02T08:00:00Z"}`).is(201)
	reminder, _ = h.call("GET", "/v1/users/ann/reminders", "").at("items.0.reminder_id").(string)
	h.fake.now = at("2026-03-02T07:45:00Z")
	h.fake.decide("ann", engine.Wake{}, "", 0)
	got, ok := h.fake.decide("ann", engine.HandOver{ReminderID: reminder}, "", 0).(engine.HandOverReply)
	if !ok || got.Message == nil {
		h.t.Fatalf("no message: %+v", got)
	}
	h.fake.decide("ann", engine.RecordOutcome{MessageID: got.Message.MessageID, Kind: engine.OutcomeAccepted, SID: "SM1", Status: engine.MessageQueued}, "", 0)
	return reminder, got.Message.MessageID
}

// TestStatusCallback: a signed callback moves the message on (D1).
func TestStatusCallback(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	reminder, message := h.send()
	path := "/webhooks/twilio/status?user_id=ann&message_id=" + url.QueryEscape(message)
	h.hook(path, "MessageSid=SM1&MessageStatus=delivered&To=%2B4915112345678").is(204)
	h.call("GET", "/v1/users/ann/reminders/"+reminder, "").is(200).
		has("status", "delivered").has("messages.0.status", "delivered").has("messages.0.sid", "SM1").
		has("messages.0.to", "+4915112345678").has("messages.0.generated_via", "template").
		has("delivered_at", "2026-03-02T07:45:00Z").has("send_attempts", 1.0)
	h.hook(path, "MessageSid=SM1&MessageStatus=sent").is(204)
	h.call("GET", "/v1/users/ann/reminders/"+reminder, "").is(200).has("status", "delivered")
	metrics := string(h.call("GET", "/metrics", "").is(200).raw)
	for _, line := range []string{
		`carillon_callbacks_total{status="delivered"} 1`,
		`carillon_callbacks_unknown_total{kind="status"} 0`,
		`carillon_http_requests_total{code="204",method="POST",route="/webhooks/twilio/status"} 2`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("there is no %s in\n%s", line, metrics)
		}
	}
}

// TestSignatureIsOverTheBytesThatCame: neither the Host header nor a
// normalized path or query may come into it.
func TestSignatureIsOverTheBytesThatCame(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	_, message := h.send()
	path := "/webhooks/twilio/status?x=%c3%A9&&user_id=%61nn&y=a+b%20c&message_id=" + message
	h.hook(path, "MessageSid=SM1&MessageStatus=sent&Body=%C3%BC+%26+%F0%9F%91%8D&FromZip=").is(204)
}

// TestBadCallbacks: wrong signature 403, missing fields 400, nobody's message
// 200 and a metric, nothing else; our own trouble 503.
func TestBadCallbacks(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	_, message := h.send()
	writes := h.fake.writes
	path := "/webhooks/twilio/status?user_id=ann&message_id=" + message
	const form = "MessageSid=SM1&MessageStatus=delivered"
	h.call("POST", path, form, "Authorization: ").problem(403, "invalid_signature", "")
	h.call("POST", path, form).problem(403, "invalid_signature", "") // an API key is no signature
	signed := hooks{token: "token"}.sign("https://sms.example.org"+path, []byte(form))
	h.call("POST", path, form+"&x=1", "X-Twilio-Signature: "+signed).problem(403, "invalid_signature", "")
	h.call("POST", path+"&x=1", form, "X-Twilio-Signature: "+signed).problem(403, "invalid_signature", "")
	h.call("POST", path, form, "X-Twilio-Signature: "+hooks{token: "other"}.sign("https://sms.example.org"+path, []byte(form))).problem(403, "invalid_signature", "")

	h.hook(path, "MessageSid=SM1").problem(400, "missing_field", "")
	h.hook("/webhooks/twilio/status?user_id=ann", form).problem(400, "missing_field", "")
	h.hook("/webhooks/twilio/status?message_id=m", form).problem(400, "missing_field", "")
	h.hook("/webhooks/twilio/inbound", "Body=Hi").problem(400, "missing_field", "")

	for _, nobody := range []string{"user_id=bob&message_id=m", "user_id=ann&message_id=m", "user_id=%21x&message_id=m", "user_id=a%2Fb&message_id=m"} {
		if a := h.hook("/webhooks/twilio/status?"+nobody, form).is(200); len(a.raw) != 0 {
			t.Errorf("%s: the answer is %s", nobody, a.raw)
		}
	}
	if h.fake.writes != writes {
		t.Errorf("%d writes", h.fake.writes-writes)
	}
	h.fake.trip = func(string, engine.Command) error { return fault{"unknown_outcome", 0} }
	for _, hook := range []struct{ path, form string }{{path, form}, {"/webhooks/twilio/inbound", "MessageSid=SM2&From=%2B4915112345678&Body=Hi"}} {
		a := h.hook(hook.path, hook.form).problem(503, "unknown_outcome", "")
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
	}
	h.fake.trip = func(string, engine.Command) error { return fault{"quarantined", 0} }
	h.hook(path, form).problem(503, "quarantined", "")
	if metrics := string(h.call("GET", "/metrics", "").raw); !strings.Contains(metrics, `carillon_callbacks_unknown_total{kind="status"} 4`) {
		t.Error(metrics)
	}
}

// TestInbound: STOP opts out (N3) and is not answered, because the carrier
// does; AnswerKeywords is for carriers that don't.
func TestInbound(t *testing.T) {
	t.Parallel()
	for _, answers := range []bool{false, true} {
		h := open(t, func(c *httpapi.Config) { c.AnswerKeywords = answers })
		h.ann()
		a := h.hook("/webhooks/twilio/inbound", "MessageSid=SM9&From=%2B4915112345678&Body=Stop").is(200)
		if got := strings.Contains(string(a.raw), "<Message>"); got != answers || a.header.Get("Content-Type") != "text/xml" {
			t.Errorf("the answer is %s", a.raw)
		}
		h.call("GET", "/v1/users/ann", "").has("opted_out", true)
		a = h.hook("/webhooks/twilio/inbound", "MessageSid=SM10&From=%2B15005550006&Body=Stop").is(200)
		if string(a.raw) != "<Response></Response>" {
			t.Errorf("a stranger is answered %s", a.raw)
		}
		if metrics := string(h.call("GET", "/metrics", "").raw); !strings.Contains(metrics, `carillon_callbacks_unknown_total{kind="inbound"} 1`) {
			t.Error(metrics)
		}
	}
}

// TestNoHooks: without a carrier that calls there is nothing to call.
func TestNoHooks(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.Hooks = nil })
	h.hook("/webhooks/twilio/status?user_id=a&message_id=m", "MessageSid=SM1").problem(404, "not_found", "")
	h.hook("/webhooks/twilio/inbound", "From=x").problem(404, "not_found", "")
}
