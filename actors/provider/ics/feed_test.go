package ics_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/actors/provider/ics"
	"carillon/engine"
)

const weekly = `BEGIN:VCALENDAR
BEGIN:VEVENT
UID:standup
DTSTART;TZID=Europe/Berlin:20260302T100000
DTEND;TZID=Europe/Berlin:20260302T103000
RRULE:FREQ=WEEKLY
SUMMARY:Standup
CLASS:PRIVATE
LOCATION:Room 1
END:VEVENT
END:VCALENDAR
`

// feed serves one feed, and counts how often all of it was asked for.
type feed struct {
	body, etag string
	status     int
	header     http.Header
	whole      int
}

func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), f.header)
	if f.etag != "" {
		w.Header().Set("ETag", f.etag)
		if r.Header.Get("If-None-Match") == f.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	f.whole++
	if f.status != 0 {
		w.WriteHeader(f.status)
	}
	_, _ = io.WriteString(w, f.body)
}

func query(t *testing.T, url string) provider.CalendarQuery {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, berlin)
	return provider.CalendarQuery{
		UserID: "ada", Calendar: engine.Calendar{ID: "c_1", Source: url}, Zone: berlin,
		Now: time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC).UnixMilli(), Start: midnight.UnixMilli(), End: midnight.AddDate(0, 0, 14).UnixMilli(),
	}
}

func feeds(public bool) *ics.Feeds {
	return ics.NewFeeds(ics.FeedConfig{Timeout: 5 * time.Second, Public: public})
}

// TestFeed follows a feed through a day: read whole, not modified, modified and
// the same, and whole again when the window has moved.
func TestFeed(t *testing.T) {
	f := &feed{body: weekly, etag: `"1"`}
	server := httptest.NewServer(f)
	defer server.Close()
	q, reader := query(t, server.URL), feeds(false)
	first, err := reader.Read(context.Background(), q)
	if err != nil || !first.Whole || len(first.Events) != 2 {
		t.Fatalf("first reading %+v, %v; want two instances in fourteen days", first, err)
	}
	if e := first.Events[0]; e.Title != "" || e.Location != "" {
		t.Errorf("a private event tells %q at %q", e.Title, e.Location)
	}
	q.Calendar.Cursor, q.Calendar.WholeAt, q.Calendar.Private = first.Cursor, q.Now, true
	again, err := reader.Read(context.Background(), q)
	if err != nil || again.Whole || again.Cursor != first.Cursor || f.whole != 1 {
		t.Errorf("not modified: %+v, %v, asked for %d times", again, err, f.whole)
	}
	f.etag = `"2"`
	same, err := reader.Read(context.Background(), q)
	if err != nil || same.Whole || f.whole != 2 {
		t.Errorf("another tag for the same feed: %+v, %v", same, err)
	}
	f.body, f.etag = strings.Replace(weekly, "SUMMARY:Standup", "SUMMARY:Stand-up", 1), `"3"`
	changed, err := reader.Read(context.Background(), q)
	if err != nil || !changed.Whole || changed.Events[0].Title != "Stand-up" {
		t.Errorf("a changed feed: %+v, %v", changed, err)
	}
	q.Calendar.Cursor = changed.Cursor
	q.Now, q.Start, q.End = q.Now+24*3600*1000, q.Start+24*3600*1000, q.End+24*3600*1000
	tomorrow, err := reader.Read(context.Background(), q)
	if err != nil || !tomorrow.Whole {
		t.Errorf("a new day, a new window: %+v, %v", tomorrow, err)
	}
}

// TestFeedTroubles sorts what a server may answer.
func TestFeedTroubles(t *testing.T) {
	for name, c := range map[string]struct {
		feed feed
		want string
	}{
		"not a calendar": {feed{body: "<html>Sign in</html>"}, provider.CalendarUnreadable},
		"denied":         {feed{status: http.StatusForbidden}, provider.CalendarDenied},
		"gone":           {feed{status: http.StatusGone}, provider.CalendarNotFound},
		"fault":          {feed{status: http.StatusBadGateway}, provider.CalendarUnavailable},
		"too many":       {feed{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"90"}}}, provider.CalendarRateLimited},
		"too large":      {feed{body: weekly + strings.Repeat("X", 17<<20)}, provider.CalendarTooLarge},
		"in a circle":    {feed{status: http.StatusFound, header: http.Header{"Location": {"/again"}}}, provider.CalendarUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(&c.feed)
			defer server.Close()
			_, err := feeds(false).Read(context.Background(), query(t, server.URL))
			failed, ok := errors.AsType[*provider.CalendarError](err)
			if !ok || failed.Problem != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if c.want == provider.CalendarRateLimited && failed.RetryAfter != 90_000 {
				t.Errorf("again after %d ms", failed.RetryAfter)
			}
			if strings.Contains(failed.Cause, "127.0.0.1") {
				t.Errorf("the cause tells the address: %s", failed.Cause)
			}
		})
	}
}

// TestFeedAddresses holds that nobody reaches into our network through a feed's
// URL, also not by a redirect, and never a cloud's credentials.
func TestFeedAddresses(t *testing.T) {
	server := httptest.NewServer(&feed{body: weekly})
	defer server.Close()
	for _, url := range []string{server.URL, "http://10.0.0.1/", "http://[::1]:9/", "http://100.64.0.1/", "http://169.254.169.254/latest"} {
		_, err := feeds(true).Read(context.Background(), query(t, url))
		if failed, ok := errors.AsType[*provider.CalendarError](err); !ok || failed.Problem != provider.CalendarForbidden {
			t.Errorf("%s: %v, want it forbidden", url, err)
		}
	}
	away := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest", http.StatusFound))
	defer away.Close()
	_, err := feeds(false).Read(context.Background(), query(t, away.URL))
	if failed, ok := errors.AsType[*provider.CalendarError](err); !ok || failed.Problem != provider.CalendarForbidden {
		t.Errorf("a redirect to a link-local address: %v, want it forbidden", err)
	}
}
