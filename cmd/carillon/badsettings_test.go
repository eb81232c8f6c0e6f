package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// TestBadSettingsAreTold: what only the carrier can tell is told at first use,
// in /v1/stats, in /readyz and by a metric, names the setting, and loses no
// reminder.
func TestBadSettingsAreTold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		env          map[string]string
		says, metric string
		status       string
	}{
		{"wrong token", map[string]string{"TWILIO_AUTH_TOKEN": "wrong"}, "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN", "carillon_sender_stopped", "scheduled"},
		{"wrong account", map[string]string{"TWILIO_ACCOUNT_SID": "ACffffffffffffffffffffffffffffffff"}, "TWILIO_ACCOUNT_SID", "carillon_sender_stopped", "scheduled"},
		{"sender that is not ours", map[string]string{"CARILLON_TWILIO_FROM": "+15550009999"}, "check CARILLON_TWILIO_FROM", "carillon_sender_stopped", "scheduled"},
		{"service that is not ours", map[string]string{"CARILLON_TWILIO_FROM": "", "CARILLON_TWILIO_MESSAGING_SERVICE_SID": "MGffffffffffffffffffffffffffffffff"}, "check CARILLON_TWILIO_MESSAGING_SERVICE_SID", "carillon_sender_stopped", "scheduled"},
		{"nobody at the base URL", map[string]string{"CARILLON_TWILIO_BASE_URL": "http://127.0.0.1:1"}, "connection refused", "carillon_carrier_unreachable", "uncertain"},
		{"base URL that is not there", map[string]string{"CARILLON_TWILIO_BASE_URL": "http://twilio.invalid"}, "host not found", "carillon_carrier_unreachable", "uncertain"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := startCarrier(t, test.env)
			w.person(t, "ada", "+15550101234")
			w.do(t, http.StatusCreated, "POST", "/v1/users/ada/reminders", map[string]any{"text": "Hi", "send_at": time.Now().UTC().Format(time.RFC3339)})
			var stats struct {
				Outbox struct {
					Stopped, Unreachable string
					Senders              []struct{ Sender string }
				}
			}
			eventually(t, test.says, 10*time.Second, func() bool {
				w.do(t, http.StatusOK, "GET", "/v1/stats", nil).into(t, &stats)
				return strings.Contains(stats.Outbox.Stopped+stats.Outbox.Unreachable, test.says)
			})
			if why := string(w.do(t, http.StatusOK, "GET", "/readyz", nil).body); !strings.Contains(why, test.says) || strings.Contains(why, twiliotest.AuthToken) {
				t.Errorf("readyz says %s", why)
			}
			if metric := strings.Replace(test.metric, "stopped", `stopped{sender="`+stats.Outbox.Senders[0].Sender+`"}`, 1); w.metric(t, metric) != 1 {
				t.Errorf("%s is not 1", test.metric)
			}
			if r := w.reminders(t, "ada")[0]; r.Status != test.status {
				t.Errorf("the reminder is %s (%s), want %s", r.Status, r.Reason, test.status)
			}
			if len(w.stub.Messages()) != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}
