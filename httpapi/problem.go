package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"carillon/engine"
)

// Problem codes of this package; the engine's refusals and the backend's
// faults bring their own. All are stable: clients switch on them.
const (
	codeInvalidJSON     = "invalid_json"
	codeUnknownField    = "unknown_field"
	codeMissingField    = engine.CodeMissingField
	codeInvalidField    = engine.CodeInvalidField
	codeReadOnlyField   = "read_only_field"
	codeDuplicateField  = "duplicate_field"
	codeInvalidPhone    = "invalid_phone"
	codeUnauthorized    = "unauthorized"
	codeForbidden       = "forbidden"
	codeNotFound        = "not_found"
	codeMethod          = "method_not_allowed"
	codeBodyTooLarge    = "body_too_large"
	codeTooManyLines    = "too_many_lines"
	codeMediaType       = "unsupported_media_type"
	codeTimeout         = "request_timeout"
	codeHeaderTooLarge  = "header_too_large"
	codeBadRequest      = "bad_request"
	codeBadSignature    = "invalid_signature"
	codeInternal        = "internal"
	codeOverloaded      = "overloaded"
	codeDraining        = "draining"
	codeRecovering      = "recovering"
	codeUnknownOutcome  = "unknown_outcome"
	codeNoSpace         = "insufficient_storage"
	codeQuarantined     = "quarantined"
	codeVerifierTrouble = "verifier_unavailable"
)

// problem is an RFC 9457 document. Type is always about:blank: the code says
// what a type URI would.
type problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Code   string       `json:"code"`
	Field  string       `json:"field,omitempty"`
	Errors []fieldError `json:"errors,omitempty"`

	retryAfter time.Duration
	challenge  string // WWW-Authenticate
}

// fieldError blames one field.
type fieldError struct {
	Field  string `json:"field"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

func fail(status int, code, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// invalid is the 422 that names a field.
func invalid(field, code, detail string) *problem {
	p := fail(http.StatusUnprocessableEntity, code, detail)
	p.Field = field
	return p
}

// refused maps the engine's no.
func refused(r engine.Refusal) *problem {
	status := http.StatusUnprocessableEntity
	switch r.Kind {
	case engine.RefusedInvalid:
	case engine.RefusedNotFound:
		status = http.StatusNotFound
	case engine.RefusedConflict:
		status = http.StatusConflict
	case engine.RefusedTooMany:
		status = http.StatusTooManyRequests
	}
	p := fail(status, r.Code, r.Detail)
	p.Field = r.Field
	p.retryAfter = time.Duration(r.RetryAfter) * time.Millisecond
	if status == http.StatusTooManyRequests && p.retryAfter <= 0 {
		p.retryAfter = time.Second
	}
	return p
}

// faults tells the status and the sentence of each code of a Fault.
var faults = map[string]struct {
	status int
	detail string
}{
	codeOverloaded:      {http.StatusServiceUnavailable, "more requests are under way than this instance takes"},
	codeDraining:        {http.StatusServiceUnavailable, "this instance is shutting down"},
	codeRecovering:      {http.StatusServiceUnavailable, "this instance is reading its journal"},
	codeUnknownOutcome:  {http.StatusServiceUnavailable, "the write may or may not be stored; repeat it with the same Idempotency-Key"},
	codeNoSpace:         {http.StatusInsufficientStorage, "the disk is nearly full; nothing was written"},
	codeQuarantined:     {http.StatusInternalServerError, "this request has failed twice in the same way and was set aside; others are not affected"},
	codeVerifierTrouble: {http.StatusBadGateway, "the verification service did not take the request"},
	codeInternal:        {http.StatusInternalServerError, "something is wrong on our side"},
}

// problemOf maps every error to one document; this is the only place that
// does. known is false for an error that nobody foresaw: it is logged, and
// the caller is told nothing about it.
func problemOf(err error, write bool) (p *problem, known bool) {
	if errors.As(err, &p) {
		return p, true
	}
	if fault, ok := errors.AsType[Fault](err); ok {
		code, after := fault.Fault()
		f, ok := faults[code]
		if !ok {
			code, f = codeInternal, faults[codeInternal]
		}
		p = fail(f.status, code, f.detail)
		p.retryAfter = after
		return p, ok && code != codeInternal
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		code := codeOverloaded
		if write {
			code = codeUnknownOutcome
		}
		p = fail(http.StatusServiceUnavailable, code, faults[code].detail)
		p.retryAfter = time.Second
		return p, true
	}
	return fail(http.StatusInternalServerError, codeInternal, faults[codeInternal].detail), false
}

// reply narrows an answer of the backend to the one that was asked for.
func reply[T engine.Reply](got engine.Reply, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	if r, no := got.(engine.Refusal); no {
		return none, refused(r)
	}
	want, ok := got.(T)
	if !ok {
		return none, fmt.Errorf("httpapi: reply is %T, not %T", got, none)
	}
	return want, nil
}
