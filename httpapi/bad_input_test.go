package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"carillon/engine"
	"carillon/httpapi"
)

// TestBadInput sends every kind of bad input to a house with one user, one
// event and one reminder. Each has its named problem, and nothing changes.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const (
		ann   = "/v1/users/ann"
		event = ann + "/events/e1"
	)
	prefs := func(s string) string { return `{"preferences":{` + s + `}}` }
	ev := func(s string) string { return `{"start":"2026-03-02T10:00:00Z"` + s + `}` }
	cases := []struct {
		name, method, path, body string
		status                   int
		code, field              string
	}{
		{"empty body", "PUT", ann, ``, 400, "invalid_json", ""},
		{"broken JSON", "PUT", ann, `{"timezone":`, 400, "invalid_json", ""},
		{"trailing data", "PUT", ann, `{"timezone":"UTC"} {}`, 400, "invalid_json", ""},
		{"not an object", "PUT", ann, `["UTC"]`, 400, "invalid_json", ""},
		{"not UTF-8", "PUT", ann, "{\"timezone\":\"\xff\"}", 400, "invalid_json", ""},
		{"nested too deeply", "PUT", ann, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), 400, "invalid_json", ""},
		{"unknown field", "PUT", ann, `{"timezone":"UTC","color":"red"}`, 422, "unknown_field", "color"},
		{"unknown nested field", "PATCH", ann, prefs(`"leads":[5]`), 422, "unknown_field", "preferences.leads"},
		{"unknown field of a window", "PATCH", ann, prefs(`"quiet_hours":{"start":"22:00","end":"08:00","zone":"UTC"}`), 422, "unknown_field", "preferences.quiet_hours.zone"},
		{"field given twice", "PUT", ann, `{"timezone":"UTC","timezone":"Europe/Berlin"}`, 422, "duplicate_field", "timezone"},
		{"name in another case", "PUT", ann, `{"Timezone":"UTC"}`, 422, "unknown_field", "Timezone"},
		{"missing zone", "PUT", ann, `{}`, 422, "missing_field", "timezone"},
		{"zone removed", "PATCH", ann, `{"timezone":null}`, 422, "invalid_field", "timezone"},
		{"wrong zone", "PATCH", ann, `{"timezone":"Europe/Atlantis"}`, 422, "unknown_timezone", "timezone"},
		{"zone is this machine's", "PATCH", ann, `{"timezone":"Local"}`, 422, "unknown_timezone", "timezone"},
		{"zone is a number", "PATCH", ann, `{"timezone":1}`, 422, "invalid_field", "timezone"},
		{"bad phone", "PATCH", ann, `{"phone_number":"+49151"}`, 422, "invalid_phone", "phone_number"},
		{"phone in prose", "PATCH", ann, `{"phone_number":"call +4915112345678"}`, 422, "invalid_phone", "phone_number"},
		{"phone with letters", "PATCH", ann, `{"phone_number":"+1800FLOWERS"}`, 422, "invalid_phone", "phone_number"},
		{"empty phone", "PATCH", ann, `{"phone_number":""}`, 422, "invalid_phone", "phone_number"},
		{"no such country code", "PATCH", ann, `{"phone_number":"+999123456789"}`, 422, "invalid_phone", "phone_number"},
		{"phone too long", "PATCH", ann, `{"phone_number":"+491511234567890123"}`, 422, "invalid_phone", "phone_number"},
		{"phone without area code", "PATCH", ann, `{"phone_number":"+15550123"}`, 422, "invalid_phone", "phone_number"},
		{"other user's id", "PUT", ann, `{"user_id":"bob","timezone":"UTC"}`, 422, "invalid_field", "user_id"},
		{"read-only field", "PATCH", ann, `{"phone_verified":true}`, 422, "read_only_field", "phone_verified"},
		{"read-only object", "PATCH", ann, `{"daily":{}}`, 422, "read_only_field", "daily"},
		{"preferences are a list", "PATCH", ann, `{"preferences":[]}`, 422, "invalid_field", "preferences"},
		{"no lead times", "PATCH", ann, prefs(`"lead_times_minutes":[]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"five lead times", "PATCH", ann, prefs(`"lead_times_minutes":[1,2,3,4,5]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"lead time twice", "PATCH", ann, prefs(`"lead_times_minutes":[15,15]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"lead time zero", "PATCH", ann, prefs(`"lead_times_minutes":[0]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"lead time over a week", "PATCH", ann, prefs(`"lead_times_minutes":[10081]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"half a minute", "PATCH", ann, prefs(`"lead_times_minutes":[0.5]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"lead time in words", "PATCH", ann, prefs(`"lead_times_minutes":["15"]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"lead time beyond integers", "PATCH", ann, prefs(`"lead_times_minutes":[1e300]`), 422, "invalid_field", "preferences.lead_times_minutes"},
		{"quiet hours of no length", "PATCH", ann, prefs(`"quiet_hours":{"start":"22:00","end":"22:00"}`), 422, "invalid_field", "preferences.quiet_hours"},
		{"quiet hours at 24:00", "PATCH", ann, prefs(`"quiet_hours":{"start":"22:00","end":"24:00"}`), 422, "invalid_field", "preferences.quiet_hours.end"},
		{"quiet hours at 9:00", "PATCH", ann, prefs(`"quiet_hours":{"start":"9:00","end":"10:00"}`), 422, "invalid_field", "preferences.quiet_hours.start"},
		{"quiet hours without end", "PUT", ann, `{"timezone":"UTC","preferences":{"quiet_hours":{"start":"22:00"}}}`, 422, "missing_field", "preferences.quiet_hours.end"},
		{"quiet hours with half removed", "PATCH", ann, prefs(`"quiet_hours":{"start":"21:00","end":null}`), 422, "missing_field", "preferences.quiet_hours.end"},
		{"quiet hours empty", "PATCH", ann, prefs(`"quiet_hours":{}`), 422, "missing_field", "preferences.quiet_hours.start"},
		{"quiet policy", "PATCH", ann, prefs(`"quiet_policy":"never"`), 422, "invalid_field", "preferences.quiet_policy"},
		{"limit over 100", "PATCH", ann, prefs(`"daily_limit":101`), 422, "invalid_field", "preferences.daily_limit"},
		{"limit under 0", "PATCH", ann, prefs(`"daily_limit":-1`), 422, "invalid_field", "preferences.daily_limit"},
		{"limit beyond int32", "PATCH", ann, prefs(`"daily_limit":4294967296`), 422, "invalid_field", "preferences.daily_limit"},
		{"switch in words", "PATCH", ann, prefs(`"event_reminders_enabled":"yes"`), 422, "invalid_field", "preferences.event_reminders_enabled"},
		{"all-day time", "PATCH", ann, prefs(`"all_day_at":"8 am"`), 422, "invalid_field", "preferences.all_day_at"},
		{"reserved user id", "PUT", "/v1/users/!keys", `{"timezone":"UTC"}`, 422, "invalid_field", "user_id"},
		{"user id with a slash", "PUT", "/v1/users/a%2Fb", `{"timezone":"UTC"}`, 422, "invalid_field", "user_id"},
		{"user id with a control character", "PUT", "/v1/users/a%00b", `{"timezone":"UTC"}`, 422, "invalid_field", "user_id"},
		{"user id not UTF-8", "PUT", "/v1/users/a%FFb", `{"timezone":"UTC"}`, 422, "invalid_field", "user_id"},
		{"user id too long", "PUT", "/v1/users/" + strings.Repeat("u", 129), `{"timezone":"UTC"}`, 422, "invalid_field", "user_id"},
		{"event id too long", "PUT", ann + "/events/" + strings.Repeat("e", 513), ev(""), 422, "invalid_field", "event_id"},
		{"patch of nobody", "PATCH", "/v1/users/nobody", `{}`, 404, "user_not_found", ""},
		{"nobody", "GET", "/v1/users/nobody", ``, 404, "user_not_found", ""},
		{"nobody's end", "DELETE", "/v1/users/nobody", ``, 404, "user_not_found", ""},

		{"event without a start", "PUT", event, `{"title":"x"}`, 422, "missing_field", "start"},
		{"start after end", "PUT", event, ev(`,"end":"2026-03-02T09:00:00Z"`), 422, "start_after_end", "end"},
		{"all-day end not after start", "PUT", event, `{"start":"2026-03-02","end":"2026-03-02"}`, 422, "start_after_end", "end"},
		{"start without offset", "PUT", event, `{"start":"2026-03-02T10:00:00"}`, 422, "invalid_field", "start"},
		{"start in microseconds", "PUT", event, `{"start":"2026-03-02T10:00:00.000001Z"}`, 422, "invalid_field", "start"},
		{"start with a comma", "PUT", event, `{"start":"2026-03-02T10:00:00,5Z"}`, 422, "invalid_field", "start"},
		{"start on February 30", "PUT", event, `{"start":"2026-02-30T10:00:00Z"}`, 422, "invalid_field", "start"},
		{"start at 25 o'clock", "PUT", event, `{"start":"2026-03-02T25:00:00Z"}`, 422, "invalid_field", "start"},
		{"start with a date's separator", "PUT", event, `{"start":"2026-03-02 10:00:00Z"}`, 422, "invalid_field", "start"},
		{"start before 1970", "PUT", event, `{"start":"1969-12-31T23:59:59Z"}`, 422, "invalid_field", "start"},
		{"start after 9999", "PUT", event, `{"start":"9999-12-31T23:59:59-01:00"}`, 422, "invalid_field", "start"},
		{"last day of all", "PUT", event, `{"start":"9999-12-31"}`, 422, "invalid_field", "start"},
		{"start as a number", "PUT", event, `{"start":1772445600000}`, 422, "invalid_field", "start"},
		{"start in Google's style", "PUT", event, `{"start":{"dateTime":"2026-03-02T10:00:00Z"}}`, 422, "invalid_field", "start"},
		{"date and instant", "PUT", event, `{"start":"2026-03-02","end":"2026-03-03T10:00:00Z"}`, 422, "invalid_field", "end"},
		{"all day at an instant", "PUT", event, ev(`,"all_day":true`), 422, "invalid_field", "start"},
		{"a date that is not all day", "PUT", event, `{"start":"2026-03-02","all_day":false}`, 422, "invalid_field", "start"},
		{"title too long", "PUT", event, ev(`,"title":"` + strings.Repeat("é", 1001) + `"`), 422, "invalid_field", "title"},
		{"description too long", "PUT", event, ev(`,"description":"` + strings.Repeat("x", 8001) + `"`), 422, "invalid_field", "description"},
		{"location too long", "PUT", event, ev(`,"location":"` + strings.Repeat("x", 1001) + `"`), 422, "invalid_field", "location"},
		{"link too long", "PUT", event, ev(`,"link":"` + strings.Repeat("x", 2049) + `"`), 422, "invalid_field", "link"},
		{"too many attendees", "PUT", event, ev(`,"attendees":[` + strings.Repeat(`"a",`, 200) + `"a"]`), 422, "invalid_field", "attendees"},
		{"attendee is no string", "PUT", event, ev(`,"attendees":["a",{"email":"b"}]`), 422, "invalid_field", "attendees[1]"},
		{"response", "PUT", event, ev(`,"response":"maybe"`), 422, "invalid_field", "response"},
		{"sync status", "PUT", event, ev(`,"sync_status":"canceled"`), 422, "invalid_field", "sync_status"},
		{"busy in words", "PUT", event, ev(`,"busy":"free"`), 422, "invalid_field", "busy"},
		{"negative version", "PUT", event, ev(`,"version":-1`), 422, "invalid_field", "version"},
		{"two versions", "PUT", event, ev(`,"version":1,"updated_at":"2026-03-01T00:00:00Z"`), 422, "invalid_field", "updated_at"},
		{"other event's id", "PUT", event, ev(`,"event_id":"e2"`), 422, "invalid_field", "event_id"},
		{"event of nobody", "PUT", "/v1/users/nobody/events/e1", ev(""), 404, "user_not_found", ""},
		{"unknown event", "GET", ann + "/events/nothing", ``, 404, "event_not_found", ""},
		{"end of an unknown event", "DELETE", ann + "/events/nothing", ``, 404, "event_not_found", ""},
		{"version of a deletion", "DELETE", event + "?version=x", ``, 422, "invalid_field", "version"},
		{"version that can't be read", "DELETE", event + "?version=%zz", ``, 400, "bad_request", ""},
		{"version mistyped", "DELETE", event + "?versions=3", ``, 422, "unknown_field", "versions"},
		{"version empty", "DELETE", event + "?version=", ``, 422, "invalid_field", "version"},
		{"time of a deletion empty", "DELETE", event + "?updated_at=", ``, 422, "invalid_field", "updated_at"},
		{"event of another user", "GET", "/v1/users/bob/events/e1", ``, 404, "event_not_found", ""},
		{"end of another user's event", "DELETE", "/v1/users/bob/events/e1", ``, 404, "event_not_found", ""},

		{"sync without a window", "POST", ann + "/events:sync", `{"events":[]}`, 422, "missing_field", "window"},
		{"sync without events", "POST", ann + "/events:sync", `{"window":{"start":"2026-03-02T00:00:00Z","end":"2026-03-03T00:00:00Z"}}`, 422, "missing_field", "events"},
		{"window without an end", "POST", ann + "/events:sync", `{"window":{"start":"2026-03-02T00:00:00Z"},"events":[]}`, 422, "missing_field", "window.end"},
		{"window the wrong way", "POST", ann + "/events:sync", `{"window":{"start":"2026-03-03T00:00:00Z","end":"2026-03-02T00:00:00Z"},"events":[]}`, 422, "start_after_end", "window.end"},
		{"one bad event of a sync", "POST", ann + "/events:sync", syncOf(`{"event_id":"x","start":"2026-03-02T10:00:00Z"},{"event_id":"y","start":"soon"}`), 422, "invalid_field", "events[1].start"},
		{"event without an id", "POST", ann + "/events:sync", syncOf(`{"start":"2026-03-02T10:00:00Z"}`), 422, "missing_field", "events[0].event_id"},
		{"event with a bad id", "POST", ann + "/events:sync", syncOf(`{"event_id":"a/b","start":"2026-03-02T10:00:00Z"}`), 422, "invalid_field", "events[0].event_id"},
		{"event named twice", "POST", ann + "/events:sync", syncOf(`{"event_id":"x","start":"2026-03-02T10:00:00Z"},{"event_id":"x","start":"2026-03-02T10:00:00Z"}`), 422, "invalid_field", "events[1].event_id"},
		{"synced event ends first", "POST", ann + "/events:sync", syncOf(`{"event_id":"x","start":"2026-03-02T10:00:00Z","end":"2026-03-02T09:00:00Z"}`), 422, "start_after_end", "events[0].end"},
		{"unknown field of a synced event", "POST", ann + "/events:sync", syncOf(`{"event_id":"x","start":"2026-03-02T10:00:00Z","when":"now"}`), 422, "unknown_field", "events[0].when"},
		{"event is no object", "POST", ann + "/events:sync", syncOf(`7`), 422, "invalid_field", "events[0]"},

		{"verification without a number", "POST", ann + "/phone/verification", `{}`, 422, "missing_field", "phone_number"},
		{"verification of a bad number", "POST", ann + "/phone/verification", `{"phone_number":"12"}`, 422, "invalid_phone", "phone_number"},
		{"check without a code", "POST", ann + "/phone/verification/check", `{}`, 422, "missing_field", "code"},
		{"code as a number", "POST", ann + "/phone/verification/check", `{"code":123456}`, 422, "invalid_field", "code"},
		{"wrong code", "POST", ann + "/phone/verification/check", `{"code":"000000"}`, 422, "wrong_code", "code"},
		{"attest a bad number", "POST", ann + "/phone/attest", `{"phone_number":"none"}`, 422, "invalid_phone", "phone_number"},
		{"consent with a wrong field", "POST", ann + "/opt-out", `{"why":"x"}`, 422, "unknown_field", "why"},
		{"consent of nobody", "POST", "/v1/users/nobody/opt-out", ``, 404, "user_not_found", ""},
		{"pause with a wrong field", "POST", ann + "/pause", `{"until":"x"}`, 422, "unknown_field", "until"},
		{"pause of nobody", "POST", "/v1/pause", `{"user_id":"nobody"}`, 404, "user_not_found", ""},
		{"pause of a bad id", "POST", "/v1/pause", `{"user_id":"!x"}`, 422, "invalid_field", "user_id"},

		{"reminder without text", "POST", ann + "/reminders", `{"send_at":"2026-03-02T12:00:00Z"}`, 422, "missing_field", "text"},
		{"reminder without a time", "POST", ann + "/reminders", `{"text":"x"}`, 422, "missing_field", "send_at"},
		{"reminder of white space", "POST", ann + "/reminders", `{"text":" \n ","send_at":"2026-03-02T12:00:00Z"}`, 422, "missing_field", "text"},
		{"reminder longer than a segment", "POST", ann + "/reminders", `{"text":"` + strings.Repeat("x", 161) + `","send_at":"2026-03-02T12:00:00Z"}`, 422, "invalid_field", "text"},
		{"reminder longer than a carrier takes", "POST", ann + "/reminders", `{"text":"` + strings.Repeat("x", 1601) + `","send_at":"2026-03-02T12:00:00Z"}`, 422, "invalid_field", "text"},
		{"reminder expires first", "POST", ann + "/reminders", `{"text":"x","send_at":"2026-03-02T12:00:00Z","expires_at":"2026-03-02T11:00:00Z"}`, 422, "invalid_field", "expires_at"},
		{"reminder long past", "POST", ann + "/reminders", `{"text":"x","send_at":"2020-03-02T12:00:00Z"}`, 422, "invalid_field", "send_at"},
		{"reminder of a priority", "POST", ann + "/reminders", `{"text":"x","send_at":"2026-03-02T12:00:00Z","priority":5}`, 422, "invalid_field", "priority"},
		{"unknown reminder", "GET", ann + "/reminders/nothing", ``, 404, "reminder_not_found", ""},
		{"cancel of an unknown reminder", "POST", ann + "/reminders/nothing/cancel", ``, 404, "reminder_not_found", ""},
		{"send an unknown reminder", "POST", ann + "/reminders/nothing/send-now", ``, 404, "reminder_not_found", ""},
		{"reminders of nobody", "GET", "/v1/users/nobody/reminders", ``, 404, "user_not_found", ""},
		{"status of a list", "GET", ann + "/reminders?status=done", ``, 422, "invalid_field", "status"},
		{"query that can't be read", "GET", ann + "/reminders?status=%zz", ``, 400, "bad_request", ""},
		{"limit 0", "GET", ann + "/reminders?limit=0", ``, 422, "invalid_field", "limit"},
		{"limit 501", "GET", "/v1/users?limit=501", ``, 422, "invalid_field", "limit"},
		{"limit in words", "GET", ann + "/timeline?limit=all", ``, 422, "invalid_field", "limit"},
		{"cursor of a list", "GET", ann + "/reminders?after=nothing", ``, 422, "invalid_field", "after"},
		{"cursor of a timeline", "GET", ann + "/timeline?after=-1", ``, 422, "invalid_field", "after"},
		{"timeline of nobody", "GET", "/v1/users/nobody/timeline", ``, 404, "user_not_found", ""},
		{"plan of a date", "GET", ann + "/plan?date=tomorrow", ``, 422, "invalid_field", "date"},
		{"plan of February 29", "GET", ann + "/plan?date=2026-02-29", ``, 422, "invalid_field", "date"},
		{"plan of day 0", "GET", ann + "/plan?date=1970-01-01", ``, 422, "invalid_field", "date"},
		{"plan of nobody", "GET", "/v1/users/nobody/plan", ``, 404, "user_not_found", ""},

		{"no such path", "GET", "/v2/users", ``, 404, "not_found", ""},
		{"path with a slash behind", "GET", "/v1/users/", ``, 404, "not_found", ""},
		{"method", "POST", ann, `{}`, 405, "method_not_allowed", ""},
		{"method of a sync", "GET", ann + "/events:sync", ``, 405, "method_not_allowed", ""},
	}
	h := open(t, nil)
	h.ann()
	h.call("PUT", "/v1/users/bob", `{"timezone":"UTC"}`).is(201)
	h.call("PUT", event, `{"title":"Standup","start":"2026-03-02T10:00:00Z"}`).is(201)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			before := h.picture()
			h.call(c.method, c.path, c.body).problem(c.status, c.code, c.field)
			if after := h.picture(); after != before {
				t.Error("something has changed")
			}
		})
	}
}

func syncOf(events string) string {
	return `{"window":{"start":"2026-03-02T00:00:00Z","end":"2026-03-03T00:00:00Z"},"events":[` + events + `]}`
}

// picture is everything that the fake knows.
func (h *house) picture() string {
	h.fake.mu.Lock()
	defer h.fake.mu.Unlock()
	return fmt.Sprintf("%d %v %v %+v %+v", h.fake.writes, h.fake.paused, len(h.fake.users), h.fake.users["ann"], h.fake.users["bob"])
}

// TestAllBadFieldsAreNamed: one answer names everything that is wrong.
func TestAllBadFieldsAreNamed(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.call("PUT", "/v1/users/ann", `{"timezone":5,"phone_number":"x","preferences":{"daily_limit":"many","nap":true}}`).
		problem(422, "invalid_phone", "phone_number").
		has("errors.0.field", "phone_number").has("errors.1.field", "timezone").
		has("errors.2.field", "preferences.daily_limit").has("errors.3.field", "preferences.nap").has("errors.3.code", "unknown_field")
}

// TestBrokenJSONHasAPlace: the detail says where the JSON broke.
func TestBrokenJSONHasAPlace(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	a := h.call("PUT", "/v1/users/ann", "{\n  \"timezone\": nope\n}").problem(400, "invalid_json", "")
	if detail, _ := a.at("detail").(string); !strings.Contains(detail, "line 2, column 16") {
		t.Errorf("detail is %q", detail)
	}
}

// TestRegion: a number without country code is read in the account's region,
// and refused without one; never is it guessed into +1 (N1).
func TestRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ region, number, want string }{
		{"DE", "0151 12345678", "+4915112345678"},
		{"US", "(415) 555-0123", "+14155550123"},
		{"DE", "+1 500 555 0006", "+15005550006"}, // Twilio's test numbers
		{"", "+44 20 7946 0018", "+442079460018"},
		{"", "4155550123", ""},
		{"", "0151 12345678", ""},
	} {
		h := open(t, func(conf *httpapi.Config) { conf.DefaultRegion = c.region })
		a := h.call("PUT", "/v1/users/ann", `{"timezone":"UTC","phone_number":"`+c.number+`"}`)
		if c.want == "" {
			a.problem(422, "invalid_phone", "phone_number")
			continue
		}
		a.is(201).has("phone_number", c.want)
	}
}

// TestFaults: each fault of the machine has its status, and says when to come
// again.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code   string
		status int
	}{
		{"overloaded", 503},
		{"draining", 503},
		{"recovering", 503},
		{"unknown_outcome", 503},
		{"insufficient_storage", 507},
		{"quarantined", 500},
		{"verifier_unavailable", 502},
		{"internal", 500},
	} {
		h := open(t, nil)
		h.fake.trip = func(string, engine.Command) error { return fmt.Errorf("wrapped: %w", fault{c.code, 1001e6}) }
		a := h.call("POST", "/v1/users/ann/phone/verification", `{"phone_number":"+4915112345678"}`).problem(c.status, c.code, "")
		if got := a.header.Get("Retry-After"); got != "2" {
			t.Errorf("%s: Retry-After is %q, want 2 (1.001 s rounded up)", c.code, got)
		}
	}
}

// TestUnforeseenErrorsStayInside: the caller is told nothing of an error that
// nobody foresaw; the log is.
func TestUnforeseenErrorsStayInside(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fake.trip = func(string, engine.Command) error { return fmt.Errorf("secret cause") }
	a := h.call("PUT", "/v1/users/ann", `{"timezone":"UTC"}`).problem(500, "internal", "")
	if strings.Contains(string(a.raw), "secret cause") || !strings.Contains(h.logs.String(), "secret cause") {
		t.Errorf("the answer is %s, the log is %s", a.raw, h.logs)
	}
}

// TestPanic: a handler that panics answers 500, and the next request is
// served.
func TestPanic(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fake.trip = func(user string, _ engine.Command) error {
		if user == "boom" {
			h.fake.mu.Unlock() // as a panic would have
			defer h.fake.mu.Lock()
			panic("+4915112345678")
		}
		return nil
	}
	h.call("GET", "/v1/users/boom", "").problem(500, "internal", "")
	h.call("PUT", "/v1/users/ann", `{"timezone":"UTC"}`).is(201)
	if strings.Contains(h.logs.String(), "+49151") || !strings.Contains(h.logs.String(), "http handler panicked") {
		t.Errorf("the log is %s", h.logs)
	}
}

// TestRateLimited: the sixth code in an hour is refused, with the time to wait
// (N2).
func TestRateLimited(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.call("PUT", "/v1/users/ann", `{"timezone":"UTC"}`).is(201)
	const path, body = "/v1/users/ann/phone/verification", `{"phone_number":"+4915112345678"}`
	for range 5 {
		h.call("POST", path, body).is(202).has("status", "pending")
	}
	a := h.call("POST", path, body).problem(429, "rate_limited", "")
	if got := a.header.Get("Retry-After"); got != "3600" {
		t.Errorf("Retry-After is %q", got)
	}
}
