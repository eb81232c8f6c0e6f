package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// maxDepth is how deep a body may nest; the deepest that means anything is 4.
const maxDepth = 16

// kind of a JSON value.
type kind uint8

const (
	isNull kind = iota
	isBool
	isNumber
	isString
	isList
	isObject
)

// value is a JSON value where it stands in its text, which it shares: nothing
// is decoded or copied before a field's reader asks for it.
type value struct {
	raw     []byte   // as it came, a string with its quotes
	kids    []member // of an object; of a list, without names
	kind    kind
	escaped bool // of a string: it is not what stands between its quotes
}

// member is one name and value of a JSON object.
type member struct {
	name []byte
	used bool
	value
}

// bytes are a string's, or a decoded copy if it has escapes.
func (v *value) bytes() []byte {
	if !v.escaped {
		return v.raw[1 : len(v.raw)-1]
	}
	var s string
	_ = json.Unmarshal(v.raw, &s) // it is valid
	return []byte(s)
}

// parse reads a body. Objects keep their order and every name, so that
// unknown and repeated ones can be refused. Their members stand behind those
// in room, which grows by them.
func parse(body []byte, room *[]member) (value, error) {
	if !utf8.Valid(body) {
		return value{}, fail(http.StatusBadRequest, codeInvalidJSON, "the body is not UTF-8")
	}
	p, _ := parsers.Get().(*parser)
	v, kept, ok := p.whole(body, *room)
	*room = kept
	parsers.Put(p)
	if ok {
		return v, nil
	}
	if err := checkSyntax(body); err != nil {
		return value{}, err
	}
	return value{}, fail(http.StatusBadRequest, codeInvalidJSON, fmt.Sprintf("the body nests deeper than %d levels", maxDepth))
}

// checkSyntax refuses broken JSON and anything behind the first value, and
// says where. It is asked what is wrong with a text that the parser did not
// take.
func checkSyntax(body []byte) error {
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
