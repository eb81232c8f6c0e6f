package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestHTTPCarrierExample runs the example of docs/carrier.md: its settings
// against a gateway that does what the page says.
func TestHTTPCarrierExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(carrierDoc)
	if err != nil {
		t.Fatal(err)
	}
	g := &examplePage{t: t, request: fenced(t, page, "http", 0), accepted: fenced(t, page, "http", 1)}
	web := httptest.NewServer(g)
	t.Cleanup(web.Close)
	conf := filepath.Join(t.TempDir(), "carillon.yaml")
	text := strings.ReplaceAll(fenced(t, page, "yaml", 0), "https://api.gateway.example", web.URL)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(secret, []byte("X-Api-Key: s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := startProgram(t, map[string]string{
		"CARILLON_CONFIG": conf, "CARILLON_HTTP_CARRIER_HEADERS_FILE": secret, "CARILLON_CONFIRM_AFTER": "200ms",
		"CARILLON_RECONCILE_AFTER": "100ms", "CARILLON_RETRY_BASE": "50ms",
	})
	t.Cleanup(c.http.CloseIdleConnections)
	c.person(t, "ada", "+15550101234")
	for _, text := range []string{`Tea "for two"`, "lost", "refused"} {
		c.do(t, http.StatusCreated, "POST", "/v1/users/ada/reminders", map[string]any{"text": text, "send_at": time.Now().UTC().Format(time.RFC3339)})
	}
	want := []string{"delivered (delivered)", "delivered (delivered)", "failed (refused)"}
	for i, w := range want {
		var got string
		eventually(t, w, 10*time.Second, func() bool {
			r := c.reminders(t, "ada")[i]
			got = r.Status + " (" + r.Reason + ")"
			return got == w
		})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.texts) != 4 || g.compared != 1 { // the lost one twice
		t.Errorf("texts %q, compared %d", g.texts, g.compared)
	}
}

// fenced returns the n-th block of that language on a page.
func fenced(t *testing.T, page []byte, language string, n int) string {
	t.Helper()
	all := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1)
	if len(all) <= n {
		t.Fatalf("docs/carrier.md has no block %d of %s", n, language)
	}
	return string(all[n][1])
}

// examplePage is the gateway of the example.
type examplePage struct {
	t                 *testing.T
	request, accepted string

	mu       sync.Mutex
	texts    []string
	refs     map[string]string // our reference to its id
	compared int
}

func (g *examplePage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, want, _ := strings.Cut(g.request, "X-Api-Key: ")
	if key, _, _ := strings.Cut(want, "\n"); r.Header.Get("X-Api-Key") != key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet {
		id := strings.TrimPrefix(r.URL.Path, "/v2/sms/")
		if r.URL.Path == "/v2/sms" {
			id = g.refs[r.URL.Query().Get("ref")]
		}
		if id == "" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error": {"code": "not_found"}}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"id": id, "to": "+15550101234", "state": "DELIVRD"})
		return
	}
	body, _ := io.ReadAll(r.Body)
	var in struct{ Text, Ref string }
	if err := json.Unmarshal(body, &in); err != nil {
		g.t.Errorf("%s: %v", body, err)
	}
	g.texts = append(g.texts, in.Text)
	switch {
	case in.Text == "refused":
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error": {"code": "no_such_number"}}`)
		return
	case in.Text == "lost" && g.refs["lost"] == "":
		g.note("lost", "seen")
		panic(http.ErrAbortHandler) // not taken, and no answer
	case in.Text != "lost":
		g.compare(r.Method+" "+r.URL.Path, in.Ref, string(body))
	}
	g.note(in.Ref, "gw-1")
	_, answer, _ := strings.Cut(g.accepted, "\n\n")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, answer)
}

func (g *examplePage) note(ref, id string) {
	if g.refs == nil {
		g.refs = map[string]string{}
	}
	g.refs[ref] = id
}

// compare holds a request to the one on the page, but for the reference and
// the seconds that are left.
func (g *examplePage) compare(line, ref, body string) {
	g.compared++
	first, rest, _ := strings.Cut(g.request, "\n")
	_, want, _ := strings.Cut(rest, "\n\n")
	got := strings.Replace(body, ref, "m_1", 1)
	seconds := regexp.MustCompile(`"ttl": \d+`)
	if line != first || seconds.ReplaceAllString(got, "") != seconds.ReplaceAllString(strings.TrimSpace(want), "") {
		g.t.Errorf("%s\n%s\nthe page has\n%s\n%s", line, got, first, want)
	}
}
