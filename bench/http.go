package bench

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"carillon/actors"
	"carillon/actors/provider/twilio"
	"carillon/httpapi"
)

// face is a node as HTTP sees it.
type face struct{ *actors.Node }

// Role implements httpapi.Backend: everybody here is the administrator.
func (face) Role(string) (httpapi.Role, bool) { return httpapi.RoleAdmin, true }

// Stats implements httpapi.Backend.
func (f face) Stats(context.Context) any { return f.Node.Stats() }

// site is a rig with its HTTP face on loopback.
type site struct {
	*rig
	server  *httpapi.Server
	address string
	url     string
}

const benchToken = "bench0token0bench0token0bench000"

func newSite(o Options) (*site, error) {
	r, err := newRig(o, nil)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &site{rig: r, address: l.Addr().String(), url: "http://" + l.Addr().String()}
	s.server = newServer(face{r.node}, s.url)
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

func newServer(b httpapi.Backend, url string) *httpapi.Server {
	return httpapi.New(httpapi.Config{
		Backend: b, Hooks: twilio.NewHooks(benchToken), PublicURL: url,
		Now: actors.SystemClock{}.Now, Logger: slog.New(slog.DiscardHandler),
	})
}

func (s *site) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		return err
	}
	return s.rig.stop()
}

// HTTP is Schedule through HTTP on loopback, a connection kept by each caller;
// with lines above 1 it is through the batch endpoint, that many a call.
func HTTP(o Options) (Result, error) {
	s, err := newSite(o)
	if err != nil {
		return Result{}, err
	}
	defer s.remove()
	now := time.Now()
	if err := s.populate(httpUsers(o), earlyZone(now)); err != nil {
		return Result{}, err
	}
	records, flushes := s.store.Stats().Records, s.flushes()
	res, err := putThrough(o, s.address, s.dir, now)
	if err != nil {
		return res, err
	}
	res.Detail("records_per_flush", float64(s.store.Stats().Records-records)/max(s.flushes()-flushes, 1))
	return res, s.stop()
}

// flushes is how many commits there have been.
func (s *site) flushes() float64 {
	n, _ := s.counters.commits()
	return n
}

func httpUsers(o Options) int { return or(o.Users, 10_000) }

// putThrough has callers write events through HTTP at an address.
func putThrough(o Options, address, dir string, now time.Time) (Result, error) {
	n, callers, lines := or(o.N, 200_000), or(o.Callers, 400), or(o.Lines, 1)
	conns, hangUp, err := dialAll(address, callers)
	if err != nil {
		return Result{}, err
	}
	n -= n % lines
	before := n / warmUp / lines * lines
	w := newPuts(newPeople(httpUsers(o), n+before, now.Add(time.Hour)), lines)
	w.conns = conns
	if err := Each(before/lines, callers, w.call); err != nil {
		return Result{}, err
	}
	w.from = before
	m := Measure()
	took, err := Timed(n/lines, callers, w.call)
	if err != nil {
		return Result{}, err
	}
	m.End()
	hangUp()
	res := Result{Workload: "http", N: n, Variant: fmt.Sprintf("%d connections", callers)}
	if lines > 1 {
		res.Variant += fmt.Sprintf(", batches of %d", lines)
	}
	res.Finish(m, took, dir)
	return res, nil
}

// puts writes a run's events through HTTP.
type puts struct {
	people *people
	bodies []string // of each of a person's events, as JSON
	lines  int
	from   int
	conns  []*wire
}

func newPuts(p *people, lines int) *puts {
	w := &puts{people: p, lines: lines}
	for at := range p.events {
		b := []byte(`{"title":"` + eventTitle + `","location":"` + eventLocation + `","link":"` + eventLink + `","start":"`)
		b = p.start.Add(time.Duration(at)*time.Minute).UTC().AppendFormat(b, time.RFC3339)
		w.bodies = append(w.bodies, string(append(b, `"}`...)))
	}
	return w
}

// call is one request of a caller: one event, or a batch of them.
func (p *puts) call(caller, k int) error {
	w := p.conns[caller]
	if p.lines <= 1 {
		user, at := p.place(p.from + k)
		w.request("PUT", "/v1/users/"+user+"/events/"+p.people.events[at], "application/json")
		w.room = append(w.room[:0], p.bodies[at]...)
		_, err := w.send(w.room)
		return err
	}
	w.request("POST", "/v1/batch", "application/x-ndjson")
	w.room = p.batch(w.room[:0], p.from+k*p.lines)
	answer, err := w.send(w.room)
	if err != nil {
		return err
	}
	if good := bytes.Count(answer, []byte(`{"status":20`)); good != p.lines {
		return fmt.Errorf("bench: %d of %d lines were done: %.300s", good, p.lines, answer)
	}
	return nil
}

// batch appends a body of events from operation i on.
func (p *puts) batch(b []byte, from int) []byte {
	b = slices.Grow(b, p.lines*300)
	for i := from; i < from+p.lines; i++ {
		user, at := p.place(i)
		b = append(append(append(append(b, `{"method":"PUT","path":"/v1/users/`...), user...), "/events/"...), p.people.events[at]...)
		b = append(append(append(b, `","body":`...), p.bodies[at]...), "}\n"...)
	}
	return b
}

// place is the user of operation i and which of their events it is.
func (p *puts) place(i int) (user string, at int) {
	return p.people.ids[i%len(p.people.ids)], i / len(p.people.ids)
}
