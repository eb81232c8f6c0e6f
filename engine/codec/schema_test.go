package codec_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"google.golang.org/protobuf/encoding/protowire"

	"carillon/engine"
	"carillon/engine/codec"
)

// schemaField is a line of events.proto.
type schemaField struct {
	name, typ string
	repeated  bool
}

type schema map[string]map[protowire.Number]schemaField

var (
	messageLine = regexp.MustCompile(`^message (\w+) \{`)
	fieldLine   = regexp.MustCompile(`^ +(repeated )?(\w+) (\w+) = (\d+);`)
)

func readSchema(t *testing.T) schema {
	t.Helper()
	text, err := os.ReadFile("events.proto")
	if err != nil {
		t.Fatal(err)
	}
	all, message := schema{}, ""
	for line := range strings.Lines(string(text)) {
		if m := messageLine.FindStringSubmatch(line); m != nil {
			message = m[1]
			all[message] = map[protowire.Number]schemaField{}
		}
		if m := fieldLine.FindStringSubmatch(line); m != nil {
			n, err := strconv.Atoi(m[4])
			if _, twice := all[message][protowire.Number(n)]; err != nil || twice {
				t.Fatalf("%s: number %s: twice, or %v", message, m[4], err)
			}
			all[message][protowire.Number(n)] = schemaField{name: m[3], typ: m[2], repeated: m[1] != ""}
		}
	}
	return all
}

// TestSchema sets one field at a time and looks at what number and wire type
// it gets, so the description can't differ from the bytes.
func TestSchema(t *testing.T) {
	s := readSchema(t)
	for n, e := range kinds(t) {
		typ := reflect.TypeOf(e)
		want := schemaField{name: snake(typ.Name()), typ: typ.Name()}
		if s["Event"][n] != want {
			t.Errorf("kind %d: %+v, events.proto has %+v", n, want, s["Event"][n])
		}
		s.check(t, typ, func(v reflect.Value) []byte {
			data := codec.AppendRecord(nil, 0, []engine.Event{v.Interface().(engine.Event)})
			return only(t, only(t, data, 2), n)
		})
	}
	if got, want := len(s["Event"]), len(kinds(t)); got != want {
		t.Errorf("events.proto has %d kinds, the codec %d", got, want)
	}
	s.check(t, reflect.TypeFor[engine.User](), func(v reflect.Value) []byte {
		u := v.Interface().(engine.User)
		return codec.AppendUser(nil, &u)
	})
}

// check compares a struct with the message of its name; encode returns the
// bytes of that message.
func (s schema) check(t *testing.T, typ reflect.Type, encode func(reflect.Value) []byte) {
	t.Helper()
	fields := s.fields(typ)
	if got, want := len(fields), len(s[typ.Name()]); got != want {
		t.Errorf("%s has %d fields, events.proto %d", typ.Name(), got, want)
	}
	for _, field := range fields {
		v := blank(typ)
		fill(v.FieldByIndex(field.Index), new(counter))
		n, wire, _ := protowire.ConsumeTag(encode(v))
		got := s[typ.Name()][n]
		if got.name != snake(field.Name) || !got.describes(field.Type, wire) {
			t.Errorf("%s.%s is field %d of wire type %d, events.proto has %+v", typ.Name(), field.Name, n, wire, got)
			continue
		}
		inner, row := field.Type, field.Type.Kind() == reflect.Slice
		if row {
			inner = inner.Elem()
		}
		pointer := inner.Kind() == reflect.Pointer
		if pointer {
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct {
			continue
		}
		s.check(t, inner, func(x reflect.Value) []byte {
			v := blank(typ)
			if pointer {
				to := reflect.New(inner)
				to.Elem().Set(x)
				x = to
			}
			if row {
				x = reflect.Append(reflect.Zero(field.Type), x)
			}
			v.FieldByIndex(field.Index).Set(x)
			return only(t, encode(v), n)
		})
	}
}

// fields lists those of a struct, and those of what is embedded in it and has no
// message of its own there.
func (s schema) fields(typ reflect.Type) (all []reflect.StructField) {
	for _, field := range reflect.VisibleFields(typ) {
		if len(field.Index) == 1 && !s.dissolves(typ, field) || len(field.Index) == 2 && s.dissolves(typ, typ.Field(field.Index[0])) {
			all = append(all, field)
		}
	}
	return all
}

// dissolves reports whether the fields of an embedded struct are written as those
// of the one around it.
func (s schema) dissolves(typ reflect.Type, field reflect.StructField) bool {
	if !field.Anonymous {
		return false
	}
	for _, f := range s[typ.Name()] {
		if f.name == snake(field.Name) {
			return false
		}
	}
	return true
}

// blank is a struct with nothing in it but what is always there.
func blank(typ reflect.Type) reflect.Value {
	v := reflect.New(typ).Elem()
	for i := range typ.NumField() {
		if f := v.Field(i); shared(f.Type()) {
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
	return v
}

// describes reports whether the line of events.proto fits the type of the
// field and what it looks like on the wire.
func (f schemaField) describes(typ reflect.Type, wire protowire.Type) bool {
	if typ.Kind() == reflect.Slice {
		one := schemaField{typ: f.typ}
		return f.repeated && wire == protowire.BytesType && one.describes(typ.Elem(), one.wireType())
	}
	if f.repeated || wire != f.wireType() {
		return false
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() == reflect.Struct {
		return f.typ == typ.Name()
	}
	return slices.Contains(protoTypes[typ.Kind()], f.typ)
}

func (f schemaField) wireType() protowire.Type {
	switch f.typ {
	case "bool", "sint32", "sint64", "uint32", "uint64":
		return protowire.VarintType
	case "fixed64":
		return protowire.Fixed64Type
	default: // strings and messages
		return protowire.BytesType
	}
}

var protoTypes = map[reflect.Kind][]string{
	reflect.Bool:   {"bool"},
	reflect.String: {"string"},
	reflect.Int16:  {"sint32"},
	reflect.Int32:  {"sint32"},
	reflect.Int64:  {"sint64"},
	reflect.Int:    {"sint64"},
	reflect.Uint8:  {"uint32"},
	reflect.Uint16: {"uint32"},
	reflect.Uint32: {"uint32"},
	reflect.Uint64: {"uint64", "fixed64"},
}

// only returns the content of the one field of a message.
func only(t *testing.T, message []byte, n protowire.Number) []byte {
	t.Helper()
	got, _, size := protowire.ConsumeTag(message)
	content, rest := protowire.ConsumeBytes(message[max(size, 0):])
	if got != n || rest < 0 || size+rest != len(message) {
		t.Fatalf("want nothing but field %d in %x", n, message)
	}
	return content
}

// snake turns MessageID into message_id.
func snake(name string) string {
	var b strings.Builder
	r := []rune(name)
	for i, c := range r {
		if unicode.IsUpper(c) && i > 0 && (unicode.IsLower(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
