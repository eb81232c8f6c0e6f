package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	requestIDHeader = "X-Request-Id"
	// maxDrained is how much of a refused body is read off the wire. Closing
	// with bytes unread resets the connection, and the refusal may be lost on
	// its way (RFC 9112, 9.6).
	maxDrained = 64 << 20
)

// serve answers one request of a route.
func (s *Server) serve(ctx *fasthttp.RequestCtx, rt *route) {
	if found, ok := ctx.UserValue(probeKey{}).(**route); ok {
		*found = rt
		return
	}
	id := s.requestID(ctx)
	begun := s.c.Now()
	resp := s.answer(ctx, rt, id)
	s.drain(ctx)
	status := s.write(ctx, resp, id)
	s.metrics.observe(rt.pattern, rt.method, status, time.Duration(s.c.Now()-begun)*time.Millisecond)
}

// answer reads the request and carries it out. Whatever goes wrong comes out
// as a problem document, a panic too.
func (s *Server) answer(ctx *fasthttp.RequestCtx, rt *route, id string) response {
	r := &request{method: rt.method}
	base, cancel := context.WithTimeout(s.base, s.c.RequestTimeout)
	defer cancel()
	if rt.pattern == backupPath {
		base = s.base // streams on after the handler returned
	}
	return s.guard(rt, id, func() (response, error) {
		if err := s.read(ctx, rt, r); err != nil {
			return response{}, err
		}
		return s.dispatch(base, rt, r)
	})
}

// guard turns errors and panics into documents. It never lets one out:
// fasthttp has no recover, the process would die of it.
func (s *Server) guard(rt *route, id string, do func() (response, error)) (resp response) {
	defer func() {
		if v := recover(); v != nil {
			s.metrics.panics.Inc()
			s.c.Logger.Error("http handler panicked", slog.String("route", rt.pattern), slog.String("request_id", id),
				slog.String("panic", panicText(v)), slog.String("stack", string(debug.Stack())))
			resp = s.problem(fail(http.StatusInternalServerError, codeInternal, faults[codeInternal].detail))
		}
	}()
	resp, err := do()
	if err == nil {
		return resp
	}
	p, known := problemOf(err, rt.method != get)
	if !known {
		s.c.Logger.Error("http request failed", slog.String("route", rt.pattern), slog.String("request_id", id), slog.String("cause", err.Error()))
	}
	return s.problem(p)
}

// panicText says what a panic was about, unless that could be somebody's
// text.
func panicText(v any) string {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", v)
}

func (s *Server) problem(p *problem) response {
	return response{
		status: p.Status, contentType: "application/problem+json", body: p,
		retryAfter: p.retryAfter, challenge: p.challenge,
	}
}

// read copies what a handler may want out of fasthttp's buffers. The key is
// checked before the body is read.
func (s *Server) read(ctx *fasthttp.RequestCtx, rt *route, r *request) error {
	h := &ctx.Request.Header
	r.uri = string(ctx.RequestURI())
	r.splitURI()
	if err := framing(h); err != nil {
		ctx.SetConnectionClose() // nobody knows where the next request begins
		return err
	}
	authorization := string(h.Peek("Authorization"))
	r.role, r.offered = s.role(authorization), authorization != ""
	if err := s.authorize(rt, r.role, r.offered); err != nil {
		return err
	}
	if err := rt.names(r, ctx); err != nil {
		return err
	}
	r.contentType = string(h.ContentType())
	r.signature = string(h.Peek("X-Twilio-Signature"))
	if rt.method == post {
		r.key = string(h.Peek("Idempotency-Key"))
	}
	if rt.body == bodyNone {
		return nil
	}
	if coding := string(h.ContentEncoding()); coding != "" && coding != "identity" {
		return fail(http.StatusUnsupportedMediaType, codeMediaType, "bodies are taken without Content-Encoding")
	}
	limit := s.c.MaxBodyBytes
	if rt.large {
		limit = s.c.MaxLargeBodyBytes
	}
	body, err := readBody(ctx, limit)
	r.body = body
	return err
}

