package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

const requestIDHeader = "X-Request-Id"

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
