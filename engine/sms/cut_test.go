package sms_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"carillon/engine/sms"
)

// boundaries returns where uniseg, which follows UAX #29 to the letter, ends
// a character of s.
func boundaries(s string) map[int]bool {
	at := map[int]bool{0: true}
	state, n := -1, 0
	for rest := s; rest != ""; {
		var c string
		c, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		n += len(c)
		at[n] = true
	}
	return at
}

// TestNextGraphemeLaws: where we see a character end, uniseg does too. We may
// join more than it does, never less.
func TestNextGraphemeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { graphemesHold(t, drawText(t)) })
}

func graphemesHold(t fataler, s string) {
	t.Helper()
	at := boundaries(s)
	for n := 0; n < len(s); {
		size := sms.NextGrapheme(s[n:])
		if size <= 0 {
			t.Fatalf("%q: no progress at byte %d", s, n)
		}
		if n += size; !at[n] {
			t.Fatalf("%q: a cut at byte %d is inside a character", s, n)
		}
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func TestNextGrapheme(t *testing.T) {
	for _, whole := range []string{
		"a", "é", "e\u0301", "\r\n", "😀", "👍🏽", "👩‍💻", "👨‍👩‍👧", "❤️", "🇩🇪", "1️⃣", "क्षि", "각", "각", "\u0600ب",
		"🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
	} {
		if n := sms.NextGrapheme(whole + "x"); n != len(whole) {
			t.Errorf("%q: %d bytes of %d", whole, n, len(whole))
		}
	}
	if n := sms.NextGrapheme("🇩🇪🇫🇷"); n != len("🇩🇪") {
		t.Errorf("two flags: %d bytes", n)
	}
	if n := sms.NextGrapheme(""); n != 0 {
		t.Errorf("nothing: %d bytes", n)
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		name     string
		text     string
		encoding sms.Encoding
		units    int
		want     string
	}{
		{"it fits", "abc", sms.GSM7, 3, "abc"},
		{"no room", "abc", sms.GSM7, 0, ""},
		{"an escape is two", "ab€", sms.GSM7, 3, "ab"},
		{"not inside a pair", "a😀", sms.UCS2, 2, "a"},
		{"not inside a family", "a👨‍👩‍👧", sms.UCS2, 8, "a"},
		{"not between letter and accent", "ae\u0301", sms.UCS2, 2, "a"},
		{"not inside a flag", "🇩🇪🇫🇷", sms.UCS2, 7, "🇩🇪"},
		{"spaces at the end go", "ab cd", sms.GSM7, 3, "ab"},
		{"not inside a link", "see https://x.example/abc now", sms.GSM7, 20, "see"},
		{"a whole link stays", "see https://x.example/abc now", sms.GSM7, 26, "see https://x.example/abc"},
		{"not inside its scheme", "see https://x.example/abc", sms.GSM7, 7, "see"},
		{"a link alone goes whole", "https://x.example/abc", sms.GSM7, 12, ""},
		{"nor one without scheme", "in zoom.example/j/123456 now", sms.GSM7, 18, "in"},
		{"nor one behind a bracket", "doc (www.example.org/a) x", sms.GSM7, 12, "doc ("},
		{"a slash is no link", "and/or whatever", sms.GSM7, 5, "and/o"},
	} {
		if got := sms.Cut(test.text, test.encoding, test.units); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, test := range []struct {
		name     string
		text     string
		encoding sms.Encoding
		units    int
		want     string
	}{
		{"it fits", "Budget review", sms.GSM7, 13, "Budget review"},
		{"at a word", "Budget review with Ada", sms.GSM7, 20, "Budget review..."},
		{"inside a long word", "Donaudampfschifffahrt heute", sms.GSM7, 13, "Donaudampf..."},
		{"one unit in UCS-2", "Бюджет на год", sms.UCS2, 10, "Бюджет на…"},
		{"no dots behind a comma", "Budget, review with Ada", sms.GSM7, 10, "Budget..."},
		{"no room for dots", "Budget", sms.GSM7, 2, "Bu"},
		{"dots stand off a link", "https://x.example/a and more words here", sms.GSM7, 27, "https://x.example/a and..."},
		{"no dots at a link", "Doc https://x.example/a and more", sms.GSM7, 27, "Doc https://x.example/a ..."},
		{"no room to stand off", "Doc https://x.example/a and more", sms.GSM7, 26, "Doc..."},
		{"nothing but a link", "https://x.example/abcdefgh", sms.GSM7, 20, ""},
	} {
		if got := sms.Fit(test.text, test.encoding, test.units); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestCutLaws: a cut is a start of the text, costs no more than it may, and
// is inside nothing that belongs together (X2).
func TestCutLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cutHolds(t, drawText(t), rapid.IntRange(-1, 200).Draw(t, "units"))
	})
}

func cutHolds(t fataler, s string, units int) {
	t.Helper()
	size := sms.Measure(s)
	got := sms.Cut(s, size.Encoding, units)
	if !strings.HasPrefix(s, got) {
		t.Fatalf("%q is not a start of %q", got, s)
	}
	if c := sms.Measure(got); got != "" && c.Units > max(units, 0) && c.Encoding == size.Encoding {
		t.Fatalf("%q cut to %d units has %d", s, units, c.Units)
	}
	if utf8.ValidString(s) && !utf8.ValidString(got) {
		t.Fatalf("%q is half a character of %q", got, s)
	}
	if size.Units <= units && got != s && !strings.HasSuffix(s, " ") {
		t.Fatalf("%q fits %d units and was cut to %q", s, units, got)
	}
	noneInside(t, s, got)
}

// noneInside holds that s may be cut behind head.
func noneInside(t fataler, s, head string) {
	t.Helper()
	if !boundaries(s)[len(head)] {
		t.Fatalf("%q is cut inside a character: %q", s, head)
	}
	for _, l := range links.FindAllStringIndex(s, -1) {
		if l[0] < len(head) && len(head) < l[1] {
			t.Fatalf("%q is cut inside a link: %q", s, head)
		}
	}
}

// links is written differently from the code, so that they don't agree by
// being the same: a scheme and what follows, up to a space.
var links = regexp.MustCompile(`(?i)(?:https?://|www\.)[^ ]*`)

// TestFitLaws: what fits is not touched; what does not is a start of the text
// and an ellipsis, within its room, inside nothing that belongs together.
func TestFitLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.NewReplacer("…", "", "...", "").Replace(sms.Clean(drawText(t))) // those are Fit's own
		size, units := sms.Measure(s), rapid.IntRange(0, 200).Draw(t, "units")
		got := sms.Fit(s, size.Encoding, units)
		if size.Units <= units {
			if got != s {
				t.Fatalf("%q fits %d and became %q", s, units, got)
			}
			return
		}
		if c := sms.Measure(got); got != "" && c.Encoding == size.Encoding && c.Units > units {
			t.Fatalf("%q cut to %d units is %q: %d", s, units, got, c.Units)
		}
		head := got
		if !strings.HasPrefix(s, got) { // it has an ellipsis
			head = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(got, "…"), "..."), " ")
		}
		if !strings.HasPrefix(s, head) {
			t.Fatalf("%q is not a start of %q", head, s)
		}
		noneInside(t, s, head)
	})
}
