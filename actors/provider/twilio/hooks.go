package twilio

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"carillon/engine"
)

// Hooks understands Twilio's webhooks.
type Hooks struct{ tokens []string }

// NewHooks returns hooks that accept the signatures of these auth tokens: the
// one in use and, while it is being rotated, the one before or after it. Empty
// ones are left out; with none at all nothing is accepted.
func NewHooks(tokens ...string) *Hooks {
	h := &Hooks{}
	for _, t := range tokens {
		if t != "" {
			h.tokens = append(h.tokens, t)
		}
	}
	return h
}

// Signed reports whether the signature holds over url, the public one with its
// query in the original bytes, and the form. It does not tell a repeated
// request from the first: the scheme has no time in it.
func (h *Hooks) Signed(url string, body []byte, signature string) bool {
	return signed(h.tokens, url, body, signature)
}

// Status reads a status callback. The message's id is in the query and not
// here. An error names the field to blame, without its value.
func (h *Hooks) Status(body []byte) (engine.ReportDelivery, error) {
	var r engine.ReportDelivery
	form, err := parseForm(body)
	if err != nil {
		return r, err
	}
	if r.SID = either(form, "MessageSid", "SmsSid"); r.SID == "" {
		return r, errors.New("twilio: MessageSid is missing")
	}
	word := either(form, "MessageStatus", "SmsStatus")
	if word == "" {
		return r, errors.New("twilio: MessageStatus is missing")
	}
	status, ok := statusOf(word)
	if !ok {
		return r, errors.New("twilio: MessageStatus is not a status of an outbound message")
	}
	code := 0
	if s := form.Get("ErrorCode"); s != "" {
		if code, err = strconv.Atoi(s); err != nil || code < 0 {
			return r, errors.New("twilio: ErrorCode is not a number")
		}
	}
	r.Status, r.Failure = status, lossOf(status, &code)
	return r, nil
}

// Inbound reads an inbound text. A text may be empty: a picture alone.
func (h *Hooks) Inbound(body []byte) (from string, text engine.ReceiveText, err error) {
	form, err := parseForm(body)
	if err != nil {
		return "", text, err
	}
	text.SID = either(form, "MessageSid", "SmsSid")
	from = form.Get("From")
	switch {
	case text.SID == "":
		return "", text, errors.New("twilio: MessageSid is missing")
	case from == "":
		return "", text, errors.New("twilio: From is missing")
	case !form.Has("Body"):
		return "", text, errors.New("twilio: Body is missing")
	}
	text.Text, text.OptOut = form.Get("Body"), form.Get("OptOutType")
	return from, text, nil
}

// Answer wraps a text in TwiML; an empty one says nothing. Twilio logs any
// other content type as an error (12300).
func (h *Hooks) Answer(text string) (contentType string, body []byte) {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Response>")
	if text = strings.TrimSpace(text); text != "" {
		b.WriteString("<Message>")
		_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
		b.WriteString("</Message>")
	}
	b.WriteString("</Response>")
	return "text/xml; charset=utf-8", b.Bytes()
}

func parseForm(body []byte) (url.Values, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("twilio: the body is not a form")
	}
	return form, nil
}

// either returns the field, or its deprecated twin.
func either(form url.Values, name, old string) string {
	if v := form.Get(name); v != "" {
		return v
	}
	return form.Get(old)
}
