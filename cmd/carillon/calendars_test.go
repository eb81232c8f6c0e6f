package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// source is somebody else's server of calendars: a feed under /ada.ics, and
// Google's API. What it serves may change at any time.
type source struct {
	*httptest.Server
	mu     sync.Mutex
	feed   string
	down   bool
	items  string // of Google's next list
	tokens int
	watch  map[string]any // the channel that was asked for
	gets   int
}

func newSource(t *testing.T) *source {
	t.Helper()
	s := &source{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *source) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// ServeHTTP implements http.Handler.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	switch {
	case s.down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/ada.ics":
		_, _ = io.WriteString(w, s.feed)
	case r.URL.Path == "/token" && r.FormValue("refresh_token") == "refresh":
		s.tokens++
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token":"a","expires_in":3600,"token_type":"Bearer"}`)
	case strings.HasSuffix(r.URL.Path, "/events/watch"):
		_ = json.NewDecoder(r.Body).Decode(&s.watch)
		_, _ = fmt.Fprintf(w, `{"id":%q,"resourceId":"res"}`, s.watch["id"])
	case r.URL.Path == "/calendar/v3/calendars/primary/events" && r.Header.Get("Authorization") == "Bearer a":
		_, _ = fmt.Fprintf(w, `{"items":[%s],"nextSyncToken":"s"}`, s.items)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_grant"}`)
	}
}

func icsFeed(uid, title string, start time.Time) string {
	const form = "20060102T150405Z"
	return "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nSUMMARY:" + title + "\r\nDTSTART:" + start.UTC().Format(form) +
		"\r\nDTEND:" + start.UTC().Add(time.Hour).Format(form) + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// followed is a connected calendar as it is shown.
type followed struct {
	CalendarID string `json:"calendar_id"`
	Status     string
	Problem    string
	Push       bool
}

// calendarOf reads a connected calendar.
func calendarOf(t *testing.T, c *client, kind string) (k followed) {
	t.Helper()
	c.do(t, http.StatusOK, "GET", "/v1/calendars/ada/"+kind, nil).into(t, &k)
	return k
}

// unhurried is how long these tests wait for what comes at once: a machine with
// other work may take long over it, and nothing here rests on when it comes.
const unhurried = time.Minute

// noonZone is a zone where it is around noon: what is due in hours is due today.
func noonZone() string { return fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12) }

// SPEC 9: a feed that is connected becomes texts. What it says is there after a
// kill, and stays when its server is down. The text is asked for, since one that
// leaves by itself would have to be planned before its time comes.
func TestFeedBecomesTexts(t *testing.T) {
	s := newSource(t)
	start := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	s.feed = icsFeed("e1", "Standup", start)
	dir, listen := t.TempDir(), freeAddr(t)
	p := serveProcess(t, dir, listen)
	p.client.person(t, "ada", "+15550100001")
	p.client.do(t, http.StatusOK, "PATCH", "/v1/users/ada", map[string]any{"timezone": noonZone()})
	p.client.do(t, http.StatusCreated, "POST", "/v1/calendars/ada/ics", map[string]any{"url": s.URL + "/ada.ics"})
	eventually(t, "the feed is read", unhurried, func() bool { return calendarOf(t, p.client, "ics").Status == "ok" })
	k := calendarOf(t, p.client, "ics")
	event := "/v1/users/ada/events/" + url.PathEscape(k.CalendarID+":e1")
	p.client.do(t, http.StatusOK, "GET", event, nil)
	p.kill(t)
	s.set(func() { s.down = true })
	p = serveProcess(t, dir, listen)
	p.client.do(t, http.StatusAccepted, "POST", "/v1/calendars/ada/ics/refresh", map[string]any{})
	eventually(t, "the trouble is told", unhurried, func() bool { return calendarOf(t, p.client, "ics").Problem == "unavailable" })
	p.client.do(t, http.StatusOK, "GET", event, nil)
	all := p.client.reminders(t, "ada")
	if len(all) != 1 || all[0].EventID != k.CalendarID+":e1" || all[0].Status != "scheduled" || !all[0].ScheduledFor.Equal(start.Add(-15*time.Minute)) {
		t.Fatalf("the feed's event, at %v, has the reminders %+v", start, all)
	}
	p.client.do(t, http.StatusOK, "POST", "/v1/users/ada/reminders/"+all[0].ReminderID+"/send-now", map[string]any{})
	eventually(t, "the text is delivered", unhurried, func() bool { return p.client.reminders(t, "ada")[0].Status == "delivered" })
	if text := p.client.reminders(t, "ada")[0].Text; !strings.HasPrefix(text, "Standup in 2 hours") && !strings.HasPrefix(text, "Standup in 1 h ") {
		t.Errorf("the text is %q", text)
	}
	p.client.do(t, http.StatusOK, "DELETE", "/v1/calendars/ada/ics", nil)
	p.client.do(t, http.StatusNotFound, "GET", event, nil)
	p.kill(t)
	check(t, dir)
}

