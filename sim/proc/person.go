//go:build linux

package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// actor plays a client: one person after the other.
type actor struct {
	h    *harness
	rng  *rand.Rand
	p    *person
	keys int
}

// textsEach is what a person asks for before the next one comes: the daily
// limit can't be above 100.
const textsEach = 70

// play goes on until stop ends. ctx ends a request, stop only the next one.
func (a *actor) play(ctx, stop context.Context, first kind) {
	for k := first; stop.Err() == nil; k = kind(a.rng.IntN(int(kindCount))) {
		a.p = a.h.ledger.newPerson(k, time.Now())
		for stop.Err() == nil && a.p.texts < textsEach {
			a.step(ctx)
			wait(stop, between(a.rng, 10*time.Millisecond, 90*time.Millisecond))
		}
		a.p.mu.Lock()
		if stop.Err() == nil && a.rng.IntN(3) == 0 {
			a.erase(ctx)
		}
		a.p.retired = true
		a.p.mu.Unlock()
	}
}

// step is one request, with everything that it takes to get an answer.
func (a *actor) step(ctx context.Context) {
	p := a.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.complete {
		a.settle(ctx)
		return
	}
	switch x := a.rng.IntN(100); {
	case x < 26:
		a.farEvent(ctx)
	case x < 34:
		a.farBatch(ctx)
	case x < 40:
		a.sync(ctx)
	case x < 62:
		a.remind(ctx, time.Duration(a.rng.IntN(2500))*time.Millisecond)
	case x < 76:
		a.soonEvent(ctx, a.newEvent())
	case x < 82:
		a.changeSoon(ctx)
	case x < 90:
		a.cancel(ctx)
	default:
		a.waver(ctx)
	}
}

func (a *actor) key() string {
	a.keys++
	return fmt.Sprintf("%s-%d", a.p.id, a.keys)
}

func (a *actor) do(ctx context.Context, method, path string, body any) (verdict, []byte) {
	key := ""
	if method == http.MethodPost {
		key = a.key()
	}
	return a.h.door.write(ctx, a.rng, method, path, body, key)
}

func (a *actor) path() string { return "/v1/users/" + a.p.id }

// settle creates the person, and then has their number believed.
func (a *actor) settle(ctx context.Context) {
	p := a.p
	prefs := map[string]any{"event_reminders_enabled": true, "lead_times_minutes": []int{1}, "quiet_hours": nil, "quiet_policy": "skip", "daily_limit": 100}
	switch p.kind {
	case limited:
		prefs["daily_limit"] = dailyLimit
	case quiet:
		prefs["quiet_hours"] = broadDaylight()
		p.hush = []span{{from: 1, strict: true}}
	default:
	}
	if v, _ := a.do(ctx, http.MethodPut, a.path(), map[string]any{"timezone": p.zone, "preferences": prefs}); v != acknowledged {
		return
	}
	v, _ := a.do(ctx, http.MethodPost, a.path()+"/phone/attest", map[string]any{"phone_number": p.number})
	p.complete = v == acknowledged
}

// broadDaylight is quiet while it is noon.
func broadDaylight() map[string]any { return map[string]any{"start": "06:00", "end": "20:00"} }

func (a *actor) newEvent() *calendarEvent {
	e := &calendarEvent{id: fmt.Sprintf("e%d", len(a.p.events))}
	a.p.events = append(a.p.events, e)
	return e
}

// farEvent puts an event that is days away: it is there to be kept.
func (a *actor) farEvent(ctx context.Context) {
	e := a.newEvent()
	e.version++
	title := fmt.Sprintf("Far %s version %d", e.id, e.version)
	a.put(ctx, e, eventState{version: e.version, title: title}, time.Now().Add(48*time.Hour))
}

// soonEvent puts an event whose reminder is due in seconds. Where it had
// another start, the old one is withdrawn.
func (a *actor) soonEvent(ctx context.Context, e *calendarEvent) {
	start := time.Now().Add(time.Minute + between(a.rng, 800*time.Millisecond, 3*time.Second))
	e.version++
	c := a.h.ledger.claim(a.p, start.UnixMilli()-60_000, start.UnixMilli())
	a.put(ctx, e, eventState{version: e.version, title: "Soon " + c.token, claim: c}, start)
}

func (a *actor) put(ctx context.Context, e *calendarEvent, s eventState, start time.Time) {
	v, _ := a.do(ctx, http.MethodPut, a.path()+"/events/"+e.id, map[string]any{
		"title": s.title, "start": wire(start), "version": s.version,
	})
	e.learn(s, v)
}

