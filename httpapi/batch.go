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

// line is one request of a batch, as little of it as has to be kept while all of
// them are under way.
type line struct {
	rt    *served
	user  string
	event string
	call  engine.Call // its command, if its handler is in halves
	own   *request    // if it is not
	resp  *response   // nil: what call led to
}

// end answers the line.
func (l *line) end(resp response) { l.resp = &resp }

// lines are those of a batch, and the answer to it. Their room is used again.
type lines struct {
	s    *Server
	all  []line
	r    request  // of the line that is read, or answered
	kids []member // of what is read
	form fields   // of the line that is read
}

var batches = sync.Pool{New: func() any { return new(lines) }}

// roomAhead is the most room that an answer is given before it is needed, in bytes.
const roomAhead = 1 << 20

// keepLines is how many lines a batch keeps room for.
const keepLines = 256

// rest forgets the lines.
func (b *lines) rest() {
	clear(b.all)
	clear(b.kids[:cap(b.kids)]) // lines that were read left theirs behind the end
	b.all, b.kids, b.form, b.r = b.all[:0], b.kids[:0], fields{}, request{}
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
	r.lines, b.s = b, s // it rests with the request, when it is answered
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
	from := len(out)
	for i := range b.all {
		if out = appendResult(out, b.answer(&b.all[i])); i == 0 { // the others are mostly as long
			out = slices.Grow(out, min((len(out)-from+16)*len(b.all), roomAhead))
		}
	}
	return out
}

// answer is the answer to a line. It stands in the room of all of them.
func (b *lines) answer(l *line) response {
	if l.resp != nil {
		return *l.resp
	}
	r := &b.r
	r.user, r.event, r.ofBatch = l.user, l.event, true
	return b.s.guard(&l.rt.route, "batch", func() (response, error) { return l.rt.halves.behind(r, l.call.Reply, l.call.Err) })
}

// MarshalJSON implements json.Marshaler.
func (b *lines) MarshalJSON() ([]byte, error) { return b.appendJSON(nil), nil }

func appendResult(b []byte, resp response) []byte {
	if a, ok := resp.body.(appender); ok && resp.retryAfter == 0 {
		b = strconv.AppendInt(append(b, `{"status":`...), int64(resp.status), 10)
		return append(a.appendJSON(append(b, `,"body":`...)), "}\n"...)
	}
	other, err := encode(resultJSON{Status: resp.status, Body: resp.body, RetryAfter: wholeSeconds(resp.retryAfter)})
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
	l, r, kids := &b.all[number], &b.r, len(b.kids)
	*r = request{role: whole.role, ofBatch: true}
	err := s.parseLine(text, l, b)
	switch {
	case err != nil:
		p, _ := problemOf(err, true)
		l.end(s.problem(p))
	case l.rt.method == post && r.key == "" && whole.key != "":
		r.key = whole.key + "#" + strconv.Itoa(number)
	}
	l.user, l.event = r.user, r.event
	if l.resp == nil && l.rt.halves == nil {
		l.own = new(request)
		*l.own = *r
		return
	}
	if l.resp == nil {
		s.before(l, r)
	}
	b.kids = b.kids[:min(kids, len(b.kids))] // nobody reads it again
}

func (s *Server) parseLine(text []byte, l *line, b *lines) error {
	f, r := &b.form, &b.r
	if err := f.read(text, &b.kids); err != nil {
		return err
	}
	method, _ := f.letters("method", 10)
	r.method = methodOf(method)
	f.need("method", "the method is needed")
	r.uri, _ = f.text("path", 8<<10)
	f.need("path", "the path is needed")
	r.key, _ = f.text("idempotency_key", 255)
	if body, there := f.member("body"); there && body.kind != isNull {
		r.body, r.parsed = body.raw, &body.value
	}
	f.done()
	if err := f.err(); err != nil {
		return err
	}
	if len(r.body) > s.c.MaxBodyBytes {
		return tooLarge(s.c.MaxBodyBytes)
	}
	return s.aim(l, r)
}

// aim finds the route of a line and whether it may be used here.
func (s *Server) aim(l *line, r *request) error {
	if err := r.splitURI(); err != nil {
		return invalid("path", codeInvalidField, err.Error())
	}
	if l.rt = s.find(r); l.rt == nil || !l.rt.batchable() {
		return invalid("path", codeInvalidField, "a batch takes writes below /v1/users/ and /v1/calendars/; this method and path is none")
	}
	if err := r.names(); err != nil {
		return err
	}
	return s.authorize(&l.rt.route, r.role, true)
}

// run carries out the lines that can be. What has no handler in halves makes
// its user one whose lines wait for each other.
func (s *Server) run(ctx context.Context, all []line) {
	good := make([]*line, 0, len(all))
	var apart map[string][]*line
	for i := range all {
		l := &all[i]
		if l.resp != nil {
			continue
		}
		good = append(good, l)
		if l.rt.halves == nil {
			if apart == nil {
				apart = map[string][]*line{}
			}
			apart[l.user] = nil
		}
	}
	if len(apart) == 0 {
		s.together(ctx, good)
		return
	}
	var order []string
	var rest []*line
	for _, l := range good {
		its, is := apart[l.user]
		switch {
		case !is:
			rest = append(rest, l)
			continue
		case its == nil:
			order = append(order, l.user)
		}
		apart[l.user] = append(its, l)
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
			l.end(s.guard(&l.rt.route, "batch", func() (response, error) { return s.dispatch(ctx, &l.rt.route, l.own) }))
			from++
		}
	}
}

// together carries out lines that are in halves: their commands are under way
// at the same time, in the order of the lines.
func (s *Server) together(ctx context.Context, lines []*line) {
	room, _ := callRooms.Get().(*[]engine.Call)
	for some := range slices.Chunk(lines, maxAtATime) {
		calls := slices.Grow((*room)[:0], len(some))
		for _, l := range some {
			calls = append(calls, l.call)
		}
		failed := s.guard(&some[0].rt.route, "batch", func() (response, error) {
			s.c.Backend.DoAll(ctx, calls)
			return response{}, nil
		})
		for i, l := range some {
			if l.call.Reply, l.call.Err = calls[i].Reply, calls[i].Err; failed.status != 0 {
				l.end(failed)
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
func (s *Server) before(l *line, r *request) {
	resp := s.guard(&l.rt.route, "batch", func() (response, error) {
		err := checkForm(&l.rt.route, r)
		if err == nil {
			l.call, err = l.rt.halves.before(r)
		}
		return response{}, err
	})
	if resp.status != 0 {
		l.end(resp)
	}
}
