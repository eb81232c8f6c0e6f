package engine_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"carillon/engine"
	"carillon/engine/sms"
)

// hostile is a title that somebody put into another person's calendar, and
// what a model says that obeys it, or is careless by itself.
type hostile struct {
	Name, Title, Location, Link, Details string
	Repeat                               int
	Says                                 string
	Want                                 string // which text is sent: llm or template
}

func corpus(t *testing.T) []hostile {
	t.Helper()
	text, err := os.ReadFile("testdata/hostile.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []hostile
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Title = strings.Repeat(all[i].Title, max(all[i].Repeat, 1))
	}
	return all
}

// TestHostileTitles walks each title to its hand-over. What is sent is the
// template, or a text without anything that did not come with the event (X4).
func TestHostileTitles(t *testing.T) {
	all := corpus(t)
	if len(all) < 80 {
		t.Errorf("%d titles", len(all))
	}
	for _, h := range all {
		t.Run(h.Name, func(t *testing.T) {
			start := instant(t, "2026-03-02T12:00:00Z")
			e := engine.CalendarEvent{
				ID: "e", Title: h.Title, Location: h.Location, Link: h.Link, Description: h.Details, Start: start, End: start + 60_000,
			}
			m := sendComposed(t, e, h.Says)
			plain, _ := engine.Template(e, 15*60_000, 1)
			via := "llm"
			if m.Via == engine.ViaTemplate {
				via = "template"
			}
			if via != h.Want || (via == "template" && m.Text != plain) {
				t.Errorf("%s: %q, want the %s; the template says %q", via, m.Text, h.Want, plain)
			}
			isClean(t, m.Text, plain)
		})
	}
}

// sendComposed takes one event through planning, composing and hand-over.
func sendComposed(t *testing.T, e engine.CalendarEvent, says string) engine.Message {
	t.Helper()
	s := newStory(t)
	s.policy.Compose = true
	s.decide(engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true)})
	s.decide(engine.AttestPhone{Phone: "+4915112345678"})
	s.decide(engine.Put(e))
	s.now = e.Start - 17*60_000
	for _, effect := range s.decide(engine.Wake{}).Effects {
		if c, ok := effect.(engine.Compose); ok {
			s.decide(engine.RecordComposition{ReminderID: c.ReminderID, Content: c.Content, Outcome: engine.ComposeOK, Text: says})
		}
	}
	s.now = e.Start - 15*60_000
	s.decide(engine.Wake{})
	id := s.u.Reminders[0].ID
	if r, ok := s.decide(engine.HandOver{ReminderID: id}).Reply.(engine.HandOverReply); !ok || r.Message == nil {
		t.Fatalf("not sent: %+v", r)
	}
	return s.u.Reminders[0].Messages[0]
}

var (
	addressLike = regexp.MustCompile(`(?i)\S*(://|www\.|@|[\pL\d][.\x{3002}\x{2024}]\pL\pL)\S*`)
	callLike    = regexp.MustCompile(`[\d０-９][\d０-９ ().+-]{5,}[\d０-９]`)
)

// isClean looks at a text with other eyes than Vet: by what a phone makes of
// it. What the template would say as well is the event's own.
func isClean(t *testing.T, text, plain string) {
	t.Helper()
	if size := sms.Measure(text); size.Segments != 1 || !utf8.ValidString(text) {
		t.Errorf("%q: %+v", text, size)
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && !strings.ContainsRune(plain, r) {
			t.Errorf("%q has %U", text, r)
		}
	}
	for _, pattern := range []*regexp.Regexp{addressLike, callLike} {
		for _, found := range pattern.FindAllString(text, -1) {
			if !strings.Contains(plain, strings.Trim(found, ".,!")) {
				t.Errorf("%q has %q, which the event has not", text, found)
			}
		}
	}
	if !strings.Contains(strings.NewReplacer("minutes", "mins").Replace(text), "in 15 mins") {
		t.Errorf("%q does not say when", text)
	}
}

