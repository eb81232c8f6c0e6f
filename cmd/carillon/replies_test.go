package main

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestReplies: what people text back, through the signed webhook, answered in
// TwiML (N3, N4).
func TestReplies(t *testing.T) {
	t.Parallel()
	w := startCarrier(t, nil)
	w.person(t, "ada", "+15550501234")
	start := time.Now().Add(15*time.Minute + 300*time.Millisecond).UTC()
	w.do(t, http.StatusCreated, "PUT", "/v1/users/ada/events/e1", map[string]any{"title": "Review <&>", "start": start.Format("2006-01-02T15:04:05.000Z07:00")})
	if got := w.text(t, "+15550501234", "C", ""); !strings.Contains(got, "no reminder") {
		t.Errorf("before any reminder: %q", got)
	}
	eventually(t, "sent", 10*time.Second, func() bool { return w.reminders(t, "ada")[0].Status == "sent" })
	if got := w.text(t, "+15550501234", " c.", ""); got != "Confirmed: Review <&>" {
		t.Errorf("answer %q", got)
	}
	if got := w.text(t, "+15550501234", "SNOOZE 5", ""); !strings.HasPrefix(got, "You will be reminded again at ") {
		t.Errorf("answer %q", got)
	}
	if got := w.text(t, "+15550501234", "agenda", ""); !strings.Contains(got, "Review <&>") && !strings.Contains(got, "Nothing more today") { // it may be midnight
		t.Errorf("answer %q", got)
	}
	var list struct {
		Items []struct {
			ReminderID  string  `json:"reminder_id"`
			Status      string  `json:"status"`
			ConfirmedAt *string `json:"confirmed_at"`
			SnoozeOf    *string `json:"snooze_of"`
			EventID     string  `json:"event_id"`
		}
	}
	w.do(t, http.StatusOK, "GET", "/v1/users/ada/reminders", nil).into(t, &list)
	if len(list.Items) != 2 || list.Items[0].ConfirmedAt == nil {
		t.Fatalf("reminders %+v", list.Items)
	}
	if d := list.Items[1]; d.SnoozeOf == nil || *d.SnoozeOf != list.Items[0].ReminderID || d.Status != "scheduled" || d.EventID != "e1" || d.ConfirmedAt != nil {
		t.Errorf("snoozed %+v", d)
	}
	for _, quiet := range []string{"thanks!", "HELP", "STOP"} { // the carrier answers the last two
		if got := w.text(t, "+15550501234", quiet, ""); got != "" {
			t.Errorf("%s is answered %q", quiet, got)
		}
	}
	if got := w.text(t, "+15550501234", "AGENDA", ""); got != "" {
		t.Errorf("who said STOP is answered %q", got)
	}
	if got := w.text(t, "+15559999999", "AGENDA", ""); got != "" {
		t.Errorf("a stranger is answered %q", got)
	}
	for word, n := range map[string]float64{"confirm": 2, "snooze": 1, "agenda": 2, "stop": 1, "other": 1, "start": 0} {
		if got := w.metric(t, `carillon_texts_received_total{keyword="`+word+`"}`); got != n {
			t.Errorf("%v texts with keyword %s, want %v", got, word, n)
		}
	}
}

// text brings a person's text and returns the answer.
func (w *carrierWorld) text(t *testing.T, from, text, optOut string) string {
	t.Helper()
	req, err := w.stub.Inbound(context.Background(), carrierPublic+"/webhooks/twilio/inbound", from, text, optOut)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/xml") {
		t.Fatalf("%d, %s, %v: %s", resp.StatusCode, resp.Header.Get("Content-Type"), err, body)
	}
	var doc struct{ Message string }
	if err := xml.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return doc.Message
}
