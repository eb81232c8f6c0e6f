package httpgate

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"carillon/actors/provider"
)

// placeholders are the names that stand for something of a message.
var placeholders = []string{"to", "to_digits", "text", "user_id", "reminder_id", "message_id", "segments", "valid_seconds", "valid_until", "id"}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

// unknown returns the first placeholder that there is not.
func unknown(template string) string {
	for _, m := range placeholder.FindAllStringSubmatch(template, -1) {
		if !slices.Contains(placeholders, m[1]) {
			return m[1]
		}
	}
	return ""
}

// template is a text with placeholders: what stands before each, and after the
// last.
type template []piece

type piece struct{ text, name string }

// cut takes a template apart. What is no placeholder of ours is text.
func cut(raw string) template {
	var (
		t    template
		from int
	)
	for _, m := range placeholder.FindAllStringSubmatchIndex(raw, -1) {
		if name := raw[m[2]:m[3]]; slices.Contains(placeholders, name) {
			t = append(t, piece{raw[from:m[0]], name})
			from = m[1]
		}
	}
	return append(t, piece{text: raw[from:]})
}

// fill replaces the placeholders in one pass: what is put in is never looked
// through again.
func (t template) fill(escape, value func(string) string) string {
	if len(t) == 1 {
		return t[0].text
	}
	var b strings.Builder
	b.Grow(len(t) * averagePiece)
	for _, p := range t {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString(escape(value(p.name)))
		}
	}
	return b.String()
}

// averagePiece is a guess at the bytes of a piece with its value.
const averagePiece = 64

// values says what the placeholders stand for.
func values(m provider.Message, id string, now int64) func(string) string {
	return func(name string) string {
		switch name {
		case "to":
			return m.To
		case "to_digits":
			return strings.TrimPrefix(m.To, "+")
		case "text":
			return m.Text
		case "user_id":
			return m.UserID
		case "reminder_id":
			return m.ReminderID
		case "message_id":
			return m.MessageID
		case "segments":
			return strconv.Itoa(m.Segments)
		case "valid_seconds":
			return strconv.FormatInt(max((m.ValidUntil-now)/1000, 1), 10)
		case "valid_until":
			return time.UnixMilli(m.ValidUntil).UTC().Format(time.RFC3339)
		}
		return id
	}
}

func queryEscape(s string) string { return url.QueryEscape(s) }

// jsonEscape escapes for the inside of a JSON string.
func jsonEscape(s string) string {
	if strings.IndexFunc(s, jsonSpecial) < 0 {
		return s
	}
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}

// jsonSpecial reports whether encoding/json might write a character as another.
func jsonSpecial(r rune) bool {
	return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&'
}

// headerEscape leaves nothing that could end a header.
func headerEscape(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// escapeFor is how values are put into a body of that type.
func escapeFor(contentType string) func(string) string {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch kind = strings.TrimSpace(kind); {
	case kind == "application/x-www-form-urlencoded":
		return queryEscape
	case kind == "application/json", strings.HasSuffix(kind, "+json"):
		return jsonEscape
	case kind == "application/xml", kind == "text/xml", strings.HasSuffix(kind, "+xml"):
		return xmlEscape
	}
	return func(s string) string { return s }
}
