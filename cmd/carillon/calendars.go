package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/google"
	"carillon/actors/provider/ics"
	"carillon/engine"
)

// calendarSettings say how connected calendars are read (SPEC 9).
type calendarSettings struct {
	CalendarConcurrency int           `group:"settings" name:"calendar-concurrency" default:"16" help:"Connected calendars that are read at a time; docs/calendars.md."`
	CalendarTimeout     time.Duration `group:"settings" name:"calendar-timeout" default:"30s" help:"How long reading a calendar may take."`
	CalendarDaysAhead   int           `group:"settings" name:"calendar-days-ahead" default:"31" help:"How far ahead a connected calendar's events are taken, 8 to 400 days; lead times reach a week."`
	CalendarNetworks    string        `group:"settings" name:"calendar-networks" default:"auto" enum:"auto,public,any" help:"Where feeds may be fetched from: ${enum}. public refuses addresses of private networks and of this machine; auto is any while --listen is a loopback address, else public. Link-local addresses are always refused."`
	GoogleClientID      string        `group:"settings" name:"google-client-id" help:"OAuth client that people gave access to their Google calendars; its secret is CARILLON_GOOGLE_CLIENT_SECRET."`
	GoogleBaseURL       string        `group:"settings" name:"google-base-url" help:"Stands in for https://www.googleapis.com, and with /token for Google's token endpoint."`
}

func (s *calendarSettings) check() error {
	switch {
	case s.CalendarConcurrency < 1 || s.CalendarConcurrency > 1000:
		return bad("calendar-concurrency", "1 to 1000")
	case s.CalendarTimeout < time.Second || s.CalendarTimeout > 10*time.Minute:
		return bad("calendar-timeout", "1s to 10m")
	case s.CalendarDaysAhead < 8 || s.CalendarDaysAhead > 400:
		return bad("calendar-days-ahead", "8 to 400 days")
	}
	return nil
}

// calendarReader reads each calendar with its kind's reader.
type calendarReader struct {
	feeds  *ics.Feeds
	google *google.Client
}

// Read implements provider.CalendarReader.
func (r calendarReader) Read(ctx context.Context, q provider.CalendarQuery) (provider.CalendarReading, error) {
	if q.Calendar.Kind == engine.CalendarGoogle {
		return r.google.Read(ctx, q)
	}
	return r.feeds.Read(ctx, q)
}

// connectTimeout bounds a connection to a calendar's source.
const connectTimeout = 10 * time.Second

// newCalendars wires what reads calendars.
func newCalendars(s *settings, secret string) (provider.CalendarReader, error) {
	push := ""
	if strings.HasPrefix(s.PublicURL, "https://") { // Google posts to nothing else
		push = strings.TrimRight(s.PublicURL, "/") + "/webhooks/google"
	}
	g, err := google.New(google.Config{
		BaseURL: s.GoogleBaseURL, ClientID: s.GoogleClientID, ClientSecret: secret, PushURL: push,
		Timeout: connectTimeout, NewToken: rand.Text,
	})
	if errors.Is(err, google.ErrBaseURL) {
		return nil, usageError{fmt.Errorf("--google-base-url (CARILLON_GOOGLE_BASE_URL): %w", err)}
	}
	if err != nil {
		return nil, err
	}
	feeds := ics.NewFeeds(ics.FeedConfig{Timeout: connectTimeout, Public: s.publicOnly()})
	return calendarReader{feeds: feeds, google: g}, nil
}

// publicOnly says that whoever connects a feed must not reach our network.
func (s *settings) publicOnly() bool {
	if s.CalendarNetworks != "auto" {
		return s.CalendarNetworks == "public"
	}
	host, _, err := net.SplitHostPort(s.Listen)
	return err != nil || !loopback(host)
}

// configure sets what the engine needs of the reader.
func (s *calendarSettings) configure(conf *actors.Config, r provider.CalendarReader) {
	conf.Calendars, conf.MaxCalendarReads, conf.CalendarTimeout = r, s.CalendarConcurrency, s.CalendarTimeout
	conf.Policy.CalendarDays = s.CalendarDaysAhead
}
