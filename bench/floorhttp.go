package bench

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"

	"carillon/engine"
	"carillon/httpapi"
)

// faceless is something else behind the load generator's connections.
type faceless interface{ Serve(l net.Listener) error }

// floorHTTP is HTTP with something else behind the connections: made is told
// production's answer, and the node if there is one.
func floorHTTP(f *floor, made func(fixed *fixedAnswer, node *bare, data *floorData) faceless) func(Options) (Result, error) {
	return func(o Options) (Result, error) {
		data, err := newFloorData()
		if err != nil {
			return Result{}, err
		}
		var node *bare
		dir := ""
		if f != nil {
			if node, dir, err = f.start(o, httpUsers(o)); err != nil {
				return Result{}, err
			}
			defer func() { _ = os.RemoveAll(dir) }()
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return Result{}, err
		}
		server := made(newFixedAnswer(o), node, &data)
		go func() { _ = server.Serve(l) }()
		res, err := putThrough(o, l.Addr().String(), dir, time.Now())
		if err != nil {
			return res, err
		}
		res.Workload = "floor"
		if node != nil {
			err = node.stop()
		}
		return res, err
	}
}

// fixedAnswer is what production answers, made once.
type fixedAnswer struct {
	lines       int
	status      int
	contentType string
	location    string
	body        []byte
	rooms       sync.Pool // for the bodies of requests
}

func newFixedAnswer(o Options) *fixedAnswer {
	a := &fixedAnswer{lines: or(o.Lines, 1), rooms: sync.Pool{New: func() any { return new([]byte) }}}
	w := newPuts(newPeople(httpUsers(o), httpUsers(o), time.Now()), a.lines)
	var ctx fasthttp.RequestCtx
	r := &ctx.Request
	r.Header.SetMethod("PUT")
	r.SetRequestURI("/v1/users/" + userID(0) + "/events/e0")
	r.Header.Set("Authorization", "Bearer bench")
	r.Header.SetContentType("application/json")
	r.SetBodyString(w.bodies[0])
	if a.lines > 1 {
		r.Header.SetMethod("POST")
		r.SetRequestURI("/v1/batch")
		r.Header.SetContentType("application/x-ndjson")
		r.SetBody(w.batch(nil, 0))
	}
	newServer(prompt{}, "").Handler()(&ctx)
	a.status, a.contentType = ctx.Response.StatusCode(), string(ctx.Response.Header.ContentType())
	a.location, a.body = string(ctx.Response.Header.Peek("Location")), append(a.body, ctx.Response.Body()...)
	return a
}

// serve reads the body and gives the answer.
func (a *fixedAnswer) serve(ctx *fasthttp.RequestCtx) {
	if stream := ctx.RequestBodyStream(); stream != nil {
		room, _ := a.rooms.Get().(*[]byte)
		length := ctx.Request.Header.ContentLength()
		if cap(*room) < length {
			*room = make([]byte, length)
		}
		if _, err := io.ReadFull(stream, (*room)[:length]); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		}
		a.rooms.Put(room)
	}
	h := &ctx.Response.Header
	ctx.SetStatusCode(a.status)
	h.SetContentType(a.contentType)
	h.SetCanonical(fixedHeaders[0], fixedHeaders[1])
	h.SetCanonical(fixedHeaders[2], fixedHeaders[3])
	h.SetCanonical(fixedHeaders[4], fixedHeaders[5])
	if a.location != "" {
		h.Set("Location", a.location)
	}
	ctx.Response.SetBodyRaw(a.body)
}

var fixedHeaders = [...][]byte{
	[]byte("X-Request-Id"), []byte("0123456789ABCDEF-123456"),
	[]byte("X-Content-Type-Options"), []byte("nosniff"), []byte("Cache-Control"), []byte("no-store"),
}

