package sms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes foreign text fit for one line: control characters, line breaks
// and tabs become spaces, bidi marks and other invisible ones go, invalid
// UTF-8 goes, and runs of white space become one space. Joiners stay where
// they join: inside emoji, and in scripts that are written with them.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	space := false
	var last rune
	for i, r := range s {
		switch {
		case r == utf8.RuneError && invalidAt(s, i), invisible(r):
			continue
		case joiner(r) && (space || !joins(last, s[i+utf8.RuneLen(r):])):
			continue
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = true
			continue
		}
		if space && out.Len() > 0 {
			out.WriteByte(' ')
		}
		space = false
		out.WriteRune(r)
		last = r
	}
	return out.String()
}

// isClean is the common case: printable ASCII with single spaces.
func isClean(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || (c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ')) {
			return false
		}
	}
	return true
}

func invalidAt(s string, i int) bool {
	_, n := utf8.DecodeRuneInString(s[i:])
	return n == 1
}

// invisible reports characters that show nothing and can turn a line around,
// hide a word break, or are nobody's to send.
func invisible(r rune) bool {
	switch {
	case r == 0x200B, r == 0x2060, r == 0xFEFF, r == 0x00AD, r == 0x180E, r == 0x034F:
		return true // zero-width space, word joiner, BOM, soft hyphen, …
	case r == 0x200E, r == 0x200F, r == 0x061C, r >= 0x202A && r <= 0x202E, r >= 0x2061 && r <= 0x206F:
		return true // bidi marks, embeddings, isolates; invisible operators
	case r >= 0xFFF0 && r <= 0xFFFB, r >= 0xE000 && r <= 0xF8FF, r >= 0xF0000:
		return true // specials, private use
	case r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
		return true // noncharacters
	}
	return false
}

func joiner(r rune) bool { return r == zwj || r == zwnj }

const (
	zwnj = 0x200C
	zwj  = 0x200D
)

// joins reports whether a joiner after last and before rest has something to
// join.
func joins(last rune, rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	if pictograph(last) || modifier(last) || last == 0xFE0F {
		return pictograph(next)
	}
	return usesJoiners(last) && usesJoiners(next)
}

// usesJoiners reports scripts whose spelling needs ZWJ and ZWNJ.
func usesJoiners(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Devanagari, unicode.Bengali,
		unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada,
		unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar)
}
