package httpgate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/actors/provider/httpgate"
	"carillon/engine"
)

const begin = engine.Millis(1_796_000_000_000)

// gateway is a regional gateway as they are: JSON in and out, a reference of
// ours, errors with a word.
type gateway struct {
	*httptest.Server
	clock atomic.Int64

	mu       sync.Mutex
	next     []http.HandlerFunc // what the next sends meet; nil goes well
	accept   bool               // the next fault comes after the message was taken
	blind    bool
	messages []taken
	requests []taken
}

type taken struct {
	ID, To, Text, Ref, State string
	At                       int64
	TTL                      int
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{}
	g.clock.Store(begin)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/sms", g.take)
	mux.HandleFunc("GET /v2/sms", g.find)
	mux.HandleFunc("GET /v2/sms/{id}", g.find)
	g.Server = httptest.NewServer(mux)
	t.Cleanup(func() { g.CloseClientConnections(); g.Close() })
	return g
}

func (g *gateway) take(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Api-Key") != "s3cret" {
		refuse(w, http.StatusUnauthorized, "bad_key")
		return
	}
	var in struct {
		To, Text, Ref string
		TTL           int
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "bad_json")
		return
	}
	g.mu.Lock()
	m := taken{To: in.To, Text: in.Text, Ref: in.Ref, State: "ACCEPTD", At: g.clock.Load(), TTL: in.TTL}
	g.requests = append(g.requests, m)
	m.ID = fmt.Sprintf("gw-%d", len(g.requests))
	var fault http.HandlerFunc
	if len(g.next) > 0 {
		fault, g.next = g.next[0], g.next[1:]
	}
	if fault == nil || g.accept {
		g.messages, g.accept = append(g.messages, m), false
	}
	g.mu.Unlock()
	if fault != nil {
		fault(w, r)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"messages": []any{map[string]any{"id": m.ID}}})
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "message": "the text 'secret words' was refused"}})
}

func (g *gateway) find(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.blind {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	for _, m := range slices.Backward(g.messages) {
		if m.ID == r.PathValue("id") || (r.PathValue("id") == "" && m.Ref == r.URL.Query().Get("ref")) {
			_ = json.NewEncoder(w).Encode(map[string]any{
				"id": m.ID, "to": m.To, "text": m.Text, "state": m.State, "created": time.UnixMilli(m.At).UTC().Format(time.RFC3339),
			})
			return
		}
	}
	refuse(w, http.StatusNotFound, "not_found")
}

// meet makes the next send meet a fault, after the message was taken or not.
func (g *gateway) meet(accept bool, fault http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next, g.accept = append(g.next, fault), accept
}

func (g *gateway) config() httpgate.Config {
	return httpgate.Config{
		URL: g.URL + "/v2/sms", Headers: []string{"X-Api-Key: s3cret", "X-Ref: {message_id}"},
		Body: `{"to": "{to}", "text": "{text}", "ref": "{message_id}", "ttl": {valid_seconds}}`,
		ID:   "messages.0.id", Code: "error.code",
		Codes:   "invalid_number=no_such_number;rate_limit=too_fast;account_issue=bad_key;opted_out=blocked",
		FindURL: g.URL + "/v2/sms?ref={message_id}", StatusURL: g.URL + "/v2/sms/{id}",
		FoundID: "/id", FoundStatus: "state", FoundText: "text", FoundTo: "to", FoundCreated: "created",
		Absent: "404", Statuses: "delivered=DELIVRD;undelivered=UNDELIV,EXPIRED", Now: g.clock.Load,
	}
}

func (g *gateway) client(t *testing.T, change func(*httpgate.Config)) provider.Sender {
	t.Helper()
	conf := g.config()
	if change != nil {
		change(&conf)
	}
	c, err := httpgate.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func count(list []taken, to, text string) int {
	n := 0
	for _, m := range list {
		if m.To == to && m.Text == text {
			n++
		}
	}
	return n
}

func (g *gateway) accepted(to, text string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return count(g.messages, to, text)
}

func (g *gateway) creates(to, text string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return count(g.requests, to, text)
}
