package httpapi

import (
	"context"
	"net/http"
	"strings"
)

// handler answers one request. It never sees fasthttp, so that a line of a
// batch goes through it too.
type handler func(s *Server, ctx context.Context, r *request) (response, error)

// bodyKind is what a route takes as its body.
type bodyKind uint8

const (
	bodyNone bodyKind = iota // ignored
	bodyJSON
	bodyNDJSON
	bodyForm
)

// route is one line of the table of SPEC 9.
type route struct {
	method  string
	pattern string
	role    Role // RoleNone: open, or signed
	body    bodyKind
	large   bool // takes MaxLargeBodyBytes
	handle  handler
}

const (
	get, post, put = http.MethodGet, http.MethodPost, http.MethodPut
	patch, del     = http.MethodPatch, http.MethodDelete
)

// Patterns of what has ids.
const (
	userPath     = "/v1/users/{user_id}"
	eventPath    = userPath + "/events/{event_id}"
	reminderPath = userPath + "/reminders/{reminder_id}"
)

// routes is the whole surface; openapi.yaml describes each of them, and a
// test compares the two.
func routes() []route {
	const (
		user, event, reminder = userPath, eventPath, reminderPath

		calendars = "/v1/calendars/{user_id}"
		calendar  = calendars + "/{calendar_id}"
	)
	return []route{
		{put, user, RoleWrite, bodyJSON, false, (*Server).putUser},
		{get, user, RoleRead, bodyNone, false, (*Server).getUser},
		{patch, user, RoleWrite, bodyJSON, false, (*Server).patchUser},
		{del, user, RoleAdmin, bodyNone, false, (*Server).eraseUser},
		{get, "/v1/users", RoleRead, bodyNone, false, (*Server).listUsers},
		{post, user + "/phone/verification", RoleWrite, bodyJSON, false, (*Server).startVerification},
		{post, user + "/phone/verification/check", RoleWrite, bodyJSON, false, (*Server).checkVerification},
		{post, user + "/phone/attest", RoleAdmin, bodyJSON, false, (*Server).attestPhone},
		{post, user + "/opt-out", RoleWrite, bodyJSON, false, (*Server).optOut},
		{post, user + "/opt-in", RoleWrite, bodyJSON, false, (*Server).optIn},
		{post, user + "/pause", RoleWrite, bodyJSON, false, (*Server).pauseUser},
		{post, user + "/resume", RoleWrite, bodyJSON, false, (*Server).resumeUser},
		{put, event, RoleWrite, bodyJSON, false, putEvent.whole()},
		{get, event, RoleRead, bodyNone, false, (*Server).getEvent},
		{del, event, RoleWrite, bodyNone, false, deleteEvent.whole()},
		{post, user + "/events:sync", RoleWrite, bodyJSON, true, (*Server).syncEvents},
		{get, user + "/reminders", RoleRead, bodyNone, false, (*Server).listReminders},
		{post, user + "/reminders", RoleWrite, bodyJSON, false, createReminder.whole()},
		{get, reminder, RoleRead, bodyNone, false, (*Server).getReminder},
		{post, reminder + "/cancel", RoleWrite, bodyJSON, false, (*Server).cancelReminder},
		{post, reminder + "/send-now", RoleWrite, bodyJSON, false, (*Server).sendNow},
		{get, user + "/timeline", RoleRead, bodyNone, false, (*Server).timeline},
		{get, user + "/plan", RoleRead, bodyNone, false, (*Server).plan},
		{post, calendars + "/ics", RoleWrite, bodyJSON, false, (*Server).connectFeed},
		{post, calendars + "/google", RoleWrite, bodyJSON, false, (*Server).connectGoogle},
		{get, calendars, RoleRead, bodyNone, false, (*Server).listCalendars},
		{get, calendar, RoleRead, bodyNone, false, (*Server).getCalendar},
		{del, calendar, RoleWrite, bodyNone, false, (*Server).disconnectCalendar},
		{post, calendar + "/refresh", RoleWrite, bodyJSON, false, (*Server).refreshCalendar},
		{post, "/v1/batch", RoleWrite, bodyNDJSON, true, (*Server).batch},
		{get, "/v1/stats", RoleRead, bodyNone, false, (*Server).stats},
		{post, "/v1/pause", RoleAdmin, bodyJSON, false, (*Server).pause},
		{post, "/v1/resume", RoleAdmin, bodyJSON, false, (*Server).resume},
		{post, backupPath, RoleAdmin, bodyJSON, false, (*Server).backup},
		{post, "/webhooks/twilio/status", RoleNone, bodyForm, false, (*Server).twilioStatus},
		{post, "/webhooks/twilio/inbound", RoleNone, bodyForm, false, (*Server).twilioInbound},
		{post, "/webhooks/calendar", RoleNone, bodyJSON, true, (*Server).calendarChanges},
		{post, googlePath, RoleNone, bodyNone, false, (*Server).googleChanged},
		{get, "/healthz", RoleNone, bodyNone, false, (*Server).healthz},
		{get, "/readyz", RoleNone, bodyNone, false, (*Server).readyz},
		{get, "/metrics", RoleNone, bodyNone, false, (*Server).metricsText},
		{get, "/openapi.json", RoleNone, bodyNone, false, (*Server).openapi},
		{get, "/console", RoleNone, bodyNone, false, (*Server).console},
		{get, "/sandbox", RoleNone, bodyNone, false, (*Server).sandboxPage},
		{get, "/sandbox/outbox", RoleNone, bodyNone, false, (*Server).sandboxOutbox},
	}
}

// batchable reports whether a batch may have lines of this route.
func (rt *route) batchable() bool {
	return rt.method != get && (strings.HasPrefix(rt.pattern, "/v1/users/") || strings.HasPrefix(rt.pattern, "/v1/calendars/"))
}

// names decodes the ids of the path. The router copied each, so that a command
// that keeps one for long does not keep the whole path with it; those of ofEvent
// are parts of the path, and readEvent copies the one that is kept.
func (r *request) names() error {
	for kind, into := range [...]*string{userID: &r.user, eventID: &r.event, reminderID: &r.reminder, calendarID: &r.calendar} {
		if !r.ids[kind].there {
			continue
		}
		limit := maxUserID
		if idKind(kind) == eventID { //nolint:gosec // one of four
			limit = maxEventID
		}
		id, err := decodeID(idNames[kind], r.ids[kind].text, limit)
		if err != nil {
			return err
		}
		*into = id
	}
	return nil
}
