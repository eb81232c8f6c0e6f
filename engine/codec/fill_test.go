package codec_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"carillon/engine"
	"carillon/engine/codec"
)

// kinds returns the zero value of every event that the codec reads, by kind.
func kinds(tb testing.TB) map[protowire.Number]engine.Event {
	tb.Helper()
	all := map[protowire.Number]engine.Event{}
	for n := protowire.Number(1); ; n++ {
		_, events, err := codec.DecodeRecord(codec.Version, record(kindBytes(n, nil)))
		if err != nil {
			return all
		}
		all[n] = events[0]
	}
}

// kindBytes returns the message Event around the content of that kind.
func kindBytes(n protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), content)
}

// record returns a record's payload with one event.
func record(event []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), event)
}

// numbers deals out values for fields.
type numbers interface {
	next(bits int) int64
	length() int
	string() string
}

// fill sets every exported field, recursively.
func fill(v reflect.Value, from numbers) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, from)
		}
	case reflect.Slice:
		if n := from.length(); n > 0 { // empty rows come back as nil
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			if to := v.Index(i); to.Kind() == reflect.Pointer { // one of a row is there
				to.Set(reflect.New(to.Type().Elem()))
				fill(to.Elem(), from)
				continue
			}
			fill(v.Index(i), from)
		}
	case reflect.Pointer: // to what most don't have: nothing comes back as nil, but for what all have
		to := reflect.New(v.Type().Elem())
		if fill(to.Elem(), from); shared(v.Type()) || !to.Elem().IsZero() {
			v.Set(to)
		}
	case reflect.String:
		v.SetString(from.string())
	case reflect.Bool:
		v.SetBool(from.next(1) != 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(from.next(v.Type().Bits()))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(from.next(v.Type().Bits())) & (math.MaxUint64 >> (64 - v.Type().Bits())))
	default:
		panic(fmt.Sprintf("the codec has no rule for a field of type %s", v.Type()))
	}
}

// shared reports whether it is a pointer to what a record and the state share.
func shared(t reflect.Type) bool {
	return t == reflect.TypeFor[*engine.CalendarEvent]() || t == reflect.TypeFor[*engine.PlannedReminder]()
}

// filled returns a value of that type with every field set, each to another
// value, so that no two can be taken for each other.
func filled(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	fill(v, new(counter))
	return v
}

type counter int64

func (c *counter) next(bits int) int64 {
	*c++
	if bits == 1 {
		return 1
	}
	if bits > 8 && *c%2 == 0 {
		return -int64(*c) // never 0 and, cut to an unsigned type, never small
	}
	return int64(*c)%255 + 1
}

func (c *counter) length() int    { return 2 }
func (c *counter) string() string { return fmt.Sprint("text ", c.next(8)) }

// drawn lets rapid choose, with the extremes among the choices.
type drawn struct{ t *rapid.T }

func (d drawn) next(bits int) int64 {
	if bits == 1 {
		return rapid.Int64Range(0, 1).Draw(d.t, "bool")
	}
	shift := 64 - bits
	return rapid.Int64Range(math.MinInt64>>shift, math.MaxInt64>>shift).Draw(d.t, "int")
}

func (d drawn) length() int    { return rapid.IntRange(0, 3).Draw(d.t, "length") }
func (d drawn) string() string { return rapid.StringN(-1, -1, 200).Draw(d.t, "string") }

// dump lists what isn't zero, a line each. A field that is added later does
// not change the dump of a value that lacks it.
func dump(v any) string {
	var b strings.Builder
	dumpInto(&b, "", reflect.ValueOf(v))
	return b.String()
}

func dumpInto(b *strings.Builder, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			dumpInto(b, path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			dumpInto(b, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			dumpInto(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.String:
		if v.Len() > 0 {
			fmt.Fprintf(b, "%s = %q\n", path, v.String())
		}
	case reflect.Bool:
		if v.Bool() {
			fmt.Fprintf(b, "%s = true\n", path)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Int() != 0 {
			fmt.Fprintf(b, "%s = %d\n", path, v.Int())
		}
	default:
		if v.Uint() != 0 {
			fmt.Fprintf(b, "%s = %d\n", path, v.Uint())
		}
	}
}
