package engine_test

import (
	"fmt"
	"strings"

	"carillon/engine"
)

// calendar reads the commands of connected calendars:
//
//	connect ics|google SOURCE [every=MINUTES] [token=T]
//	read r1 whole FROM TO id@START …      read r1 changes id@START -id …
//	read r1 problem=WHY [final] [after=SECONDS]
//	refresh r1 [channel=C token=T]        disconnect r1
//
// Calendars have short names as reminders do.
func (s *story) calendar(verb string, args []string) engine.Command {
	s.t.Helper()
	if verb == "connect" {
		kv := pairs(args)
		c := engine.ConnectCalendar{Source: args[1], Token: kv["token"]}
		if args[0] == "google" {
			c.Kind = engine.CalendarGoogle
		}
		if v, ok := kv["every"]; ok {
			c.Every = s.number(v) * 60_000
		}
		return c
	}
	id, kv := s.id(args[0]), pairs(args[1:])
	switch verb {
	case "disconnect":
		return engine.DisconnectCalendar{ID: id}
	case "refresh":
		_, told := kv["channel"]
		return engine.RefreshCalendar{ID: id, Told: told, Channel: kv["channel"], Token: kv["token"]}
	}
	return s.reading(id, args[1:], kv)
}

func (s *story) reading(id string, args []string, kv map[string]string) engine.Command {
	s.t.Helper()
	c := engine.RecordCalendar{ID: id, BegunAt: s.now, Zone: s.u.Zone, Cursor: kv["cursor"], Problem: kv["problem"]}
	if v, ok := kv["zone"]; ok {
		c.Zone = v
	}
	if v, ok := kv["begun"]; ok {
		c.BegunAt = instant(s.t, v)
	}
	for _, k := range s.u.Calendars {
		if k.ID == id {
			c.ConnectedAt, c.Channel = k.ConnectedAt, k.Channel
		}
	}
	if v, ok := kv["channel"]; ok {
		c.Channel = engine.Channel{ID: v, Token: "secret", Until: s.now + 86_400_000}
	}
	_, c.Final = kv["final"]
	if v, ok := kv["after"]; ok {
		c.RetryAfter = s.number(v) * 1000
	}
	if args[0] == "whole" {
		c.Whole, c.Start, c.End = true, instant(s.t, args[1]), instant(s.t, args[2])
	}
	for _, a := range args {
		if gone, ok := strings.CutPrefix(a, "-"); ok {
			c.Gone = append(c.Gone, gone)
		} else if event, start, ok := strings.Cut(a, "@"); ok {
			c.Events = append(c.Events, s.calendarEvent(event, map[string]string{"title": event, "start": start}))
		}
	}
	return c
}

// connected shows a calendar.
func (s *story) connected(r engine.CalendarReply) string {
	k := r.Calendar
	out := fmt.Sprintf("=> %s %s read %s, next %s", s.name(k.ID), k.Kind, when(k.ReadAt), when(k.NextAt))
	if k.Problem != "" {
		out += fmt.Sprintf(", %s %d times", k.Problem, k.Failures)
	}
	return out
}

// short names the event of a calendar by the calendar's short name.
func (s *story) short(event string) string {
	if id, rest, ok := strings.Cut(event, ":"); ok {
		return s.name(id) + ":" + rest
	}
	return event
}
