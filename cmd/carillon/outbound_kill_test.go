package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestWebhooksOverKills kills the real binary at random while a receiver hangs
// up on some webhooks and declines others, and then holds what it took to the
// timelines: every fact, in each person's order, under one id, and nothing
// else. A fact may come twice; the id says so.
func TestWebhooksOverKills(t *testing.T) {
	r := newHookReceiver(t)
	moody := &moods{seen: map[string]bool{}}
	r.answer = func(m told) int { return moody.answer(r, m) }
	dir, listen := t.TempDir(), freeAddr(t)
	env := []string{"CARILLON_OUTBOUND_URL=" + r.URL, secretWebhook + "=" + testWebhookSecret, "CARILLON_SNAPSHOT_EVERY=300ms", "CARILLON_LOG_LEVEL=error"}
	serve := func() *process {
		r.mu.Lock()
		moody.begin()
		r.mu.Unlock()
		return serveProcess(t, dir, listen, env...)
	}
	for round := range 3 {
		p := serve()
		if round == 0 {
			for u := range killUsers {
				p.client.person(t, fmt.Sprintf("u%d", u), fmt.Sprintf("+1555010%04d", u))
			}
		}
		w := &writes{count: round * 1_000_000}
		stopWriting := w.begin(p.client)
		<-time.After(time.Duration(300+rand.IntN(700)) * time.Millisecond)
		eventually(t, "writes enough for each mood to come", 60*time.Second, func() bool { return w.acknowledged() >= 50 })
		p.kill(t)
		stopWriting()
		check(t, dir)
	}
	p := serve()
	var differs string
	// Longer than the receiver's moods make it wait, and less than the minute after
	// which new facts come, of what was with the carrier at the kill: the first of
	// them that is taken would have held streams tried again.
	whileItMoves(t, func() string { return differs + "\n" + r.lately() + p.herald() }, 40*time.Second, r.progress(moody), func() bool {
		for u := range killUsers {
			id := fmt.Sprintf("u%d", u)
			if differs = difference(p.client.facts(t, id), r.facts(id)); differs != "" {
				differs = id + " is not told all: " + differs
				return false
			}
		}
		return true
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
	if len(r.bad) > 0 || len(ids) < 50 || moody.met[0] == 0 {
		t.Errorf("%d facts in %d posts, trouble %v, not to be believed: %v", len(ids), r.posts, moody.met, r.bad)
	}
	t.Logf("%d facts in %d posts, %d taken twice; trouble %v", len(ids), r.posts, len(r.taken)-len(ids), moody.met)
}

// moods are a receiver's bad ones: about three in twenty of the facts that it
// has not seen before meet trouble.
//
// What it costs is bounded, or the end of a test would be put off by every fact
// that the writers had time for: a declined fact has its person wait for five
// seconds, and one that is not heard everybody for one, twice as long each time
// it goes on. In one life of the engine each person meets each kind twice at
// most, and no more than three come in a row: then the longest pause is nine
// seconds, and all of them together are about a minute.
type moods struct {
	seen map[string]bool // ids
	met  [len(badMoods)]int
	next int

	// Of this life of the engine:
	life map[string]bool // ids
	dose map[string]*[len(badMoods)]int
	row  int
}

// badMoods are the statuses of a declined fact and of one that is not heard.
// The last one is taken, and the answer is lost.
var badMoods = [...]int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusOK}

const hangsUp = len(badMoods) - 1

// begin begins another life of the engine.
func (m *moods) begin() {
	m.life, m.dose, m.row = map[string]bool{}, map[string]*[len(badMoods)]int{}, 0
}

// answer answers a webhook; the receiver is locked.
func (m *moods) answer(r *hookReceiver, w told) int {
	first := !m.seen[w.ID]
	m.seen[w.ID], m.life[w.ID] = true, true
	dose := m.dose[w.Data.UserID]
	if dose == nil {
		dose = new([len(badMoods)]int)
		m.dose[w.Data.UserID] = dose
	}
	bad := m.next // by turns, or one might not come
	if !first || rand.IntN(20) >= 3 || dose[bad] == 2 || m.row == 3 {
		m.row = 0
		return http.StatusOK
	}
	m.next = (bad + 1) % len(badMoods)
	dose[bad]++
	m.met[bad]++
	m.row++
	if bad == hangsUp {
		r.taken = append(r.taken, w)
		r.log(w, "taken, and hung up")
		panic(http.ErrAbortHandler)
	}
	return badMoods[bad]
}

// progress counts the facts that a receiver was told in this life of the
// engine: one that is told for ever counts once.
func (r *hookReceiver) progress(m *moods) func() int {
	return func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(m.life)
	}
}

// difference says where what was told parts from the facts, if it does.
func difference(facts, told []string) string {
	at := 0
	for at < len(facts) && at < len(told) && facts[at] == told[at] {
		at++
	}
	if at == len(facts) && at == len(told) {
		return ""
	}
	next := func(of []string) []string { return of[at:min(at+4, len(of))] }
	return fmt.Sprintf("%d facts, %d told; behind the first %d come %q, told %q", len(facts), len(told), at, next(facts), next(told))
}

// herald is what the engine says about its webhooks.
func (p *process) herald() string {
	a, err := p.client.try("GET", "/metrics", nil)
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for line := range strings.Lines(string(a.body)) {
		if strings.HasPrefix(line, "carillon_webhook") && !strings.Contains(line, "_bucket{") {
			out.WriteString(line)
		}
	}
	return out.String() + p.text()
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
			if e.Kind == "message_accepted" && e.Detail.Status == "delivered" { // one entry, two facts
				out = append(out, "reminder.delivered "+e.ReminderID)
			}
		}
		if page.Next == "" {
			return out
		}
	}
}
