package sms

import (
	"unicode"
	"unicode/utf8"
)

// NextGrapheme returns the length in bytes of the first user-perceived
// character of s, 0 if s is empty. It follows UAX #29's extended grapheme
// clusters closely enough for cutting: where it is unsure it joins, so that a
// cut is early rather than inside.
func NextGrapheme(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return 0
	}
	if r == '\r' && len(s) > 1 && s[1] == '\n' {
		return 2
	}
	if unicode.IsControl(r) {
		return n
	}
	flag := regional(r) // half a flag stands open before what comes next
	for prev := r; n < len(s); {
		next, size := utf8.DecodeRuneInString(s[n:])
		switch {
		case extends(next):
		case prepends(prev) && !unicode.IsControl(next):
		case prev == zwj && pictograph(next):
		case regional(next) && flag:
		case hangul(prev, next):
		case virama(prev) && unicode.IsLetter(next) && unicode.Is(unicode.Lo, next):
		case prev == zwj && usesJoiners(next):
		default:
			return n
		}
		// Marks between a virama and its consonant do not part them.
		if !virama(prev) || !unicode.Is(unicode.Mn, next) || virama(next) {
			prev = next
		}
		flag = regional(next) && !flag
		n += size
	}
	return n
}

// extends reports characters that belong to the one before them: marks,
// joiners, variation selectors, skin tones, tags.
func extends(r rune) bool {
	if r < 0x300 {
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) || joiner(r) || modifier(r) ||
		(r >= 0xE0020 && r <= 0xE007F) || r == 0xFF9E || r == 0xFF9F || r == 0x0E33 || r == 0x0EB3
}

// prepends reports marks that are written before what they belong to.
func prepends(r rune) bool {
	return (r >= 0x0600 && r <= 0x0605) || r == 0x06DD || r == 0x070F || r == 0x0890 || r == 0x0891 || r == 0x08E2 ||
		r == 0x0D4E || r == 0x110BD || r == 0x110CD || (r >= 0x111C2 && r <= 0x111C3) || r == 0x113D1 || r == 0x1193F ||
		r == 0x11941 || r == 0x11A3A || (r >= 0x11A84 && r <= 0x11A89) || r == 0x11D46 || r == 0x11F02
}

func regional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// modifier reports the emoji skin tones.
func modifier(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// pictograph reports characters that may stand in an emoji sequence.
func pictograph(r rune) bool {
	return (r >= 0x1F000 && r <= 0x1FFFD && !regional(r) && !modifier(r)) || (r >= 0x2190 && r <= 0x2BFF) ||
		r == 0x00A9 || r == 0x00AE || r == 0x203C || r == 0x2049 || r == 0x2122 || r == 0x2139 ||
		r == 0x3030 || r == 0x303D || r == 0x3297 || r == 0x3299
}

// virama reports the signs that tie two consonants into one character.
func virama(r rune) bool {
	switch r {
	case 0x094D, 0x09CD, 0x0ACD, 0x0B4D, 0x0C4D, 0x0D4D, 0x1039, 0x17D2:
		return true
	}
	return false
}

// hangul reports jamo that go on the syllable before them (UAX #29 GB6–GB8).
func hangul(prev, next rune) bool {
	lead := func(r rune) bool { return (r >= 0x1100 && r <= 0x115F) || (r >= 0xA960 && r <= 0xA97C) }
	vowel := func(r rune) bool { return (r >= 0x1160 && r <= 0x11A7) || (r >= 0xD7B0 && r <= 0xD7C6) }
	tail := func(r rune) bool { return (r >= 0x11A8 && r <= 0x11FF) || (r >= 0xD7CB && r <= 0xD7FB) }
	block := func(r rune) bool { return r >= 0xAC00 && r <= 0xD7A3 }
	open := func(r rune) bool { return block(r) && (r-0xAC00)%28 == 0 }
	switch {
	case lead(prev):
		return lead(next) || vowel(next) || block(next)
	case vowel(prev), open(prev):
		return vowel(next) || tail(next)
	case tail(prev), block(prev):
		return tail(next)
	}
	return false
}
