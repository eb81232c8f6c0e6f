package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestUserDefaults: a user is shown whole, with the defaults of SPEC 9.
func TestUserDefaults(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	a := h.call("PUT", "/v1/users/ann", `{"timezone":"Europe/Berlin"}`).is(201)
	const want = `{"user_id":"ann","phone_number":null,"phone_verified":false,"opted_out":false,"paused":false,"timezone":"Europe/Berlin",` +
		`"preferences":{"event_reminders_enabled":false,"lead_times_minutes":[15],"quiet_hours":{"start":"22:00","end":"08:00"},` +
		`"quiet_policy":"later","daily_limit":10,"all_day_at":null,"allow_urgent":false},` +
		`"daily":{"date":"2026-03-02","count":0,"reserved":0,"limit":10},"created_at":"2026-03-02T07:00:00Z","updated_at":"2026-03-02T07:00:00Z"}`
	if string(a.raw) != want {
		t.Errorf("the user is\n%s\nwant\n%s", a.raw, want)
	}
	if got := a.header.Get("Location"); got != "/v1/users/ann" {
		t.Errorf("Location is %q", got)
	}
	if again := h.call("PUT", "/v1/users/ann", `{"timezone":"Europe/Berlin"}`).is(200); string(again.raw) != want {
		t.Errorf("again it is %s", again.raw)
	}
}

// TestPutReplaces: what a PUT does not name takes its default.
func TestPutReplaces(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.call("PUT", "/v1/users/ann", `{"timezone":"UTC","phone_number":"+15005550006","preferences":{"event_reminders_enabled":true,"lead_times_minutes":[60,15],"quiet_hours":null,"daily_limit":3,"all_day_at":"09:05","allow_urgent":true,"quiet_policy":"earlier"}}`).
		is(201).has("preferences.quiet_hours", nil).has("preferences.all_day_at", "09:05").has("preferences.lead_times_minutes.0", 15.0).has("preferences.quiet_policy", "earlier")
	h.call("PUT", "/v1/users/ann", `{"timezone":"UTC"}`).is(200).
		has("phone_number", nil).has("preferences.quiet_hours.start", "22:00").has("preferences.all_day_at", nil).
		has("preferences.daily_limit", 10.0).has("preferences.allow_urgent", false).has("preferences.event_reminders_enabled", false)
}

// TestMergePatch: what is absent stays, null takes the default, objects merge
// and lists replace (RFC 7396).
func TestMergePatch(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const path = "/v1/users/ann"
	h.call("PUT", path, `{"timezone":"UTC","phone_number":"+15005550006","preferences":{"daily_limit":3,"lead_times_minutes":[5,60],"all_day_at":"07:00"}}`).is(201)
	h.call("PATCH", path, `{}`).is(200).has("preferences.daily_limit", 3.0)
	h.call("PATCH", path, `{"preferences":{"event_reminders_enabled":true}}`).is(200).
		has("preferences.daily_limit", 3.0).has("preferences.event_reminders_enabled", true).has("phone_number", "+15005550006")
	h.call("PATCH", path, `{"preferences":{"quiet_hours":{"end":"06:30"}}}`).is(200).
		has("preferences.quiet_hours.start", "22:00").has("preferences.quiet_hours.end", "06:30")
	h.call("PATCH", path, `{"preferences":{"quiet_hours":{"start":"23:15"}}}`).is(200).
		has("preferences.quiet_hours.start", "23:15").has("preferences.quiet_hours.end", "06:30")
	h.call("PATCH", path, `{"preferences":{"quiet_hours":null}}`).is(200).has("preferences.quiet_hours", nil)
	h.call("PATCH", path, `{"preferences":{"quiet_hours":{"start":"23:15"}}}`).problem(422, "missing_field", "preferences.quiet_hours.end")
	h.call("PATCH", path, `{"preferences":{"daily_limit":null,"all_day_at":null,"lead_times_minutes":[30]}}`).is(200).
		has("preferences.daily_limit", 10.0).has("preferences.all_day_at", nil).has("preferences.lead_times_minutes.0", 30.0)
	h.call("PATCH", path, `{"phone_number":null}`).is(200).has("phone_number", nil)
	h.call("PATCH", path, `{"preferences":null}`).is(200).
		has("preferences.event_reminders_enabled", false).has("preferences.quiet_hours.start", "22:00").has("preferences.lead_times_minutes.0", 15.0)
	h.call("PATCH", path, `{"timezone":"Asia/Kolkata"}`).is(200).has("timezone", "Asia/Kolkata")
}

