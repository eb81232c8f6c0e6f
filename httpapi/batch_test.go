package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"carillon/engine"
)

// batch sends lines.
func (h *house) batch(lines string, headers ...string) answer {
	h.t.Helper()
	return h.call("POST", "/v1/batch", lines, append(headers, "Content-Type: application/x-ndjson")...)
}

// results reads the answer to a batch.
func (a answer) results() []answer {
	a.t.Helper()
	a.is(200)
	if got := a.header.Get("Content-Type"); got != "application/x-ndjson" {
		a.t.Errorf("Content-Type is %q", got)
	}
	var out []answer
	for text := range strings.Lines(string(a.raw)) {
		var r struct {
			Status     int             `json:"status"`
			Body       json.RawMessage `json:"body"`
			RetryAfter int64           `json:"retry_after"`
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			a.t.Fatalf("%v: %s", err, text)
		}
		out = append(out, answer{t: a.t, status: r.Status, raw: r.Body})
	}
	return out
}

// TestBatch: each line is answered on its line; a bad one fails alone.
func TestBatch(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	got := h.batch(strings.Join([]string{
		`{"method":"PUT","path":"/v1/users/ann","body":{"timezone":"Europe/Berlin"}}`,
		`{"method":"PUT","path":"/v1/users/ann/events/e%201","body":{"start":"2026-03-02T10:00:00Z","title":"One"}}`,
		``,
		`{"method":"PUT","path":"/v1/users/ann","body":{"timezone":"Nowhere"}}`,
		`{"method":"PATCH","path":"/v1/users/ann","body":{"preferences":{"daily_limit":3}}}`,
		`not JSON`,
		`{"method":"GET","path":"/v1/users/ann"}`,
		`{"method":"POST","path":"/v1/batch","body":{}}`,
		`{"method":"POST","path":"/v1/pause"}`,
		`{"method":"PUT","path":"/v1/users/ann","body":{"timezone":"UTC"},"extra":1}`,
		`{"path":"/v1/users/ann"}`,
		`{"method":"PUT","path":"/v1/users/ann"}`,
		`{"method":"PUT","path":"/v1/users/!x","body":{"timezone":"UTC"}}`,
		`{"method":"DELETE","path":"/v1/users/ann/events/e%201?version=x"}`,
		`{"method":"DELETE","path":"/v1/users/ann/events/e%201?version=%zz"}`,
		`{"method":"DELETE","path":"/v1/users/ann/events/e%201"}`,
		`{"method":"POST","path":"/v1/users/ann/events:sync","body":` + syncOf(`{"event_id":"x","start":"2026-03-02T10:00:00Z"}`) + `}`,
		`{"method":"DELETE","path":"/v1/users/ann"}`,
	}, "\n") + "\n").results()
	for i, want := range []struct {
		status int
		code   string
	}{
		{201, ""},
		{201, ""},
		{422, "unknown_timezone"},
		{200, ""},
		{400, "invalid_json"},
		{422, "invalid_field"},
		{422, "invalid_field"},
		{422, "invalid_field"},
		{422, "unknown_field"},
		{422, "missing_field"},
		{400, "invalid_json"},
		{422, "invalid_field"},
		{422, "invalid_field"},
		{422, "invalid_field"},
		{200, ""},
		{200, ""},
		{200, ""},
	} {
		if i >= len(got) {
			t.Fatalf("%d results", len(got))
		}
		got[i].is(want.status)
		if want.code != "" {
			got[i].has("code", want.code)
		}
	}
	got[1].has("event_id", "e 1").has("title", "One")
	got[3].has("preferences.daily_limit", 3.0)
	got[14].has("deleted", true)
	got[15].has("created", 1.0)
}

// TestBatchTakesRoles: a line can't do what its request may not.
func TestBatchTakesRoles(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	got := h.batch(`{"method":"DELETE","path":"/v1/users/ann"}`, "Authorization: Bearer write-key").results()
	got[0].is(403).has("code", "forbidden")
	h.call("GET", "/v1/users/ann", "").is(200)
}

