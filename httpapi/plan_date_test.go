package httpapi_test

import "testing"

// TestPlanOfToday: without a date the plan is of the person's day, not of the
// date in UTC or of this machine.
func TestPlanOfToday(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for _, c := range []struct{ now, zone, want string }{
		{"2026-03-02T07:00:00Z", "America/Los_Angeles", "2026-03-01"},
		{"2026-03-02T07:00:00Z", "Europe/Berlin", "2026-03-02"},
		{"2026-03-02T10:30:00Z", "Pacific/Kiritimati", "2026-03-03"},
	} {
		h.fake.now = at(c.now)
		h.call("PUT", "/v1/users/"+c.zone[:4], `{"timezone":"`+c.zone+`"}`).is(201)
		h.call("GET", "/v1/users/"+c.zone[:4]+"/plan", "").is(200).has("date", c.want).has("timezone", c.zone)
	}
}
