package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

type faults = []twiliotest.Fault

// once is the text that was not lost, or that was sent again because it was
// known not to be there.
const (
	once      = "the text, once"
	onceLater = "the text, once, a moment later"
	nothing   = "nothing"
	accepted  = "sent (accepted)"
	// What a lost answer leads to: the carrier is asked, and has the message;
	// or it does not know it, twice, and gets it again.
	storyFound  = "hand_over_started message_uncertain message_accepted:lookup:queued"
	storyAbsent = "hand_over_started message_uncertain message_looked_up:absent message_looked_up:absent message_refused:refused retry_planned:retry " + storySent
	storySent   = "hand_over_started message_accepted:answer:queued"
)

// found is a create that Twilio carried out and whose answer says nothing.
func found(name string, f twiliotest.Fault) carrierCase {
	return carrierCase{name: name, script: faults{f.Accepted()}, gets: once, status: accepted, creates: 1, accepted: 1, story: storyFound}
}

// absent is a create that Twilio did not carry out and whose answer says
// nothing.
func absent(name string, f twiliotest.Fault) carrierCase {
	return carrierCase{name: name, script: faults{f}, gets: onceLater, status: accepted, creates: 2, accepted: 1, story: storyAbsent}
}

// refused is a no that stays one.
func refused(name string, status, code int) carrierCase {
	return carrierCase{
		name: name, script: faults{twiliotest.Refuse(status, code)}, gets: nothing, status: "failed (refused)", creates: 1,
		story: "hand_over_started message_refused:refused reminder_failed:refused",
	}
}

var (
	hasty = map[string]string{"CARILLON_SEND_TIMEOUT": "400ms"}
	// patient services do by themselves nothing that a case has to outrun.
	patient = map[string]string{"CARILLON_RETRY_BASE": "20m", "CARILLON_RECONCILE_AFTER": "1h"}
)

func with(c carrierCase, change func(*carrierCase)) carrierCase { change(&c); return c }

