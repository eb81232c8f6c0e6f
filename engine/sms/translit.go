package sms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// typographic maps what writers' software puts in to what GSM-7 has for it. A
// reader loses nothing but the look. Letters are not in it: "ç" is not "c" to
// somebody whose name it is in, so such a text travels as UCS-2.
var typographic = map[rune]string{
	'‘': "'", '’': "'", '‚': "'", '‛': "'", '′': "'", '`': "'", '´': "'", 'ʼ': "'", 'ˈ': "'", '＇': "'", '｀': "'",
	'“': "\"", '”': "\"", '„': "\"", '‟': "\"", '″': "\"", '«': "\"", '»': "\"", '＂': "\"",
	'‹': "<", '›': ">",
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-", '⁃': "-", '\u00ad': "", '－': "-",
	'…': "...", '‥': "..", '•': "-", '‣': "-", '◦': "-", '·': "-", '∙': "-", '●': "-", '▪': "-",
	'\u00a0': " ", '\u2000': " ", '\u2001': " ", '\u2002': " ", '\u2003': " ", '\u2004': " ", '\u2005': " ",
	'\u2006': " ", '\u2007': " ", '\u2008': " ", '\u2009': " ", '\u200a': " ", '\u202f': " ", '\u205f': " ", '\u3000': " ",
	'×': "x", '÷': "/", '⁄': "/", '∕': "/", '∗': "*", '≤': "<=", '≥': ">=", '≠': "!=", '→': "->", '←': "<-", '⇒': "=>",
	'©': "(c)", '®': "(R)", '™': "(TM)", '№': "No.", '¦': "|",
	'ﬁ': "fi", 'ﬂ': "fl", 'ﬀ': "ff", 'ﬃ': "ffi", 'ﬄ': "ffl",
}

// numeric are the ones that would run into a digit before them: 1½ is not
// 11/2, and 10² is not 102.
var numeric = map[rune]struct{ alone, after string }{
	'½': {"1/2", " 1/2"}, '¼': {"1/4", " 1/4"}, '¾': {"3/4", " 3/4"}, '⅓': {"1/3", " 1/3"}, '⅔': {"2/3", " 2/3"},
	'¹': {"1", "^1"}, '²': {"2", "^2"}, '³': {"3", "^3"},
}

// Transliterate replaces typographic characters by what GSM-7 has for them,
// and full-width Latin by plain. Scripts and emoji stay as they are.
func Transliterate(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { _, ok := plain(r, 0); return ok })
	if i < 0 {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	out.WriteString(s[:i])
	last, _ := utf8.DecodeLastRuneInString(s[:i])
	for _, r := range s[i:] {
		if p, ok := plain(r, last); ok {
			out.WriteString(p)
		} else {
			out.WriteRune(r)
		}
		last = r
	}
	return out.String()
}

// plain returns what stands in for r behind last.
func plain(r, last rune) (string, bool) {
	if r < 0x80 && r != '`' {
		return "", false
	}
	if r >= '！' && r <= '～' { // full-width forms stand in ASCII's order
		p, ok := typographic[r]
		if !ok {
			p = string(r - '！' + '!')
		}
		return p, true
	}
	if p, ok := numeric[r]; ok {
		if unicode.IsNumber(last) {
			return p.after, true
		}
		return p.alone, true
	}
	p, ok := typographic[r]
	return p, ok
}

// ToGSM7 returns the transliterated text and whether all of it is GSM-7. If
// it is not, transliterating gains nothing: send the text as it was.
func ToGSM7(s string) (string, bool) {
	if _, ok := gsmUnits(s); ok {
		return s, true
	}
	t := Transliterate(s)
	_, ok := gsmUnits(t)
	return t, ok
}
