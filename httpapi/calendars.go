package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"carillon/engine"
)

// errNoFeed says what is needed.
var errNoFeed = errors.New("an https, http or webcal URL with a host is needed")

// Limits of a calendar's fields, in characters.
const (
	maxSource = 2048
	maxGrant  = 4096
)

// calendarJSON is a connected calendar as shown. What gives access to it is
// never shown: a feed's URL often is its password.
type calendarJSON struct {
	CalendarID     string  `json:"calendar_id"`
	Kind           string  `json:"kind"`
	Source         string  `json:"source"`
	Status         string  `json:"status"`
	Problem        *string `json:"problem"`
	Failures       int32   `json:"failures"`
	RefreshMinutes int64   `json:"refresh_minutes"`
	ShowPrivate    bool    `json:"show_private"`
	Email          *string `json:"email"`
	Push           bool    `json:"push"`
	ConnectedAt    string  `json:"connected_at"`
	LastReadAt     *string `json:"last_read_at"`
	NextReadAt     *string `json:"next_read_at"`
}

func showCalendar(k engine.Calendar) calendarJSON {
	out := calendarJSON{
		CalendarID: k.ID, Kind: k.Kind.String(), Source: k.Source, Problem: textOrNull(k.Problem), Failures: k.Failures,
		RefreshMinutes: k.Every / time.Minute.Milliseconds(), ShowPrivate: k.Private, Email: textOrNull(k.Self), Push: k.Channel.ID != "",
		ConnectedAt: showInstant(k.ConnectedAt), LastReadAt: instantOrNull(k.ReadAt), NextReadAt: instantOrNull(k.NextAt),
	}
	if u, err := url.Parse(k.Source); k.Kind == engine.CalendarICS && err == nil {
		out.Source = u.Scheme + "://" + u.Host
	}
	switch {
	case k.NextAt == 0:
		out.Status = "stopped"
	case k.Problem != "":
		out.Status = "failing"
	case k.ReadAt == 0:
		out.Status = "pending"
	default:
		out.Status = "ok"
	}
	return out
}

// connectFeed follows a feed in iCalendar's form.
func (s *Server) connectFeed(ctx context.Context, r *request) (response, error) {
	f, err := r.object()
	if err != nil {
		return response{}, err
	}
	c := engine.ConnectCalendar{Kind: engine.CalendarICS}
	if link, ok := f.text("url", maxSource); !ok {
		f.need("url", "the feed's URL is needed")
	} else if c.Source, err = feedURL(link); err != nil {
		f.fail("url", codeInvalidField, err.Error())
	}
	c.Self, _ = f.text("email", maxAttendee)
	readCalendar(f, &c)
	return s.connect(ctx, r, f, c)
}

// feedURL takes webcal, which calendars write for https.
func feedURL(s string) (string, error) {
	if rest, ok := strings.CutPrefix(s, "webcal://"); ok {
		s = "https://" + rest
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return "", errNoFeed
	}
	u.Fragment = ""
	return u.String(), nil
}

// connectGoogle follows a calendar at Google, with the access that the person
// gave the caller's application.
func (s *Server) connectGoogle(ctx context.Context, r *request) (response, error) {
	f, err := r.object()
	if err != nil {
		return response{}, err
	}
	c := engine.ConnectCalendar{Kind: engine.CalendarGoogle}
	if c.Source, _ = f.text("calendar_id", maxSource); c.Source == "" {
		c.Source = "primary"
	}
	access, _ := f.text("access_token", maxGrant)
	if c.Token, _ = f.text("refresh_token", maxGrant); c.Token == "" {
		c.Token, c.Access = access, true
	}
	if c.Token == "" {
		f.need("refresh_token", "a refresh token is needed, or an access token for as long as it is good")
	}
	readCalendar(f, &c)
	return s.connect(ctx, r, f, c)
}

// readCalendar reads what all kinds have.
func readCalendar(f *fields, c *engine.ConnectCalendar) {
	const least, most = engine.MinCalendarEvery / 60_000, engine.MaxCalendarEvery / 60_000
	if n, ok := f.whole("refresh_minutes", least, most); ok {
		c.Every = n * time.Minute.Milliseconds()
	}
	c.Private, _ = f.boolean("show_private")
	f.done()
}

