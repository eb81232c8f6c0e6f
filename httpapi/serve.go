package httpapi

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"carillon/engine"
)

const (
	requestIDHeader = "X-Request-Id"
	jsonType        = "application/json"
)

// Headers of every answer, as they are written.
var (
	requestIDName        = []byte(requestIDHeader)
	nosniffName, nosniff = []byte("X-Content-Type-Options"), []byte("nosniff")
	cacheName, noStore   = []byte("Cache-Control"), []byte("no-store")
)

// serve answers one request of a route.
func (s *Server) serve(ctx *fasthttp.RequestCtx, rt *served, r *request) {
	id := s.requestID(ctx)
	begun := s.c.Now()
	resp := s.answer(ctx, &rt.route, r, id, begun)
	if !r.whole {
		s.drain(ctx)
	}
	status := s.write(ctx, resp, id)
	s.metrics.answered(rt, status, time.Duration(s.c.Now()-begun)*time.Millisecond)
}

// answer reads the request and carries it out. Whatever goes wrong comes out
// as a problem document, a panic too.
func (s *Server) answer(ctx *fasthttp.RequestCtx, rt *route, r *request, id string, now engine.Millis) response {
	r.method = rt.method
	base := s.base
	if rt.pattern != backupPath { // which streams on after the handler returned
		base = s.limit(now)
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
	a, appended := resp.body.(appender)
	if appended { // into the room of the answer's body
		body = a.appendJSON(ctx.Response.SwapBody(nil)[:0])
		if contentType == "" {
			contentType = jsonType
		}
	} else if resp.body != nil {
		var err error
		if body, err = encode(resp.body); err != nil {
			s.c.Logger.Error("http answer can't be encoded", slog.String("request_id", id), slog.String("cause", err.Error()))
			resp = s.problem(fail(http.StatusInternalServerError, codeInternal, faults[codeInternal].detail))
			body, _ = encode(resp.body)
			contentType = resp.contentType
		}
		if contentType == "" {
			contentType = jsonType
		}
	}
	ctx.SetStatusCode(resp.status)
	h.SetContentType(contentType)
	if contentType == "" {
		h.SetNoDefaultContentType(true)
	}
	h.SetCanonical(requestIDName, []byte(id))
	h.SetCanonical(nosniffName, nosniff)
	h.SetCanonical(cacheName, noStore)
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
	switch {
	case resp.stream != nil:
		ctx.SetBodyStream(resp.stream, -1)
	case appended:
		ctx.Response.SwapBody(body)
	default:
		ctx.SetBody(body)
	}
	return resp.status
}

// wholeSeconds rounds up: a caller that waits must not come too early.
func wholeSeconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// requestID takes the caller's id for a request, or makes one.
func (s *Server) requestID(ctx *fasthttp.RequestCtx) string {
	if given := ctx.Request.Header.Peek(requestIDHeader); len(given) > 0 && len(given) <= 128 {
		if id := string(given); goodID(id, 128) && !strings.ContainsRune(id, ' ') {
			return id
		}
	}
	return s.c.NewID()
}

// newIDs makes ids that no other server makes, without asking the kernel for
// each.
func newIDs() func() string {
	name := rand.Text()[:16] + "-" // 80 bits
	var last atomic.Uint64
	return func() string {
		var room [40]byte
		return string(strconv.AppendUint(append(room[:0], name...), last.Add(1), 10))
	}
}
