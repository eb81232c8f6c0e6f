package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"carillon/engine"
)

const (
	maxLines = 1000
	// maxAtATime is how many commands of one call are under way at a time. With
	// fewer it would wait for one flush after the other, with more it would
	// leave others too little of what the backend takes at a time.
	maxAtATime = 256
)

// line is one request of a batch.
type line struct {
	rt   *served
	r    request
	call engine.Call // its command, if its handler is in halves
	done bool        // it is answered: something is wrong with it
	resp response
}

// lines are those of a batch, and the answer to it. Their room is used again.
type lines struct {
	all  []line
	kids []member // of what is read
	form fields   // of the line that is read
}

var batches = sync.Pool{New: func() any { return new(lines) }}

// keepLines is how many lines a batch keeps room for.
const keepLines = 256

// rest forgets the lines.
func (b *lines) rest() {
	clear(b.all)
	clear(b.kids[:cap(b.kids)]) // lines that were read left theirs behind the end
	b.all, b.kids, b.form = b.all[:0], b.kids[:0], fields{}
	if cap(b.all) > keepLines {
		b.all = nil
	}
	if cap(b.kids) > keepOpen {
		b.kids = nil
	}
	batches.Put(b)
}

// resultJSON is the answer to one line.
type resultJSON struct {
	Status     int   `json:"status"`
	Body       any   `json:"body"`
	RetryAfter int64 `json:"retry_after,omitempty"` // seconds
}

// batch carries out many writes in one call. Lines of one user run in their
// order, lines of different users at the same time; each is flushed or failed
// on its own, and answered on the line of its number.
func (s *Server) batch(ctx context.Context, r *request) (response, error) {
	b, _ := batches.Get().(*lines)
	r.lines = b // which rests with the request, when it is answered
	if most := min(bytes.Count(r.body, []byte{'\n'})+1, maxLines); cap(b.all) < most {
		b.all = make([]line, 0, most) // they are pointed at, and can't move
	}
	for text := range bytes.SplitSeq(r.body, []byte{'\n'}) {
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if len(b.all) == maxLines {
			return response{}, fail(http.StatusRequestEntityTooLarge, codeTooManyLines, fmt.Sprintf("a batch has at most %d lines; nothing was carried out", maxLines))
		}
		s.readLine(text, b, r)
	}
	if len(b.all) == 0 {
		return response{}, fail(http.StatusBadRequest, codeInvalidJSON, "the batch is empty; a JSON object on each line is needed")
	}
	s.run(ctx, b.all)
	return response{status: http.StatusOK, contentType: "application/x-ndjson", body: b}, nil
}

// appendJSON implements appender: a line for each.
func (b *lines) appendJSON(out []byte) []byte {
	for i := range b.all {
		out = b.all[i].appendResult(out)
	}
	return out
}

// MarshalJSON implements json.Marshaler.
func (b *lines) MarshalJSON() ([]byte, error) { return b.appendJSON(nil), nil }

func (l *line) appendResult(b []byte) []byte {
	if a, ok := l.resp.body.(appender); ok && l.resp.retryAfter == 0 {
		b = strconv.AppendInt(append(b, `{"status":`...), int64(l.resp.status), 10)
		return append(a.appendJSON(append(b, `,"body":`...)), "}\n"...)
	}
	other, err := encode(resultJSON{Status: l.resp.status, Body: l.resp.body, RetryAfter: wholeSeconds(l.resp.retryAfter)})
	if err != nil { // the line was carried out: what is lost is what it says
		p := fail(http.StatusInternalServerError, codeInternal, faults[codeInternal].detail)
		other, _ = encode(resultJSON{Status: p.Status, Body: p})
	}
	return append(append(b, other...), '\n')
}

// readLine makes a request of a line, and a command of it if it can. A line
// that can't be one fails alone.
func (s *Server) readLine(text []byte, b *lines, whole *request) {
	number := len(b.all)
	b.all = b.all[:number+1]
	l := &b.all[number]
	l.r.role, l.r.ofBatch = whole.role, true
	kids := len(b.kids)
	err := s.parseLine(text, l, b)
	if err != nil {
		p, _ := problemOf(err, true)
		l.resp, l.done = s.problem(p), true
	} else if l.rt.method == post && l.r.key == "" && whole.key != "" {
		l.r.key = whole.key + "#" + strconv.Itoa(number)
	}
	if !l.done && l.rt.halves != nil {
		s.before(l)
	}
	if l.done || l.rt.halves != nil { // nobody reads it again
		l.r.body, l.r.parsed = nil, nil
		b.kids = b.kids[:min(kids, len(b.kids))]
	}
}

