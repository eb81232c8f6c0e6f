package httpapi_test

import (
	"testing"
)

// TestEventRoundTrip: what GET shows can be PUT back, and changes nothing.
func TestEventRoundTrip(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	const path = "/v1/users/ann/events/e"
	for _, body := range []string{
		`{"event_id":"e","title":"Standup <b>&","start":"2026-03-02T10:00:00.250+01:00","end":"2026-03-02T11:00:00+01:00","all_day":false,"location":"Room 4","description":"d","link":"https://example.org/x","attendees":["a","b"],"response":"tentative","busy":false,"sync_status":"pending","version":3}`,
		`{"start":"2026-03-03","all_day":true}`,
		`{"start":"2026-03-03","end":"2026-03-05","updated_at":"2026-03-01T00:00:00.001Z"}`,
		`{"start":"2026-03-03T10:00:00Z","title":null,"attendees":null,"response":null,"end":null,"busy":null}`,
	} {
		h.call("DELETE", path, "")
		h.call("PUT", path, body).is(201)
		shown := h.call("GET", path, "").is(200)
		writes := h.fake.writes
		h.call("PUT", path, string(shown.raw)).is(200).has("unchanged", true)
		if again := h.call("GET", path, "").is(200); string(again.raw) != string(shown.raw) || h.fake.writes != writes {
			t.Errorf("%s became %s", shown.raw, again.raw)
		}
	}
}

// TestEventForms: instants come out in UTC, an event without an end takes no
// time, an all-day event ends the day after.
func TestEventForms(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	const path = "/v1/users/ann/events/e"
	h.call("PUT", path, `{"start":"2026-03-02T10:00:00.250+05:30"}`).is(201).
		has("start", "2026-03-02T04:30:00.250Z").has("end", "2026-03-02T04:30:00.250Z").has("all_day", false).
		has("busy", true).has("sync_status", "synced").has("response", nil).has("title", "")
	h.call("PUT", path, `{"start":"2026-03-02T10:00:00.500000z"}`).is(200).has("start", "2026-03-02T10:00:00.500Z")
	h.call("PUT", path, `{"start":"2026-03-02"}`).is(200).has("start", "2026-03-02").has("end", "2026-03-03").has("all_day", true)
	h.call("PUT", path, `{"start":"2026-03-02","end":"2026-03-04","all_day":true}`).is(200).has("end", "2026-03-04")
}

// TestVersions: an older version is acknowledged and ignored, an equal one
// changes nothing; updated_at is a version too (C1).
func TestVersions(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	const path = "/v1/users/ann/events/e"
	h.call("PUT", path, `{"start":"2026-03-02T10:00:00Z","title":"two","version":2}`).is(201).has("version", 2.0)
	h.call("PUT", path, `{"start":"2026-03-02T10:00:00Z","title":"one","version":1}`).is(200).has("ignored", true).has("title", "two")
	h.call("PUT", path, `{"start":"2026-03-02T10:00:00Z","title":"other","version":2}`).is(200).has("unchanged", true).has("title", "two")
	h.call("DELETE", path+"?version=1", "").is(200).has("ignored", true).has("deleted", false)
	h.call("GET", path, "").is(200)
	h.call("PUT", path, `{"start":"2026-03-02T10:00:00Z","title":"three","updated_at":"2026-03-01T10:00:00+01:00"}`).is(200).
		has("title", "three").has("updated_at", "2026-03-01T09:00:00Z")
	h.call("DELETE", path+"?updated_at=2026-03-01T08:00:00Z", "").is(200).has("ignored", true)
	h.call("DELETE", path+"?updated_at=2026-03-01T09:00:00Z", "").is(200).has("deleted", true)
	h.call("GET", path, "").problem(404, "event_not_found", "")
}

// TestSync: a full sync deletes what it does not name in its window (C1).
func TestSync(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	for _, id := range []string{"a", "b"} {
		h.call("PUT", "/v1/users/ann/events/"+id, `{"start":"2026-03-02T10:00:00Z","title":"`+id+`"}`).is(201)
	}
	h.call("PUT", "/v1/users/ann/events/later", `{"start":"2026-03-09T10:00:00Z"}`).is(201)
	h.call("POST", "/v1/users/ann/events:sync", syncOf(`{"event_id":"b","start":"2026-03-02T11:00:00Z","title":"b"},{"event_id":"c","start":"2026-03-02T12:00:00Z"}`)).
		is(200).has("created", 1.0).has("updated", 1.0).has("deleted", 1.0).has("unchanged", 0.0).has("ignored", 0.0)
	h.call("GET", "/v1/users/ann/events/a", "").problem(404, "event_not_found", "")
	h.call("GET", "/v1/users/ann/events/later", "").is(200)
}

// TestPlan: a preview says what would be sent and what skipped, and why, and
// changes nothing.
func TestPlan(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	h.call("PUT", "/v1/users/ann/events/ok", `{"start":"2026-03-03T10:00:00Z","title":"Lunch"}`).is(201)
	h.call("PUT", "/v1/users/ann/events/no", `{"start":"2026-03-03T12:00:00Z","response":"declined"}`).is(201)
	writes := h.fake.writes
	h.call("GET", "/v1/users/ann/plan?date=2026-03-03", "").is(200).
		has("date", "2026-03-03").has("timezone", "Europe/Berlin").has("day_start", "2026-03-02T23:00:00Z").has("day_end", "2026-03-03T23:00:00Z").has("limit", 10.0).
		has("items.0.event_id", "ok").has("items.0.outcome", "scheduled").has("items.0.reason", nil).has("items.0.text", "Lunch in 15 mins").has("items.0.lead_minutes", 15.0).
		has("items.0.scheduled_for", "2026-03-03T09:45:00Z").
		has("items.1.event_id", "no").has("items.1.outcome", "skipped").has("items.1.reason", "declined").has("items.1.text", nil)
	if h.fake.writes != writes {
		t.Error("a preview has changed something")
	}
}

// TestCustomReminder is shown with what it has and null for what it has not.
func TestCustomReminder(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	a := h.call("POST", "/v1/users/ann/reminders", `{"text":"Take the pills","send_at":"2026-03-02T12:00:00Z","priority":"high"}`).is(201).
		has("message_type", "custom").has("event_id", nil).has("lead_minutes", nil).has("event_title", nil).has("event_start", nil).
		has("text", "Take the pills").has("generated_via", "caller").has("priority", "high").has("expires_at", "2026-03-02T13:00:00Z").
		has("llm", nil).has("last_error", nil).has("reason", nil).has("status", "scheduled").has("sent_at", nil)
	id, _ := a.at("reminder_id").(string)
	h.call("POST", "/v1/users/ann/reminders/"+id+"/send-now", "").is(200).has("scheduled_for", "2026-03-02T07:00:00Z")
	h.call("POST", "/v1/users/ann/reminders/"+id+"/cancel", "").is(200).has("status", "cancelled")
	h.call("POST", "/v1/users/ann/reminders/"+id+"/send-now", "").problem(409, "reminder_ended", "")
}
