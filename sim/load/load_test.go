package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/actors/provider/twilio"
)

// TestTextNamesItsReminder: what the engine makes of an event still says which
// reminder it was, and nobody else's text is taken for one.
func TestTextNamesItsReminder(t *testing.T) {
	p := newPeople(&Config{Users: 7, Events: 3, Seed: 5, Spread: time.Second})
	for n := range p.reminders() {
		got, ours := p.reminderOf(p.title(n) + " in 15 mins @ Room 4.12.")
		if !ours || got != n {
			t.Fatalf("reminder %d is read as %d, %v", n, got, ours)
		}
	}
	other := newPeople(&Config{Users: 7, Events: 3, Seed: 6, Spread: time.Second})
	for _, text := range []string{"", "Dentist in 15 mins", other.title(1), p.title(99_999_999), p.title(21), p.tag + "-1", p.canary()} {
		if n, ours := p.reminderOf(text); ours {
			t.Errorf("%q is taken for reminder %d", text, n)
		}
	}
}

// TestDueInstants: they lie within the spread, spread out, and the same for
// the same draw.
func TestDueInstants(t *testing.T) {
	a := newPeople(&Config{Users: 1000, Events: 4, Seed: 1, Spread: 10 * time.Second})
	b := newPeople(&Config{Users: 1000, Events: 4, Seed: 1, Spread: 10 * time.Second})
	a.first, b.first = 1000, 1000
	perSecond := make([]int, 10)
	for n := range a.reminders() {
		due := a.due(n)
		if due < 1000 || due >= 11_000 || due != b.due(n) {
			t.Fatalf("reminder %d is due at %d and %d", n, due, b.due(n))
		}
		perSecond[(due-1000)/1000]++
	}
	for s, n := range perSecond {
		if n < 300 || n > 500 {
			t.Errorf("%d of 4000 are due in second %d", n, s)
		}
	}
}

// TestBook: what comes twice, to somebody else, early or not at all is told
// apart.
func TestBook(t *testing.T) {
	conf := &Config{URL: "http://x", Key: "k", Users: 4, Events: 1, Seed: 3, Spread: time.Second}
	conf.setDefaults()
	r := &run{conf: conf, c: newClient(conf), people: newPeople(conf), began: time.UnixMilli(0)}
	r.people.first, r.book = 1_000_000, newBook(r.people)
	arrive := func(n, to int, late int64) {
		r.book.arrive(r.people.phone(to), r.people.title(n)+" in 15 mins", time.UnixMilli(r.people.due(n)+late))
	}
	arrive(0, 0, 7)
	arrive(0, 0, 9) // again
	arrive(1, 2, 3) // to user 2
	arrive(2, 2, -4)
	r.book.arrive("+1", "Dentist in 15 mins", time.UnixMilli(0))
	missing, early, lates := r.sort()
	if fmt.Sprint(missing, early, lates) != "[1 3] 1 [-4 7]" {
		t.Errorf("missing %v, early %d, lates %v", missing, early, lates)
	}
	if b := r.book; b.arrived != 2 || b.doubled != 1 || b.wrong != 1 || b.foreign != 1 {
		t.Errorf("arrived %d, doubled %d, wrong %d, foreign %d", b.arrived, b.doubled, b.wrong, b.foreign)
	}
	l := latenessOf(lates)
	if l.Max != 7 || l.Buckets[0].Count != 1 || l.Buckets[3].Count != 1 || l.Buckets[3].UpTo != 10 {
		t.Errorf("%+v", l)
	}
}

