package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// TestSenderPool: with two numbers in the settings a person is texted from one
// of them; when Twilio refuses that one, the people of the other are texted all
// the same, and the stopped one is shown by name. Resuming hurries what waited
// (S5, S6).
func TestSenderPool(t *testing.T) {
	t.Parallel()
	const second = "+15550002222"
	w := startCarrier(t, map[string]string{"CARILLON_TWILIO_FROM": twiliotest.From + ", " + second})
	w.stub.Own(second)
	w.stub.FaultFrom(second, twiliotest.Refuse(http.StatusBadRequest, 21659).Always())
	const people = 12
	for i := range people {
		id := fmt.Sprint("p", i)
		w.person(t, id, fmt.Sprintf("+1555020%04d", i))
		w.do(t, http.StatusCreated, "POST", "/v1/users/"+id+"/reminders", map[string]any{"text": "Hi", "send_at": time.Now().UTC().Format(time.RFC3339)})
	}
	var stats struct {
		Outbox struct {
			Stopped string
			Senders []struct {
				Sender, Stopped string
				Queued          int
			}
		}
	}
	eventually(t, "one number is stopped and nobody waits for the other", 10*time.Second, func() bool {
		w.do(t, http.StatusOK, "GET", "/v1/stats", nil).into(t, &stats)
		s := stats.Outbox.Senders
		return len(s) == 2 && s[0].Stopped == "" && s[1].Stopped != "" && s[1].Queued > 0 && s[1].Queued+len(w.stub.Messages()) == people
	})
	if why := stats.Outbox.Stopped; !strings.HasPrefix(why, second+": ") || !strings.Contains(why, "check CARILLON_TWILIO_FROM") {
		t.Errorf("stopped %q", why)
	}
	for number, want := range map[string]float64{twiliotest.From: 0, second: 1} {
		if got := w.metric(t, `carillon_sender_stopped{sender="`+number+`"}`); got != want {
			t.Errorf("carillon_sender_stopped of %s is %v, want %v", number, got, want)
		}
	}
	w.stub.Heal()
	w.do(t, http.StatusOK, "POST", "/v1/resume", nil)
	eventually(t, "everybody is texted", 10*time.Second, func() bool { return len(w.stub.Messages()) == people })
	from := map[string]string{}
	for _, m := range w.stub.Messages() {
		from[m.To] = m.From
	}
	used := map[string]int{}
	for i := range people {
		messages := w.reminders(t, fmt.Sprint("p", i))[0].Messages
		for _, m := range messages {
			if to := fmt.Sprintf("+1555020%04d", i); m.Sender != from[to] {
				t.Errorf("%s: the API says from %s, Twilio sent from %s", to, m.Sender, from[to])
			}
		}
		used[messages[0].Sender]++
	}
	if len(used) != 2 {
		t.Errorf("numbers used: %v", used)
	}
}
