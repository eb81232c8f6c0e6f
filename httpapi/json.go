package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep a body may nest; the deepest that means anything is 4.
const maxDepth = 16

// member is one name and value of a JSON object. A value is nil, bool,
// json.Number, string, []any or []member.
type member struct {
	name  string
	value any
	raw   []byte // value as it came
	used  bool
}

// parse reads a body. Objects keep their order and every name, so that
// unknown and repeated ones can be refused.
func parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, fail(http.StatusBadRequest, codeInvalidJSON, "the body is not UTF-8")
	}
	if err := checkSyntax(body); err != nil {
		return nil, err
	}
	p := parser{text: body}
	v, ok := p.value(0)
	if !ok {
		return nil, fail(http.StatusBadRequest, codeInvalidJSON, fmt.Sprintf("the body nests deeper than %d levels", maxDepth))
	}
	return v, nil
}

// checkSyntax refuses broken JSON and anything behind the first value, and
// says where.
func checkSyntax(body []byte) error {
	if json.Valid(body) {
		return nil
	}
	var whole json.RawMessage
	err := json.Unmarshal(body, &whole)
	if err == nil {
		return nil
	}
	detail := "the body is not JSON: " + err.Error()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line, column := position(body, syntax.Offset)
		detail = fmt.Sprintf("the body is not JSON: %s at line %d, column %d (byte %d)", syntax.Error(), line, column, syntax.Offset)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		detail = "the body is empty; a JSON object is needed"
	}
	return fail(http.StatusBadRequest, codeInvalidJSON, detail)
}

// position turns the number of bytes read into line and column, both from 1.
func position(body []byte, offset int64) (line, column int) {
	head := body[:min(max(offset-1, 0), int64(len(body)))]
	return 1 + bytes.Count(head, []byte{'\n'}), len(head) - bytes.LastIndexByte(head, '\n')
}

// parser walks JSON whose syntax was checked: it looks only for what tells
// one token from the next.
type parser struct {
	text []byte
	at   int
}

// value reads the next value; false if it nests too deeply.
func (p *parser) value(depth int) (any, bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch p.next() {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.str(), true
	case 't':
		p.at += len("true")
		return true, true
	case 'f':
		p.at += len("false")
		return false, true
	case 'n':
		p.at += len("null")
		return nil, true
	}
	return p.number(), true
}

// next skips white space, commas and colons, and returns the byte that it
// stops before.
func (p *parser) next() byte {
	for {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			p.at++
		default:
			return c
		}
	}
}

func (p *parser) object(depth int) (any, bool) {
	p.at++
	out := make([]member, 0, 8)
	for p.next() != '}' {
		m := member{name: p.str()}
		p.next()
		from := p.at
		var ok bool
		if m.value, ok = p.value(depth + 1); !ok {
			return nil, false
		}
		m.raw = p.text[from:p.at]
		out = append(out, m)
	}
	p.at++
	return out, true
}

func (p *parser) array(depth int) (any, bool) {
	p.at++
	out := []any{}
	for p.next() != ']' {
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	p.at++
	return out, true
}

// str reads a string.
func (p *parser) str() string {
	from, escaped := p.at, false
	for p.at++; p.text[p.at] != '"'; p.at++ {
		if p.text[p.at] == '\\' {
			escaped = true
			p.at++
		}
	}
	p.at++
	if !escaped {
		return string(p.text[from+1 : p.at-1])
	}
	var s string
	_ = json.Unmarshal(p.text[from:p.at], &s) // it is valid
	return s
}

func (p *parser) number() json.Number {
	from := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
		p.at++
	}
	return json.Number(p.text[from:p.at])
}

// encoder writes JSON values as they are shown, a line each.
func encoder(out *bytes.Buffer) *json.Encoder {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e
}

// encode writes JSON as it is shown: no HTML escapes, no line break.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	if err := encoder(&out).Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