// TestVerification: the old number works until the new one is confirmed (N2).
func TestVerification(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	h.call("POST", "/v1/users/ann/phone/verification", `{"phone_number":"0151 99999999"}`).is(202).
		has("phone_number", "+4915199999999").has("status", "pending")
	h.call("GET", "/v1/users/ann", "").has("phone_number", "+4915112345678").has("phone_verified", true).has("pending_phone_number", "+4915199999999")
	h.call("POST", "/v1/users/ann/phone/verification/check", `{"code":"000000"}`).problem(422, "wrong_code", "code")
	h.call("POST", "/v1/users/ann/phone/verification/check", `{"code":"123456"}`).is(200).has("phone_number", "+4915199999999").has("phone_verified", true)
	h.call("POST", "/v1/users/ann/phone/verification/check", `{"code":"123456"}`).problem(409, "no_verification_pending", "")
}

// TestConsentAndPause: each shows the user, and leaves its line.
func TestConsentAndPause(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	h.call("POST", "/v1/users/ann/opt-out", `{"reason":"asked by phone"}`).is(200).has("opted_out", true)
	h.call("POST", "/v1/users/ann/opt-in", "").is(200).has("opted_out", false)
	h.call("POST", "/v1/users/ann/pause", "").is(200).has("paused", true)
	h.call("POST", "/v1/users/ann/resume", "{}").is(200).has("paused", false)
	h.call("POST", "/v1/pause", `{"user_id":"ann"}`).is(200).has("paused", true).has("user_id", "ann")
	h.call("GET", "/v1/users/ann", "").has("paused", true)
	h.call("POST", "/v1/resume", `{"user_id":"ann"}`).is(200).has("paused", false)
	h.call("POST", "/v1/pause", "").is(200).has("paused", true)
	h.call("GET", "/v1/stats", "").is(200).has("paused", true)
	h.call("POST", "/v1/resume", "").is(200).has("paused", false)
	timeline := string(h.call("GET", "/v1/users/ann/timeline", "").is(200).raw)
	for _, kind := range []string{`"opted_out"`, `"opted_in"`, `"user_paused"`, `"user_resumed"`, `"asked by phone"`} {
		if !strings.Contains(timeline, kind) {
			t.Errorf("there is no %s in %s", kind, timeline)
		}
	}
}

// TestErase: the person is gone, and the answer says what is gone when (N6).
func TestErase(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	a := h.call("DELETE", "/v1/users/ann", "").is(200).has("erased", true).has("user_id", "ann")
	if detail, _ := a.at("detail").(string); !strings.Contains(detail, "compaction") {
		t.Errorf("detail is %q", detail)
	}
	h.call("GET", "/v1/users/ann", "").problem(404, "user_not_found", "")
}

// TestIDs: everything printable is an id, however it is escaped.
func TestIDs(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for escaped, id := range map[string]string{
		"u:1": "u:1", "a%20b": "a b", "%C3%A9mile": "émile", "a+b@example.org": "a+b@example.org", "..": "..",
		"100%25": "100%", "%F0%9F%91%8B": "👋", strings.Repeat("u", 128): strings.Repeat("u", 128),
	} {
		h.call("PUT", "/v1/users/"+escaped, `{"timezone":"UTC","user_id":"`+id+`"}`).is(201).has("user_id", id)
		h.call("PUT", "/v1/users/"+escaped+"/events/events:sync", `{"start":"2026-03-02T10:00:00Z"}`).is(201).has("event_id", "events:sync")
	}
}

// TestPages: lists come in pages, and next is absent on the last.
func TestPages(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for i := range 5 {
		h.call("PUT", fmt.Sprintf("/v1/users/u%d", i), `{"timezone":"UTC"}`).is(201)
	}
	walk := func(path string, want int) {
		t.Helper()
		n, next := 0, ""
		for pages := 1; ; pages++ {
			page := h.call("GET", path+"?limit=2&after="+next, "").is(200).json()
			items, _ := page["items"].([]any)
			n += len(items)
			if page["next"] == nil {
				if want := (want + 1) / 2; pages != want {
					t.Errorf("%s: %d pages", path, pages)
				}
				break
			}
			next, _ = page["next"].(string)
		}
		if n != want {
			t.Errorf("%s: %d items, want %d", path, n, want)
		}
	}
	walk("/v1/users", 5)
	h.ann()
	for i := range 3 {
		h.call("POST", "/v1/users/ann/reminders", fmt.Sprintf(`{"text":"t","send_at":"2026-03-02T1%d:00:00Z"}`, i)).is(201)
	}
	walk("/v1/users/ann/reminders", 3)
	entries := len(h.fake.timeline["ann"])
	walk("/v1/users/ann/timeline", entries)
	if raw := string(h.call("GET", "/v1/users/nobody/reminders", "").raw); strings.Contains(raw, "items") {
		t.Error(raw)
	}
}
