package sim

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// TestCheckersAreListed: who speaks up is in the list, and the list names
// nobody else.
func TestCheckersAreListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	speaks := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.fail\("([a-z_]+)"`).FindAllSubmatch(b, -1) {
			speaks[string(m[1])] = true
		}
	}
	var listed []string
	for _, c := range Checkers {
		listed = append(listed, c.Name)
	}
	if said := slices.Sorted(maps.Keys(speaks)); !slices.Equal(said, listed) {
		t.Errorf("listed are %v, and %v speak up", listed, said)
	}
}

// TestTheFusesDateIsTheEvents: the date that the fuse puts before a third text
// is no word of a language model, and another one is.
func TestTheFusesDateIsTheEvents(t *testing.T) {
	loc := mustLoad("Pacific/Kiritimati")
	e := &calEvent{CalendarEvent: engine.CalendarEvent{Title: "e6x73 Review", Start: time.Date(2026, 9, 9, 10, 8, 0, 0, time.UTC).UnixMilli()}}
	in := &intent{prof: []*profile{{loc: loc}}}
	for text, bad := range map[string]string{
		"00:08 on 2026-09-10 e6x73 Review in 15 mins": "",
		"00:08 on 2026-09-11 e6x73 Review in 15 mins": "2026-09-11",
		"e6x73 Review on 2026-09-10 in 15 mins":       "2026-09-10",
	} {
		if got := e.guarded(&delivery{msg: provider.Message{Text: text}}, in); got != bad {
			t.Errorf("%q: %q, want %q", text, got, bad)
		}
	}
}

// TestARefusalBehindAStart: the carrier's word counts if it may have come last.
func TestARefusalBehindAStart(t *testing.T) {
	b := bar{called: 100, heard: 120}
	for _, c := range []struct {
		name  string
		start engine.Millis
		text  bool
		want  bool
	}{
		{"handed over while its answer was awaited", 90, false, true},
		{"by text, to another number", 90, true, true},
		{"handed over before, heard behind it", 110, false, true},
		{"by text it outweighs what was handed over before", 110, true, false},
		{"heard before", 121, false, false},
		{"heard before, by text", 121, true, false},
	} {
		if got := b.behind(c.start, c.text); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