// TestBatchIsBounded: a thousand lines are taken, one more is refused before
// anything is done.
func TestBatchIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, `{"method":"PUT","path":"/v1/users/u%d","body":{"timezone":"UTC"}}`+"\n", i)
	}
	h.batch(lines.String()+`{"method":"PUT","path":"/v1/users/last","body":{"timezone":"UTC"}}`).
		problem(413, "too_many_lines", "")
	if h.fake.writes != 0 {
		t.Fatalf("%d writes", h.fake.writes)
	}
	for i, r := range h.batch(lines.String()).results() {
		r.is(201).has("user_id", fmt.Sprintf("u%d", i))
	}
	h.batch("\n \n").problem(400, "invalid_json", "")
}

// TestBatchKeepsOrder: lines of one user run in their order, whatever other
// users do.
func TestBatchKeepsOrder(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const users, versions = 20, 20
	var mu sync.Mutex
	seen := map[string][]string{}
	h.fake.trip = func(user string, cmd engine.Command) error {
		if p, ok := cmd.(engine.PutEvent); ok {
			mu.Lock()
			defer mu.Unlock()
			seen[user] = append(seen[user], p.Event.Title)
		}
		return nil
	}
	var lines strings.Builder
	for u := range users {
		fmt.Fprintf(&lines, `{"method":"PUT","path":"/v1/users/u%d","body":{"timezone":"UTC"}}`+"\n", u)
	}
	for v := range versions {
		for u := range users {
			fmt.Fprintf(&lines, `{"method":"PUT","path":"/v1/users/u%d/events/e","body":{"start":"2026-03-02T10:00:00Z","title":"%d"}}`+"\n", u, v)
		}
	}
	h.batch(lines.String()).results()
	for u := range users {
		if got := seen[fmt.Sprintf("u%d", u)]; len(got) != versions || !inOrder(got) {
			t.Errorf("u%d: %v", u, got)
		}
	}
}

func inOrder(titles []string) bool {
	for i, title := range titles {
		if title != fmt.Sprint(i) {
			return false
		}
	}
	return true
}

// TestBatchLineFails: a fault and a panic are the line's own.
func TestBatchLineFails(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fake.trip = func(user string, _ engine.Command) error {
		switch user {
		case "full":
			return fault{"overloaded", 1500e6}
		case "boom":
			h.fake.mu.Unlock()
			defer h.fake.mu.Lock()
			panic("boom")
		}
		return nil
	}
	const put = `{"method":"PUT","path":"/v1/users/%s","body":{"timezone":"UTC"}}` + "\n"
	a := h.batch(fmt.Sprintf(put+put+put, "full", "boom", "ann"))
	got := a.results()
	got[0].is(503).has("code", "overloaded")
	got[1].is(500).has("code", "internal")
	got[2].is(201)
	if !strings.Contains(string(a.raw), `"retry_after":2`) {
		t.Errorf("no retry_after: %s", a.raw)
	}
}

// TestBatchWhoseBackendPanics: what was under way together fails together, and
// the process lives.
func TestBatchWhoseBackendPanics(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	h.fake.trip = func(_ string, cmd engine.Command) error {
		if _, ok := cmd.(engine.PutEvent); ok {
			panic("boom")
		}
		return nil
	}
	const put = `{"method":"PUT","path":"/v1/users/%s/events/e","body":{"start":"2026-03-02T10:00:00Z"}}` + "\n"
	got := h.batch(fmt.Sprintf(put+put, "ann", "bob") + `{"method":"PUT","path":"/v1/users/eve","body":{"timezone":"UTC"}}` + "\n" +
		`{"method":"PUT","path":"/v1/users/ann/events/f","body":{}}`).results()
	got[0].is(500).has("code", "internal")
	got[1].is(500).has("code", "internal")
	got[2].is(201)
	got[3].is(422).has("code", "missing_field")
}

