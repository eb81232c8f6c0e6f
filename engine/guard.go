package engine

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"carillon/engine/sms"
)

// Why a composed text is not sent: the answers of Vet.
const (
	vetEmpty       = "empty"
	vetTooLong     = "too_long"
	vetCharacters  = "characters" // control, invisible or outside what the event is written in
	vetLines       = "lines"
	vetPhrase      = "time_phrase" // the phrase it was given is not in it
	vetTitle       = "title"       // it does not name the event
	vetLink        = "link"
	vetPhone       = "phone_number"
	vetNumber      = "number" // a number that the event has not
	vetMarkup      = "markup"
	vetLoadedWord  = "word" // one that changes when, whether or what to do
	maxVettedBytes = 2000   // more is no text message in any encoding
)

// Vet looks at a text that somebody wrote from the brief, and returns it as it
// is sent, or why it is not. Titles and descriptions are other people's text,
// and a model may obey them (X4): so what could do harm must have come from
// what the template would send as well (title, location, link, names), and
// nothing may contradict the time.
//
// It refuses rather than repairs: the template is always there.
func (b *Brief) Vet(text string) (clean, why string) {
	if len(text) > maxVettedBytes {
		return "", vetTooLong
	}
	if clean, why = oneLine(text); why != "" {
		return "", why
	}
	body, size := encode(clean)
	if _, want := b.Room(); size.Encoding != want && want == sms.GSM7 {
		return "", vetCharacters
	}
	if size.Segments > b.Segments {
		return "", vetTooLong
	}
	words := strings.Fields(body)
	at, n := findPhrase(words, strings.Fields(b.Phrase))
	if n == 0 {
		return "", vetPhrase
	}
	rest := slices.Delete(words, at, at+n)
	known := b.known()
	if strings.Contains(clean, "`") && !known.runes['`'] {
		return "", vetMarkup // in GSM-7 it is an apostrophe
	}
	if !known.names(rest, b.Title) {
		return "", vetTitle
	}
	if why = known.vet(rest); why != "" {
		return "", why
	}
	return body, ""
}

// oneLine takes the text out of its white space and its quotes, and
// refuses what can't be seen.
func oneLine(text string) (string, string) {
	s := strings.TrimSpace(text)
	if len(s) > 1 && quote(firstRune(s)) && quote(lastRune(s)) {
		inner := strings.TrimFunc(s, quote)
		if !strings.ContainsFunc(inner, quote) {
			s = strings.TrimSpace(inner)
		}
	}
	switch {
	case s == "":
		return "", vetEmpty
	case !utf8.ValidString(s):
		return "", vetCharacters
	case strings.ContainsAny(s, "\n\r\v\f\u0085\u2028\u2029"):
		return "", vetLines
	}
	if s = strings.Join(strings.Fields(s), " "); sms.Clean(s) != s {
		return "", vetCharacters
	}
	return s, ""
}

func quote(r rune) bool { return strings.ContainsRune("\"'“”„‟‘’‚«»", r) }

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// findPhrase finds the words of the phrase in a row, with the unit spelled as
// the writer likes: "in 15 minutes" says what "in 15 mins" does.
func findPhrase(words, phrase []string) (at, n int) {
	for i := range words {
		if i+len(phrase) > len(words) {
			break
		}
		same := true
		for j, w := range phrase {
			same = same && unit(bare(words[i+j])) == unit(w)
		}
		if same {
			return i, len(phrase)
		}
	}
	return 0, 0
}

func unit(w string) string {
	switch w {
	case "min", "mins", "minute", "minutes":
		return "min"
	case "h", "hr", "hrs", "hour", "hours":
		return "h"
	case "day", "days":
		return "day"
	}
	return w
}

// bare is a word without the punctuation around it, in lower case.
func bare(w string) string { return strings.ToLower(strings.Trim(w, punctuation)) }

const punctuation = `.,;:!?()'"-`

// known is what a text may repeat: the words of the event as they were shown.
type known struct {
	tokens  map[string]bool // as written, without the punctuation around them
	words   map[string]bool // letters and digits in a row, lower case
	numbers map[string]bool // digits in a row
	phones  []string        // the digits of what looks like a number to call
	runes   map[rune]bool
	scripts []*unicode.RangeTable
}

// known collects what the template would send as well. The details are not in
// it: they are for the tone.
func (b *Brief) known() *known {
	k := &known{tokens: map[string]bool{}, words: map[string]bool{}, numbers: map[string]bool{}, runes: map[rune]bool{}}
	for _, s := range append([]string{b.Title, b.Location, b.Link}, b.Attendees...) {
		plain, _ := sms.ToGSM7(s)
		for _, s := range [...]string{s, plain} {
			k.learn(s)
		}
	}
	return k
}

