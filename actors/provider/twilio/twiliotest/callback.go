package twiliotest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"carillon/actors/provider/twilio"
)

// Move sets a message's status without telling anybody: a callback that got
// lost. It reports whether there is such a message.
func (s *Server) Move(sid, status string, code int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.bySID[sid]
	if m != nil {
		m.move(status, code, s.opts.Now(), s.opts.From)
	}
	return m != nil
}

// Report moves a message and brings the signed callback to the StatusCallback
// that its create named. It returns the HTTP status of the answer.
func (s *Server) Report(ctx context.Context, sid, status string, code int) (int, error) {
	if !s.Move(sid, status, code) {
		return 0, fmt.Errorf("twiliotest: no message %s", sid)
	}
	req, err := s.Callback(ctx, sid, status, code)
	if err != nil {
		return 0, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// Callback returns the signed request that tells of a status, for a test to
// bring late, twice, or changed.
func (s *Server) Callback(ctx context.Context, sid, status string, code int) (*http.Request, error) {
	s.mu.Lock()
	m := s.bySID[sid]
	s.mu.Unlock()
	if m == nil || m.StatusCallback == "" {
		return nil, fmt.Errorf("twiliotest: message %s asked for no callbacks", sid)
	}
	form := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "AccountSid": {s.opts.AccountSID}, "MessageStatus": {status},
		"SmsStatus": {status}, "From": {s.opts.From}, "To": {m.To}, "ApiVersion": {"2010-04-01"},
	}
	if m.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", m.MessagingServiceSID)
	}
	if code != 0 {
		form.Set("ErrorCode", strconv.Itoa(code))
	}
	return s.signed(ctx, m.StatusCallback, form)
}

// Inbound returns the signed request that brings a person's text to a webhook.
func (s *Server) Inbound(ctx context.Context, webhook, from, text, optOutType string) (*http.Request, error) {
	s.mu.Lock()
	sid := s.sid("SM")
	s.mu.Unlock()
	form := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {s.opts.AccountSID},
		"From": {from}, "To": {s.opts.From}, "Body": {text}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"}, "FromZip": {""}, "FromCity": {""},
	}
	if optOutType != "" {
		form.Set("OptOutType", optOutType)
	}
	return s.signed(ctx, webhook, form)
}

// signed signs over the URL as it was given, and sends to where it can be
// reached. The fragment is neither signed nor sent.
func (s *Server) signed(ctx context.Context, raw string, form url.Values) (*http.Request, error) {
	raw, _, _ = strings.Cut(raw, "#")
	target := raw
	if s.opts.Reach != "" {
		_, rest, _ := strings.Cut(raw, "://")
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			target = strings.TrimRight(s.opts.Reach, "/") + rest[i:]
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("twiliotest: callback: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("X-Twilio-Signature", twilio.Signature(s.opts.AuthToken, raw, form))
	return req, nil
}
