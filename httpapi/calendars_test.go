package httpapi_test

import (
	"strings"
	"testing"

	"carillon/engine"
	"carillon/httpapi"
)

// channelOf stands in for Google's form of a token.
func channelOf(token string) (user, calendar string, ok bool) {
	parts := strings.Split(token, "/")
	if len(parts) != 3 {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// TestCalendars connects calendars, shows them without what gives access to
// them, and disconnects them.
func TestCalendars(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	feed := h.call("POST", "/v1/calendars/ann/ics", `{"url":"webcal://calendar.example.org/secret-token/ann.ics#x","email":"ann@example.org","refresh_minutes":60}`).is(201).
		has("kind", "ics").has("source", "https://calendar.example.org").has("status", "pending").has("refresh_minutes", 60.0).
		has("email", "ann@example.org").has("push", false).has("last_read_at", nil).has("show_private", false)
	id, _ := feed.at("calendar_id").(string)
	if got := feed.header.Get("Location"); got != "/v1/calendars/ann/"+id {
		t.Errorf("Location is %q", got)
	}
	h.call("POST", "/v1/calendars/ann/ics", `{"url":"https://calendar.example.org/secret-token/ann.ics"}`).is(200).
		has("calendar_id", id).has("refresh_minutes", 15.0)
	h.call("POST", "/v1/calendars/ann/google", `{"refresh_token":"hush","show_private":true}`, "Idempotency-Key: k1").is(201).
		has("kind", "google").has("source", "primary")
	again := h.call("POST", "/v1/calendars/ann/google", `{"refresh_token":"hush","show_private":true}`, "Idempotency-Key: k1").is(200)
	for _, a := range []answer{again, h.call("GET", "/v1/calendars/ann", "").is(200), h.call("GET", "/v1/calendars/ann/google", "").is(200)} {
		if strings.Contains(string(a.raw), "hush") || strings.Contains(string(a.raw), "secret-token") {
			t.Errorf("what gives access is shown: %s", a.raw)
		}
	}
	h.call("GET", "/v1/calendars/ann", "").has("items.0.calendar_id", id).has("items.1.kind", "google")
	h.call("GET", "/v1/calendars/ann/"+id, "").is(200).has("kind", "ics")
	h.call("POST", "/v1/calendars/ann/"+id+"/refresh", "").is(202)

	h.fake.decide("ann", engine.RecordCalendar{
		ID: id, ConnectedAt: h.fake.now, Whole: true, Start: h.fake.now, End: h.fake.now + 86_400_000,
		Events: []engine.CalendarEvent{{ID: "e", Title: "Standup", Start: h.fake.now + 3_600_000, End: h.fake.now + 7_200_000}},
	}, "", 0)
	event := "/v1/users/ann/events/" + id + ":e"
	h.call("GET", event, "").is(200).has("title", "Standup")
	h.call("PUT", event, `{"start":"2026-03-02T10:00:00Z"}`).problem(409, engine.CodeCalendarsEvent, "")
	h.call("DELETE", event, "").problem(409, engine.CodeCalendarsEvent, "")
	h.call("DELETE", "/v1/calendars/ann/ics", "").is(200).has("events_deleted", 1.0).has("calendar_id", id)
	h.call("GET", event, "").is(404)
	h.call("DELETE", "/v1/calendars/ann/"+id, "").problem(404, engine.CodeCalendarNotFound, "")
}

// TestCalendarRefusals names the field, and asks for the right role.
func TestCalendarRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	for _, c := range []struct{ path, body, code, field string }{
		{"ics", `{}`, "missing_field", "url"},
		{"ics", `{"url":""}`, "invalid_field", "url"},
		{"ics", `{"url":"file:///etc/passwd"}`, "invalid_field", "url"},
		{"ics", `{"url":"https://"}`, "invalid_field", "url"},
		{"ics", `{"url":7}`, "invalid_field", "url"},
		{"ics", `{"url":"https://a.example/","refresh_minutes":4}`, "invalid_field", "refresh_minutes"},
		{"ics", `{"url":"https://a.example/","interval":15}`, "unknown_field", "interval"},
		{"google", `{}`, "missing_field", "refresh_token"},
		{"google", `{"refresh_token":"x","show_private":"yes"}`, "invalid_field", "show_private"},
	} {
		h.call("POST", "/v1/calendars/ann/"+c.path, c.body).problem(422, c.code, c.field)
	}
	h.call("POST", "/v1/calendars/bob/ics", `{"url":"https://a.example/"}`).problem(404, "user_not_found", "")
	h.call("GET", "/v1/calendars/bob", "").problem(404, "user_not_found", "")
	h.call("GET", "/v1/calendars/ann/ics", "").problem(404, "calendar_not_found", "")
	h.call("POST", "/v1/calendars/ann/ics", `{"url":"https://a.example/"}`, "Authorization: Bearer read-key").is(403)
	h.call("GET", "/v1/calendars/ann", "", "Authorization: Bearer read-key").is(200)
}

// TestGoogleChanged: a notification is believed by its channel's token alone,
// and one that nobody knows any more is not asked for again.
func TestGoogleChanged(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.Channel = channelOf })
	h.ann()
	connected := h.call("POST", "/v1/calendars/ann/google", `{"refresh_token":"hush"}`).is(201)
	id, _ := connected.at("calendar_id").(string)
	token := "ann/" + id + "/secret"
	h.fake.decide("ann", engine.RecordCalendar{ID: id, ConnectedAt: h.fake.now, Zone: "Europe/Berlin", Channel: engine.Channel{ID: "ch1", Token: token, Until: h.fake.now + 86_400_000}}, "", 0)
	tell := func(channel, token, state string) answer {
		h.t.Helper()
		return h.call("POST", "/webhooks/google", "", "Authorization: ", "X-Goog-Channel-ID: "+channel, "X-Goog-Channel-Token: "+token, "X-Goog-Resource-State: "+state)
	}
	h.fake.now += 60_000
	h.call("GET", "/v1/calendars/ann/"+id, "").has("push", true).has("status", "ok")
	writes := h.fake.writes
	tell("ch1", token, "sync").is(204)
	tell("ch1", "ann/"+id+"/guessed", "exists").problem(403, "invalid_signature", "")
	tell("ch1", "", "exists").problem(403, "invalid_signature", "")
	tell("ch1", "bob/c_x/secret", "exists").is(200)
	if h.fake.writes != writes {
		t.Errorf("something was written for nobody's word")
	}
	tell("ch1", token, "exists").is(204)
	tell("ch1", token, "exists").is(204)
	if h.fake.writes != writes+1 {
		t.Errorf("%d writes for one change that was told twice", h.fake.writes-writes)
	}
	h.call("GET", "/v1/calendars/ann/"+id, "").has("next_read_at", "2026-03-02T07:01:02Z")
	none := open(t, nil)
	none.call("POST", "/webhooks/google", "", "X-Goog-Channel-ID: a", "X-Goog-Channel-Token: b").is(404)
}
