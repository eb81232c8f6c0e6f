package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

const testKey = "test-key"

// client is a caller of the HTTP API.
type client struct {
	url  string
	http http.Client
}

// answer is a response that was read.
type answer struct {
	status int
	body   []byte
	header http.Header
}

// code is the problem's code, if the answer is one.
func (a answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal(a.body, &p)
	return p.Code
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

// try sends a request; an error means that there was no answer.
func (c *client) try(method, path string, body any, header ...string) (answer, error) {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.url+path, in)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, text, resp.Header}, err
}

// do sends a request that must be answered with that status.
func (c *client) do(t *testing.T, want int, method, path string, body any, header ...string) answer {
	t.Helper()
	a, err := c.try(method, path, body, header...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.status != want {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, a.status, want, a.body)
	}
	return a
}

// person creates a user with a verified number, reminders on, no quiet hours.
func (c *client) person(t *testing.T, id, phone string) {
	t.Helper()
	c.do(t, http.StatusCreated, "PUT", "/v1/users/"+id, map[string]any{
		"timezone": "UTC", "preferences": map[string]any{"event_reminders_enabled": true, "quiet_hours": nil, "daily_limit": 100},
	})
	c.do(t, http.StatusOK, "POST", "/v1/users/"+id+"/phone/attest", map[string]any{"phone_number": phone})
}

// reminder is what the tests look at of one.
type reminder struct {
	ReminderID   string    `json:"reminder_id"`
	EventID      string    `json:"event_id"`
	ScheduledFor time.Time `json:"scheduled_for"`
	Status       string    `json:"status"`
	Reason       string    `json:"reason"`
	Text         string    `json:"text"`
	Messages     []struct {
		MessageID string `json:"message_id"`
		SID       string `json:"sid"`
		Status    string `json:"status"`
		Sender    string `json:"sender"`
	} `json:"messages"`
}

// reminders lists all of a user's.
func (c *client) reminders(t *testing.T, id string) []reminder {
	t.Helper()
	var all []reminder
	after := ""
	for {
		var page struct {
			Items []reminder
			Next  string
		}
		c.do(t, http.StatusOK, "GET", fmt.Sprintf("/v1/users/%s/reminders?limit=500&after=%s", id, after), nil).into(t, &page)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		after = page.Next
	}
}

// eventually polls until ok, for tests of real processes.
func eventually(t *testing.T, what string, patience time.Duration, ok func() bool) {
	t.Helper()
	whileItMoves(t, func() string { return what }, patience, func() int { return 0 }, ok)
}

// whileItMoves polls until ok, for as long as moved says something else now and
// then: what takes long because there is much of it is not stuck. what is asked
// for when patience is at its end.
func whileItMoves(t *testing.T, what func() string, patience time.Duration, moved func() int, ok func() bool) {
	t.Helper()
	still := time.NewTimer(patience)
	defer still.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for at := moved(); !ok(); {
		if now := moved(); now != at {
			at = now
			still.Reset(patience)
		}
		select {
		case <-still.C:
			t.Fatalf("not within %v: %s", patience, what())
		case <-tick.C:
		}
	}
}
