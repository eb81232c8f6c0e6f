package httpgate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
	"time"
)

func xmlEscape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}

// document is a JSON answer; ok is false if it is not one.
func document(body []byte) (doc any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return nil, false
	}
	return doc, !d.More()
}

// at returns the value that a path leads to; empty if there is none.
func at(doc any, path string) string {
	if path == "" {
		return ""
	}
	for _, step := range steps(path) {
		switch x := doc.(type) {
		case map[string]any:
			doc = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return ""
			}
			doc = x[i]
		default:
			return ""
		}
	}
	switch v := doc.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// steps splits a path: messages.0.id, or the JSON pointer /messages/0/id
// (RFC 6901).
func steps(path string) []string {
	pointer, ok := strings.CutPrefix(path, "/")
	if !ok {
		return strings.Split(path, ".")
	}
	out := strings.Split(pointer, "/")
	for i, s := range out {
		out[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	return out
}

// condition is "path=value".
type condition struct{ path, value string }

func readCondition(raw string) (*condition, error) {
	if raw == "" {
		return nil, nil
	}
	path, value, ok := strings.Cut(raw, "=")
	if !ok || path == "" {
		return nil, errors.New("is not path=value")
	}
	return &condition{strings.TrimSpace(path), strings.TrimSpace(value)}, nil
}

func (c *condition) holds(doc any) bool { return at(doc, c.path) == c.value }

// instant reads RFC 3339, or Unix seconds or milliseconds, as milliseconds.
func instant(s string) (int64, bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UnixMilli(), true
	}
	const sometime = 100_000_000_000 // seconds until the year 5138, milliseconds since 1973
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, false
	}
	if n < sometime {
		n *= 1000
	}
	return n, true
}