// asServed is the library's server with the settings of httpapi's, behind the
// library's router.
func asServed(handle fasthttp.RequestHandler) *fasthttp.Server {
	r := router.New()
	r.PUT("/v1/users/{user_id}/events/{event_id}", handle)
	r.POST("/v1/batch", handle)
	return &fasthttp.Server{
		Handler: r.Handler, NoDefaultServerHeader: true, Concurrency: 10_000, ReadBufferSize: 16 << 10, MaxRequestBodySize: 8 << 20,
		ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		StreamRequestBody: true, DisablePreParseMultipartForm: true, SecureErrorLogMessage: true, TCPKeepalive: true, CloseOnShutdown: true,
	}
}

// fixedAlone is the library with its own settings and no router.
func fixedAlone(fixed *fixedAnswer, _ *bare, _ *floorData) faceless {
	return &fasthttp.Server{Handler: fixed.serve, MaxRequestBodySize: 8 << 20}
}

// fixedServed is the library as production has it.
func fixedServed(fixed *fixedAnswer, _ *bare, _ *floorData) faceless { return asServed(fixed.serve) }

// fixedDurable is the same, which answers when as many records are flushed as the
// request has lines.
func fixedDurable(fixed *fixedAnswer, node *bare, data *floorData) faceless {
	b := &durable{node: node, data: data}
	var next atomic.Int64
	return asServed(func(ctx *fasthttp.RequestCtx) {
		if id, ok := ctx.UserValue("user_id").(string); ok {
			b.one(id)
		} else {
			calls := make([]engine.Call, fixed.lines)
			from := int(next.Add(int64(fixed.lines))) - fixed.lines
			for i := range calls {
				calls[i].UserID = userID((from + i) % len(node.people))
			}
			b.all(calls)
		}
		fixed.serve(ctx)
	})
}

// parsed is production's HTTP before a backend that says yes at once.
func parsed(*fixedAnswer, *bare, *floorData) faceless { return newServer(prompt{}, "") }

// parsedDurable is the same before one that says yes when a record is flushed.
func parsedDurable(_ *fixedAnswer, node *bare, data *floorData) faceless {
	return newServer(&durable{node: node, data: data}, "")
}

// prompt is a backend that says yes at once.
type prompt struct{ httpapi.Backend }

// Role implements httpapi.Backend.
func (prompt) Role(string) (httpapi.Role, bool) { return httpapi.RoleAdmin, true }

// Do implements httpapi.Backend.
func (prompt) Do(_ context.Context, _ string, cmd engine.Command, _ string, _ uint64) (engine.Reply, error) {
	put, _ := cmd.(engine.PutEvent)
	return engine.EventReply{Event: put.Event, Created: true}, nil
}

// DoAll implements httpapi.Backend.
func (p prompt) DoAll(ctx context.Context, calls []engine.Call) {
	for i := range calls {
		c := &calls[i]
		c.Reply, c.Err = p.Do(ctx, c.UserID, c.Cmd, c.Key, c.KeyHash)
	}
}

// durable is a prompt behind a record's flush.
type durable struct {
	prompt
	node *bare
	data *floorData
	free sync.Pool // of *bareTurn
}

func (d *durable) turn() *bareTurn {
	if r, ok := d.free.Get().(*bareTurn); ok {
		return r
	}
	return &bareTurn{data: d.data.put, done: make(chan struct{}, 1)}
}

func (d *durable) one(id string) {
	r := d.turn()
	r.then = (*bareTurn).tell
	d.node.ask(id, r)
	<-r.done
	d.free.Put(r)
}

func (d *durable) all(calls []engine.Call) {
	var all sync.WaitGroup
	all.Add(len(calls))
	then := func(r *bareTurn) { d.free.Put(r); all.Done() }
	for i := range calls {
		r := d.turn()
		r.then = then
		d.node.ask(calls[i].UserID, r)
	}
	all.Wait()
}

// Do implements httpapi.Backend.
func (d *durable) Do(ctx context.Context, id string, cmd engine.Command, key string, hash uint64) (engine.Reply, error) {
	d.one(id)
	return d.prompt.Do(ctx, id, cmd, key, hash)
}

// DoAll implements httpapi.Backend.
func (d *durable) DoAll(ctx context.Context, calls []engine.Call) {
	d.all(calls)
	d.prompt.DoAll(ctx, calls)
}