// framing refuses two answers to "how long is the body": front ends and we
// might believe different ones (RFC 9112, 6.3).
func framing(h *fasthttp.RequestHeader) error {
	var length, chunked bool
	for line := range bytes.Lines(h.RawHeaders()) {
		name, _, _ := bytes.Cut(line, []byte{':'})
		length = length || bytes.EqualFold(name, []byte("Content-Length"))
		chunked = chunked || bytes.EqualFold(name, []byte("Transfer-Encoding"))
	}
	if length && chunked {
		return fail(http.StatusBadRequest, codeBadRequest, "the request has both Content-Length and Transfer-Encoding")
	}
	return nil
}

// role returns what the key of an Authorization header may do.
func (s *Server) role(authorization string) Role {
	scheme, key, _ := strings.Cut(authorization, " ")
	key = strings.TrimSpace(key)
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return RoleNone
	}
	role, ok := s.c.Backend.Role(key)
	if !ok {
		return RoleNone
	}
	return role
}

// authorize refuses a role that may not use a route.
func (s *Server) authorize(rt *route, role Role, offered bool) error {
	switch {
	case role >= rt.role:
		return nil
	case role != RoleNone:
		return fail(http.StatusForbidden, codeForbidden, "this key may not do that; it needs a role that may")
	}
	if ready, _ := s.c.Backend.Ready(); !ready && offered {
		// The keys may not be known yet: "wrong key" could be untrue.
		return &notReadyError{}
	}
	p := fail(http.StatusUnauthorized, codeUnauthorized, "an API key is needed: Authorization: Bearer KEY")
	p.challenge = `Bearer realm="carillon"`
	if offered {
		p.Detail, p.challenge = "this API key is not known", `Bearer realm="carillon", error="invalid_token"`
	}
	return p
}

// notReadyError is the fault of a server that does not know its keys yet.
type notReadyError struct{}

func (*notReadyError) Error() string                  { return "httpapi: not ready" }
func (*notReadyError) Fault() (string, time.Duration) { return codeRecovering, time.Second }

// readBody reads a body of at most so many bytes.
func readBody(ctx *fasthttp.RequestCtx, limit int) ([]byte, error) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return bytes.Clone(ctx.Request.Body()), nil
	}
	length := ctx.Request.Header.ContentLength()
	if length > limit {
		return nil, tooLarge(limit)
	}
	var out bytes.Buffer
	if length > 0 {
		out.Grow(length + bytes.MinRead)
	}
	_, err := out.ReadFrom(io.LimitReader(stream, int64(limit)+1))
	if err != nil {
		return nil, unreadableProblem(err)
	}
	if out.Len() > limit {
		return nil, tooLarge(limit)
	}
	if out.Len() < length {
		return nil, fail(http.StatusBadRequest, codeBadRequest, "the body ended before its Content-Length")
	}
	return out.Bytes(), nil
}

func tooLarge(limit int) *problem {
	return fail(http.StatusRequestEntityTooLarge, codeBodyTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit))
}

// drain reads what is left of a body, within reason and the read time-out.
func (s *Server) drain(ctx *fasthttp.RequestCtx) {
	stream := ctx.RequestBodyStream()
	if stream == nil || ctx.Response.ConnectionClose() {
		return
	}
	if ctx.Request.Header.ContentLength() > maxDrained {
		ctx.SetConnectionClose()
		return
	}
	if n, err := io.CopyN(io.Discard, stream, maxDrained); err == nil && n == maxDrained || err != nil && !errors.Is(err, io.EOF) {
		ctx.SetConnectionClose()
	}
}

