package httpapi_test

import (
	"testing"
)

// TestFromUserToReminder is the walk from nobody to a reminder that waits.
func TestFromUserToReminder(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.call("PUT", "/v1/users/ann", `{"phone_number":"0151 1234 5678","timezone":"Europe/Berlin","preferences":{"event_reminders_enabled":true}}`).is(201).
		has("phone_number", "+4915112345678").has("phone_verified", false)
	h.call("POST", "/v1/users/ann/phone/attest", `{"phone_number":"+4915112345678"}`).is(200).has("phone_verified", true)
	h.call("PUT", "/v1/users/ann/events/standup", `{"title":"Standup","start":"2026-03-02T09:00:00+01:00","end":"2026-03-02T09:15:00+01:00","location":"Room 4"}`).is(201).
		has("start", "2026-03-02T08:00:00Z").has("busy", true).has("sync_status", "synced")
	list := h.call("GET", "/v1/users/ann/reminders?status=scheduled", "").is(200).
		has("items.0.event_id", "standup").has("items.0.scheduled_for", "2026-03-02T07:45:00Z").has("items.0.status", "scheduled").
		has("items.0.text", "Standup in 15 mins @ Room 4")
	id, _ := list.at("items.0.reminder_id").(string)
	h.call("GET", "/v1/users/ann/reminders/"+id, "").is(200).has("reminder_id", id).has("max_send_attempts", 3.0)
	h.call("GET", "/v1/users/ann/plan", "").is(200).has("date", "2026-03-02").has("items.0.outcome", "scheduled")
	h.call("POST", "/v1/users/ann/reminders/"+id+"/cancel", "").is(200).has("status", "cancelled").has("reason", "cancelled_by_request")
	h.call("GET", "/v1/users/ann/timeline", "").is(200).has("items.0.kind", "user_created").has("items.0.seq", 1.0)
}