var carrierCases = []carrierCase{
	{name: "none", gets: once, status: accepted, creates: 1, accepted: 1, story: storySent},
	found("connection closed after the create", twiliotest.Drop()),
	absent("connection closed before the create", twiliotest.Drop()),
	found("connection reset after the create", twiliotest.Reset()),
	absent("connection reset before the create", twiliotest.Reset()),
	with(found("no answer in time, created", twiliotest.Hang()), func(c *carrierCase) { c.env = hasty }),
	with(absent("no answer in time, not created", twiliotest.Hang()), func(c *carrierCase) { c.env = hasty }),
	found("500 after the create", twiliotest.Page(500)),
	absent("500 before the create", twiliotest.Page(500)),
	found("503 of Twilio (20503), created", twiliotest.Refuse(503, 20503)),
	absent("500 of Twilio (20500), not created", twiliotest.Refuse(500, 20500)),
	absent("502 with a code of a refusal in it", twiliotest.Refuse(502, 21211)),
	found("201 that is not JSON", twiliotest.Garbage("<html>ok</html>")),
	found("201 without a sid", twiliotest.Garbage(`{"status":"queued"}`)),
	found("201 that is empty", twiliotest.Garbage("")),
	found("201 cut off in the middle", twiliotest.Cut()),
	found("201 of 9 MB", twiliotest.Garbage(strings.Repeat(" ", 9<<20))),
	absent("redirect", twiliotest.Redirect("http://127.0.0.1:1/")),
	absent("404 of a proxy", twiliotest.Page(404)),
	absent("403 of a proxy", twiliotest.Page(403)),
	absent("429 of a proxy, not created", twiliotest.Page(429)),
	found("429 of a proxy, created", twiliotest.Page(429)),
	found("400 with a code that says nothing (21619)", twiliotest.Refuse(400, 21619)),
	refused("number that is none (21211)", 400, 21211),
	refused("region that is not enabled (21408)", 403, 21408),
	refused("body refused (21617)", 400, 21617),
	{
		name: "opted out at the carrier (21610)", script: faults{twiliotest.Refuse(400, 21610)}, solo: true,
		then: optedOutForGood, gets: "nothing, now and later: the person is opted out",
		status: "failed (opted_out)", creates: 1,
		story: "hand_over_started message_refused:refused reminder_failed:opted_out",
	},
	{
		name: "code that the table does not know, once", script: faults{twiliotest.Refuse(400, 29999)},
		gets: onceLater, status: accepted, creates: 2, accepted: 1,
		story: "hand_over_started message_refused:refused retry_planned:retry " + storySent,
	},
	{
		name: "code that the table does not know, always", script: faults{twiliotest.Refuse(400, 29999).Always()},
		gets: nothing, status: "failed (refused)", creates: 2,
		story: "hand_over_started message_refused:refused retry_planned:retry hand_over_started message_refused:refused reminder_failed:refused",
	},
	{
		name: "429 of Twilio (20429) with Retry-After", script: faults{twiliotest.Throttle("1")}, solo: true,
		gets: onceLater, status: accepted, creates: 2, accepted: 1,
		story: "hand_over_started message_refused:refused retry_planned:retry " + storySent,
	},
	{
		name: "queue of the sender full (21611), always", script: faults{twiliotest.Refuse(429, 21611).Always()}, solo: true,
		gets: nothing, status: "failed (attempts_used)", creates: 3,
		story: strings.Repeat("hand_over_started message_refused:refused retry_planned:retry ", 2) + "hand_over_started message_refused:refused reminder_failed:attempts_used",
	},
	{
		name: "connection closed before every create", script: faults{twiliotest.Drop().Always()},
		gets: nothing, status: "failed (attempts_used)", creates: 3,
		story: strings.Repeat("hand_over_started message_uncertain message_looked_up:absent message_looked_up:absent message_refused:refused retry_planned:retry ", 2) +
			"hand_over_started message_uncertain message_looked_up:absent message_looked_up:absent message_refused:refused reminder_failed:attempts_used",
	},
	{
		name: "answer lost, and look-ups fail for a while", script: faults{twiliotest.Drop().Accepted()}, solo: true,
		reads: faults{twiliotest.Page(503), twiliotest.Reset(), twiliotest.Garbage("{}")},
		gets:  once, status: accepted, creates: 1, accepted: 1,
		story: "hand_over_started message_uncertain message_looked_up message_accepted:lookup:queued",
	},
	{
		name: "answer lost, and look-ups fail for ever", script: faults{twiliotest.Drop().Accepted()}, solo: true, within: 900 * time.Millisecond,
		reads: faults{twiliotest.Page(503).Always()},
		gets:  once + "; nobody here knows", status: "failed (uncertain_expired)", creates: 1, accepted: 1,
		story: "hand_over_started message_uncertain message_looked_up reminder_failed:uncertain_expired",
	},
	{
		name: "request lost, and look-ups fail for ever", script: faults{twiliotest.Drop()}, solo: true, within: 900 * time.Millisecond,
		reads: faults{twiliotest.Page(503).Always()},
		gets:  nothing + "; nobody here knows", status: "failed (uncertain_expired)", creates: 1,
		story: "hand_over_started message_uncertain message_looked_up reminder_failed:uncertain_expired",
	},
	{
		name: "request lost under on_uncertain hold", script: faults{twiliotest.Drop()}, within: 900 * time.Millisecond,
		env:  map[string]string{"CARILLON_ON_UNCERTAIN": "hold"},
		gets: nothing, status: "failed (uncertain_expired)", creates: 1,
		story: "hand_over_started message_uncertain message_looked_up:absent message_looked_up:absent reminder_failed:uncertain_expired",
	},
	{
		name: "nobody listens at the base URL", within: 900 * time.Millisecond,
		env:  map[string]string{"CARILLON_TWILIO_BASE_URL": "http://127.0.0.1:1"},
		gets: nothing, status: "failed (uncertain_expired)",
		story: "hand_over_started message_uncertain message_looked_up reminder_failed:uncertain_expired",
	},
	{
		name: "token refused (20003) until it is mended", script: faults{twiliotest.Refuse(401, 20003)}, solo: true,
		then: resumeStopped, gets: onceLater, status: accepted, creates: 2, accepted: 1,
		story: "hand_over_started message_refused:refused retry_planned:retry " + storySent,
	},
	{
		name: "pace too slow for the deadline", within: 900 * time.Millisecond,
		env: map[string]string{"CARILLON_SENDER_MPS": "0.0001"}, then: secondIsStale,
		gets: "of two, the first; the second would be late", status: accepted, creates: 1, accepted: 1,
		story: storySent,
	},
	{
		name: "callback before the answer", early: true, script: faults{twiliotest.Hang().Accepted()},
		env:  map[string]string{"CARILLON_SEND_TIMEOUT": "1s"},
		then: reports("delivered"), gets: once, status: "delivered (delivered)", creates: 1, accepted: 1,
		story: "hand_over_started message_accepted:callback:delivered",
	},
	{
		name: "undelivered before the answer", early: true, script: faults{twiliotest.Hang().Accepted()},
		env:  map[string]string{"CARILLON_SEND_TIMEOUT": "1s"},
		then: reportsCode("undelivered", 30007), gets: nothing, status: "failed (undelivered)", creates: 1, accepted: 1, lost: 1,
		story: "hand_over_started message_accepted:callback:queued delivery_reported:undelivered reminder_failed:undelivered",
	},
	{
		name: "callback instead of the answer", early: true, script: faults{twiliotest.Drop().Accepted()}, env: patient,
		then: reports("sent"), gets: once, status: accepted, creates: 1, accepted: 1,
		story: "hand_over_started message_uncertain message_accepted:callback:sent",
	},
	{
		name: "callbacks each three times", solo: true, then: reports("queued", "queued", "sent", "sent", "sent", "delivered", "delivered", "delivered"),
		gets: once, status: "delivered (delivered)", creates: 1, accepted: 1,
		story: storySent + " delivery_reported:sent delivery_reported:delivered",
	},
	{
		name: "callbacks in reverse order", solo: true, then: reports("delivered", "sent", "sending", "queued"),
		gets: once, status: "delivered (delivered)", creates: 1, accepted: 1, story: storySent + " delivery_reported:delivered",
	},
	{
		name: "undelivered after delivered", solo: true, then: func(t *testing.T, r *carrierRun) {
			t.Helper()
			reports("delivered")(t, r)
			r.callback(t, "undelivered", 30003, http.StatusNoContent)
		},
		gets: once, status: "delivered (delivered)", creates: 1, accepted: 1, story: storySent + " delivery_reported:delivered",
	},
	{
		name: "delivered after undelivered, before the retry", env: patient, then: func(t *testing.T, r *carrierRun) {
			t.Helper()
			reportsCode("undelivered", 30003)(t, r)
			r.until(t, "scheduled (retry)")
			r.report(t, 0, "delivered", 0)
		},
		gets: once, status: "delivered (delivered)", creates: 1, accepted: 1,
		story: storySent + " delivery_reported:undelivered retry_planned:retry delivery_reported:delivered",
	},
	{
		name: "undelivered for a reason that passes (30003)", solo: true, then: reportsCode("undelivered", 30003),
		gets: onceLater + ": the first was lost", status: accepted, creates: 2, accepted: 2, lost: 1,
		story: storySent + " delivery_reported:undelivered retry_planned:retry " + storySent,
	},
	{
		name: "undelivered three times (30003)", solo: true, then: lostThrice,
		gets: nothing, status: "failed (attempts_used)", creates: 3, accepted: 3, lost: 3,
		story: strings.Repeat(storySent+" delivery_reported:undelivered retry_planned:retry ", 2) + storySent + " delivery_reported:undelivered reminder_failed:attempts_used",
	},
	{
		name: "undelivered for a reason that stays (30007, filtered)", solo: true, then: reportsCode("undelivered", 30007),
		gets: nothing, status: "failed (undelivered)", creates: 1, accepted: 1, lost: 1,
		story: storySent + " delivery_reported:undelivered reminder_failed:undelivered",
	},
	{
		name: "late callback for an older message", solo: true, then: func(t *testing.T, r *carrierRun) {
			t.Helper()
			reportsCode("undelivered", 30003)(t, r)
			r.answered(t, 2)
			r.report(t, 1, "delivered", 0)
			first := r.stub.Accepted(r.to, carrierText)[0]
			r.bring(t, first.SID, "sent", 0, nil, http.StatusNoContent)
			r.bring(t, first.SID, "failed", 30008, nil, http.StatusNoContent)
		},
		gets: onceLater + ": the first was lost", status: "delivered (delivered)", creates: 2, accepted: 2, lost: 1,
		story: storySent + " delivery_reported:undelivered retry_planned:retry " + storySent + " delivery_reported:delivered",
	},
	{
		name: "callback with a forged signature", env: patient, then: func(t *testing.T, r *carrierRun) {
			t.Helper()
			r.callbackWith(t, "undelivered", 30003, func(q *http.Request) { q.Header.Set("X-Twilio-Signature", "L/OH5YylLD5NRKLltdqwSvS0BnU=") }, http.StatusForbidden)
			r.callbackWith(t, "undelivered", 30003, func(q *http.Request) { q.Header.Del("X-Twilio-Signature") }, http.StatusForbidden)
			r.callbackWith(t, "undelivered", 30003, func(q *http.Request) { q.URL.RawQuery += "&x=1" }, http.StatusForbidden)
		},
		gets: once, status: accepted, creates: 1, accepted: 1, story: storySent,
	},
	{
		name: "callback for a user or message that is not known", env: patient, then: unknownCallbacks,
		gets: once, status: accepted, creates: 1, accepted: 1, story: storySent,
	},
	{
		name: "callback with another message's sid", env: patient, then: func(t *testing.T, r *carrierRun) {
			t.Helper()
			r.accepted(t)
			r.remind(t, "Another")
			eventually(t, "accepted", 10*time.Second, func() bool { return len(r.stub.Accepted(r.to, "Another")) == 1 })
			other := r.stub.Accepted(r.to, "Another")[0]
			id := r.reminders(t, r.user)[0].Messages[0].MessageID
			r.post(t, "user_id="+r.user+"&message_id="+id, other.SID, "failed", http.StatusOK)
		},
		gets: once, status: accepted, creates: 1, accepted: 1, story: storySent,
	},
	{
		name: "no callback ever comes", env: map[string]string{"CARILLON_CONFIRM_AFTER": "300ms"}, then: func(t *testing.T, r *carrierRun) {
			t.Helper()
			r.accepted(t)
			r.stub.Move(r.stub.Accepted(r.to, carrierText)[0].SID, "delivered", 0)
		},
		gets: once, status: "delivered (delivered)", creates: 1, accepted: 1, story: storySent + " delivery_reported:delivered",
	},
	{
		name: "no callback of a loss ever comes", env: map[string]string{"CARILLON_CONFIRM_AFTER": "300ms"}, then: func(t *testing.T, r *carrierRun) {
			t.Helper()
			r.accepted(t)
			r.stub.Move(r.stub.Accepted(r.to, carrierText)[0].SID, "undelivered", 30003)
			r.until(t, accepted)
			r.answered(t, 2)
			r.report(t, 1, "delivered", 0)
		},
		gets: onceLater + ": the first was lost", status: "delivered (delivered)", creates: 2, accepted: 2, lost: 1,
		story: storySent + " delivery_reported:undelivered retry_planned:retry " + storySent + " delivery_reported:delivered",
	},
}
