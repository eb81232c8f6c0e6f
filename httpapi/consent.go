package httpapi

import (
	"context"
	"net/http"

	"carillon/engine"
)

// maxReason is how much of a caller's reason is taken.
const maxReason = 320

func (s *Server) optOut(ctx context.Context, r *request) (response, error) {
	return s.setConsent(ctx, r, true)
}

func (s *Server) optIn(ctx context.Context, r *request) (response, error) {
	return s.setConsent(ctx, r, false)
}

// setConsent writes a line of the consent ledger (N5).
func (s *Server) setConsent(ctx context.Context, r *request, out bool) (response, error) {
	f, err := r.optionalObject()
	if err != nil {
		return response{}, err
	}
	reason, _ := f.text("reason", maxReason)
	f.done()
	if err := f.err(); err != nil {
		return response{}, err
	}
	c := engine.SetConsent{OptOut: out, By: "api", Reason: reason}
	return showUserReply(s.c.Backend.Do(ctx, r.user, c, r.key, r.keyHash()))
}

func (s *Server) pauseUser(ctx context.Context, r *request) (response, error) {
	return s.setUserPaused(ctx, r, true)
}

func (s *Server) resumeUser(ctx context.Context, r *request) (response, error) {
	return s.setUserPaused(ctx, r, false)
}

func (s *Server) setUserPaused(ctx context.Context, r *request, paused bool) (response, error) {
	if err := r.nothing(); err != nil {
		return response{}, err
	}
	return showUserReply(s.c.Backend.Do(ctx, r.user, engine.PauseUser{Paused: paused}, r.key, r.keyHash()))
}

// bodyPhone reads a body that is one number.
func (s *Server) bodyPhone(r *request) (string, error) {
	f, err := r.object()
	if err != nil {
		return "", err
	}
	phone, _ := f.phone("phone_number", s.c.DefaultRegion)
	f.need("phone_number", "the number to verify is needed")
	f.done()
	return phone, f.err()
}

type verificationJSON struct {
	PhoneNumber string `json:"phone_number"`
	Status      string `json:"status"`
}

func (s *Server) startVerification(ctx context.Context, r *request) (response, error) {
	phone, err := s.bodyPhone(r)
	if err != nil {
		return response{}, err
	}
	v, err := reply[engine.VerificationReply](s.c.Backend.StartVerification(ctx, r.user, phone, r.key, r.keyHash()))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusAccepted, body: verificationJSON{PhoneNumber: v.Phone, Status: "pending"}}, nil
}

func (s *Server) checkVerification(ctx context.Context, r *request) (response, error) {
	f, err := r.object()
	if err != nil {
		return response{}, err
	}
	code, _ := f.text("code", 16)
	if f.need("code", "the code that was sent is needed"); code == "" {
		f.fail("code", codeInvalidField, "the code that was sent is needed")
	}
	f.done()
	if err := f.err(); err != nil {
		return response{}, err
	}
	return showUserReply(s.c.Backend.CheckVerification(ctx, r.user, code, r.key, r.keyHash()))
}

func (s *Server) attestPhone(ctx context.Context, r *request) (response, error) {
	phone, err := s.bodyPhone(r)
	if err != nil {
		return response{}, err
	}
	return showUserReply(s.c.Backend.Do(ctx, r.user, engine.AttestPhone{Phone: phone}, r.key, r.keyHash()))
}