// learn is what a client knows of its event now.
func (e *calendarEvent) learn(s eventState, v verdict) {
	switch v {
	case unknown:
		e.maybe, e.looked = append(e.maybe, s), false
	case acknowledged:
		now := time.Now().UnixMilli()
		if e.acked != nil {
			e.acked.claim.withdraw(now)
		}
		for _, m := range e.maybe {
			m.claim.withdraw(now)
		}
		if s.claim != nil {
			s.claim.acked = true
		}
		e.acked, e.maybe, e.looked = &s, nil, false
	case refused:
	}
}

func (c *claim) withdraw(now int64) {
	if c != nil && c.withdrawn == 0 {
		c.withdrawn = now
	}
}

// changeSoon moves or deletes one of the last events.
func (a *actor) changeSoon(ctx context.Context) {
	n := len(a.p.events)
	if n == 0 {
		return
	}
	e := a.p.events[n-1-a.rng.IntN(min(n, 5))]
	if e.acked == nil || e.acked.deleted || len(e.maybe) > 0 {
		return
	}
	if a.rng.IntN(2) == 0 {
		a.soonEvent(ctx, e)
		return
	}
	e.version++
	v, _ := a.do(ctx, http.MethodDelete, fmt.Sprintf("%s/events/%s?version=%d", a.path(), e.id, e.version), nil)
	e.learn(eventState{version: e.version, deleted: true}, v)
}

// remind asks for a text of its own.
func (a *actor) remind(ctx context.Context, in time.Duration) *claim {
	due := time.Now().Add(in)
	expires := due.Add(30 * time.Second)
	c := a.h.ledger.claim(a.p, due.UnixMilli(), expires.UnixMilli())
	c.custom = true
	a.p.customs = append(a.p.customs, c)
	v, text := a.do(ctx, http.MethodPost, a.path()+"/reminders", map[string]any{
		"text": "Text " + c.token, "send_at": wire(due),
		"expires_at": wire(expires),
	})
	if v == acknowledged {
		var r reminder
		if err := json.Unmarshal(text, &r); err != nil {
			a.h.fail("acknowledged", "%s: unreadable answer %q", a.p.id, text)
		}
		c.acked, c.id = true, r.ReminderID
	}
	return c
}

// cancel takes a reminder back that has a little time left. If the answer says
// cancelled, nothing of it is on its way: what the carrier had of it before is
// known to be lost.
func (a *actor) cancel(ctx context.Context) {
	c := a.remind(ctx, between(a.rng, 100*time.Millisecond, 3*time.Second))
	if !c.acked {
		return
	}
	wait(ctx, between(a.rng, time.Millisecond, 400*time.Millisecond))
	v, text := a.do(ctx, http.MethodPost, a.path()+"/reminders/"+c.id+"/cancel", nil)
	var r reminder
	if v == acknowledged && json.Unmarshal(text, &r) == nil && r.Status == "cancelled" {
		c.canceled = time.Now().UnixMilli()
	}
}

// waver changes their mind about being texted.
func (a *actor) waver(ctx context.Context) {
	switch a.p.kind {
	case wavering:
		a.consent(ctx)
	case resting:
		a.rest(ctx)
	default:
		_, _, _ = a.h.door.try(ctx, http.MethodGet, a.path()+"/plan", nil, "") // reads are cut off as well
	}
}

// consent opts out or in again, by the API or by a text.
func (a *actor) consent(ctx context.Context) {
	p := a.p
	out := len(p.out) == 0 || p.out[len(p.out)-1].to != 0 || p.unsureOf
	word, text := "opt-in", "START"
	if out {
		word, text = "opt-out", "STOP"
	}
	shut(p.out, time.Now().UnixMilli())
	v := unknown
	if a.rng.IntN(2) == 0 {
		v, _ = a.do(ctx, http.MethodPost, a.path()+"/"+word, map[string]any{"reason": "campaign"})
	} else if a.h.carrier.inbound(ctx, p.number, text) {
		v = acknowledged
	}
	p.unsureOf = v != acknowledged
	if out && v == acknowledged {
		p.out = append(p.out, span{from: time.Now().UnixMilli()})
	}
}

// rest begins or ends quiet hours.
func (a *actor) rest(ctx context.Context) {
	p := a.p
	var hours any
	on := len(p.hush) == 0 || p.hush[len(p.hush)-1].to != 0
	if on {
		hours = broadDaylight()
	}
	shut(p.hush, time.Now().UnixMilli())
	v, _ := a.do(ctx, http.MethodPatch, a.path(), map[string]any{"preferences": map[string]any{"quiet_hours": hours}})
	if on && v == acknowledged {
		p.hush = append(p.hush, span{from: time.Now().UnixMilli()})
	}
}

// inbound brings a text through the carrier, and reports whether carillon
// acknowledged it.
func (c *carrier) inbound(ctx context.Context, from, text string) bool {
	status, err := c.ask(ctx, http.MethodPost, "/inbound?"+url.Values{"from": {from}, "text": {text}}.Encode(), nil)
	return err == nil && status == http.StatusOK
}
