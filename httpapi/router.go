package httpapi

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
)

// served is a route as it is served, with what counts its answers.
type served struct {
	route
	halves *halves                   // of its handler; nil: it is in one piece
	good   [8]atomic.Pointer[series] // of 200 to 207
}

// idKind is what a segment of a path names.
type idKind uint8

const (
	userID idKind = iota
	eventID
	reminderID
	calendarID
)

var idNames = [...]string{userID: "user_id", eventID: "event_id", reminderID: "reminder_id", calendarID: "calendar_id"}

// segments are the ids of a path as they came.
type segments [len(idNames)]segment

type segment struct {
	text  string
	there bool
}

// take keeps the ids that the router found.
func (ids *segments) take(ctx *fasthttp.RequestCtx) {
	for kind, name := range idNames {
		ids[kind].text, ids[kind].there = ctx.UserValue(name).(string)
	}
}

func (s *Server) newRouter() *router.Router {
	r := router.New()
	// A redirected POST loses its signature, and often its body.
	r.RedirectTrailingSlash, r.RedirectFixedPath = false, false
	r.HandleOPTIONS = false
	r.PanicHandler = s.lastResort
	r.NotFound = s.notFound
	r.MethodNotAllowed = s.methodNotAllowed
	for _, rt := range routes() {
		one := &served{route: rt, halves: inHalves[[2]string{rt.method, rt.pattern}]}
		if rt.pattern == eventPath {
			s.ofEvents[rt.method] = one
		}
		serve := func(ctx *fasthttp.RequestCtx) { s.route(ctx, one) }
		r.Handle(rt.method, rt.pattern, serve)
		if rt.method == get {
			r.Handle(fasthttp.MethodHead, rt.pattern, serve)
		}
	}
	return r
}

// ofEvent is the route of one event, which most requests are for, and keeps the
// ids; nil if it is another path or method. The router would find it too, and
// makes four pieces of the two ids.
func (s *Server) ofEvent(method, path string, ids *segments) *served {
	path, ok := strings.CutPrefix(path, "/v1/users/")
	user, path, _ := strings.Cut(path, "/")
	event, is := strings.CutPrefix(path, "events/")
	if !ok || !is || user == "" || event == "" || strings.IndexByte(event, '/') >= 0 {
		return nil
	}
	ids[userID], ids[eventID] = segment{user, true}, segment{event, true}
	return s.ofEvents[method]
}

// requests that were answered are used again.
var requests = sync.Pool{New: func() any { return new(request) }}

// route has a request served. Nothing of it is left when it returns: what a
// command keeps of it was copied.
func (s *Server) route(ctx *fasthttp.RequestCtx, rt *served) {
	if p, ok := ctx.UserValue(probeKey{}).(*probe); ok {
		p.found = rt
		return
	}
	r, _ := requests.Get().(*request)
	r.path = string(ctx.URI().PathOriginal())
	r.ids.take(ctx)
	s.serve(ctx, rt, r)
	r.rest()
	requests.Put(r)
}

// handle serves a request, and asks the router only if it has to.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	r, _ := requests.Get().(*request)
	r.path = string(ctx.URI().PathOriginal())
	rt := s.ofEvent(string(ctx.Method()), r.path, &r.ids)
	if rt == nil {
		r.rest()
		requests.Put(r)
		s.router.Handler(ctx)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			s.lastResort(ctx, v)
		}
	}()
	s.serve(ctx, rt, r)
	r.rest()
	requests.Put(r)
}

// probeKey marks a context that only asks which route a path has.
type probeKey struct{}

// probe asks the router, and keeps what it says.
type probe struct {
	ctx   fasthttp.RequestCtx
	found *served
}

var probes = sync.Pool{New: func() any { return new(probe) }}

// find returns the route of a line of a batch, and keeps the line's ids; nil if
// there is no such route.
func (s *Server) find(r *request) *served {
	if rt := s.ofEvent(r.method, r.path, &r.ids); rt != nil {
		return rt
	}
	return s.ask(r)
}

// ask is find from the router that serves requests.
func (s *Server) ask(r *request) *served {
	p, _ := probes.Get().(*probe)
	p.found = nil
	defer func() {
		p.ctx.ResetUserValues()
		probes.Put(p)
	}()
	handle, _ := s.router.Lookup(r.method, r.path, &p.ctx)
	if handle == nil {
		return nil
	}
	p.ctx.SetUserValue(probeKey{}, p)
	handle(&p.ctx)
	r.ids.take(&p.ctx)
	return p.found
}

// methodOf is a method as a string, without a copy if it is one of ours.
func methodOf(b []byte) string {
	for _, m := range [...]string{put, post, patch, del, get} {
		if string(b) == m {
			return m
		}
	}
	return string(b)
}