func (k *known) learn(s string) {
	for w := range strings.FieldsSeq(s) {
		k.tokens[strings.Trim(w, punctuation)] = true
	}
	for _, w := range wordsOf(s) {
		k.words[w] = true
	}
	for _, n := range numbersIn(s) {
		k.numbers[n] = true
	}
	k.phones = append(k.phones, phonesIn(s)...)
	for _, r := range s {
		k.runes[r] = true
		if table := scriptOf(r); table != nil && !slices.Contains(k.scripts, table) {
			k.scripts = append(k.scripts, table)
		}
	}
}

// names reports whether the text says which event it is about: with half of
// the title's longer words, three of them at most.
func (k *known) names(words []string, title string) bool {
	text := strings.ToLower(strings.Join(words, " "))
	for _, least := range [...]int{3, 1} {
		want, have := 0, 0
		for _, w := range wordsOf(title) {
			if utf8.RuneCountInString(w) >= least {
				want++
				if strings.Contains(text, w) {
					have++
				}
			}
		}
		if want > 0 {
			return have >= min((want+1)/2, 3)
		}
	}
	return false
}

// vet looks at the words around the time phrase.
func (k *known) vet(words []string) string {
	for _, w := range words {
		if k.tokens[strings.Trim(w, punctuation)] || w == "@" || w == "&" {
			continue
		}
		if why := k.vetToken(w); why != "" {
			return why
		}
	}
	text := strings.Join(words, " ")
	for _, p := range phonesIn(text) {
		if !slices.Contains(k.phones, p) {
			return vetPhone
		}
	}
	for _, w := range wordsOf(text) {
		if loaded(w) && !k.words[w] {
			return vetLoadedWord
		}
	}
	return ""
}

// vetToken looks at a word that the event does not have as it stands.
func (k *known) vetToken(w string) string {
	if linkish(w) {
		return vetLink
	}
	if strings.ContainsAny(w, "<>{}[]|\\^`*_~#=$€£¥¤%@&") {
		return vetMarkup
	}
	for _, n := range numbersIn(w) {
		if !k.numbers[n] {
			return vetNumber
		}
	}
	latin, other := false, false
	for _, r := range w {
		switch table := scriptOf(r); {
		case r < utf8.RuneSelf:
			latin = latin || unicode.IsLetter(r)
			continue
		case table == unicode.Latin:
			latin = true
		case table != nil:
			other = true
		}
		if !k.fits(r) {
			return vetCharacters
		}
	}
	if latin && other {
		return vetCharacters // a word that looks like another
	}
	return ""
}

// fits reports whether a character beyond ASCII may be in the text: one that
// the event has, a letter of GSM-7, or one of a script that the event is in.
func (k *known) fits(r rune) bool {
	if k.runes[r] {
		return true
	}
	switch table := scriptOf(r); table {
	case nil:
		return false
	case unicode.Latin:
		plain, gsm := sms.ToGSM7(string(r))
		return gsm && plain == string(r) && unicode.IsLetter(r)
	default:
		return slices.Contains(k.scripts, table)
	}
}

// scriptOf returns the script of a letter or of a mark that belongs to one;
// nil for everything else.
func scriptOf(r rune) *unicode.RangeTable {
	if r < utf8.RuneSelf {
		if unicode.IsLetter(r) {
			return unicode.Latin
		}
		return nil
	}
	if !unicode.IsLetter(r) && !unicode.IsMark(r) {
		return nil
	}
	for _, table := range scripts {
		if unicode.Is(table, r) {
			return table
		}
	}
	return nil
}

// scripts are those that a text may be written in when its title is. Others
// go by template.
var scripts = []*unicode.RangeTable{
	unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
	unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Bengali, unicode.Tamil, unicode.Telugu, unicode.Thai,
	unicode.Armenian, unicode.Georgian, unicode.Ethiopic,
}

// linkish reports what a phone, or a reader, takes for a link or an address.
func linkish(w string) bool {
	s := strings.ToLower(w)
	if strings.Contains(s, "://") || strings.HasPrefix(s, "www") || strings.ContainsAny(s, "@＠") || strings.HasPrefix(s, "http") {
		return true
	}
	runes := []rune(strings.Trim(s, punctuation))
	for i := 1; i+2 < len(runes); i++ {
		if dotlike(runes[i]) && wordRune(runes[i-1]) && unicode.IsLetter(runes[i+1]) && unicode.IsLetter(runes[i+2]) {
			return true
		}
	}
	return false
}

// dotlike reports what browsers and readers take for the dot in a name.
func dotlike(r rune) bool {
	switch r {
	case '.', '。', '．', '｡', '․', '‧', '·', '•':
		return true
	}
	return false
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !wordRune(r) && !unicode.IsMark(r) })
}

func numbersIn(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsNumber(r) })
}

// minPhone is how many digits, with what people write between them, are a
// number to call.
const minPhone = 7

func phonesIn(s string) []string {
	var out []string
	var digits strings.Builder
	end := func() {
		if digits.Len() >= minPhone {
			out = append(out, digits.String())
		}
		digits.Reset()
	}
	for _, r := range s {
		switch {
		case unicode.IsNumber(r):
			digits.WriteRune(r)
		case !strings.ContainsRune(" +-.()/,:", r):
			end()
		}
	}
	end()
	return out
}
