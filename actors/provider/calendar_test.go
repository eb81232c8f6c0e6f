package provider_test

import (
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/engine"
)

// TestBounded holds that what a calendar says is not more than a caller could
// put: texts are cut between characters, what is not UTF-8 is replaced, and a
// link is whole or absent.
func TestBounded(t *testing.T) {
	e := provider.Bounded(engine.CalendarEvent{
		ID: "e", Title: strings.Repeat("ü", 1001), Location: "R\xff1", Description: strings.Repeat("d", 8001), Link: "https://example.org/" + strings.Repeat("x", 2048),
	})
	if e.Title != strings.Repeat("ü", 1000) || e.Location != "R\uFFFD1" || len(e.Description) != 8000 || e.Link != "" || e.ID != "e" {
		t.Errorf("got %+v", e)
	}
	for link, kept := range map[string]bool{"https://a.example/x": true, "http://a.example": true, "tel:+1": false, "javascript:alert(1)": false, "": false} {
		if got := provider.Bounded(engine.CalendarEvent{Link: link}).Link; (got == link && link != "") != kept {
			t.Errorf("%q became %q", link, got)
		}
	}
	if w := provider.Wordless(engine.CalendarEvent{Title: "t", Location: "l", Description: "d", Link: "k", Start: 7}); w.Title+w.Location+w.Description+w.Link != "" || w.Start != 7 {
		t.Errorf("a private event tells %+v", w)
	}
}
