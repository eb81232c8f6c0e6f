package crash

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// ledger is what callers asked for and what they were told.
type ledger struct {
	mu      sync.Mutex
	n       int
	acked   []write
	unknown []write // no answer, or 503 unknown_outcome
	refused map[string]int
	bad     error
}

type write struct {
	key, path string
	body      map[string]any
}

func newLedger() *ledger { return &ledger{refused: map[string]int{}} }

func (l *ledger) next(now time.Time) write {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	user := fmt.Sprintf("/v1/users/u%d", l.n%5)
	if l.n <= 5 {
		return write{key: fmt.Sprint("user-", l.n), path: user, body: map[string]any{"timezone": "Europe/Berlin"}}
	}
	return write{key: fmt.Sprint("write-", l.n), path: fmt.Sprint(user, "/events/e", l.n), body: map[string]any{
		"title": fmt.Sprint("Event ", l.n), "start": now.Add(48 * time.Hour).UTC().Format(time.RFC3339),
	}}
}

// write asks for something and notes what became of it. False: nobody is there.
func (l *ledger) write(ctx context.Context, e *engine, w write) bool {
	a, err := e.ask(ctx, http.MethodPut, w.path, w.key, w.body)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.unknown = append(l.unknown, w)
		l.refused["no answer"]++
		return false
	case a.status == http.StatusOK || a.status == http.StatusCreated:
		l.acked = append(l.acked, w)
	case a.status == http.StatusServiceUnavailable && a.code == "unknown_outcome":
		l.unknown = append(l.unknown, w)
		l.refused["503 unknown_outcome"]++
	case a.status == http.StatusServiceUnavailable, a.status == http.StatusInsufficientStorage:
		l.refused[fmt.Sprint(a.status, " ", a.code)]++
	case a.status == http.StatusNotFound && l.refused["503 unknown_outcome"]+l.refused["no answer"]+l.refused["507 insufficient_storage"] > 0:
		l.refused["user is not there"]++ // whose own write was refused
	default:
		l.bad = fmt.Errorf("PUT %s: %d %s", w.path, a.status, a.body)
	}
	return true
}

// work lets two callers write until they have written n times, or nobody is there.
func (l *ledger) work(ctx context.Context, e *engine, n int, now func() time.Time) {
	for range min(5, n) { // people first
		if !l.write(ctx, e, l.next(now())) {
			return
		}
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range n / 2 {
				if ctx.Err() != nil || !l.write(ctx, e, l.next(now())) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// verify asks for everything that was acknowledged, and repeats what nobody
// knows: with the same key it must be done now, or have been.
func (l *ledger) verify(ctx context.Context, e *engine) error {
	if l.bad != nil {
		return l.bad
	}
	for _, w := range l.acked {
		a, err := e.ask(ctx, http.MethodGet, w.path, "", nil)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("%s was acknowledged, and is answered %d %s", w.path, a.status, a.code)
		}
	}
	for _, w := range l.unknown {
		a, err := e.ask(ctx, http.MethodPut, w.path, w.key, w.body)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK && a.status != http.StatusCreated && a.status != http.StatusNotFound {
			return fmt.Errorf("repeating %s: %d %s", w.path, a.status, a.body)
		}
	}
	return nil
}
