package google_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/actors/provider/google"
	"carillon/engine"
)

// fake is Google as far as we use it. Its calendar is what tests put there;
// requests are noted.
type fake struct {
	t        *testing.T
	items    []string // JSON, of the next list
	pages    int      // into how many the next list is cut
	status   int      // of the next list; 0: 200
	reason   string
	oldToken bool // sync tokens are gone
	grant    string
	tokens   int
	lists    []string // queries
	watched  []map[string]any
	stopped  []map[string]any
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		f.token(w, r)
		return
	}
	if got, want := r.Header.Get("Authorization"), fmt.Sprintf("Bearer access-%d", f.tokens); got != want && got != "Bearer static" {
		f.fail(w, http.StatusUnauthorized, "authError")
		return
	}
	switch {
	case r.URL.Path == "/calendar/v3/calendars/a@example.com/events" && r.Method == http.MethodGet:
		f.list(w, r)
	case r.URL.Path == "/calendar/v3/calendars/a@example.com/events/watch":
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		f.watched = append(f.watched, in)
		_, _ = fmt.Fprintf(w, `{"id":%q,"resourceId":"res-%d","expiration":"%d"}`, in["id"], len(f.watched), noon+7*24*3600_000)
	case r.URL.Path == "/calendar/v3/channels/stop":
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		f.stopped = append(f.stopped, in)
		w.WriteHeader(http.StatusNoContent)
	default:
		f.fail(w, http.StatusNotFound, "notFound")
	}
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.FormValue("refresh_token") != f.grant || r.FormValue("client_id") != "client" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	f.tokens++
	_, _ = fmt.Fprintf(w, `{"access_token":"access-%d","expires_in":3600,"token_type":"Bearer"}`, f.tokens)
}

