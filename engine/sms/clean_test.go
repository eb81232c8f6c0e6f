package sms_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"carillon/engine/sms"
)

func TestClean(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"plain", "Stand-up", "Stand-up"},
		{"nothing", "", ""},
		{"only white space", " \n\t\u00a0 ", ""},
		{"line breaks", "Stand-up\r\nRoom 4\n", "Stand-up Room 4"},
		{"control characters", "A\x00B\x1b[31mC\x7fD", "A B [31mC D"},
		{"runs of space", "  A \t B  ", "A B"},
		{"bidi override", "invoice\u202egnp.exe", "invoicegnp.exe"},
		{"bidi isolates and marks", "\u2066A\u2069\u200f\u061cB", "AB"},
		{"zero width space, soft hyphen, BOM", "\ufeffA\u200bB\u00adC", "ABC"},
		{"private use and noncharacters", "A\ue000\ufdd0\uffffB", "AB"},
		{"invalid UTF-8", "A\xffB\xc3", "AB"},
		{"a replacement character is text", "A\ufffdB", "A\ufffdB"},
		{"lone surrogate in UTF-8", "A\xed\xa0\x80B", "AB"},
		{"emoji stay whole", "👩‍💻 👨‍👩‍👧 ❤️ 👍🏽 🇩🇪", "👩‍💻 👨‍👩‍👧 ❤️ 👍🏽 🇩🇪"},
		{"a joiner that joins nothing", "A\u200dB\u200cC", "ABC"},
		{"a joiner behind a space", "👩 \u200d💻", "👩 💻"},
		{"Persian needs its joiner", "می\u200cخواهم", "می\u200cخواهم"},
		{"line and paragraph separators", "A\u2028B\u2029C", "A B C"},
	} {
		if got := sms.Clean(test.text); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCleanLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { cleanHolds(t, drawText(t)) })
}

// cleanHolds: one line of valid text, single spaces, nothing that turns the
// line around (X2); and cleaning it again changes nothing.
func cleanHolds(t fataler, s string) {
	t.Helper()
	got := sms.Clean(s)
	if again := sms.Clean(got); again != got {
		t.Fatalf("%q becomes %q and then %q", s, got, again)
	}
	if !utf8.ValidString(got) || strings.Contains(got, "  ") || strings.TrimSpace(got) != got {
		t.Fatalf("%q becomes %q", s, got)
	}
	for _, r := range got {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Co, unicode.Noncharacter_Code_Point) {
			t.Fatalf("%q becomes %q with %U in it", s, got, r)
		}
	}
}
