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

// member is one name and value of a JSON object. A value is nil, bool,
// json.Number, string, []any or []member.
type member struct {
	name  string
	value any
	used  bool
}

// parseObject reads a body that must be one JSON object. Objects keep their
// order and every name, so that unknown and repeated ones can be refused.
func parseObject(body []byte) ([]member, error) {
	v, err := parse(body)
	if err != nil {
		return nil, err
	}
	o, ok := v.([]member)
	if !ok {
		return nil, fail(http.StatusBadRequest, codeInvalidJSON, "the body must be a JSON object")
	}
	return o, nil
}

func parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, fail(http.StatusBadRequest, codeInvalidJSON, "the body is not UTF-8")
	}
	if err := checkSyntax(body); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return value(d, 0)
}

// checkSyntax refuses broken JSON and anything behind the first value, and
// says where.
func checkSyntax(body []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(body, &whole)
	if err == nil {
		return nil
	}
	detail := "the body is not JSON: " + err.Error()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
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

// value reads the next value. The syntax was checked.
func value(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fail(http.StatusBadRequest, codeInvalidJSON, fmt.Sprintf("the body nests deeper than %d levels", maxDepth))
	}
	token, err := d.Token()
	if err != nil {
		return nil, fail(http.StatusBadRequest, codeInvalidJSON, "the body is not JSON: "+err.Error())
	}
	switch token {
	case json.Delim('{'):
		return object(d, depth)
	case json.Delim('['):
		return array(d, depth)
	}
	return token, nil
}

func object(d *json.Decoder, depth int) (any, error) {
	out := []member{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fail(http.StatusBadRequest, codeInvalidJSON, "the body is not JSON: "+err.Error())
		}
		v, err := value(d, depth+1)
		if err != nil {
			return nil, err
		}
		s, _ := name.(string)
		out = append(out, member{name: s, value: v})
	}
	_, err := d.Token()
	return out, err
}

func array(d *json.Decoder, depth int) (any, error) {
	out := []any{}
	for d.More() {
		v, err := value(d, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := d.Token()
	return out, err
}

// encode writes JSON as it is shown: no HTML escapes, no line break.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
