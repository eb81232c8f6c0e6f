package httpapi

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"carillon/engine"
)

// appender is an answer that writes its own JSON: what answers a write is
// written for every event, and without reflection costs a tenth.
type appender interface {
	json.Marshaler // for where it is part of something else
	appendJSON(b []byte) []byte
}

// appendText appends a string as encode writes it.
func appendText(b []byte, s string) []byte {
	if !plainText(s) {
		if quoted, err := encode(s); err == nil { // a string can always be
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// plainText reports whether a string stands in JSON as it is. U+2028 and
// U+2029 are escaped for the sake of JavaScript, and what is not UTF-8 is
// replaced.
func plainText(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		if c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return false
		}
		i += size
	}
	return true
}

// appendInstant appends an instant in its quotes.
func appendInstant(b []byte, at engine.Millis) []byte {
	layout := time.RFC3339 // which package time formats without reading it
	if at%1000 != 0 {
		layout = "2006-01-02T15:04:05.000Z"
	}
	return append(time.UnixMilli(at).UTC().AppendFormat(append(b, '"'), layout), '"')
}
