package engine_test

import (
	"testing"

	"carillon/engine"
)

// TestLinksAreSentAsTheyAre: a meeting's link goes out byte for byte or not at
// all; nothing in it is taken for markup, and its query belongs to it (X2).
func TestLinksAreSentAsTheyAre(t *testing.T) {
	for name, link := range map[string]string{
		"Zoom with its password": "https://us02web.zoom.us/j/86217742095?pwd=Qk1_a~B*c#success",
		"Meet":                   "https://meet.google.com/abc-defg-hij?authuser=0&hs=122",
		"Teams":                  "https://teams.microsoft.com/l/meetup-join/19%3ameeting_MjE2%40thread.v2/0",
		"markup in it":           "https://x.example/_a_/*b*/~c~/#d",
	} {
		e := engine.CalendarEvent{Title: "*Stand-up*", Link: link}
		const minute = 60_000
		if got, size := engine.Template(e, 15*minute, 1); got != "*Stand-up* in 15 mins. "+link || size.Segments != 1 {
			t.Errorf("%s: %q, %d segments", name, got, size.Segments)
		}
	}
}
