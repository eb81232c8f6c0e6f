package sms_test

import (
	"strings"

	"pgregory.net/rapid"
)

// pieces are what hostile titles are made of: everything that joins, turns
// around, escapes, or is longer than it looks.
var pieces = []string{
	"a", "Z", "9", " ", "  ", "-", ".", "...", ",", "(", "€", "[", "\\", "~", "\f", "\n", "\r\n", "\r", "\t", "\x00", "\x1b", "\x7f",
	"é", "ç", "ß", "Ω", "я", "漢", "か", "ｶﾞ", "Ａ", "～", "｀", "“", "’", "…", "–", "½", "²", "™", "ﬁ", "\u00a0", "\u2028",
	"😀", "👍🏽", "👩‍💻", "👨‍👩‍👧", "❤️", "🇩🇪", "🇩", "1️⃣", "🏴\U000E0067\U000E0062\U000E0065\U000E007F", "🏽", "𝒳",
	"e\u0301", "\u0301", "\u0308", "\u20dd", "\u200d", "\u200c", "\u200b", "\ufe0f", "\u202e", "\u2066", "\ufeff", "\u00ad",
	"क", "क्", "क्ष", "\u094d", "\u093f", "ന്", "ำ", "ກຳ", "\u0600", "\u06dd", "ب", "\u1100", "\u1161", "\u11a8", "가", "각",
	"\U000110bd", "\U00011a3a", "\ue000", "\ufffd", "\xff", "\xc3", "\xed\xa0\x80",
	"https://", "https://meet.example/abc-defg", "www.", "www.example.org", "zoom.example/j/1", "HTTP://X.Y/", "://", "/",
}

// drawText draws a text that is one of: pieces put together, anything at all,
// or a plain one that is long.
func drawText(t *rapid.T) string {
	switch rapid.IntRange(0, 3).Draw(t, "sort") {
	case 0:
		return rapid.String().Draw(t, "any")
	case 1:
		return strings.Repeat(rapid.SampledFrom(pieces).Draw(t, "piece"), rapid.IntRange(0, 200).Draw(t, "times"))
	default:
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 60).Draw(t, "pieces"), "")
	}
}
