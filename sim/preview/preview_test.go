package preview_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"carillon/actors/provider/ics"
	"carillon/engine"
	"carillon/httpapi"
	"carillon/sim/preview"
)

var update = flag.Bool("update", false, "write the golden files anew")

// run previews a file of testdata.
func run(t *testing.T, file, zone, from, to, prefs string) (*preview.Result, []string) {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) engine.Millis {
		at, err := time.ParseInLocation(time.DateOnly, s, loc)
		if err != nil {
			t.Fatal(err)
		}
		return at.UnixMilli()
	}
	c := preview.Config{Zone: zone, From: day(from), To: day(to)}
	if c.Preferences, err = httpapi.ParsePreferences([]byte(prefs)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	events, left, err := preview.Read(f, ics.Options{From: c.From, To: c.To + preview.MaxLead, Zone: loc})
	if err != nil {
		t.Fatal(err)
	}
	c.Events = events
	r, err := preview.Run(c)
	if err != nil {
		t.Fatal(err)
	}
	return r, left
}

// TestGolden: a weekend on which clocks go forward, one on which they go back,
// and a day with quiet hours, a limit and declined events.
func TestGolden(t *testing.T) {
	for name, c := range map[string]struct{ file, zone, from, to, prefs string }{
		"berlin-spring":   {"berlin.ics", "Europe/Berlin", "2026-03-27", "2026-03-31", `{"lead_times_minutes":[15,60],"all_day_at":"09:00"}`},
		"berlin-no-quiet": {"berlin.ics", "Europe/Berlin", "2026-03-28", "2026-03-30", `{"lead_times_minutes":[30],"quiet_hours":null}`},
		"berlin-autumn":   {"berlin.ics", "Europe/Berlin", "2026-10-24", "2026-10-26", `{"lead_times_minutes":[90],"quiet_hours":null}`},
		"new-york-autumn": {"new-york.ics", "America/New_York", "2026-10-30", "2026-11-03", `{"quiet_hours":{"start":"23:00","end":"01:20"}}`},
		"limits":          {"limits.ndjson", "Europe/Berlin", "2026-06-15", "2026-06-17", `{"lead_times_minutes":[60],"daily_limit":3,"all_day_at":"07:00"}`},
		"earlier":         {"limits.ndjson", "Europe/Berlin", "2026-06-15", "2026-06-17", `{"lead_times_minutes":[15,60],"quiet_policy":"earlier"}`},
		"off":             {"limits.ndjson", "Europe/Berlin", "2026-06-15", "2026-06-16", `{"event_reminders_enabled":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, left := run(t, c.file, c.zone, c.from, c.to, c.prefs)
			var out bytes.Buffer
			r.Print(&out)
			for _, l := range left {
				out.WriteString("left out: " + l + "\n")
			}
			golden(t, name+".txt", out.Bytes())
			text, err := json.MarshalIndent(r, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", append(text, '\n'))
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(-update writes it anew)", name, got, want)
	}
}

// TestRead: a bad line is named, and an empty file is no calendar.
func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "empty",
		"{\"event_id\":\"a\",\"start\":\"x\"}": "line 1: start",
		"\n{\"event_id\":\"a\",\"start\":\"2026-01-01\"}\n{\"event_id\":\"b\",\"color\":1}": "line 3",
		"BEGIN:VCARD": "no iCalendar file",
	} {
		_, _, err := preview.Read(strings.NewReader(text), ics.Options{Zone: time.UTC})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestRefused: what the engine would refuse of a caller is refused here.
func TestRefused(t *testing.T) {
	prefs, err := httpapi.ParsePreferences([]byte(`{"lead_times_minutes":[0]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []preview.Config{
		{Zone: "Europe/Berlin", From: 2, To: 1},
		{Zone: "Mars/Olympus", From: 1, To: 2},
		{Zone: "", From: 1, To: 2},
		{Zone: "Europe/Berlin", From: 1, To: 2, Preferences: prefs},
		{Zone: "Europe/Berlin", From: 1, To: 2, Events: []engine.CalendarEvent{{ID: "a", Start: 9, End: 3}}},
	} {
		if r, err := preview.Run(c); err == nil {
			t.Errorf("%+v is taken: %+v", c, r)
		}
	}
	if _, err := httpapi.ParsePreferences([]byte(`{"lead_times":[5]}`)); err == nil || !strings.Contains(err.Error(), "lead_times") {
		t.Errorf("an unknown preference: %v", err)
	}
}
