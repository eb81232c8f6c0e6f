package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"carillon/actors/provider/ics"
	"carillon/engine"
	"carillon/httpapi"
	"carillon/sim/preview"
)

type simPreviewCmd struct {
	Calendar    string `required:"" help:"An iCalendar file, or calendar events of the API, one on a line; - reads standard input."`
	Zone        string `required:"" help:"The person's time zone, such as Europe/Berlin."`
	From        string `required:"" help:"Where the preview begins: a date, or an instant in RFC 3339. A date is its first instant in the zone."`
	To          string `required:"" help:"Where it ends; a date is the whole of that day."`
	Preferences string `default:"{}" help:"Preferences as PUT /v1/users/{user_id} takes them, or the name of a file that has them. Reminders are on unless it says otherwise."`
	Self        string `help:"The person's mail address in the calendar's invitations, to find what they declined."`
	Segments    int    `default:"1" help:"SMS segments that a text may have, 1 to 10."`
	JSON        bool   `name:"json" help:"One JSON object."`
}

// Run prints what would go out, and why the rest would not.
func (c *simPreviewCmd) Run(p *program) error {
	loc, err := time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "Local" {
		return usageError{fmt.Errorf("--zone: unknown time zone %q", c.Zone)}
	}
	conf := preview.Config{Zone: c.Zone, Policy: engine.DefaultPolicy()}
	if c.Segments < 1 || c.Segments > 10 {
		return usageError{errors.New("--segments: needs 1 to 10")}
	}
	conf.Policy.MaxSegments = c.Segments
	if conf.From, err = readBound(c.From, loc, 0); err != nil {
		return usageError{fmt.Errorf("--from: %w", err)}
	}
	if conf.To, err = readBound(c.To, loc, 1); err != nil {
		return usageError{fmt.Errorf("--to: %w", err)}
	}
	if conf.To <= conf.From {
		return usageError{errors.New("--to: it ends before --from begins")}
	}
	if conf.Preferences, err = c.preferences(); err != nil {
		return usageError{fmt.Errorf("--preferences: %w", err)}
	}
	in, err := p.openInput(c.Calendar)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	var left []string
	conf.Events, left, err = preview.Read(in, ics.Options{From: conf.From, To: conf.To + preview.MaxLead, Zone: loc, Self: c.Self})
	if err != nil {
		return err
	}
	for _, s := range left {
		_, _ = fmt.Fprintln(p.stderr, "left out of the calendar: "+s)
	}
	r, err := preview.Run(conf)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(p.stdout).Encode(r)
	}
	r.Print(p.stdout)
	return nil
}

// readBound reads a date, days later, or an instant.
func readBound(s string, loc *time.Location, days int) (engine.Millis, error) {
	if d, err := time.Parse(time.DateOnly, s); err == nil {
		return firstInstant(d.AddDate(0, 0, days), loc).UnixMilli(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a date, such as 2026-03-28, nor an instant, such as 2026-03-28T00:00:00+01:00", s)
	}
	return t.UnixMilli(), nil
}

// firstInstant is the first of a date in a zone, which need not be midnight
// (T2).
func firstInstant(date time.Time, loc *time.Location) time.Time {
	y, m, d := date.Date()
	for minute := range 24 * 60 {
		t := time.Date(y, m, d, 0, minute, 0, 0, loc)
		if ty, tm, td := t.Date(); ty == y && tm == m && td == d {
			return t
		}
	}
	return time.Date(y, m, d, 0, 0, 0, 0, loc)
}

// preferences reads them from the command line, or from the file that it
// names.
func (c *simPreviewCmd) preferences() (engine.UpdateUser, error) {
	text := []byte(c.Preferences)
	if !strings.HasPrefix(strings.TrimSpace(c.Preferences), "{") {
		var err error
		if text, err = os.ReadFile(c.Preferences); err != nil {
			return engine.UpdateUser{}, err
		}
	}
	return httpapi.ParsePreferences(text)
}