// SPEC 9: a calendar at Google is read with the person's access, and again when
// Google says that it has changed.
func TestGoogleCalendar(t *testing.T) {
	s := newSource(t)
	item := func(id string) string {
		return fmt.Sprintf(`{"id":%q,"summary":"Review","start":{"dateTime":%q}}`, id, time.Now().Add(3*time.Hour).Format(time.RFC3339))
	}
	s.items = item("g1")
	c := startProgram(t, map[string]string{
		"CARILLON_GOOGLE_BASE_URL": s.URL, "CARILLON_GOOGLE_CLIENT_ID": "client", secretGoogle: "hush", "CARILLON_PUBLIC_URL": "https://sms.example.org",
	})
	c.person(t, "ada", "+15550100001")
	c.do(t, http.StatusCreated, "POST", "/v1/calendars/ada/google", map[string]any{"refresh_token": "refresh"})
	eventually(t, "it is read", unhurried, func() bool { return calendarOf(t, c, "google").Status == "ok" })
	k := calendarOf(t, c, "google")
	event := func(id string) string { return "/v1/users/ada/events/" + url.PathEscape(k.CalendarID+":"+id) }
	c.do(t, http.StatusOK, "GET", event("g1"), nil)
	if !k.Push || s.watch["address"] != "https://sms.example.org/webhooks/google" {
		t.Fatalf("Google was asked to tell of changes with %v", s.watch)
	}
	s.set(func() { s.items = `{"id":"g1","status":"cancelled"},` + item("g2") })
	channel := []string{"X-Goog-Channel-ID", fmt.Sprint(s.watch["id"]), "X-Goog-Channel-Token", fmt.Sprint(s.watch["token"]), "X-Goog-Resource-State", "exists"}
	c.do(t, http.StatusForbidden, "POST", "/webhooks/google", nil, append(channel, "X-Goog-Channel-Token", "guessed")...)
	c.do(t, http.StatusNoContent, "POST", "/webhooks/google", nil, channel...)
	eventually(t, "the change is there", unhurried, func() bool {
		a, err := c.try("GET", event("g2"), nil)
		return err == nil && a.status == http.StatusOK
	})
	c.do(t, http.StatusNotFound, "GET", event("g1"), nil)
	// Access that was taken back stops it, and says so.
	c.do(t, http.StatusOK, "POST", "/v1/calendars/ada/google", map[string]any{"refresh_token": "taken back"})
	eventually(t, "it stops", unhurried, func() bool { return calendarOf(t, c, "google").Status == "stopped" })
	if k := calendarOf(t, c, "google"); k.Problem != "access_ended" {
		t.Errorf("problem is %q", k.Problem)
	}
	c.do(t, http.StatusOK, "GET", event("g2"), nil)
}

// Settings of calendars that can't be stop the start, by name.
func TestCalendarSettings(t *testing.T) {
	for env, want := range map[[2]string]string{
		{"CARILLON_GOOGLE_BASE_URL", "googleapis"}:  "CARILLON_GOOGLE_BASE_URL): a URL",
		{"CARILLON_CALENDAR_DAYS_AHEAD", "7"}:       "CARILLON_CALENDAR_DAYS_AHEAD): needs",
		{"CARILLON_CALENDAR_NETWORKS", "most"}:      "CARILLON_CALENDAR_NETWORKS",
		{"CARILLON_CALENDAR_CONCURRENCY", "0"}:      "CARILLON_CALENDAR_CONCURRENCY): needs",
		{"CARILLON_CALENDAR_TIMEOUT", "1h"}:         "CARILLON_CALENDAR_TIMEOUT): needs",
		{"CARILLON_GOOGLE_CLIENT_SECRET_FILE", "/"}: "CARILLON_GOOGLE_CLIENT_SECRET_FILE",
	} {
		var errs strings.Builder
		vars := map[string]string{"CARILLON_API_KEY": testKey, "CARILLON_DATA_DIR": t.TempDir(), "CARILLON_LISTEN": "127.0.0.1:0", env[0]: env[1]}
		p := &program{stdout: io.Discard, stderr: &errs, lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
		if code := p.run(t.Context(), []string{"serve"}); code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s=%s: exit code %d: %s", env[0], env[1], code, errs.String())
		}
	}
}

// TestPublicOnly holds what auto means.
func TestPublicOnly(t *testing.T) {
	for listen, public := range map[string]bool{
		"127.0.0.1:8080": false, "[::1]:8080": false, "localhost:8080": false, "0.0.0.0:8080": true, ":8080": true, "192.0.2.1:80": true, "sms.example.org:80": true,
	} {
		s := settings{Listen: listen}
		s.CalendarNetworks = "auto"
		if s.publicOnly() != public {
			t.Errorf("listening on %s: public networks only is %t", listen, !public)
		}
	}
}
