package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"carillon/engine"
)

// signed refuses a webhook whose signature does not hold over the public URL
// in its original bytes: the Host header and a normalized path prove nothing.
func (s *Server) signed(r *request) error {
	if s.c.Hooks == nil {
		return fail(http.StatusNotFound, codeNotFound, "no carrier with webhooks is configured")
	}
	url := strings.TrimRight(s.c.PublicURL, "/") + r.uri
	if r.signature == "" || !s.c.Hooks.Signed(url, r.body, r.signature) {
		return fail(http.StatusForbidden, codeBadSignature, "the signature does not hold over the public URL and the form")
	}
	return nil
}

// twilioStatus takes a status callback (D1). It is answered when the journal
// has it, and a callback for nobody is answered too: the carrier could only
// repeat it.
func (s *Server) twilioStatus(ctx context.Context, r *request) (response, error) {
	if err := s.signed(r); err != nil {
		return response{}, err
	}
	report, err := s.c.Hooks.Status(r.body)
	if err != nil {
		return response{}, fail(http.StatusBadRequest, codeMissingField, err.Error())
	}
	user := r.query.Get("user_id")
	report.MessageID = r.query.Get("message_id")
	if user == "" || report.MessageID == "" {
		return response{}, fail(http.StatusBadRequest, codeMissingField, "the callback's query names user_id and message_id")
	}
	if !goodID(user, maxUserID) || reservedUser(user) {
		return s.unknown("status")
	}
	if _, err = reply[engine.Done](s.c.Backend.Do(ctx, user, report, "", 0)); err != nil {
		return s.hookFailed("status", err)
	}
	s.metrics.callbacks.WithLabelValues(report.Status.String()).Inc()
	return response{status: http.StatusNoContent}, nil
}

// twilioInbound takes a text from a person (N3) and answers with TwiML.
func (s *Server) twilioInbound(ctx context.Context, r *request) (response, error) {
	if err := s.signed(r); err != nil {
		return response{}, err
	}
	from, text, err := s.c.Hooks.Inbound(r.body)
	if err != nil {
		return response{}, fail(http.StatusBadRequest, codeMissingField, err.Error())
	}
	user, known, err := s.c.Backend.UserByPhone(ctx, from)
	if err != nil {
		return s.hookFailed("inbound", err)
	}
	if !known {
		s.metrics.unknown.WithLabelValues("inbound").Inc()
		return s.twiml("")
	}
	got, err := reply[engine.TextReply](s.c.Backend.Do(ctx, user, text, "", 0))
	if err != nil {
		resp, err := s.hookFailed("inbound", err)
		if err == nil {
			return s.twiml("")
		}
		return resp, err
	}
	switch got.Keyword {
	case engine.KeywordStop, engine.KeywordStart, engine.KeywordHelp:
		if !s.c.AnswerKeywords {
			got.Answer = ""
		}
	}
	return s.twiml(got.Answer)
}

func (s *Server) twiml(text string) (response, error) {
	contentType, body := s.c.Hooks.Answer(text)
	return response{status: http.StatusOK, contentType: contentType, raw: body}, nil
}

func (s *Server) unknown(kind string) (response, error) {
	s.metrics.unknown.WithLabelValues(kind).Inc()
	return response{status: http.StatusOK}, nil
}

// hookFailed answers what could not be carried out. The engine's no is final,
// so it is a 200; a fault of ours is a 503, and the carrier tries again.
func (s *Server) hookFailed(kind string, err error) (response, error) {
	p, known := problemOf(err, true)
	switch {
	case p.Status == http.StatusNotFound:
		return s.unknown(kind)
	case p.Status < http.StatusInternalServerError:
		s.c.Logger.Warn("carrier webhook refused", slog.String("kind", kind), slog.String("code", p.Code))
		return response{status: http.StatusOK}, nil
	case !known:
		s.c.Logger.Error("carrier webhook failed", slog.String("kind", kind), slog.String("cause", err.Error()))
	}
	return unavailable(p)
}

// unavailable says that a webhook should come again.
func unavailable(p *problem) (response, error) {
	out := fail(http.StatusServiceUnavailable, p.Code, p.Detail)
	out.retryAfter = max(p.retryAfter, time.Second)
	return response{}, out
}
