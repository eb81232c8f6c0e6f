package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/valyala/fasthttp"
)

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
