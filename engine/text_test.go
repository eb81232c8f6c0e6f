package engine_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"carillon/engine"
	"carillon/engine/sms"
)

// TestTemplate is X3's wording.
func TestTemplate(t *testing.T) {
	const minute = 60_000
	meeting := engine.CalendarEvent{Title: "Stand-up"}
	for _, test := range []struct {
		name  string
		event engine.CalendarEvent
		ahead engine.Millis
		want  string
	}{
		{"minutes", meeting, 15 * minute, "Stand-up in 15 mins"},
		{"one minute", meeting, minute, "Stand-up in 1 min"},
		{"seconds are a minute", meeting, 2_000, "Stand-up in 1 min"},
		{"to the nearest minute", meeting, 14*minute + 31_000, "Stand-up in 15 mins"},
		{"an hour", meeting, 60 * minute, "Stand-up in 1 hour"},
		{"an hour and a half", meeting, 90 * minute, "Stand-up in 1 h 30 mins"},
		{"an hour and a minute", meeting, 61 * minute, "Stand-up in 1 h 1 min"},
		{"hours", meeting, 120 * minute, "Stand-up in 2 hours"},
		{"a day", meeting, 1440 * minute, "Stand-up in 1 day"},
		{"a day and hours", meeting, 1500 * minute, "Stand-up in 1 day 1 h"},
		{"a week", meeting, 10080 * minute, "Stand-up in 7 days"},
		{"place and link", engine.CalendarEvent{Title: "Stand-up", Location: "Room 4", Link: "https://meet.example/a"}, 15 * minute, "Stand-up in 15 mins @ Room 4. https://meet.example/a"},
		{"the place is the link", engine.CalendarEvent{Title: "Stand-up", Location: "https://meet.example/a", Link: "https://meet.example/a"}, 15 * minute, "Stand-up in 15 mins. https://meet.example/a"},
		{"no title", engine.CalendarEvent{Title: " \n\u200b"}, 15 * minute, "Event in 15 mins"},
		{"all day", engine.CalendarEvent{Title: "Trade fair", AllDay: true, Location: "Hall 3"}, 0, "Today: Trade fair @ Hall 3"},
		{"all day, the day before", engine.CalendarEvent{Title: "Trade fair", AllDay: true}, 1440 * minute, "Tomorrow: Trade fair"},
		{"all day, two days before", engine.CalendarEvent{Title: "Trade fair", AllDay: true, Date: 20759}, 2880 * minute, "Mon 2 Nov: Trade fair"},
		{"line breaks and bidi marks", engine.CalendarEvent{Title: "A\r\nB\u202eC", Location: "D\tE"}, 15 * minute, "A BC in 15 mins @ D E"},
		{"not a web link", engine.CalendarEvent{Title: "A", Link: "javascript:alert(1)"}, 15 * minute, "A in 15 mins"},
		{"a link with a space", engine.CalendarEvent{Title: "A", Link: "https://x.example/a b"}, 15 * minute, "A in 15 mins"},
		{"typographic", engine.CalendarEvent{Title: "“Ada’s” – review…"}, 15 * minute, `"Ada's" - review... in 15 mins`},
		{"another script", engine.CalendarEvent{Title: "Обед"}, 15 * minute, "Обед in 15 mins"},
		{"one character that fits nowhere", engine.CalendarEvent{Title: "e" + strings.Repeat("\u0301", 300)}, 15 * minute, "Event in 15 mins"},
		{"a link that fits nowhere", engine.CalendarEvent{Title: "https://x.example/" + strings.Repeat("a", 200)}, 15 * minute, "Event in 15 mins"},
		{"a smile far behind", engine.CalendarEvent{Title: strings.Repeat("long title ", 30) + "😀"}, 15 * minute, strings.Repeat("long title ", 13) + "in 15 mins"},
	} {
		got, size := engine.Template(test.event, test.ahead, 1)
		if test.name == "a smile far behind" { // it does not make the text UCS-2
			if size.Encoding != sms.GSM7 || !strings.HasPrefix(got, "long title long title") {
				t.Errorf("%s: %q %+v", test.name, got, size)
			}
			continue
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestKindOf takes whole words only (X3).
func TestKindOf(t *testing.T) {
	for title, want := range map[string]engine.Kind{
		"Essay due": engine.KindDeadline, "SUBMIT report": engine.KindDeadline, "Deadline: taxes": engine.KindDeadline,
		"finish-line": engine.KindDeadline, "Deliver parcel": engine.KindDeadline,
		"Purdue visit": engine.KindMeeting, "delivery": engine.KindMeeting, "Residue analysis": engine.KindMeeting,
		"Finished goods": engine.KindMeeting, "": engine.KindMeeting,
	} {
		if got := engine.KindOf(engine.CalendarEvent{Title: title}); got != want {
			t.Errorf("%q: %d, want %d", title, got, want)
		}
	}
	if got := engine.KindOf(engine.CalendarEvent{Title: "due", AllDay: true}); got != engine.KindAllDay {
		t.Errorf("all day: %d", got)
	}
}

var textPieces = []string{
	"Review", " ", "due", "“", "’", "é", "ç", "я", "会議", "😀", "👨‍👩‍👧", "🇩🇪", "e\u0301", "\u202e", "\u200b", "\n", "\x00", "\xff", "€", "[", "…",
	"https://meet.example/abc-defg-hij", "www.example.org", ". http://x.example/a", "1½", "\u0600",
}

func drawWords(t *rapid.T, name string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(textPieces), 0, 40).Draw(t, name), "")
}

// TestTemplateLaws holds X2 for any event: as many segments as allowed and no
// more, one line, every link of the event whole or absent.
func TestTemplateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		link := ""
		if rapid.Bool().Draw(t, "link?") {
			link = "https://link.example/" + strings.Repeat("a", rapid.IntRange(1, 180).Draw(t, "link"))
		}
		segments := rapid.IntRange(1, 3).Draw(t, "segments")
		e := engine.CalendarEvent{
			Title: drawWords(t, "title"), Location: drawWords(t, "location"), Link: link, AllDay: rapid.Bool().Draw(t, "all day"),
		}
		text, size := engine.Template(e, rapid.Int64Range(0, 700_000_000).Draw(t, "ahead"), segments)
		if got := sms.Measure(text); got != size || got.Segments > segments || got.Segments == 0 {
			t.Fatalf("%q: %+v of %d segments, said %+v", text, got, segments, size)
		}
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || strings.HasPrefix(text, " ") {
			t.Fatalf("%q", text)
		}
		if strings.Contains(text, "link.example") && !strings.Contains(text+" ", link+" ") {
			t.Fatalf("half a link in %q, of %q", text, link)
		}
		if !e.AllDay && !strings.Contains(text, " in ") {
			t.Fatalf("%q does not say when", text)
		}
	})
}
