package engine

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

// Zones with every sort of transition: an hour, half an hour, at midnight, a
// skipped date, none, and one whose summer time is the standard one.
var clockZones = []string{
	"Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia",
	"Asia/Kathmandu", "Europe/Dublin", "Africa/Casablanca", "Asia/Tehran", "America/Sao_Paulo", "UTC",
}

func drawZone(t *rapid.T) *time.Location {
	name := rapid.SampledFrom(clockZones).Draw(t, "zone")
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return loc
}

// drawInstant draws near a transition as often as anywhere.
func drawInstant(t *rapid.T, loc *time.Location) Millis {
	at := time.Unix(rapid.Int64Range(1_262_304_000, 1_893_456_000).Draw(t, "second"), 0) // 2010 to 2030
	if _, end := at.In(loc).ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(t, "near") {
		at = end.Add(time.Duration(rapid.Int64Range(-200, 200).Draw(t, "minutes")) * time.Minute)
	}
	return at.UnixMilli() + rapid.Int64Range(0, 999).Draw(t, "ms")
}

// TestQuietLaws holds T4 against a clock that is read minute by minute: the
// end of quiet is never in the past, not quiet, and all before it is.
func TestQuietLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := drawZone(t)
		q := Quiet{Set: true, Start: uint16(rapid.IntRange(0, 1439).Draw(t, "start"))}
		q.End = uint16((int(q.Start) + rapid.IntRange(1, 1439).Draw(t, "length")) % 1440)
		at := drawInstant(t, loc)

		end := q.end(at, loc)
		if end < at || wallQuiet(q, end, loc) {
			t.Fatalf("quiet at %s ends at %s", show(at, loc), show(end, loc))
		}
		if wallQuiet(q, at, loc) != (end > at) {
			t.Fatalf("quiet at %s: %t, ends %s", show(at, loc), wallQuiet(q, at, loc), show(end, loc))
		}
		for m := at; m < end; m += minute {
			if !wallQuiet(q, m, loc) {
				t.Fatalf("the end of quiet from %s is %s, but %s is not quiet", show(at, loc), show(end, loc), show(m, loc))
			}
		}
		next := q.next(at, loc)
		if next < at || !wallQuiet(q, next, loc) || (next > at && wallQuiet(q, next-1, loc)) {
			t.Fatalf("quiet after %s begins at %s", show(at, loc), show(next, loc))
		}
		if wallQuiet(q, at, loc) {
			began := q.began(at, loc)
			if began > at || !wallQuiet(q, began, loc) || wallQuiet(q, began-1, loc) {
				t.Fatalf("quiet around %s began at %s", show(at, loc), show(began, loc))
			}
		}
	})
}

// wallQuiet reads the clock on the wall as a person does.
func wallQuiet(q Quiet, at Millis, loc *time.Location) bool {
	hour, minute, _ := time.UnixMilli(at).In(loc).Clock()
	m := uint16(hour*60 + minute)
	if q.Start < q.End {
		return q.Start <= m && m < q.End
	}
	return m >= q.Start || m < q.End
}

func show(at Millis, loc *time.Location) string {
	return time.UnixMilli(at).In(loc).Format(time.RFC3339Nano)
}

// TestDayLaws holds T2: every instant lies in exactly one local day, whose
// first instant shows its date and whose last one does too.
func TestDayLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := drawZone(t)
		at := drawInstant(t, loc)
		y, m, d := time.UnixMilli(at).In(loc).Date()
		date := dateOf(at, loc)
		if want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly); date.String() != want {
			t.Fatalf("%s is on %s", show(at, loc), date)
		}
		start, end := dayStart(date, loc), dayStart(date+1, loc)
		if at < start || at >= end {
			t.Fatalf("%s is outside its day %s to %s", show(at, loc), show(start, loc), show(end, loc))
		}
		if dateOf(start, loc) != date || dateOf(end-1, loc) != date || dateOf(start-1, loc) >= date {
			t.Fatalf("day %s from %s to %s", date, show(start, loc), show(end, loc))
		}
		if at := instantAt(date, rapid.IntRange(0, 1439).Draw(t, "minute"), loc); at < start {
			t.Fatalf("%s is before its day", show(at, loc))
		}
	})
}

// TestDays names the days that are not 24 hours long (T2).
func TestDays(t *testing.T) {
	for _, test := range []struct {
		zone, date, start string
		hours             float64
	}{
		{"Europe/Berlin", "2026-03-02", "2026-03-02T00:00:00+01:00", 24},
		{"Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00+01:00", 23},
		{"Europe/Berlin", "2026-10-25", "2026-10-25T00:00:00+02:00", 25},
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-05T00:00:00+11:00", 24.5},
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-04T00:00:00+10:30", 23.5},
		{"America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00", 23}, // midnight is missing
		{"America/Santiago", "2026-04-04", "2026-04-04T00:00:00-03:00", 25}, // 23:00 comes twice
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00", 0},      // the date is missing
		{"Asia/Kathmandu", "2026-03-02", "2026-03-02T00:00:00+05:45", 24},
	} {
		loc, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, test.date)
		if err != nil {
			t.Fatal(err)
		}
		d := Date(day.Unix() / daySeconds)
		start, end := dayStart(d, loc), dayStart(d+1, loc)
		if show(start, loc) != test.start || float64(end-start)/float64(hour) != test.hours {
			t.Errorf("%s %s: from %s, %v hours; want %s, %v", test.zone, test.date,
				show(start, loc), float64(end-start)/float64(hour), test.start, test.hours)
		}
	}
}

// TestHasRoom is the second lock on the limit (S1): planning holds it already,
// so no story gets here with a full day.
func TestHasRoom(t *testing.T) {
	const today = Date(20514)
	for _, test := range []struct {
		name  string
		limit int32
		spent int32
		held  int  // by other reminders
		own   Date // where this one holds a place; 0: nowhere
		used  bool // this one has spent its place
		want  bool
	}{
		{"free", 1, 0, 0, 0, false, true},
		{"spent", 1, 1, 0, 0, false, false},
		{"held by another", 1, 0, 1, 0, false, false},
		{"held by itself", 1, 0, 0, today, false, true},
		{"held by itself and another", 2, 0, 1, today, false, true},
		{"held by itself, spent by another", 1, 1, 0, today, false, false},
		{"held by itself on another date", 1, 0, 1, today - 1, false, false},
		{"limit 0", 0, 0, 0, today, false, false},
		{"a retry has its place", 0, 5, 5, 0, true, true},
	} {
		u := &User{Prefs: Preferences{DailyLimit: test.limit}, Spent: []DayCount{{On: today, Spent: test.spent}}}
		for range test.held {
			u.Reminders = append(u.Reminders, &Reminder{PlannedReminder: &PlannedReminder{On: today}, Reserved: true})
		}
		u.Reminders = append(u.Reminders, &Reminder{PlannedReminder: &PlannedReminder{On: test.own}, Reserved: test.own != 0, Spent: test.used})
		r := u.Reminders[len(u.Reminders)-1]
		if got := (&turn{u: u}).hasRoom(r, today); got != test.want {
			t.Errorf("%s: %t, want %t", test.name, got, test.want)
		}
	}
}
