package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"
)

// TestWebhooksOverKills kills the real binary at random while a receiver hangs
// up on some webhooks and declines others, and then holds what it took to the
// timelines: every fact, in each person's order, under one id, and nothing
// else. A fact may come twice; the id says so.
func TestWebhooksOverKills(t *testing.T) {
	r := newHookReceiver(t)
	seen := map[string]bool{}
	r.answer = func(m told) int { // each fact is met with trouble once at most
		if first := !seen[m.ID]; first {
			seen[m.ID] = true
			switch rand.IntN(20) {
			case 0:
				return http.StatusInternalServerError
			case 1:
				return http.StatusServiceUnavailable
			case 2:
				r.taken = append(r.taken, m) // taken, and the answer is lost
				panic(http.ErrAbortHandler)
			}
		}
		return http.StatusOK
	}
	dir, listen := t.TempDir(), freeAddr(t)
	env := []string{"CARILLON_OUTBOUND_URL=" + r.URL, secretWebhook + "=" + testWebhookSecret, "CARILLON_SNAPSHOT_EVERY=300ms", "CARILLON_LOG_LEVEL=error"}
	for round := range 3 {
		p := serveProcess(t, dir, listen, env...)
		if round == 0 {
			for u := range killUsers {
				p.client.person(t, fmt.Sprintf("u%d", u), fmt.Sprintf("+1555010%04d", u))
			}
		}
		w := &writes{count: round * 1_000_000}
		stopWriting := w.begin(p.client)
		<-time.After(time.Duration(300+rand.IntN(700)) * time.Millisecond)
		p.kill(t)
		stopWriting()
		check(t, dir)
	}
	p := serveProcess(t, dir, listen, env...)
	var differs string
	eventually(t, "everything is told", 60*time.Second, func() bool {
		differs = ""
		for u := range killUsers {
			id := fmt.Sprintf("u%d", u)
			want, got := p.client.facts(t, id), r.facts(id)
			if !slices.Equal(want, got) {
				differs = fmt.Sprintf("%s: %d facts, %d told", id, len(want), len(got))
			}
		}
		return differs == ""
	})
	if code := p.signal(t, os.Interrupt); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	check(t, dir)
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]string{}
	for _, m := range r.taken {
		if before, again := ids[m.ID]; again && before != m.fact() {
			t.Errorf("%s is %s and %s", m.ID, before, m.fact())
		}
		ids[m.ID] = m.fact()
	}
	if len(r.bad) > 0 || len(ids) < 50 || r.posts <= len(ids) {
		t.Errorf("%d facts in %d posts, not to be believed: %v", len(ids), r.posts, r.bad)
	}
	t.Logf("%d facts in %d posts, %d taken twice", len(ids), r.posts, len(r.taken)-len(ids))
}

// fact is what a webhook tells, without its id.
func (m told) fact() string { return m.Type + " " + m.Data.ReminderID }

// facts lists what was told about a user, each id where it came first.
func (r *hookReceiver) facts(user string) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]bool{}
	for _, m := range r.taken {
		if m.Data.UserID == user && !ids[m.ID] {
			ids[m.ID] = true
			out = append(out, m.fact())
		}
	}
	return out
}

// facts lists what a user's timeline has that is to be told.
func (c *client) facts(t *testing.T, user string) (out []string) {
	t.Helper()
	kinds := map[string]string{
		"reminder_scheduled": "reminder.scheduled", "message_accepted": "reminder.sent", "reminder_failed": "reminder.failed",
		"reminder_cancelled": "reminder.cancelled", "message_recorded": "reminder.cancelled",
	}
	for after := uint64(0); ; {
		var page struct {
			Items []struct {
				Seq        uint64
				Kind       string
				ReminderID string `json:"reminder_id"`
				Detail     struct{ Status string }
			}
			Next string
		}
		c.do(t, http.StatusOK, "GET", fmt.Sprintf("/v1/users/%s/timeline?limit=500&after=%d", user, after), nil).into(t, &page)
		for _, e := range page.Items {
			after = e.Seq
			kind := kinds[e.Kind]
			if e.Kind == "delivery_reported" && e.Detail.Status == "delivered" {
				kind = "reminder.delivered"
			}
			if kind != "" {
				out = append(out, kind+" "+e.ReminderID)
			}
		}
		if page.Next == "" {
			return out
		}
	}
}
