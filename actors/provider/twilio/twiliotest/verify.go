package twiliotest

import (
	"fmt"
	"net/http"
	"time"

	"carillon/engine"
)

const (
	codeLifeMillis = 10 * 60 * 1000
	maxChecks      = 5
	maxSends       = 5
)

// verification waits for its code.
type verification struct {
	sid, code string
	until     engine.Millis
	sends     int
	checks    int
}

// Code returns the code that was last sent to a number; empty if none waits.
func (s *Server) Code(to string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.codes[to]; v != nil {
		return v.code
	}
	return ""
}

func (s *Server) startVerification(w http.ResponseWriter, r *http.Request) {
	if s.verifyFault(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, now := r.PostForm.Get("To"), s.opts.Now()
	switch {
	case !e164.MatchString(to):
		refuse(w, http.StatusBadRequest, 60200, "Invalid parameter `To`: "+to)
		return
	case r.PostForm.Get("Channel") != "sms":
		refuse(w, http.StatusBadRequest, 60200, "Invalid parameter `Channel`")
		return
	}
	v := s.codes[to]
	if v == nil || v.until <= now {
		v = &verification{sid: s.sid("VE"), code: fmt.Sprintf("%06d", (s.serial*7919)%1_000_000), until: now + codeLifeMillis}
		s.codes[to] = v
	}
	if v.sends++; v.sends > maxSends {
		refuse(w, http.StatusTooManyRequests, 60203, "Max send attempts reached")
		return
	}
	writeJSON(w, http.StatusCreated, s.verificationDoc(v, to, "pending", true))
}

func (s *Server) checkVerification(w http.ResponseWriter, r *http.Request) {
	if s.verifyFault(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, code := r.PostForm.Get("To"), r.PostForm.Get("Code")
	v := s.codes[to]
	switch {
	case len(code) < 4 || len(code) > 10:
		refuse(w, http.StatusBadRequest, 60200, "Invalid parameter: Code")
		return
	case v == nil || v.until <= s.opts.Now():
		refuse(w, http.StatusNotFound, 20404, "The requested resource was not found")
		return
	}
	if v.checks++; v.checks > maxChecks {
		refuse(w, http.StatusTooManyRequests, 60202, "Max check attempts reached")
		return
	}
	status := "pending"
	if code == v.code {
		status = "approved"
		delete(s.codes, to)
	}
	writeJSON(w, http.StatusOK, s.verificationDoc(v, to, status, false))
}

// verifyFault refuses an unknown service and lets a scripted fault happen.
func (s *Server) verifyFault(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	f, ok := s.byVerify[r.PostForm.Get("To")]
	if !ok {
		f = pop(&s.verifies)
	}
	s.mu.Unlock()
	switch {
	case !f.none():
		s.show(w, r, f)
	case r.PathValue("service") != s.opts.VerifySID:
		refuse(w, http.StatusNotFound, 20404, "The requested resource was not found")
	default:
		return false
	}
	return true
}

func (s *Server) verificationDoc(v *verification, to, status string, start bool) map[string]any {
	at := time.UnixMilli(s.opts.Now()).UTC().Format(time.RFC3339)
	doc := map[string]any{
		"sid": v.sid, "service_sid": s.opts.VerifySID, "account_sid": s.opts.AccountSID, "to": to, "channel": "sms",
		"status": status, "valid": status == "approved", "amount": nil, "payee": nil,
		"date_created": at, "date_updated": at,
	}
	if start {
		doc["lookup"], doc["sna"] = map[string]any{}, nil
		doc["send_code_attempts"] = []map[string]any{{"time": at, "channel": "SMS", "attempt_sid": "VL" + v.sid[2:]}}
		doc["url"] = "https://verify.twilio.com/v2/Services/" + s.opts.VerifySID + "/Verifications/" + v.sid
		return doc
	}
	doc["sna_attempts_error_codes"] = []any{}
	return doc
}