// TestVetLaws: whatever a model writes, a text that passes is one that may be
// sent, and vetting it again changes nothing.
func TestVetLaws(t *testing.T) {
	pieces := append(slices.Clone(textPieces), " in 15 mins", "Title", "Title in 15 mins", "*", "7", "https://link.example/a", "+1 555 0100 200", "pay", "\"", "evil.example")
	passed := 0
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, name), rapid.SampledFrom([]string{"", " "}).Draw(t, "glue"))
		}
		b := engine.Brief{
			Title: sms.Clean("Title " + rapid.SampledFrom([]string{"", "“é”", "会議", "7", "👨‍👩‍👧"}).Draw(t, "more")), Location: sms.Clean(draw("location")), Link: "https://link.example/a",
			Phrase: "in 15 mins", Segments: rapid.IntRange(1, 2).Draw(t, "segments"),
		}
		says := "Title in 15 mins"
		if rapid.IntRange(0, 3).Draw(t, "more words") > 0 {
			says = draw("before") + " " + says + " " + draw("behind")
		}
		text, why := b.Vet(says)
		if why != "" {
			if text != "" {
				t.Fatalf("refused for %s, and returned %q", why, text)
			}
			return
		}
		passed++
		if size := sms.Measure(text); size.Segments > b.Segments || size.Segments == 0 || sms.Clean(text) != text {
			t.Fatalf("%q: %+v", text, size)
		}
		if again, why := b.Vet(text); again != text || why != "" {
			t.Fatalf("%q passed, and then became %q (%s)", text, again, why)
		}
	})
	if passed == 0 {
		t.Error("nothing passed: the law says nothing")
	}
}

// FuzzVet looks for a panic, and for a text that passes and is not clean.
func FuzzVet(f *testing.F) {
	f.Add("Review", "Room 4", "Review in 15 mins in Room 4")
	f.Add("“Ünïcode”", "", "\"“Ünïcode” in 15 minutes\"")
	f.Fuzz(func(t *testing.T, title, location, text string) {
		b := engine.Brief{Title: sms.Clean(title), Location: sms.Clean(location), Phrase: "in 15 mins", Segments: 1}
		got, why := b.Vet(text)
		if why == "" && (sms.Measure(got).Segments != 1 || sms.Clean(got) != got) {
			t.Errorf("%q passed", got)
		}
	})
}

// TestBriefLeavesOut: what a composer is told is bounded, and is what the
// content's name depends on.
func TestBriefLeavesOut(t *testing.T) {
	start := instant(t, "2026-03-02T12:00:00Z")
	e := engine.CalendarEvent{
		ID: "e", Title: "Review \u202e" + strings.Repeat("long ", 1000), Location: "Room\n4", Link: "javascript:alert(1)",
		Description: "Agenda: https://evil.example/x " + strings.Repeat("words ", 5000),
		Attendees:   []string{"Dana <dana@example.com>", "bob@example.com", "Eve", "Frank", "Grace"}, Start: start, End: start + 60_000,
	}
	ask := func(e engine.CalendarEvent) engine.Compose {
		s := newStory(t)
		s.policy.Compose = true
		s.decide(engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true)})
		s.decide(engine.AttestPhone{Phone: "+4915112345678"})
		s.decide(engine.Put(e))
		s.now = start - 16*60_000
		effects := s.decide(engine.Wake{}).Effects
		if len(effects) != 1 {
			t.Fatalf("effects %+v", effects)
		}
		return effects[0].(engine.Compose)
	}
	first := ask(e)
	b := first.Brief
	if len(b.Title) > 160 || len(b.Details) > 160 || b.Location != "Room 4" || b.Link != "" || strings.Contains(b.Details, "evil") {
		t.Errorf("brief %+v", b)
	}
	if !slices.Equal(b.Attendees, []string{"Dana", "Eve", "Frank"}) {
		t.Errorf("attendees %q", b.Attendees)
	}
	e.End += 3_600_000
	if ask(e).Content != first.Content {
		t.Error("the end alone composes again (C4)")
	}
	for _, change := range []func(*engine.CalendarEvent){
		func(e *engine.CalendarEvent) { e.Title = "Another" },
		func(e *engine.CalendarEvent) { e.Location = "Room 5" },
		func(e *engine.CalendarEvent) { e.Link = "https://meet.example/a" },
		func(e *engine.CalendarEvent) { e.Description = "Short" },
		func(e *engine.CalendarEvent) { e.Attendees = nil },
	} {
		changed := e
		change(&changed)
		if got := ask(changed); got.Content == first.Content || got.Key() == first.Key() {
			t.Errorf("%+v has the same content", got.Brief)
		}
	}
	if d := time.Duration(start-15*60_000-first.Due) * time.Millisecond; d != 0 {
		t.Errorf("due is %v off", d)
	}
}