func (s *Server) parseLine(text []byte, l *line, b *lines) error {
	f := &b.form
	if err := f.read(text, &b.kids); err != nil {
		return err
	}
	method, _ := f.letters("method", 10)
	l.r.method = methodOf(method)
	f.need("method", "the method is needed")
	l.r.uri, _ = f.text("path", 8<<10)
	f.need("path", "the path is needed")
	l.r.key, _ = f.text("idempotency_key", 255)
	if body, there := f.member("body"); there && body.kind != isNull {
		l.r.body, l.r.parsed = body.raw, &body.value
	}
	f.done()
	if err := f.err(); err != nil {
		return err
	}
	if len(l.r.body) > s.c.MaxBodyBytes {
		return tooLarge(s.c.MaxBodyBytes)
	}
	return s.aim(l)
}

// aim finds the route of a line and whether it may be used here.
func (s *Server) aim(l *line) error {
	if err := l.r.splitURI(); err != nil {
		return invalid("path", codeInvalidField, err.Error())
	}
	if l.rt = s.find(&l.r); l.rt == nil || !l.rt.batchable() {
		return invalid("path", codeInvalidField, "a batch takes writes below /v1/users/ and /v1/calendars/; this method and path is none")
	}
	if err := l.r.names(); err != nil {
		return err
	}
	return s.authorize(&l.rt.route, l.r.role, true)
}

// run carries out the lines that can be. What has no handler in halves makes
// its user one whose lines wait for each other.
func (s *Server) run(ctx context.Context, all []line) {
	good := make([]*line, 0, len(all))
	var apart map[string][]*line
	for i := range all {
		l := &all[i]
		if l.done {
			continue
		}
		good = append(good, l)
		if l.rt.halves == nil {
			if apart == nil {
				apart = map[string][]*line{}
			}
			apart[l.r.user] = nil
		}
	}
	if len(apart) == 0 {
		s.together(ctx, good)
		return
	}
	var order []string
	var rest []*line
	for _, l := range good {
		its, is := apart[l.r.user]
		switch {
		case !is:
			rest = append(rest, l)
			continue
		case its == nil:
			order = append(order, l.r.user)
		}
		apart[l.r.user] = append(its, l)
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.together(ctx, rest) })
	s.eachApart(ctx, order, apart)
	wg.Wait()
}

// eachApart carries out the lines of users one after the other, different
// users at the same time.
func (s *Server) eachApart(ctx context.Context, order []string, lines map[string][]*line) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(maxAtATime, len(order)) {
		wg.Go(func() { // each serves many users: a goroutine's stack grows once
			for i := next.Add(1) - 1; i < int64(len(order)); i = next.Add(1) - 1 {
				s.inTurn(ctx, lines[order[i]])
			}
		})
	}
	wg.Wait()
}

// inTurn carries out one user's lines. Neighbors in halves still share a flush.
func (s *Server) inTurn(ctx context.Context, lines []*line) {
	for from := 0; from < len(lines); {
		end := from
		for end < len(lines) && lines[end].rt.halves != nil {
			end++
		}
		s.together(ctx, lines[from:end])
		if from = end; from < len(lines) {
			l := lines[from]
			l.resp = s.guard(&l.rt.route, "batch", func() (response, error) { return s.dispatch(ctx, &l.rt.route, &l.r) })
			from++
		}
	}
}

// together carries out lines that are in halves: their commands are under way
// at the same time, in the order of the lines.
func (s *Server) together(ctx context.Context, lines []*line) {
	room, _ := callRooms.Get().(*[]engine.Call)
	for some := range slices.Chunk(lines, maxAtATime) {
		calls := (*room)[:0]
		for _, l := range some {
			calls = append(calls, l.call)
		}
		failed := s.guard(&some[0].rt.route, "batch", func() (response, error) {
			s.c.Backend.DoAll(ctx, calls)
			return response{}, nil
		})
		for i, l := range some {
			if l.resp = failed; failed.status == 0 {
				l.resp = s.guard(&l.rt.route, "batch", func() (response, error) { return l.rt.halves.behind(&l.r, calls[i].Reply, calls[i].Err) })
			}
		}
		clear(calls)
		if *room = calls; failed.status != 0 { // it was not told that they are ours again
			room = new([]engine.Call)
		}
	}
	callRooms.Put(room)
}

// callRooms hold the commands of a call.
var callRooms = sync.Pool{New: func() any { return new([]engine.Call) }}

// before makes a line's command, or answers it.
func (s *Server) before(l *line) {
	l.resp = s.guard(&l.rt.route, "batch", func() (response, error) {
		err := checkForm(&l.rt.route, &l.r)
		if err == nil {
			l.call, err = l.rt.halves.before(&l.r)
		}
		return response{}, err
	})
	l.done = l.resp.status != 0
}
