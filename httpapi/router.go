package httpapi

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

// served is a route as it is served, with what counts its answers.
type served struct {
	route
	good [8]atomic.Pointer[series] // of 200 to 207
}

// place is a node of the tree of paths, a segment below the one before. It
// has names below it or an id, never both.
type place struct {
	names  map[string]*place
	id     *place
	kind   idKind // of id
	routes []*served
}

// idKind is what a segment of a path names.
type idKind uint8

const (
	userID idKind = iota
	eventID
	reminderID
)

var idNames = [...]string{userID: "user_id", eventID: "event_id", reminderID: "reminder_id"}

// segments are the ids of a path as they came.
type segments [len(idNames)]segment

type segment struct {
	text  string
	there bool
}

// newTree has every route at its path.
func newTree() *place {
	root := &place{}
	for _, rt := range routes() {
		at := root
		for name := range strings.SplitSeq(rt.pattern[1:], "/") {
			at = at.grow(name)
		}
		at.routes = append(at.routes, &served{route: rt})
	}
	return root
}

func (p *place) grow(name string) *place {
	if id, isID := strings.CutPrefix(name, "{"); isID {
		if p.id == nil {
			p.id, p.kind = &place{}, idKind(slices.Index(idNames[:], strings.TrimSuffix(id, "}"))) //nolint:gosec // one of three
		}
		return p.id
	}
	if p.names == nil {
		p.names = map[string]*place{}
	}
	if p.names[name] == nil {
		p.names[name] = &place{}
	}
	return p.names[name]
}

// match returns the place of a path, and puts its ids into ids; nil if there
// is nothing. A slash at the end is another path.
func (p *place) match(path string, ids *segments) *place {
	for path != "" {
		if path[0] != '/' {
			return nil
		}
		end := strings.IndexByte(path[1:], '/') + 1
		if end == 0 {
			end = len(path)
		}
		name, rest := path[1:end], path[end:]
		next := p.names[name]
		if next == nil {
			if p.id == nil || name == "" && rest == "" {
				return nil
			}
			ids[p.kind], next = segment{name, true}, p.id
		}
		p, path = next, rest
	}
	return p
}

// take returns the route of a method; HEAD is served as GET.
func (p *place) take(method string) *served {
	if method == fasthttp.MethodHead {
		method = get
	}
	for _, rt := range p.routes {
		if rt.method == method {
			return rt
		}
	}
	return nil
}

// allow lists the methods of a place.
func (p *place) allow() string {
	var methods []string
	for _, rt := range p.routes {
		methods = append(methods, rt.method)
		if rt.method == get {
			methods = append(methods, fasthttp.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// requests that were answered are used again.
var requests = sync.Pool{New: func() any { return new(request) }}

// route finds the route of a request and has it served. Nothing of a request
// is left when it returns: what a command keeps of it was copied.
func (s *Server) route(ctx *fasthttp.RequestCtx) {
	defer func() {
		if v := recover(); v != nil {
			s.lastResort(ctx, v)
		}
	}()
	r, _ := requests.Get().(*request)
	r.path = string(ctx.URI().PathOriginal())
	at := s.tree.match(r.path, &r.ids)
	switch {
	case at == nil || at.routes == nil:
		s.notFound(ctx)
	default:
		if rt := at.take(string(ctx.Method())); rt != nil {
			s.serve(ctx, rt, r)
		} else {
			s.methodNotAllowed(ctx, at.allow())
		}
	}
	r.rest()
	requests.Put(r)
}
