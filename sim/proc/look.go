//go:build linux

package proc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// reminder is what the harness reads of one.
type reminder struct {
	ReminderID string `json:"reminder_id"`
	Status     string `json:"status"`
	Reason     string `json:"reason"`
	Text       string `json:"text"`
}

// final reports whether nothing more becomes of it.
func (r reminder) final() bool {
	switch r.Status {
	case "sent", "delivered", "failed", "cancelled":
		return true
	}
	return false
}

// token is the one in a text; empty if there is none.
func token(text string) string {
	for word := range strings.FieldsSeq(text) {
		if len(word) > 2 && word[0] == 'K' && word[len(word)-1] == 'K' {
			return word
		}
	}
	return ""
}

// oldShare is how much of what was looked at before is looked at again.
const oldShare = 0.03

// look holds what was acknowledged against what the service shows, through the
// door and not a line. whole looks at everything (W2).
func (h *harness) look(ctx context.Context, rng *rand.Rand, whole bool) {
	for _, p := range h.ledger.everybody() {
		p.mu.Lock()
		if p.erased != 0 || p.perhaps {
			h.lookForErased(ctx, p)
			p.mu.Unlock()
			continue
		}
		if p.complete && (whole || !p.retired || rng.Float64() < oldShare) {
			h.lookAtPerson(ctx, p)
		}
		for _, e := range p.events {
			if whole || !e.looked || rng.Float64() < oldShare {
				h.lookAtEvent(ctx, p, e)
			}
		}
		for _, c := range p.customs {
			if c.acked && (whole || !p.retired) {
				h.lookAtCustom(ctx, p, c)
			}
		}
		p.mu.Unlock()
	}
}

// get reads through the door, and asks again while the service is not there:
// it may have been stopped by the round.
func (h *harness) get(ctx context.Context, path string, into any) int {
	for try := 0; ; try++ {
		status, err := h.back.read(ctx, path, into)
		if err == nil && status < 500 {
			h.result.Looked++
			return status
		}
		if try == 50 || !wait(ctx, 50*time.Millisecond) {
			h.fail("ready", "GET %s: status %d, %v", path, status, err)
			return 0
		}
	}
}

func (h *harness) lookAtPerson(ctx context.Context, p *person) {
	var got struct {
		Number   string `json:"phone_number"`
		Verified bool   `json:"phone_verified"`
		OptedOut bool   `json:"opted_out"`
	}
	status := h.get(ctx, "/v1/users/"+p.id, &got)
	out := len(p.out) > 0 && p.out[len(p.out)-1].to == 0
	switch {
	case status != http.StatusOK || got.Number != p.number || !got.Verified:
		h.fail("acknowledged", "%s was set up with %s, and is: status %d, %+v", p.id, p.number, status, got)
	case out && !got.OptedOut:
		h.fail("acknowledged", "%s has opted out, and that is gone", p.id)
	case !out && !p.unsureOf && got.OptedOut:
		h.fail("acknowledged", "%s has opted in, and that is gone", p.id)
	}
}

// lookForErased: who was erased is gone for good (N6).
func (h *harness) lookForErased(ctx context.Context, p *person) {
	if status := h.get(ctx, "/v1/users/"+p.id, nil); status != http.StatusNotFound && !p.perhaps {
		h.fail("acknowledged", "%s was erased, and is there: status %d", p.id, status)
	}
}

func (h *harness) lookAtEvent(ctx context.Context, p *person, e *calendarEvent) {
	var got struct {
		Title   string
		Version int64
	}
	status := h.get(ctx, "/v1/users/"+p.id+"/events/"+e.id, &got)
	e.looked = true
	states := append([]eventState(nil), e.maybe...)
	if e.acked == nil {
		states = append(states, eventState{deleted: true}) // it may never have come
	} else {
		states = append(states, *e.acked)
	}
	for _, s := range states {
		if s.deleted && status == http.StatusNotFound {
			return
		}
		if !s.deleted && status == http.StatusOK && got.Title == s.title && got.Version == s.version {
			return
		}
	}
	h.fail("acknowledged", "%s, event %s: status %d, %+v; it may be one of %s", p.id, e.id, status, got, showStates(states))
}

func showStates(states []eventState) string {
	var out []string
	for _, s := range states {
		out = append(out, fmt.Sprintf("{version %d %q deleted %v}", s.version, s.title, s.deleted))
	}
	return strings.Join(out, ", ")
}

func (h *harness) lookAtCustom(ctx context.Context, p *person, c *claim) {
	var got reminder
	status := h.get(ctx, "/v1/users/"+p.id+"/reminders/"+url.PathEscape(c.id), &got)
	if status != http.StatusOK || token(got.Text) != c.token {
		h.fail("acknowledged", "%s, reminder %s (%s): status %d, %+v", p.id, c.id, c.token, status, got)
	}
	if c.canceled != 0 && got.Status != "cancelled" {
		h.fail("acknowledged", "%s, reminder %s was shown cancelled, and is %s (%s)", p.id, c.id, got.Status, got.Reason)
	}
}

// reminders lists all of a person's.
func (h *harness) reminders(ctx context.Context, p *person, status string) (all []reminder) {
	for after := ""; ; {
		var page struct {
			Items []reminder
			Next  string
		}
		q := url.Values{"limit": {"500"}}
		if after != "" {
			q.Set("after", after)
		}
		if status != "" {
			q.Set("status", status)
		}
		got := h.get(ctx, "/v1/users/"+p.id+"/reminders?"+q.Encode(), &page)
		if got != http.StatusOK && got != http.StatusNotFound {
			h.fail("ready", "%s: no reminders, status %d", p.id, got)
		}
		if all = append(all, page.Items...); page.Next == "" {
			return all
		}
		after = page.Next
	}
}