// TestIdempotency: the same key again makes nothing new; with another request
// it is refused.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	const path, body = "/v1/users/ann/reminders", `{"text":"Hello","send_at":"2026-03-02T12:00:00Z"}`
	first := h.call("POST", path, body, "Idempotency-Key: k1").is(201)
	again := h.call("POST", path, body, "Idempotency-Key: k1").is(201)
	if first.at("reminder_id") != again.at("reminder_id") || first.header.Get("Location") != again.header.Get("Location") {
		t.Errorf("two reminders: %s %s", first.raw, again.raw)
	}
	other := `{"text":"Bye","send_at":"2026-03-02T12:00:00Z"}`
	h.call("POST", path, other, "Idempotency-Key: k1").problem(422, "idempotency_key_reused", "Idempotency-Key")
	h.call("POST", "/v1/users/ann/opt-out", "", "Idempotency-Key: k1").problem(422, "idempotency_key_reused", "Idempotency-Key")
	h.call("POST", path, body, "Idempotency-Key: "+strings.Repeat("k", 256)).problem(422, "invalid_field", "Idempotency-Key")
	h.call("POST", path, body, "Idempotency-Key: ké").problem(422, "invalid_field", "Idempotency-Key")
	h.call("GET", path, "").is(200)
	if list := h.call("GET", path, "").json()["items"].([]any); len(list) != 1 {
		t.Errorf("%d reminders", len(list))
	}
}

// TestIdempotencyOfABatch: a batch that is sent again makes nothing new.
func TestIdempotencyOfABatch(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	const line = `{"method":"POST","path":"/v1/users/ann/reminders","body":{"text":"Hello","send_at":"2026-03-02T12:00:00Z"}}` + "\n"
	const own = `{"method":"POST","path":"/v1/users/ann/reminders","idempotency_key":"own","body":{"text":"Own","send_at":"2026-03-02T12:00:00Z"}}` + "\n"
	first := h.batch(line+line+own, "Idempotency-Key: b").results()
	again := h.batch(line+line+own, "Idempotency-Key: b").results()
	for i := range first {
		if first[i].is(201).at("reminder_id") != again[i].is(201).at("reminder_id") {
			t.Errorf("line %d: another reminder", i)
		}
	}
	if list := h.call("GET", "/v1/users/ann/reminders", "").json()["items"].([]any); len(list) != 3 {
		t.Errorf("%d reminders", len(list))
	}
}

// TestBatchesShareNothing: the room of one batch's lines is the next one's, and
// nothing of them is left in it. Lines in halves and others, good and bad, take
// turns, in batches longer and shorter than what is kept.
func TestBatchesShareNothing(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	var wg sync.WaitGroup
	for caller := range 4 {
		wg.Go(func() {
			for round, n := range []int{1, 300, 7, 40, 300, 2} {
				var lines strings.Builder
				for i := range n {
					user, title := fmt.Sprintf("c%d-%d-%d", caller, round, i), fmt.Sprintf("Title %d of %d", i, caller)
					switch i % 3 {
					case 0:
						fmt.Fprintf(&lines, `{"method":"PUT","path":"/v1/users/%s","body":{"timezone":"Europe/Berlin","preferences":{"daily_limit":%d}}}`+"\n", user, 1+i%9)
					case 1:
						fmt.Fprintf(&lines, `{"method":"PUT","path":"/v1/users/c%d-%d-%d/events/e","body":{"start":"2026-03-02T10:00:00Z","title":"%s"}}`+"\n", caller, round, i-1, title)
					default:
						fmt.Fprintf(&lines, `{"method":"PUT","path":"/v1/users/%s/events/e","body":{"titel":"%s"}}`+"\n", user, title)
					}
				}
				for i, got := range h.batch(lines.String()).results() {
					want := []string{fmt.Sprintf(`"daily_limit":%d`, 1+i%9), fmt.Sprintf(`"title":"Title %d of %d"`, i, caller), `"titel"`}[i%3]
					status := []int{201, 201, 422}[i%3]
					if got.status != status || !strings.Contains(string(got.raw), want) {
						t.Errorf("line %d of %d: %d %s, want %d and %s", i, n, got.status, got.raw, status, want)
					}
				}
			}
		})
	}
	wg.Wait()
}
