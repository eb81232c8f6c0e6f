//go:build linux

package proc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const apiKey = "proc-key"

// api is a way to carillon's HTTP API: a line, or the door itself.
type api struct {
	url   string
	http  *http.Client
	tally *tally
}

// tally counts what clients met.
type tally struct {
	requests, acknowledged, refused, unknown, cutOff, full atomic.Int64

	mu    sync.Mutex
	codes map[string]int64 // problem codes of 5xx answers
}

func newAPI(url string, t *tally) *api {
	return &api{url: url, http: &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}, tally: t}
}

// try asks once. An error means that there was no answer.
func (a *api) try(ctx context.Context, method, path string, body any, key string) (int, []byte, error) {
	var in io.Reader
	kind := "application/json"
	switch body := body.(type) {
	case nil:
	case []byte:
		in, kind = bytes.NewReader(body), "application/x-ndjson"
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, in)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", kind)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	a.tally.requests.Add(1)
	resp, err := a.http.Do(req)
	if err != nil {
		a.tally.cutOff.Add(1)
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.tally.cutOff.Add(1)
	}
	return resp.StatusCode, text, err
}

// verdict is what became of a write, as its caller knows it.
type verdict int

const (
	unknown      verdict = iota // perhaps it was carried out
	acknowledged                // it was
	refused                     // it was not
)

// giveUp is how often a caller that got no answer does not ask again.
const giveUp = 0.1

// write asks until there is an answer, as clients should: the same request
// with the same Idempotency-Key. Some give up.
func (a *api) write(ctx context.Context, rng *rand.Rand, method, path string, body any, key string) (verdict, []byte) {
	sure := true // nothing that was tried can have been carried out
	for {
		status, text, err := a.try(ctx, method, path, body, key)
		switch {
		case err == nil && status < 300:
			a.tally.acknowledged.Add(1)
			return acknowledged, text
		case err == nil && status < 500 && status != http.StatusTooManyRequests:
			if !sure { // such as a deletion that finds nothing the second time
				a.tally.unknown.Add(1)
				return unknown, text
			}
			a.tally.refused.Add(1)
			return refused, text
		case err != nil:
			sure = false
		default:
			sure = a.fault(status, text) && sure
		}
		if rng.Float64() < giveUp || !wait(ctx, between(rng, 30*time.Millisecond, 300*time.Millisecond)) {
			break
		}
	}
	if sure {
		a.tally.refused.Add(1)
		return refused, nil
	}
	a.tally.unknown.Add(1)
	return unknown, nil
}

// fault reads a 5xx. It reports whether the answer denies that anything was
// written.
func (a *api) fault(status int, text []byte) bool {
	var p struct{ Code string }
	_ = json.Unmarshal(text, &p)
	if status == http.StatusInsufficientStorage {
		a.tally.full.Add(1)
	}
	a.tally.mu.Lock()
	defer a.tally.mu.Unlock()
	a.tally.codes[p.Code]++
	switch p.Code {
	case "insufficient_storage", "draining", "recovering", "overloaded":
		return true
	}
	return false
}

// read asks once for what must be there, and reads it.
func (a *api) read(ctx context.Context, path string, into any) (int, error) {
	status, text, err := a.try(ctx, http.MethodGet, path, nil, "")
	if err == nil && status == http.StatusOK && into != nil {
		err = json.Unmarshal(text, into)
	}
	return status, err
}