func (s *Server) connect(ctx context.Context, r *request, f *fields, c engine.ConnectCalendar) (response, error) {
	if err := f.err(); err != nil {
		return response{}, err
	}
	got, err := reply[engine.CalendarReply](s.c.Backend.Do(ctx, r.user, c, r.key, r.keyHash()))
	if err != nil {
		return response{}, err
	}
	resp := response{status: http.StatusOK, body: showCalendar(got.Calendar)}
	if got.Created {
		resp.status, resp.location = http.StatusCreated, "/v1/calendars/"+url.PathEscape(r.user)+"/"+got.Calendar.ID
	}
	return resp, nil
}

func (s *Server) listCalendars(ctx context.Context, r *request) (response, error) {
	got, err := reply[engine.CalendarsReply](s.c.Backend.Do(ctx, r.user, engine.GetCalendars{}, "", 0))
	if err != nil {
		return response{}, err
	}
	out := listJSON[calendarJSON]{Items: make([]calendarJSON, 0, len(got.Items))}
	for _, k := range got.Items {
		out.Items = append(out.Items, showCalendar(k))
	}
	return ok(out)
}

func (s *Server) getCalendar(ctx context.Context, r *request) (response, error) {
	return showCalendarReply(s.c.Backend.Do(ctx, r.user, engine.GetCalendars{ID: r.calendar}, "", 0))
}

type disconnectedJSON struct {
	CalendarID    string `json:"calendar_id"`
	Disconnected  bool   `json:"disconnected"`
	EventsDeleted int    `json:"events_deleted"`
}

func (s *Server) disconnectCalendar(ctx context.Context, r *request) (response, error) {
	got, err := reply[engine.CalendarReply](s.c.Backend.Do(ctx, r.user, engine.DisconnectCalendar{ID: r.calendar}, "", 0))
	if err != nil {
		return response{}, err
	}
	return ok(disconnectedJSON{CalendarID: got.Calendar.ID, Disconnected: true, EventsDeleted: got.Deleted})
}

// refreshCalendar has a calendar read now, and does not wait for it.
func (s *Server) refreshCalendar(ctx context.Context, r *request) (response, error) {
	if err := r.nothing(); err != nil {
		return response{}, err
	}
	resp, err := showCalendarReply(s.c.Backend.Do(ctx, r.user, engine.RefreshCalendar{ID: r.calendar}, r.key, r.keyHash()))
	resp.status = http.StatusAccepted
	return resp, err
}

func showCalendarReply(got engine.Reply, err error) (response, error) {
	k, err := reply[engine.CalendarReply](got, err)
	if err != nil {
		return response{}, err
	}
	return ok(showCalendar(k.Calendar))
}

const googlePath = "/webhooks/google"

// notTheChannel is for whoever is not Google.
func notTheChannel() (response, error) {
	return response{}, fail(http.StatusForbidden, codeBadSignature, "X-Goog-Channel-Token is not the token of that channel")
}

// googleChanged takes Google's word that a calendar has changed. The channel's
// token is the only proof, and all that Google gives. A channel that nobody
// knows is answered all the same: it may have outlived its calendar, and Google
// could only come again.
func (s *Server) googleChanged(ctx context.Context, r *request) (response, error) {
	if s.c.Channel == nil {
		return response{}, fail(http.StatusNotFound, codeNotFound, "no calendars are followed")
	}
	w := r.channel
	user, calendar, ours := s.c.Channel(w.token)
	if !ours || w.id == "" || !goodID(user, maxUserID) || reservedUser(user) {
		return notTheChannel()
	}
	if w.state == "sync" { // the channel is there; nothing has changed
		return response{status: http.StatusNoContent}, nil
	}
	c := engine.RefreshCalendar{ID: calendar, Told: true, Channel: w.id, Token: w.token}
	_, err := reply[engine.CalendarReply](s.c.Backend.Do(ctx, user, c, "", 0))
	if err == nil {
		return response{status: http.StatusNoContent}, nil
	}
	switch p, known := problemOf(err, true); {
	case p.Code == engine.CodeBadToken:
		return notTheChannel()
	case p.Status == http.StatusNotFound:
		return s.unknown("google")
	case p.Status < http.StatusInternalServerError:
		return response{status: http.StatusNoContent}, nil
	default:
		if !known {
			s.c.Logger.Error("calendar webhook failed", slog.String("cause", err.Error()))
		}
		return unavailable(p)
	}
}
