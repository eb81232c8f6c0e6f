package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"carillon/engine"
)

// maxReported is how many bad fields one answer names.
const maxReported = 20

// fields reads one JSON object, field by field. What is wrong is noted with
// the path of the field and read on, so that one answer names all of it.
type fields struct {
	path    string // of the object, with its dot: "preferences."
	members []member
	bad     *[]fieldError // of the whole body
	own     []fieldError  // where bad is, in the outermost object
}

// readObject begins to read a body, which must be one object.
func readObject(body []byte) (*fields, error) {
	var f fields
	var room []member
	return &f, f.read(body, &room)
}

// read is readObject with the members in a room of the caller's.
func (f *fields) read(body []byte, room *[]member) error {
	v, err := parse(body, room)
	if err != nil {
		return err
	}
	return f.of(&v)
}

// of begins to read a value that must be an object.
func (f *fields) of(v *value) error {
	if v.kind != isObject {
		return fail(http.StatusBadRequest, codeInvalidJSON, "a JSON object is needed, not "+kindOf(v))
	}
	f.begin("", v.kids, nil)
	return nil
}

// newFields reads an object inside of another one, whose bad fields it adds
// to; nil: it is the outermost.
func newFields(path string, members []member, bad *[]fieldError) *fields {
	var f fields
	f.begin(path, members, bad)
	return &f
}

// begin is newFields in a place of the caller's.
func (f *fields) begin(path string, members []member, bad *[]fieldError) {
	*f = fields{path: path, members: members, bad: bad}
	if bad == nil {
		f.bad = &f.own
	}
	if len(members) > 64 {
		return // more than any object has: done refuses them
	}
	for i := range members {
		for k := range i {
			if string(members[i].name) == string(members[k].name) {
				f.fail(string(members[i].name), codeDuplicateField, "this field is given twice")
			}
		}
	}
}

func (f *fields) fail(name, code, detail string) {
	if len(*f.bad) < maxReported {
		*f.bad = append(*f.bad, fieldError{Field: f.path + name, Code: code, Detail: detail})
	}
}

// member returns a field, and that it is there; it counts as known.
func (f *fields) member(name string) (*member, bool) {
	for i := range f.members {
		if string(f.members[i].name) == name {
			f.members[i].used = true
			return &f.members[i], true
		}
	}
	return nil, false
}

// find returns a field's value.
func (f *fields) find(name string) (*value, bool) {
	m, there := f.member(name)
	if !there {
		return nil, false
	}
	return &m.value, true
}

// null reports whether a field is there and null.
func (f *fields) null(name string) bool {
	v, there := f.find(name)
	return there && v.kind == isNull
}

// present returns a field that is there and not null.
func (f *fields) present(name string) (*value, bool) {
	v, there := f.find(name)
	return v, there && v.kind != isNull
}

// text reads a string of at most so many characters.
func (f *fields) text(name string, limit int) (string, bool) {
	s, ok := f.letters(name, limit)
	return string(s), ok
}

// letters is text where it stands, for who does not keep it.
func (f *fields) letters(name string, limit int) ([]byte, bool) {
	v, there := f.present(name)
	if !there {
		return nil, false
	}
	if v.kind != isString {
		f.fail(name, codeInvalidField, "a string is needed, not "+kindOf(v))
		return nil, false
	}
	s := v.bytes()
	if len(s) > limit && utf8.RuneCount(s) > limit {
		f.fail(name, codeInvalidField, fmt.Sprintf("at most %d characters are taken", limit))
		return nil, false
	}
	return s, true
}

func (f *fields) boolean(name string) (b, ok bool) {
	v, there := f.present(name)
	if !there {
		return false, false
	}
	if v.kind != isBool {
		f.fail(name, codeInvalidField, "true or false is needed, not "+kindOf(v))
		return false, false
	}
	return v.raw[0] == 't', true
}

// whole reads a whole number from low to high.
func (f *fields) whole(name string, low, high int64) (int64, bool) {
	v, there := f.present(name)
	if !there {
		return 0, false
	}
	n, ok := wholeOf(v)
	if !ok || n < low || n > high {
		f.fail(name, codeInvalidField, fmt.Sprintf("a whole number from %d to %d is needed", low, high))
		return 0, false
	}
	return n, true
}

// wholeOf also takes 15.0 and 1e3: JSON has one kind of number.
func wholeOf(v *value) (int64, bool) {
	if v.kind != isNumber {
		return 0, false
	}
	if n, err := strconv.ParseInt(string(v.raw), 10, 64); err == nil {
		return n, true
	}
	x, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return 0, false
	}
	return int64(x), true
}

// instant reads an RFC 3339 instant.
func (f *fields) instant(name string) (engine.Millis, bool) {
	s, there := f.text(name, 64)
	if !there {
		return 0, false
	}
	at, err := parseInstant(s)
	if err != nil {
		f.fail(name, codeInvalidField, err.Error())
		return 0, false
	}
	return at, true
}

// choice reads one of a closed set of words.
func choice[T any](f *fields, name string, words []string, values []T) (T, bool) {
	var none T
	s, there := f.letters(name, 64)
	if !there {
		return none, false
	}
	for i, w := range words {
		if w == string(s) {
			return values[i], true
		}
	}
	f.fail(name, codeInvalidField, "one of "+strings.Join(words, ", ")+" is needed")
	return none, false
}

// object reads a nested object.
func (f *fields) object(name string) (*fields, bool) {
	v, there := f.present(name)
	if !there {
		return nil, false
	}
	if v.kind != isObject {
		f.fail(name, codeInvalidField, "an object is needed, not "+kindOf(v))
		return nil, false
	}
	return newFields(f.path+name+".", v.kids, f.bad), true
}

// list reads an array of at most so many values.
func (f *fields) list(name string, limit int) ([]member, bool) {
	v, there := f.present(name)
	if !there {
		return nil, false
	}
	if v.kind != isList {
		f.fail(name, codeInvalidField, "a list is needed, not "+kindOf(v))
		return nil, false
	}
	if len(v.kids) > limit {
		f.fail(name, codeInvalidField, fmt.Sprintf("at most %d are taken", limit))
		return nil, false
	}
	return v.kids, true
}

// need notes that a field is missing, unless it is there and was bad.
func (f *fields) need(name, detail string) {
	if _, there := f.present(name); !there {
		f.fail(name, codeMissingField, detail)
	}
}

// readOnly refuses fields that only answers carry.
func (f *fields) readOnly(names ...string) {
	for _, name := range names {
		if _, there := f.find(name); there {
			f.fail(name, codeReadOnlyField, "this field can't be written; leave it out")
		}
	}
}

// same refuses a field that contradicts the path.
func (f *fields) same(name, want string) {
	v, there := f.present(name)
	if there && (v.kind != isString || string(v.bytes()) != want) {
		f.fail(name, codeInvalidField, "this differs from the path; it may be left out")
	}
}

// done refuses every field that nobody asked for.
func (f *fields) done() {
	for i := range f.members {
		if m := &f.members[i]; !m.used {
			f.fail(shorten(string(m.name)), codeUnknownField, "no such field")
		}
	}
}

// err returns what was wrong, nil if nothing was. The first bad field gives
// the document its code.
func (f *fields) err() error {
	if len(*f.bad) == 0 {
		return nil
	}
	first := (*f.bad)[0]
	p := fail(http.StatusUnprocessableEntity, first.Code, first.Field+": "+first.Detail)
	p.Field, p.Errors = first.Field, *f.bad
	return p
}

func kindOf(v *value) string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[v.kind]
}

func shorten(name string) string {
	const most = 64
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most]) + "…"
}
