package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
)

const (
	maxLines = 1000
	// batchWorkers is how many users of one batch are served at a time. Waiting
	// for the disk costs a goroutine only, and the journal gathers them: with
	// fewer a batch would wait for one flush after the other.
	batchWorkers = 256
)

// line is one request of a batch.
type line struct {
	rt   *route
	r    *request
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
	var lines []*line
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
	var out bytes.Buffer
	out.Grow(len(r.body))
	e := encoder(&out)
	for _, l := range lines {
		if err := e.Encode(resultJSON{Status: l.resp.status, Body: l.resp.body, RetryAfter: wholeSeconds(l.resp.retryAfter)}); err != nil {
			return response{}, err
		}
	}
	return response{status: http.StatusOK, contentType: "application/x-ndjson", raw: out.Bytes()}, nil
}

// readLine makes a request of a line. A line that can't be one fails alone.
func (s *Server) readLine(text []byte, number int, whole *request) *line {
	l := &line{r: &request{role: whole.role}}
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
	rt := s.find(l.r)
	if rt == nil || !rt.batchable() {
		return invalid("path", codeInvalidField, "a batch takes writes below /v1/users/ and /v1/calendars/; this method and path is none")
	}
	if err := l.r.names(); err != nil {
		return err
	}
	l.rt = &rt.route
	return s.authorize(l.rt, l.r.role, true)
}

// run carries out the lines that can be, user by user.
func (s *Server) run(ctx context.Context, lines []*line) {
	var order []string
	byUser := map[string][]*line{}
	for _, l := range lines {
		if l.bad != nil {
			l.resp = s.problem(l.bad)
			continue
		}
		if byUser[l.r.user] == nil {
			order = append(order, l.r.user)
		}
		byUser[l.r.user] = append(byUser[l.r.user], l)
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(batchWorkers, len(order)) {
		wg.Go(func() { // each serves many users: a goroutine's stack grows once
			for i := next.Add(1) - 1; i < int64(len(order)); i = next.Add(1) - 1 {
				for _, l := range byUser[order[i]] {
					l.resp = s.guard(l.rt, "batch", func() (response, error) { return s.dispatch(ctx, l.rt, l.r) })
				}
			}
		})
	}
	wg.Wait()
}
