package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"carillon/engine"
	"carillon/httpapi"
)

// instant is a Backend that says yes at once: what is measured is this
// package.
type instant struct{ *fake }

func (instant) Do(_ context.Context, id string, cmd engine.Command, _ string, _ uint64) (engine.Reply, error) {
	if c, ok := cmd.(engine.PutEvent); ok {
		return engine.EventReply{Event: c.Event, Created: true}, nil
	}
	return engine.UserReply{User: engine.UserView{ID: id, Zone: "UTC", Prefs: engine.DefaultPreferences()}, Created: true}, nil
}

func (i instant) DoAll(ctx context.Context, calls []engine.Call) {
	for k := range calls {
		c := &calls[k]
		c.Reply, c.Err = i.Do(ctx, c.UserID, c.Cmd, c.Key, c.KeyHash)
	}
}

func quiet() *httpapi.Server {
	f := newFake(at(start))
	return httpapi.New(httpapi.Config{Backend: instant{f}, Now: func() engine.Millis { return f.now }, Logger: slog.New(slog.DiscardHandler)})
}

const benchEvent = `{"title":"Weekly planning","start":"2026-03-02T10:00:00+01:00","end":"2026-03-02T11:00:00+01:00","location":"Room 4","link":"https://meet.example.org/abc","attendees":["a@example.org"],"version":3}`

// BenchmarkPutEvent is one event through the router and back, without a
// network.
func BenchmarkPutEvent(b *testing.B) {
	serve := quiet().Handler()
	var ctx fasthttp.RequestCtx
	b.ReportAllocs()
	for b.Loop() {
		ctx.Request.Reset()
		ctx.Response.Reset()
		ctx.Request.Header.SetMethod("PUT")
		ctx.Request.SetRequestURI("/v1/users/ann/events/e1")
		ctx.Request.Header.Set("Authorization", "Bearer write-key")
		ctx.Request.SetBodyString(benchEvent)
		ctx.Request.Header.SetContentType("application/json")
		serve(&ctx)
		if ctx.Response.StatusCode() != 201 {
			b.Fatalf("status %d: %s", ctx.Response.StatusCode(), ctx.Response.Body())
		}
	}
}

// BenchmarkBatch is a thousand events of a thousand users in one batch; the
// time is of a line.
func BenchmarkBatch(b *testing.B) {
	s := quiet()
	var lines strings.Builder
	for i := range httpapi.MaxLines {
		fmt.Fprintf(&lines, `{"method":"PUT","path":"/v1/users/u%d/events/e1","body":%s}`+"\n", i, benchEvent)
	}
	body := []byte(lines.String())
	b.ReportAllocs()
	for n := 0; n < b.N; n += httpapi.MaxLines {
		if _, err := s.Carry(b.Context(), body); err != nil {
			b.Fatal(err)
		}
	}
}
