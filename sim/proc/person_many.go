//go:build linux

package proc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const batchLines = 4

// farBatch puts several events in one call; each line is acknowledged alone.
func (a *actor) farBatch(ctx context.Context) {
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	var events []*calendarEvent
	var states []eventState
	for range batchLines {
		e := a.newEvent()
		e.version++
		s := eventState{version: e.version, title: fmt.Sprintf("Far %s version %d", e.id, e.version)}
		_ = lines.Encode(map[string]any{"method": "PUT", "path": a.path() + "/events/" + e.id, "body": map[string]any{
			"title": s.title, "start": wire(time.Now().Add(48 * time.Hour)), "version": s.version,
		}})
		events, states = append(events, e), append(states, s)
	}
	whole, text := a.do(ctx, http.MethodPost, "/v1/batch", body.Bytes())
	results := json.NewDecoder(bytes.NewReader(text))
	for i, e := range events {
		v := whole
		var line struct{ Status int }
		if whole == acknowledged {
			switch err := results.Decode(&line); {
			case err != nil:
				a.h.fail("acknowledged", "%s: line %d of a batch has no result: %v", a.p.id, i, err)
				v = unknown
			case line.Status >= 500:
				v = unknown
			case line.Status >= 300:
				v = refused
			}
		}
		e.learn(states[i], v)
	}
}

// far reports whether the event may be in the window of a full sync.
func (e *calendarEvent) far() bool {
	states := e.maybe
	if e.acked != nil {
		states = append([]eventState{*e.acked}, states...)
	}
	return slices.ContainsFunc(states, func(s eventState) bool { return !s.deleted && s.claim == nil })
}

// sync names most of the far events, and thereby deletes the others (C1).
func (a *actor) sync(ctx context.Context) {
	var named []any
	changes := map[*calendarEvent]eventState{}
	for _, e := range a.p.events {
		if !e.far() {
			continue
		}
		if len(e.maybe) > 0 || a.rng.IntN(4) == 0 {
			changes[e] = eventState{version: e.version, deleted: true}
			continue
		}
		e.version++
		s := eventState{version: e.version, title: fmt.Sprintf("Far %s version %d", e.id, e.version)}
		changes[e] = s
		named = append(named, map[string]any{"event_id": e.id, "title": s.title, "start": wire(time.Now().Add(48 * time.Hour)), "version": s.version})
	}
	if len(named) == 0 {
		return
	}
	now := time.Now()
	v, _ := a.do(ctx, http.MethodPost, a.path()+"/events:sync", map[string]any{
		"window": map[string]any{"start": wire(now.Add(24 * time.Hour)), "end": wire(now.Add(72 * time.Hour))}, "events": named,
	})
	for e, s := range changes {
		if len(e.maybe) > 0 && v == acknowledged {
			e.learn(s, unknown) // what is not known may still be on its way
			continue
		}
		e.learn(s, v)
	}
}

// erase takes the person out of the world (N6).
func (a *actor) erase(ctx context.Context) {
	switch v, _ := a.do(ctx, http.MethodDelete, a.path(), nil); v {
	case acknowledged:
		a.p.erased = time.Now().UnixMilli()
	case unknown:
		a.p.perhaps = true
	case refused:
	}
}

// wire is an instant as the API takes it.
func wire(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
