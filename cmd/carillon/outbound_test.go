package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const testWebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// told is an outgoing webhook as its receiver reads it.
type told struct {
	ID        string
	Type      string
	Timestamp time.Time
	Data      struct {
		UserID     string `json:"user_id"`
		ReminderID string `json:"reminder_id"`
		Reason     string
		Reminder   *struct {
			ReminderID string `json:"reminder_id"`
			Status     string
			Text       string
		}
	}
}

// hookReceiver takes webhooks and believes only what the reference library of
// Standard Webhooks believes.
type hookReceiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(m told) int // its status; the receiver is locked
	posts  int
	taken  []told
	bad    []string
	late   []string // the last posts
}

// log notes a post and what became of it; the receiver is locked.
func (r *hookReceiver) log(m told, answer string) {
	if len(r.late) == 20 {
		r.late = r.late[1:]
	}
	r.late = append(r.late, fmt.Sprintf("%s %s %s %s: %s\n", time.Now().Format("15:04:05.000"), m.Data.UserID, m.ID, m.fact(), answer))
}

// lately lists the last posts.
func (r *hookReceiver) lately() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.late, "")
}

func newHookReceiver(t *testing.T) *hookReceiver {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(testWebhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := &hookReceiver{answer: func(told) int { return http.StatusNoContent }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.posts++
		m := told{ID: req.Header.Get("webhook-id")}
		if err := verifier.Verify(body, req.Header); err != nil {
			r.bad = append(r.bad, err.Error())
		}
		if err := json.Unmarshal(body, &m); err != nil || m.Timestamp.IsZero() {
			r.bad = append(r.bad, string(body))
		}
		status := r.answer(m)
		if status < 300 {
			r.taken = append(r.taken, m)
		}
		r.log(m, strconv.Itoa(status))
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// types lists what was taken about a user, in order.
func (r *hookReceiver) types(user string) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.taken {
		if m.Data.UserID == user {
			out = append(out, m.Type)
		}
	}
	return out
}

// SPEC 9: what happens is posted to the receiver, signed, in order, with the
// reminder as the API shows it; a post that fails comes again with its id.
func TestOutgoingWebhooks(t *testing.T) {
	r := newHookReceiver(t)
	r.answer = func(told) int {
		if r.posts == 2 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	c := startProgram(t, map[string]string{"CARILLON_OUTBOUND_URL": r.URL + "/hooks", secretWebhook: testWebhookSecret})
	c.person(t, "ada", "+15550100001")
	c.do(t, http.StatusCreated, "POST", "/v1/users/ada/reminders", map[string]any{"text": "Now", "send_at": time.Now().UTC().Format(time.RFC3339)})
	eventually(t, "delivered is told", 15*time.Second, func() bool { return slices.Contains(r.types("ada"), "reminder.delivered") })
	c.do(t, http.StatusOK, "POST", "/v1/users/ada/opt-out", map[string]any{"reason": "asked"})
	c.do(t, http.StatusOK, "DELETE", "/v1/users/ada", nil)
	eventually(t, "erased is told", 15*time.Second, func() bool { return slices.Contains(r.types("ada"), "user.erased") })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bad) > 0 {
		t.Errorf("not to be believed: %v", r.bad)
	}
	if r.posts <= len(r.taken) {
		t.Errorf("%d posts, %d taken: the one that failed did not come again", r.posts, len(r.taken))
	}
	sent := r.taken[slices.IndexFunc(r.taken, func(m told) bool { return m.Type == "reminder.sent" })]
	if rem := sent.Data.Reminder; rem == nil || rem.Text != "Now" || rem.ReminderID != sent.Data.ReminderID || sent.Data.Reason != "accepted" || !strings.HasPrefix(sent.ID, "msg_") {
		t.Errorf("sent: %+v", sent)
	}
}

// A receiver that can't be told safely stops the start.
func TestOutboundSettings(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"CARILLON_OUTBOUND_URL": "https://example.org"}, secretWebhook + " is missing"},
		{map[string]string{"CARILLON_OUTBOUND_URL": "example.org", secretWebhook: testWebhookSecret}, "CARILLON_OUTBOUND_URL): a URL with scheme and host"},
		{map[string]string{secretWebhook: "hush-hush"}, secretWebhook + ": a secret is whsec_"},
		{map[string]string{"CARILLON_OUTBOUND_KEEP": "0s"}, "CARILLON_OUTBOUND_KEEP): needs"},
	} {
		var errs strings.Builder
		vars := map[string]string{"CARILLON_API_KEY": testKey, "CARILLON_DATA_DIR": t.TempDir(), "CARILLON_LISTEN": "127.0.0.1:0"}
		maps.Copy(vars, c.env)
		p := &program{stdout: io.Discard, stderr: &errs, lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
		if code := p.run(t.Context(), []string{"serve"}); code != exitUsage || !strings.Contains(errs.String(), c.want) || strings.Contains(errs.String(), "hush") {
			t.Errorf("exit code %d: %s", code, errs.String())
		}
	}
}

// SPEC 9: calendar changes come by webhook, with the secret of our own
// webhooks or one that is only theirs.
func TestCalendarWebhook(t *testing.T) {
	const own = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDCrRZ0FDBBFs="
	for _, env := range []map[string]string{{secretWebhook: testWebhookSecret}, {secretWebhook: testWebhookSecret, secretCalendar: own}} {
		c := startProgram(t, env)
		c.person(t, "ada", "+15550100001")
		start := time.Now().Add(3 * time.Hour).UTC().Format(time.RFC3339)
		body := map[string]any{"changes": []any{map[string]any{"user_id": "ada", "event": map[string]any{"event_id": "e1", "title": "Review", "start": start}}}}
		right, wrong := testWebhookSecret, own
		if env[secretCalendar] != "" {
			right, wrong = own, testWebhookSecret
		}
		c.do(t, http.StatusForbidden, "POST", "/webhooks/calendar", body, sign(t, wrong, body)...)
		c.do(t, http.StatusOK, "POST", "/webhooks/calendar", body, sign(t, right, body)...)
		c.do(t, http.StatusOK, "GET", "/v1/users/ada/events/e1", nil)
	}
}

// sign returns the headers of a body by the reference library.
func sign(t *testing.T, secret string, body any) []string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	signature, err := w.Sign("msg_1", now, text)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"webhook-id", "msg_1", "webhook-timestamp", strconv.FormatInt(now.Unix(), 10), "webhook-signature", signature}
}
