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
	bad  *problem // what is wrong with it before it is run
	resp response
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
	lines := make([]*line, 0, min(bytes.Count(r.body, []byte{'\n'})+1, maxLines))
	for text := range bytes.SplitSeq(r.body, []byte{'\n'}) {
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if len(lines) == maxLines {
			return response{}, fail(http.StatusRequestEntityTooLarge, codeTooManyLines, fmt.Sprintf("a batch has at most %d lines; nothing was carried out", maxLines))
		}
		lines = append(lines, s.readLine(text, len(lines), r))
	}
	if len(lines) == 0 {
		return response{}, fail(http.StatusBadRequest, codeInvalidJSON, "the batch is empty; a JSON object on each line is needed")
	}
	s.run(ctx, lines)
	out := make([]byte, 0, 2*len(r.body))
	for _, l := range lines {
		var err error
		if out, err = l.appendResult(out); err != nil {
			return response{}, err
		}
	}
	return response{status: http.StatusOK, contentType: "application/x-ndjson", raw: out}, nil
}

func (l *line) appendResult(b []byte) ([]byte, error) {
	if a, ok := l.resp.body.(appender); ok && l.resp.retryAfter == 0 {
		b = strconv.AppendInt(append(b, `{"status":`...), int64(l.resp.status), 10)
		return append(a.appendJSON(append(b, `,"body":`...)), "}\n"...), nil
	}
	other, err := encode(resultJSON{Status: l.resp.status, Body: l.resp.body, RetryAfter: wholeSeconds(l.resp.retryAfter)})
	return append(append(b, other...), '\n'), err
}

// readLine makes a request of a line. A line that can't be one fails alone.
func (s *Server) readLine(text []byte, number int, whole *request) *line {
	l := &line{r: request{role: whole.role}}
	err := s.parseLine(text, l)
	if err == nil && l.rt.method == post && l.r.key == "" && whole.key != "" {
		l.r.key = whole.key + "#" + strconv.Itoa(number)
	}
	if err != nil {
		l.bad, _ = problemOf(err, true)
	}
	return l
}

func (s *Server) parseLine(text []byte, l *line) error {
	f, err := readObject(text)
	if err != nil {
		return err
	}
	l.r.method, _ = f.text("method", 10)
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
	l.r.splitURI()
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
func (s *Server) run(ctx context.Context, lines []*line) {
	good := make([]*line, 0, len(lines))
	apart := map[string][]*line{}
	for _, l := range lines {
		if l.bad != nil {
			l.resp = s.problem(l.bad)
			continue
		}
		good = append(good, l)
		if l.rt.halves == nil {
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
	var calls []engine.Call
	var asked []*line
	for some := range slices.Chunk(lines, maxAtATime) {
		calls, asked = calls[:0], asked[:0]
		for _, l := range some {
			c, ok := s.before(l)
			if ok {
				calls, asked = append(calls, c), append(asked, l)
			}
		}
		failed := s.guard(&some[0].rt.route, "batch", func() (response, error) {
			s.c.Backend.DoAll(ctx, calls)
			return response{}, nil
		})
		for i, l := range asked {
			if l.resp = failed; failed.status == 0 {
				l.resp = s.guard(&l.rt.route, "batch", func() (response, error) { return l.rt.halves.behind(&l.r, calls[i].Reply, calls[i].Err) })
			}
		}
	}
}

// before makes a line's command; false if the line has its answer already.
func (s *Server) before(l *line) (c engine.Call, ok bool) {
	l.resp = s.guard(&l.rt.route, "batch", func() (response, error) {
		err := checkForm(&l.rt.route, &l.r)
		if err == nil {
			c, err = l.rt.halves.before(&l.r)
		}
		ok = err == nil
		return response{}, err
	})
	return c, ok
}
