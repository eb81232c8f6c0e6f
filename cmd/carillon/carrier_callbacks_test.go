package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
)

// accepted waits until Twilio has the text.
func (r *carrierRun) accepted(t *testing.T) {
	t.Helper()
	eventually(t, "accepted", 10*time.Second, func() bool { return len(r.stub.Accepted(r.to, carrierText)) > 0 })
}

// answered waits until that many messages have their answers.
func (r *carrierRun) answered(t *testing.T, n int) {
	t.Helper()
	eventually(t, "answered", 10*time.Second, func() bool {
		m := r.reminders(t, r.user)[0].Messages
		return len(m) == n && m[n-1].SID != ""
	})
}

// reports has Twilio report statuses of the first message, in this order.
func reports(statuses ...string) func(*testing.T, *carrierRun) {
	return func(t *testing.T, r *carrierRun) {
		t.Helper()
		r.accepted(t)
		switch {
		case !r.c.early:
			r.answered(t, 1)
		case r.c.env["CARILLON_RECONCILE_AFTER"] != "":
			eventually(t, "uncertain", 10*time.Second, func() bool { return r.reminders(t, r.user)[0].Status == "uncertain" })
		}
		for _, s := range statuses {
			r.report(t, 0, s, 0)
		}
	}
}

// reportsCode has Twilio report the loss of the first message.
func reportsCode(status string, code int) func(*testing.T, *carrierRun) {
	return func(t *testing.T, r *carrierRun) {
		t.Helper()
		reports()(t, r)
		r.report(t, 0, status, code)
	}
}

// report moves the n-th message at Twilio and brings the callback.
func (r *carrierRun) report(t *testing.T, n int, status string, code int) {
	t.Helper()
	got, err := r.stub.Report(context.Background(), r.stub.Accepted(r.to, carrierText)[n].SID, status, code)
	if err != nil || got != http.StatusNoContent {
		t.Errorf("callback %s: %d, %v", status, got, err)
	}
}

// callback brings one for the first message without moving it.
func (r *carrierRun) callback(t *testing.T, status string, code, want int) {
	t.Helper()
	r.callbackWith(t, status, code, nil, want)
}

// callbackWith changes it on its way.
func (r *carrierRun) callbackWith(t *testing.T, status string, code int, change func(*http.Request), want int) {
	t.Helper()
	r.accepted(t)
	r.until(t, r.c.status)
	r.bring(t, r.stub.Accepted(r.to, carrierText)[0].SID, status, code, change, want)
}

func (r *carrierRun) bring(t *testing.T, sid, status string, code int, change func(*http.Request), want int) {
	t.Helper()
	req, err := r.stub.Callback(context.Background(), sid, status, code)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	r.send(t, req, want)
}

func (r *carrierRun) send(t *testing.T, req *http.Request, want int) {
	t.Helper()
	resp, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != want {
		t.Errorf("callback %s: %d, want %d", req.URL.RawQuery, resp.StatusCode, want)
	}
}

// post brings a callback that is signed well and names what it likes.
func (r *carrierRun) post(t *testing.T, query, sid, status string, want int) {
	t.Helper()
	form := url.Values{"MessageSid": {sid}, "MessageStatus": {status}, "AccountSid": {twiliotest.AccountSID}}
	path := "/webhooks/twilio/status?" + query
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", twilio.Signature(twiliotest.AuthToken, carrierPublic+path, form))
	r.send(t, req, want)
}

// unknownCallbacks are answered, so that nobody repeats them, and counted.
func unknownCallbacks(t *testing.T, r *carrierRun) {
	t.Helper()
	r.accepted(t)
	r.until(t, accepted)
	sid := r.stub.Accepted(r.to, carrierText)[0].SID
	id := r.reminders(t, r.user)[0].Messages[0].MessageID
	r.post(t, "user_id="+r.user+"&message_id=m_unknown", sid, "failed", http.StatusOK)
	r.post(t, "user_id=nobody&message_id="+id, sid, "failed", http.StatusOK)
	r.post(t, "user_id=%21system&message_id="+id, sid, "failed", http.StatusOK)
	r.post(t, "user_id="+r.user, sid, "failed", http.StatusBadRequest)
	r.post(t, "user_id="+r.user+"&message_id="+id, "", "failed", http.StatusBadRequest)
	if got := r.metric(t, `carillon_callbacks_unknown_total{kind="status"}`); got != 3 {
		t.Errorf("%v unknown callbacks counted, want 3", got)
	}
}

// optedOutForGood: the next reminder does not even reach the carrier (S5).
func optedOutForGood(t *testing.T, r *carrierRun) {
	t.Helper()
	r.until(t, r.c.status)
	var u struct {
		OptedOut bool `json:"opted_out"`
	}
	r.do(t, http.StatusOK, "GET", "/v1/users/"+r.user, nil).into(t, &u)
	if !u.OptedOut {
		t.Error("the person is not opted out")
	}
	r.remind(t, "Another")
	eventually(t, "cancelled", 10*time.Second, func() bool {
		list := r.reminders(t, r.user)
		return len(list) == 2 && list[1].Status == "cancelled" && list[1].Reason == "opted_out"
	})
	if n := r.stub.Creates(); n != 1 {
		t.Errorf("%d creates", n)
	}
}

// resumeStopped: a fault of the account stops the sender and says so, and no
// reminder is lost by it; resume tries again at once (S5).
func resumeStopped(t *testing.T, r *carrierRun) {
	t.Helper()
	r.until(t, "scheduled (retry)")
	var stats struct{ Outbox struct{ Stopped string } }
	r.do(t, http.StatusOK, "GET", "/v1/stats", nil).into(t, &stats)
	const metric = `carillon_sender_stopped{sender="` + twiliotest.From + `"}`
	if !strings.Contains(stats.Outbox.Stopped, "Permission Denied") || r.metric(t, metric) != 1 {
		t.Errorf("stopped %q, metric %v", stats.Outbox.Stopped, r.metric(t, metric))
	}
	r.do(t, http.StatusOK, "POST", "/v1/resume", nil)
	r.until(t, accepted)
	if r.metric(t, metric) != 0 {
		t.Error("the metric says that it is still stopped")
	}
}

// secondIsStale: what can't make its deadline is cancelled, not sent late (S6).
func secondIsStale(t *testing.T, r *carrierRun) {
	t.Helper()
	r.until(t, accepted)
	r.remind(t, "Another")
	eventually(t, "stale", 10*time.Second, func() bool {
		list := r.reminders(t, r.user)
		return len(list) == 2 && list[1].Status == "cancelled" && list[1].Reason == "stale"
	})
	if n := r.stub.Creates(); n != 1 {
		t.Errorf("%d creates", n)
	}
}

// lostThrice: every message is accepted and lost (S4).
func lostThrice(t *testing.T, r *carrierRun) {
	t.Helper()
	for n := range 3 {
		eventually(t, "accepted", 10*time.Second, func() bool { return len(r.stub.Accepted(r.to, carrierText)) == n+1 })
		eventually(t, "its answer", 10*time.Second, func() bool { return r.reminders(t, r.user)[0].Status == "sent" })
		r.report(t, n, "undelivered", 30003)
	}
}

// metric reads one value off /metrics; the name may have labels.
func (c *client) metric(t *testing.T, name string) float64 {
	t.Helper()
	return metricIn(t, string(c.do(t, http.StatusOK, "GET", "/metrics", nil).body), name)
}
