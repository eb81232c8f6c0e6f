package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"time"

	"carillon/engine"
)

// Carry carries out the lines of a batch for a caller in this process, as
// POST /v1/batch does for one with an administrator's key, and returns their
// results. An error means that nothing was carried out.
func (s *Server) Carry(ctx context.Context, lines []byte) (results []byte, err error) {
	r := &request{method: post, role: RoleAdmin, body: lines}
	defer r.rest()
	if _, err := s.batch(ctx, r); err != nil {
		if p, known := problemOf(err, true); known {
			return nil, errors.New(p.Detail)
		}
		return nil, err
	}
	return r.lines.appendJSON(make([]byte, 0, 2*len(lines))), nil
}

// MaxLines is how many lines a batch takes.
const MaxLines = maxLines

// Export writes the requests that make a user anew elsewhere: person, number,
// consent, events, connected calendars and pending custom reminders. History stays behind, and so
// does what was sent already.
func Export(w io.Writer, u *engine.User) error {
	out := bufio.NewWriter(w)
	e := json.NewEncoder(out)
	put := func(method, path string, body any) error {
		return e.Encode(struct {
			Method string `json:"method"`
			Path   string `json:"path"`
			Body   any    `json:"body,omitempty"`
		}{method, path, body})
	}
	errs := []error{exportPerson(put, u)}
	for i := range u.Events {
		if ev := &u.Events[i]; !ev.Deleted && !u.Follows(ev.ID) {
			errs = append(errs, put("PUT", pathOf(u.ID)+"/events/"+url.PathEscape(ev.ID), exportEvent(*ev.CalendarEvent)))
		}
	}
	for i := range u.Calendars {
		errs = append(errs, exportCalendar(put, u.ID, &u.Calendars[i]))
	}
	for i := range u.Reminders {
		if r := u.Reminders[i]; r.Type == engine.CustomReminder && r.Status == engine.StatusScheduled {
			errs = append(errs, put("POST", pathOf(u.ID)+"/reminders", map[string]any{
				"text": r.Title, "send_at": showInstant(r.Occ), "expires_at": showInstant(r.Deadline),
				"priority": priorityWords[min(int(r.Priority), len(priorityWords)-1)],
			}))
		}
	}
	return errors.Join(append(errs, out.Flush())...)
}

// exportCalendar connects a calendar anew; its events come from its source.
func exportCalendar(put func(method, path string, body any) error, user string, k *engine.Calendar) error {
	body := map[string]any{"refresh_minutes": k.Every / time.Minute.Milliseconds(), "show_private": k.Private}
	switch {
	case k.Kind == engine.CalendarICS:
		body["url"] = k.Source
	case k.Access:
		body["calendar_id"], body["access_token"] = k.Source, k.Token
	default:
		body["calendar_id"], body["refresh_token"] = k.Source, k.Token
	}
	if k.Self != "" {
		body["email"] = k.Self
	}
	return put("POST", "/v1/calendars/"+url.PathEscape(user)+"/"+k.Kind.String(), body)
}

func exportPerson(put func(method, path string, body any) error, u *engine.User) error {
	v := showUser(engine.UserView{ID: u.ID, Zone: u.Zone, Prefs: u.Prefs})
	body := map[string]any{"timezone": v.Timezone, "preferences": v.Preferences}
	if u.Phone != "" && !u.Verified {
		body["phone_number"] = u.Phone
	}
	errs := []error{put("PUT", pathOf(u.ID), body)}
	if u.Verified {
		errs = append(errs, put("POST", pathOf(u.ID)+"/phone/attest", map[string]any{"phone_number": u.Phone}))
	}
	if u.OptedOut {
		errs = append(errs, put("POST", pathOf(u.ID)+"/opt-out", map[string]any{"reason": "imported"}))
	}
	if u.Paused {
		errs = append(errs, put("POST", pathOf(u.ID)+"/pause", nil))
	}
	return errors.Join(errs...)
}

// exportEvent leaves out one of the two ways to write a version.
func exportEvent(e engine.CalendarEvent) *eventJSON {
	return &eventJSON{CalendarEvent: e, exported: true}
}

func pathUnder(user, of, id string) string {
	return "/v1/users/" + url.PathEscape(user) + of + url.PathEscape(id)
}

func pathOf(id string) string { return "/v1/users/" + url.PathEscape(id) }