// write sends an answer and returns its status.
func (s *Server) write(ctx *fasthttp.RequestCtx, resp response, id string) int {
	h := &ctx.Response.Header
	body, contentType := resp.raw, resp.contentType
	if resp.body != nil {
		var err error
		if body, err = encode(resp.body); err != nil {
			s.c.Logger.Error("http answer can't be encoded", slog.String("request_id", id), slog.String("cause", err.Error()))
			resp = s.problem(fail(http.StatusInternalServerError, codeInternal, faults[codeInternal].detail))
			body, _ = encode(resp.body)
			contentType = resp.contentType
		}
		if contentType == "" {
			contentType = "application/json"
		}
	}
	ctx.SetStatusCode(resp.status)
	h.SetContentType(contentType)
	if contentType == "" {
		h.SetNoDefaultContentType(true)
	}
	h.Set(requestIDHeader, id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	for _, f := range [...]struct{ name, value string }{
		{"Location", resp.location}, {"Allow", resp.allow}, {"WWW-Authenticate", resp.challenge}, {"Content-Security-Policy", resp.policy},
	} {
		if f.value != "" {
			h.Set(f.name, f.value)
		}
	}
	if resp.retryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(wholeSeconds(resp.retryAfter), 10))
	}
	if resp.stream != nil {
		ctx.SetBodyStream(resp.stream, -1)
	} else {
		ctx.SetBody(body)
	}
	return resp.status
}

// wholeSeconds rounds up: a caller that waits must not come too early.
func wholeSeconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// requestID takes the caller's id for a request, or makes one.
func (s *Server) requestID(ctx *fasthttp.RequestCtx) string {
	id := string(ctx.Request.Header.Peek(requestIDHeader))
	if len(id) <= 128 && goodID(id, 128) && !strings.ContainsRune(id, ' ') {
		return id
	}
	return s.c.NewID()
}

// unmatched answers a request that has no route.
func (s *Server) unmatched(ctx *fasthttp.RequestCtx, p *problem, allow string) {
	s.drain(ctx)
	resp := s.problem(p)
	resp.allow = allow
	s.write(ctx, resp, s.requestID(ctx))
	s.metrics.observe("unmatched", methodLabel(string(ctx.Method())), p.Status, 0)
}

// lastResort answers a panic outside of guard, which would be one in writing
// an answer.
func (s *Server) lastResort(ctx *fasthttp.RequestCtx, v any) {
	s.metrics.panics.Inc()
	s.c.Logger.Error("http answer panicked", slog.String("panic", panicText(v)), slog.String("stack", string(debug.Stack())))
	ctx.Response.Reset()
	s.unmatched(ctx, fail(http.StatusInternalServerError, codeInternal, faults[codeInternal].detail), "")
}

func (s *Server) notFound(ctx *fasthttp.RequestCtx) {
	s.unmatched(ctx, fail(http.StatusNotFound, codeNotFound, "there is nothing at this path"), "")
}

func (s *Server) methodNotAllowed(ctx *fasthttp.RequestCtx) {
	allow := strings.TrimSuffix(strings.ReplaceAll(string(ctx.Response.Header.Peek("Allow")), "OPTIONS, ", ""), ", OPTIONS")
	s.unmatched(ctx, fail(http.StatusMethodNotAllowed, codeMethod, "this path takes "+allow), allow)
}

// unreadable answers what fasthttp could not read as a request.
func (s *Server) unreadable(ctx *fasthttp.RequestCtx, err error) {
	p := unreadableProblem(err)
	s.write(ctx, s.problem(p), s.requestID(ctx))
	s.metrics.observe("unreadable", "other", p.Status, 0)
}

func unreadableProblem(err error) *problem {
	var small *fasthttp.ErrSmallBuffer
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &small):
		return fail(http.StatusRequestHeaderFieldsTooLarge, codeHeaderTooLarge, "the request's header is larger than 16 KiB")
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return fail(http.StatusRequestEntityTooLarge, codeBodyTooLarge, "the body is too large")
	case errors.As(err, &timeout) && timeout.Timeout():
		return fail(http.StatusRequestTimeout, codeTimeout, "the request came too slowly")
	}
	return fail(http.StatusBadRequest, codeBadRequest, "this is not a readable HTTP request")
}