// engine is one that takes everything and sends as it is told.
type engine struct {
	mu    sync.Mutex
	calls int
	// busyFor is how many batches are answered 503 first.
	busyFor int
	// texts maps a title to how often its text is sent.
	texts func(title string) int
	stub  *Stub
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.URL.Path != "/v1/batch" {
		if strings.HasSuffix(r.URL.Path, "/reminders") && r.Method == http.MethodPost {
			var custom struct{ Text string }
			_ = json.Unmarshal(body, &custom)
			e.stub.told("", custom.Text, time.Now())
		}
		_, _ = w.Write([]byte(`{"items":[{"event_id":"e0","status":"cancelled","reason":"lead_passed"}]}`))
		return
	}
	if e.calls++; e.calls <= e.busyFor {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for i, text := range bytes.Split(bytes.TrimSpace(body), []byte("\n")) {
		var l struct {
			Path string
			Body struct{ Title, Start string }
		}
		_ = json.Unmarshal(text, &l)
		if l.Body.Title != "" {
			e.send(l.Path, l.Body.Title, l.Body.Start)
		}
		if i%5 == 1 && e.calls == e.busyFor+1 { // some lines are to come again
			_, _ = w.Write([]byte(`{"status":503,"body":{"code":"overloaded"}}` + "\n"))
			continue
		}
		_, _ = w.Write([]byte(`{"status":201,"body":{}}` + "\n"))
	}
}

// send has the texts of an event arrive when it is due.
func (e *engine) send(path, title, start string) {
	at, _ := time.Parse(time.RFC3339, start)
	var user int
	_, _ = fmt.Sscanf(path[strings.LastIndex(path, "/events/")-7:], "%d", &user)
	told := e.stub.told
	for range e.texts(title) {
		time.AfterFunc(time.Until(at.Add(-leadMinutes*time.Minute))+time.Millisecond, func() {
			told(e.phone(title, user), title+" in 15 mins", time.Now())
		})
	}
}

// phone is the number that the run gave the user of a title.
func (e *engine) phone(title string, user int) string {
	p := newPeople(&Config{Users: 10, Events: 1, Seed: 9, Spread: time.Second})
	if !strings.Contains(title, p.tag) {
		return ""
	}
	return p.phone(user)
}

func rehearse(t *testing.T, e *engine) *Report {
	t.Helper()
	stub, err := NewStub("127.0.0.1:0", StubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stub.Close)
	e.stub = stub
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	rep, err := Run(t.Context(), Config{
		URL: server.URL, Key: "k", Users: 10, Spread: 50 * time.Millisecond, LeadIn: 500 * time.Millisecond,
		Grace: 300 * time.Millisecond, Seed: 9, Stub: stub, Keep: true, Lines: 6,
	})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestFaultsAreFound: a run against an engine that drops one text and sends
// another twice says so, and asks why; a busy engine is asked again.
func TestFaultsAreFound(t *testing.T) {
	rep := rehearse(t, &engine{busyFor: 1, texts: func(title string) int {
		switch title[len(title)-1] {
		case '3':
			return 0
		case '4':
			return 2
		}
		return 1
	}})
	if rep.Verdict != "failed" || rep.Reminders != (Ends{Expected: 10, Arrived: 9, Missing: 1, Doubled: 1}) {
		t.Errorf("%s %+v", rep.Verdict, rep.Reminders)
	}
	if fmt.Sprint(rep.Errors) != "map[doubled:1 missing:1]" || rep.Retried == 0 {
		t.Errorf("errors %v, retried %d", rep.Errors, rep.Retried)
	}
	if len(rep.Samples) != 1 || !strings.Contains(rep.Samples[0], "cancelled lead_passed") {
		t.Errorf("samples %q", rep.Samples)
	}
	if err := rep.Fault(); err == nil || err.Error() != "the rehearsal failed: 1 doubled, 1 missing" {
		t.Errorf("fault %v", err)
	}
}

// TestGoodRun: all is well, and both forms of the report say it; the page needs
// nothing from anywhere.
func TestGoodRun(t *testing.T) {
	rep := rehearse(t, &engine{texts: func(string) int { return 1 }})
	if rep.Verdict != "ok" || rep.Fault() != nil || rep.Reminders.Arrived != 10 {
		t.Fatalf("%+v", rep)
	}
	var text, page bytes.Buffer
	rep.Print(&text)
	if err := rep.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text.String(), "OK: 10 people, 10 reminders") {
		t.Errorf("%s", text.String())
	}
	for _, want := range []string{"every text came, once", "<svg", "prefers-color-scheme: dark", "10 requests"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"http-equiv", "<script", "<link", "src=", "@import", "url("} {
		if strings.Contains(page.String(), never) {
			t.Errorf("the page has %q", never)
		}
	}
}

// TestCallbackIsSignedAndBroughtAgain: as Twilio does, until somebody takes it.
func TestCallbackIsSignedAndBroughtAgain(t *testing.T) {
	var mu sync.Mutex
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		mu.Lock()
		defer mu.Unlock()
		signed := r.Header.Get("X-Twilio-Signature") == twilio.Signature("token", "http://"+r.Host+r.URL.String(), r.PostForm)
		got = append(got, fmt.Sprint(signed, " ", r.PostForm.Get("MessageStatus"), " ", r.URL.Query().Get("message_id")))
		if len(got) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	var r reports
	r.start("token")
	defer r.stop()
	if why := r.bring(report{url: server.URL + "/webhooks/twilio/status?message_id=m1#rc=5", sid: "SM1", to: "+1"}); why != "" {
		t.Error(why)
	}
	if fmt.Sprint(got) != "[true delivered m1 true delivered m1]" {
		t.Errorf("%q", got)
	}
}
