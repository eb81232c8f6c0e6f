package ics_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider/ics"
)

// TestHostile: what would take for ever, or all memory, costs little, and the
// rest of the feed is read.
func TestHostile(t *testing.T) {
	const good = "UID:good\nDTSTART:20260320T080000Z"
	rule := func(start, rule string) string { return "UID:bad\nDTSTART:" + start + "\nRRULE:" + rule }
	for name, bad := range map[string]string{
		"by the second":          rule("20000101T000000Z", "FREQ=SECONDLY"),
		"by the minute":          rule("20000101T000000Z", "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"),
		"an hour never met":      rule("20260101T030000Z", "FREQ=HOURLY;INTERVAL=24;BYHOUR=5"),
		"a day that never is":    rule("19010101T000000Z", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
		"every hour since 1900":  rule("19000102T000000Z", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"),
		"all times of all days":  rule("20000101T000000Z", "FREQ=DAILY;BYHOUR="+numbers(0, 23)+";BYMINUTE="+numbers(0, 59)+";BYSECOND="+numbers(0, 59)),
		"a huge interval":        rule("20000101T000000Z", "FREQ=DAILY;INTERVAL=9223372036854775807"),
		"a negative count":       rule("20000101T000000Z", "FREQ=DAILY;COUNT=-5"),
		"a huge count":           rule("20260320T000000Z", "FREQ=HOURLY;COUNT=2000000000"),
		"a long rule":            rule("20000101T000000Z", "FREQ=DAILY;BYMONTHDAY="+strings.Repeat("1,", 5000)+"1"),
		"a rule in a rule":       rule("20000101T000000Z", "FREQ=DAILY;DTSTART=00010101T000000Z"),
		"year one":               rule("00010101T000000Z", "FREQ=DAILY"),
		"the year 9999":          rule("99991231T235959Z", "FREQ=YEARLY"),
		"positions":              rule("20260101T000000Z", "FREQ=YEARLY;BYSETPOS=366;BYYEARDAY=366;BYWEEKNO=53;BYDAY=53MO"),
		"many added":             "UID:bad\nDTSTART:20260320T080000Z\nRDATE:" + strings.Repeat("20260321T080000Z,", 6000) + "20260321T080000Z",
		"many parameters":        "UID:bad\nDTSTART" + strings.Repeat(";X=1", 50_000) + ":20260320T080000Z",
		"a quote left open":      "UID:bad\nDTSTART;TZID=\"Europe/Berlin:20260320T080000",
		"a long line":            "UID:bad\nDTSTART:20260320T080000Z\nSUMMARY:" + strings.Repeat("x", 1<<20),
		"a line folded for ever": "UID:bad\nDTSTART:20260320T080000Z\nSUMMARY:x" + strings.Repeat("\n y", 300_000),
		"deep":                   strings.Repeat("BEGIN:VALARM\n", 100_000) + "UID:bad",
		"long for ever":          "UID:bad\nDTSTART:20260320T080000Z\nDURATION:P999999W",
		"before it began":        "UID:bad\nDTSTART:20260320T080000Z\nDTEND:20250320T080000Z",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := read(t, calendar(bad, good), "2026-03-16T00:00:00Z", "2026-04-13T00:00:00Z")
			found := false
			for _, e := range f.Events {
				found = found || e.ID == "good"
				if e.End < e.Start {
					t.Errorf("%s ends before it starts", e.ID)
				}
			}
			if !found && name != "deep" { // there nobody can say where the event ended
				t.Errorf("the good one is not there; left out: %v", f.Skipped)
			}
			if n := len(f.Events); n > 6000 {
				t.Errorf("%d events", n)
			}
		})
	}
}

func numbers(from, to int) string {
	var out []string
	for n := from; n <= to; n++ {
		out = append(out, fmt.Sprint(n))
	}
	return strings.Join(out, ",")
}

// TestWorkIsShared: many rules together have the work of a few.
func TestWorkIsShared(t *testing.T) {
	events := make([]string, 500)
	for i := range events {
		events[i] = fmt.Sprintf("UID:%d\nDTSTART:19000102T000000Z\nRRULE:FREQ=DAILY;COUNT=9999999;BYMONTH=2;BYMONTHDAY=30", i)
	}
	f := read(t, calendar(events...), "2026-03-16T00:00:00Z", "2026-04-13T00:00:00Z")
	if len(f.Skipped) == 0 || !strings.Contains(f.Skipped[0].Why, "work") {
		t.Errorf("nothing was refused: %v", f.Skipped)
	}
}

// TestTooLarge: a feed without end is refused, not read.
func TestTooLarge(t *testing.T) {
	for name, text := range map[string]string{
		"one line":   "BEGIN:VCALENDAR\nSUMMARY:" + strings.Repeat("x", 11<<20),
		"many lines": "BEGIN:VCALENDAR\n" + strings.Repeat("X-A:b\n", 2<<20),
		"no feed":    "<html>",
		"nothing":    "",
	} {
		if _, err := ics.Read(strings.NewReader(text), ics.Options{Zone: time.UTC}); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// FuzzRead: nothing panics, nothing comes out that the engine could not take.
func FuzzRead(f *testing.F) {
	f.Add(calendar(berlinWeekly + ";BYDAY=MO,-1FR;BYSETPOS=2\nEXDATE:20260323T080000Z"))
	f.Add(calendar("UID:a\nDTSTART;VALUE=DATE:20260320\nDURATION:P2D\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1"))
	f.Add("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:-1200\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;TZID=x:20260320T000000\n")
	f.Fuzz(func(t *testing.T, text string) {
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
		feed, err := ics.Read(strings.NewReader(text), ics.Options{From: from, To: from + 90*86_400_000, Zone: zone(t, "Europe/Berlin")})
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for _, e := range feed.Events {
			switch {
			case e.ID == "" || len(e.ID) > 512 || strings.Contains(e.ID, "/"):
				t.Errorf("id %q", e.ID)
			case !e.AllDay && (e.End < e.Start || e.Start < from), e.AllDay && e.EndDate <= e.Date:
				t.Errorf("times of %+v", e)
			case ids[e.ID]:
				t.Errorf("id %q is there twice", e.ID)
			}
			ids[e.ID] = true
		}
	})
}