func (f *fake) fail(w http.ResponseWriter, status int, reason string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"errors":[{"reason":%q}]}}`, status, reason)
}

func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f.lists = append(f.lists, q.Encode())
	for _, name := range []string{"timeMin", "timeMax", "orderBy", "updatedMin", "iCalUID"} {
		if q.Has("syncToken") && q.Has(name) { // Calendar API: "incompatible with syncToken"
			f.fail(w, http.StatusBadRequest, "badRequest")
			return
		}
	}
	switch {
	case f.status != 0:
		f.fail(w, f.status, f.reason)
	case q.Has("syncToken") && f.oldToken:
		f.fail(w, http.StatusGone, "fullSyncRequired")
	case f.pages > 1:
		f.pages--
		_, _ = fmt.Fprintf(w, `{"items":[%s],"nextPageToken":"p"}`, f.items[0])
		f.items = f.items[1:]
	default:
		_, _ = fmt.Fprintf(w, `{"items":[%s],"nextSyncToken":"sync-%d"}`, strings.Join(f.items, ","), len(f.lists))
	}
}

const (
	noon     = 1772449200000      // 2026-03-02T11:00:00Z
	midnight = noon - 12*3600_000 // the person's
)

func setUp(t *testing.T, push string) (*fake, *google.Client, provider.CalendarQuery) {
	t.Helper()
	f := &fake{t: t, grant: "refresh"}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	drawn := 0
	c, err := google.New(google.Config{
		BaseURL: server.URL, ClientID: "client", ClientSecret: "hush", PushURL: push, Timeout: 5 * time.Second,
		NewToken: func() string { drawn++; return fmt.Sprintf("drawn%d", drawn) },
	})
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return f, c, provider.CalendarQuery{
		UserID: "ada", Zone: berlin, Now: noon, Start: midnight, End: midnight + 31*24*3600_000,
		Calendar: engine.Calendar{ID: "c_1", Kind: engine.CalendarGoogle, Source: "a@example.com", Token: "refresh"},
	}
}

const standup = `{"id":"s_20260302T120000Z","status":"confirmed","summary":"Standup","start":{"dateTime":"2026-03-02T13:00:00+01:00"},
	"end":{"dateTime":"2026-03-02T13:30:00+01:00"},"attendees":[{"email":"b@example.com","responseStatus":"accepted"},{"self":true,"responseStatus":"declined"}],
	"conferenceData":{"entryPoints":[{"entryPointType":"phone","uri":"tel:+1"},{"entryPointType":"video","uri":"https://meet.example.com/x"}]},"location":"Room 1"}`

// TestWholeThenChanges reads a window in two pages, then what changed.
func TestWholeThenChanges(t *testing.T) {
	f, c, q := setUp(t, "")
	f.items = []string{standup, `{"id":"day","summary":"Fair","start":{"date":"2026-03-05"},"end":{"date":"2026-03-07"},"transparency":"transparent"}`}
	f.pages = 2
	got, err := c.Read(context.Background(), q)
	if err != nil || !got.Whole || len(got.Events) != 2 || got.Cursor != "sync-2" {
		t.Fatalf("got %+v, %v", got, err)
	}
	e := got.Events[0]
	if e.Start != noon+3600_000 || e.Response != engine.ResponseDeclined || e.Link != "https://meet.example.com/x" || e.Location != "Room 1" {
		t.Errorf("event %+v", e)
	}
	if d := got.Events[1]; !d.AllDay || !d.Free || d.EndDate-d.Date != 2 {
		t.Errorf("all-day event %+v", d)
	}
	if !strings.Contains(f.lists[0], "timeMin=2026-03-02T00%3A00%3A00%2B01%3A00") || !strings.Contains(f.lists[0], "singleEvents=true") {
		t.Errorf("asked with %s", f.lists[0])
	}
	q.Calendar.Cursor, q.Calendar.WholeAt = got.Cursor, q.Now
	f.items = []string{`{"id":"s","status":"cancelled"}`, `{"id":"odd","status":"confirmed","start":{}}`}
	got, err = c.Read(context.Background(), q)
	if err != nil || got.Whole || len(got.Events) != 0 || strings.Join(got.Gone, " ") != "s odd" {
		t.Errorf("changes %+v, %v", got, err)
	}
	if f.tokens != 1 {
		t.Errorf("%d tokens were asked for; one is good for an hour", f.tokens)
	}
	// A cursor that Google has forgotten begins anew.
	f.oldToken, f.items = true, []string{standup}
	got, err = c.Read(context.Background(), q)
	if err != nil || !got.Whole || len(got.Events) != 1 {
		t.Errorf("behind a 410: %+v, %v", got, err)
	}
	// So does a new day: the window has moved.
	f.oldToken = false
	q.Now, q.Start = q.Now+24*3600_000, q.Start+24*3600_000
	if got, err = c.Read(context.Background(), q); err != nil || !got.Whole {
		t.Errorf("a day later: %+v, %v", got, err)
	}
}

// TestPrivate holds that words which the calendar marks as private are not
// texted unless somebody said so.
func TestPrivate(t *testing.T) {
	f, c, q := setUp(t, "")
	f.items = []string{strings.Replace(standup, `"status"`, `"visibility":"private","status"`, 1)}
	for _, private := range []bool{false, true} {
		q.Calendar.Private = private
		got, err := c.Read(context.Background(), q)
		if err != nil || len(got.Events) != 1 {
			t.Fatal(got, err)
		}
		if e := got.Events[0]; (e.Title != "") != private || (e.Link != "") != private || (e.Location != "") != private {
			t.Errorf("private %t: %+v", private, e)
		}
	}
}

// TestTroubles sorts what Google may say.
func TestTroubles(t *testing.T) {
	for _, c := range []struct {
		status int
		reason string
		want   string
		final  bool
	}{
		{403, "rateLimitExceeded", provider.CalendarRateLimited, false},
		{403, "forbidden", provider.CalendarDenied, false},
		{404, "notFound", provider.CalendarNotFound, false},
		{429, "rateLimitExceeded", provider.CalendarRateLimited, false},
		{503, "backendError", provider.CalendarUnavailable, false},
		{401, "authError", provider.CalendarDenied, false},
	} {
		f, g, q := setUp(t, "")
		f.status, f.reason = c.status, c.reason
		_, err := g.Read(context.Background(), q)
		failed, ok := errors.AsType[*provider.CalendarError](err)
		if !ok || failed.Problem != c.want || failed.Final != c.final {
			t.Errorf("%d %s: %v, want %s", c.status, c.reason, err, c.want)
		}
		if c.status == 401 && f.tokens != 2 {
			t.Errorf("a refused token was renewed %d times, want once", f.tokens-1)
		}
	}
	_, g, q := setUp(t, "")
	q.Calendar.Token = "taken back"
	_, err := g.Read(context.Background(), q)
	if failed, ok := errors.AsType[*provider.CalendarError](err); !ok || failed.Problem != provider.CalendarAccessEnded || !failed.Final {
		t.Errorf("access that was taken back: %v", err)
	}
	f, g, q := setUp(t, "")
	f.status, q.Calendar.Token, q.Calendar.Access = 401, "static", true
	_, err = g.Read(context.Background(), q)
	if failed, ok := errors.AsType[*provider.CalendarError](err); !ok || failed.Problem != provider.CalendarAccessEnded || !failed.Final {
		t.Errorf("an access token that ran out: %v", err)
	}
}

// TestChannel asks for push notifications, keeps the channel, and renews it a
// day before it ends, with the old one there until the new one is.
func TestChannel(t *testing.T) {
	f, c, q := setUp(t, "https://sms.example.com/webhooks/google")
	got, err := c.Read(context.Background(), q)
	if err != nil || got.Channel.ID != "drawn1" || got.Channel.Resource != "res-1" || got.Channel.Until != noon+7*24*3600_000 {
		t.Fatalf("channel %+v, %v", got.Channel, err)
	}
	if user, calendar, ok := google.ParseToken(got.Channel.Token); !ok || user != "ada" || calendar != "c_1" {
		t.Errorf("token %q is about %q %q", got.Channel.Token, user, calendar)
	}
	if f.watched[0]["address"] != "https://sms.example.com/webhooks/google" || f.watched[0]["type"] != "web_hook" {
		t.Errorf("asked for %v", f.watched[0])
	}
	q.Calendar.Channel = got.Channel
	if got, err = c.Read(context.Background(), q); err != nil || got.Channel != q.Calendar.Channel || len(f.watched) != 1 {
		t.Errorf("a good channel was not kept: %+v, %v", got.Channel, err)
	}
	q.Now += 6*24*3600_000 + 1
	if got, err = c.Read(context.Background(), q); err != nil || got.Channel.ID == q.Calendar.Channel.ID || len(f.watched) != 2 {
		t.Errorf("a channel that ends tomorrow: %+v, %v", got.Channel, err)
	}
	if len(f.stopped) != 1 || f.stopped[0]["resourceId"] != "res-1" {
		t.Errorf("stopped %v", f.stopped)
	}
	for _, bad := range []string{"", "a.b", "!.c_1.x", "YWRh.c_1."} {
		if _, _, ok := google.ParseToken(bad); ok {
			t.Errorf("token %q was read", bad)
		}
	}
}
