package ics_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"carillon/actors/provider/ics"
	"carillon/engine"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

// calendar wraps the lines of events.
func calendar(events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\n")
	for _, e := range events {
		b.WriteString("BEGIN:VEVENT\n" + strings.TrimSpace(e) + "\nEND:VEVENT\n")
	}
	return b.String() + "END:VCALENDAR\n"
}

// read reads a feed for somebody in Berlin, from and to in RFC 3339.
func read(tb testing.TB, text, from, to string) ics.Feed {
	tb.Helper()
	opt := ics.Options{Zone: zone(tb, "Europe/Berlin"), Self: "ada@example.com"}
	for _, b := range []struct {
		at   *engine.Millis
		text string
	}{{&opt.From, from}, {&opt.To, to}} {
		v, err := time.Parse(time.RFC3339, b.text)
		if err != nil {
			tb.Fatal(err)
		}
		*b.at = v.UnixMilli()
	}
	f, err := ics.Read(strings.NewReader(text), opt)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// show lists events as id and beginning in UTC, or date.
func show(f ics.Feed) string {
	var out []string
	for _, e := range f.Events {
		at := time.UnixMilli(e.Start).UTC().Format("0102T1504")
		if e.AllDay {
			at = e.Date.String() + ".." + e.EndDate.String()
		}
		if e.Sync == engine.SyncCanceled {
			at += "x"
		}
		out = append(out, e.ID+" "+at)
	}
	for _, s := range f.Skipped {
		out = append(out, s.UID+" SKIPPED "+s.Why)
	}
	return strings.Join(out, "\n")
}

const berlinWeekly = "UID:w\nDTSTART;TZID=Europe/Berlin:20260316T090000\nDTEND;TZID=Europe/Berlin:20260316T100000\nRRULE:FREQ=WEEKLY"

// TestExpand: what a window of a calendar holds.
func TestExpand(t *testing.T) {
	const from, to = "2026-03-16T00:00:00Z", "2026-04-13T00:00:00Z"
	for name, c := range map[string]struct{ events, want string }{
		"one":             {"UID:a\nDTSTART:20260320T080000Z", "a 0320T0800"},
		"outside":         {"UID:a\nDTSTART:20260413T000000Z", ""},
		"floating":        {"UID:a\nDTSTART:20260330T080000", "a 0330T0600"},
		"day":             {"UID:a\nDTSTART;VALUE=DATE:20260320", "a 2026-03-20..2026-03-21"},
		"days":            {"UID:a\nDTSTART;VALUE=DATE:20260320\nDTEND;VALUE=DATE:20260323", "a 2026-03-20..2026-03-23"},
		"days by length":  {"UID:a\nDTSTART;VALUE=DATE:20260320\nDURATION:P2D", "a 2026-03-20..2026-03-22"},
		"wall clock":      {berlinWeekly, "w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0323T0800\nw_20260330T070000Z 0330T0700\nw_20260406T070000Z 0406T0700"},
		"count":           {berlinWeekly + ";COUNT=2", "w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0323T0800"},
		"until in UTC":    {berlinWeekly + ";UNTIL=20260330T070000Z", "w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0323T0800\nw_20260330T070000Z 0330T0700"},
		"until on a date": {berlinWeekly + ";UNTIL=20260323", "w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0323T0800"},
		"begun long ago":  {strings.ReplaceAll(berlinWeekly, "2026", "2009") + ";BYDAY=TU;INTERVAL=2", "w_20260324T080000Z 0324T0800\nw_20260407T070000Z 0407T0700"},
		"excluded": {
			berlinWeekly + ";COUNT=4\nEXDATE:20260323T080000Z\nEXDATE;VALUE=DATE:20260330",
			"w_20260316T080000Z 0316T0800\nw_20260406T070000Z 0406T0700",
		},
		"added": {
			berlinWeekly + ";COUNT=1\nRDATE;TZID=America/New_York:20260318T120000,20260319T120000\nRDATE;VALUE=PERIOD:20260320T080000Z/PT1H",
			"w_20260316T080000Z 0316T0800\nw_20260318T160000Z 0318T1600\nw_20260319T160000Z 0319T1600\nw_20260320T080000Z 0320T0800",
		},
		"moved": {
			berlinWeekly + ";COUNT=2\nEND:VEVENT\nBEGIN:VEVENT\nUID:w\nRECURRENCE-ID:20260323T080000Z\nDTSTART:20260401T100000Z",
			"w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0401T1000",
		},
		"moved in from outside": {
			berlinWeekly + ";COUNT=20\nEND:VEVENT\nBEGIN:VEVENT\nUID:w\nRECURRENCE-ID:20260727T070000Z\nDTSTART:20260401T100000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:w\nRECURRENCE-ID:20260406T070000Z\nDTSTART:20260901T100000Z",
			"w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0323T0800\nw_20260330T070000Z 0330T0700\nw_20260727T070000Z 0401T1000",
		},
		"canceled": {
			berlinWeekly + ";COUNT=2\nEND:VEVENT\nBEGIN:VEVENT\nUID:w\nRECURRENCE-ID:20260323T080000Z\nSTATUS:CANCELLED",
			"w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0323T0800x",
		},
		"this and future": {
			berlinWeekly + "\nEND:VEVENT\nBEGIN:VEVENT\nUID:w\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260323T080000Z\nDTSTART;TZID=Europe/Berlin:20260323T113000",
			"w_20260316T080000Z 0316T0800\nw_20260323T080000Z 0323T1030\nw_20260330T070000Z 0330T0930\nw_20260406T070000Z 0406T0930",
		},
		"newer version": {"UID:a\nSEQUENCE:2\nDTSTART:20260320T090000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:a\nSEQUENCE:1\nDTSTART:20260320T080000Z", "a 0320T0900"},
		"days that repeat": {
			"UID:d\nDTSTART;VALUE=DATE:20260327\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;VALUE=DATE:20260328\nEND:VEVENT\nBEGIN:VEVENT\nUID:d\nRECURRENCE-ID;VALUE=DATE:20260330\nDTSTART;VALUE=DATE:20260402",
			"d_20260327 2026-03-27..2026-03-28\nd_20260329 2026-03-29..2026-03-30\nd_20260330 2026-04-02..2026-04-03",
		},
		"the gap of spring":      {"UID:a\nDTSTART;TZID=Europe/Berlin:20260329T023000", "a 0329T0130"},
		"monthly, from long ago": {"UID:a\nDTSTART;TZID=Europe/Berlin:19990131T160000\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1,15;INTERVAL=2", "a_20260331T140000Z 0331T1400"},
		"every third year":       {"UID:a\nDTSTART;TZID=Europe/Berlin:19990401T160000\nRRULE:FREQ=YEARLY;INTERVAL=3", "a_20260401T140000Z 0401T1400"},
		"every 600 hours":        {"UID:a\nDTSTART;TZID=Europe/Berlin:20250101T000000\nRRULE:FREQ=HOURLY;INTERVAL=600", "a_20260326T230000Z 0326T2300"},
		"last Friday":            {"UID:a\nDTSTART;TZID=Europe/Berlin:20260130T160000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR", "a_20260327T150000Z 0327T1500"},
		"Windows' name":          {"UID:a\nDTSTART;TZID=\"Pacific Standard Time\":20260320T080000", "a 0320T1500"},
		"path":                   {"UID:a\nDTSTART;TZID=/freeassociation.sourceforge.net/America/Argentina/Ushuaia:20260320T080000", "a 0320T1100"},
		"unknown zone":           {"UID:a\nDTSTART;TZID=Middle Earth:20260320T080000\nEND:VEVENT\nBEGIN:VEVENT\nUID:b\nDTSTART:20260320T080000Z", "b 0320T0800\na SKIPPED unknown time zone \"Middle Earth\""},
		"the machine's zone":     {"UID:a\nDTSTART;TZID=Local:20260320T080000", "a SKIPPED unknown time zone \"Local\""},
		"no beginning":           {"UID:a\nSUMMARY:x", "a SKIPPED no DTSTART"},
		"a slash in the UID":     {"UID:a/b\nDTSTART:20260320T080000Z", "ics-c14cddc033f64b9dea80ea675cf280a0 0320T0800"},
		"lower case, no UID":     {"dtstart;tzid=Europe/Berlin:20260320T080000\nsummary:x", "event-1 0320T0700"},
		"a line that is none":    {"UID:a\nthis is nothing\nDTSTART:20260320T080000Z", "a 0320T0800\n SKIPPED 1 lines are no content lines"},
		"cancellation, whole":    {"UID:a\nDTSTART:20260320T080000Z\nSTATUS:CANCELLED", "a 0320T0800x"},
		"a rule that is wrong":   {"UID:a\nDTSTART:20260320T080000Z\nRRULE:FREQ=SOMETIMES", "a SKIPPED its rule: undefined frequency: SOMETIMES"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := show(read(t, calendar(c.events), from, to))
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestWords: what an event says, over folded lines that cut a character.
func TestWords(t *testing.T) {
	text := strings.ReplaceAll(calendar(`UID:a
DTSTART:20260320T080000Z
DURATION:PT1H30M
SUMMARY;LANGUAGE=de:Caf`+"\xc3\n \xa9"+`\, Zo
 ë\; \\o/\nline
LOCATION:Room "4"
DESCRIPTION:Bring
  the plan
TRANSP:TRANSPARENT
CONFERENCE;VALUE=URI;FEATURE=VIDEO;LABEL="Join: now":https://meet.example.com/a?b=c
URL:https://example.com/event
ATTENDEE;CN="Bob; the builder";PARTSTAT=ACCEPTED:mailto:bob@example.com
ATTENDEE;PARTSTAT=DECLINED;CN=Ada:MAILTO:Ada@Example.com`), "\n", "\r\n")
	e := read(t, "\xef\xbb\xbf"+text, "2026-03-20T00:00:00Z", "2026-03-21T00:00:00Z").Events[0]
	want := engine.CalendarEvent{
		ID: "a", Title: "Café, Zoë; \\o/\nline", Location: `Room "4"`, Description: "Bring the plan", Free: true,
		Link: "https://meet.example.com/a?b=c", Response: engine.ResponseDeclined,
		Start: 1773993600000, End: 1773993600000 + 90*60*1000,
	}
	if fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
}

// TestZoneOfItsOwn: a zone that only the feed knows is taken from its
// definition, which may come behind the events.
func TestZoneOfItsOwn(t *testing.T) {
	text := strings.Replace(calendar("UID:a\nDTSTART;TZID=Office:20260328T230000\nRRULE:FREQ=HOURLY;COUNT=6"), "END:VCALENDAR", `BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
END:VCALENDAR`, 1)
	f := read(t, text, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z")
	var got []string
	for _, e := range f.Events {
		got = append(got, time.UnixMilli(e.Start).UTC().Format("T1504"))
	}
	if want := "[T2200 T2300 T0000 T0100 T0200]"; fmt.Sprint(got) != want || len(f.Skipped) > 0 { // 02:00 and 03:00 on the wall are one instant
		t.Errorf("got %v, want %s; %v", got, want, f.Skipped)
	}
}
