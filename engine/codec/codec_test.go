package codec_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"carillon/engine"
	"carillon/engine/codec"
)

// A field that the codec forgets comes back as zero, and fails these two.

func TestEveryFieldOfEveryEvent(t *testing.T) {
	for n, zero := range kinds(t) {
		t.Run(reflect.TypeOf(zero).Name(), func(t *testing.T) {
			want, ok := reflect.TypeAssert[engine.Event](filled(reflect.TypeOf(zero)))
			if !ok {
				t.Fatalf("kind %d is not an event", n)
			}
			first, got, err := codec.DecodeRecord(codec.Version, codec.AppendRecord(nil, 7, []engine.Event{want}))
			if err != nil || first != 7 || len(got) != 1 {
				t.Fatalf("first %d, %d events, error %v", first, len(got), err)
			}
			if !reflect.DeepEqual(got[0], want) {
				t.Errorf("got\n%swant\n%s", dump(got[0]), dump(want))
			}
		})
	}
}

func TestEveryFieldOfUser(t *testing.T) {
	want := filled(reflect.TypeFor[engine.User]()).Interface().(engine.User)
	got, err := codec.DecodeUser(codec.Version, codec.AppendUser(nil, &want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got\n%swant\n%s", dump(got), dump(want))
	}
}

// TestEveryKind compares the kinds with the sum type as it stands in the
// source, because a kind that is missing here would stop a journal.
func TestEveryKind(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../event.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "event" {
			want = append(want, fmt.Sprint(f.Recv.List[0].Type))
		}
	}
	var got []string
	for e := range maps.Values(kinds(t)) {
		got = append(got, reflect.TypeOf(e).Name())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("codec knows\n%v, the engine has\n%v", got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	all := kinds(t)
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint64().Draw(t, "first")
		var want []engine.Event
		for range rapid.IntRange(0, 4).Draw(t, "events") {
			n := rapid.IntRange(1, len(all)).Draw(t, "kind")
			v := reflect.New(reflect.TypeOf(all[protowire.Number(n)])).Elem()
			fill(v, drawn{t})
			want = append(want, v.Interface().(engine.Event))
		}
		gotFirst, got, err := codec.DecodeRecord(codec.Version, codec.AppendRecord(nil, first, want))
		if err != nil || gotFirst != first || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %d %+v (%v), want %d %+v", gotFirst, got, err, first, want)
		}
		var u engine.User
		fill(reflect.ValueOf(&u).Elem(), drawn{t})
		gotUser, err := codec.DecodeUser(codec.Version, codec.AppendUser(nil, &u))
		if err != nil || !reflect.DeepEqual(*gotUser, u) {
			t.Fatalf("got %+v (%v), want %+v", gotUser, err, u)
		}
	})
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	e := []engine.Event{engine.UserPaused{Paused: true}}
	got := codec.AppendRecord([]byte("before"), 1, e)
	if want := "before" + string(codec.AppendRecord(nil, 1, e)); string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNothingRefersToTheInput holds the promise that borrowed bytes may be
// used again.
func TestNothingRefersToTheInput(t *testing.T) {
	want := filled(reflect.TypeFor[engine.User]()).Interface().(engine.User)
	data := codec.AppendUser(nil, &want)
	got, err := codec.DecodeUser(codec.Version, data)
	clear(data)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("changed with its input (%v):\n%s", err, dump(got))
	}
}

// TestNewerFieldsAreSkipped reads what a build with more fields wrote, in the
// record, in an event, in a value within it and in a user.
func TestNewerFieldsAreSkipped(t *testing.T) {
	tail := protowire.AppendTag(nil, 500, protowire.BytesType)
	tail = protowire.AppendString(tail, "later")
	tail = protowire.AppendVarint(protowire.AppendTag(tail, 501, protowire.VarintType), 7)
	tail = protowire.AppendVarint(protowire.AppendTag(tail, 501, protowire.VarintType), 8)

	id := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "e1")
	value := slices.Concat(id, tail)
	event := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), value)
	const eventPut = 5
	data := slices.Concat(record(kindBytes(eventPut, slices.Concat(event, tail))), tail)
	_, got, err := codec.DecodeRecord(codec.Version, data)
	want := []engine.Event{engine.EventPut{Event: &engine.CalendarEvent{ID: "e1"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, error %v", got, err)
	}
	u, err := codec.DecodeUser(codec.Version, value)
	if err != nil || !reflect.DeepEqual(*u, engine.User{ID: "e1"}) {
		t.Errorf("got %+v, error %v", u, err)
	}
}

func TestNewerBuild(t *testing.T) {
	for name, test := range map[string]struct {
		version uint8
		data    []byte
		says    string
	}{
		"version": {codec.Version + 1, nil, "payload version 2, this build knows up to 1"},
		"kind":    {codec.Version, record(kindBytes(999, nil)), "event kind 999 in payload version 1"},
	} {
		_, _, err := codec.DecodeRecord(test.version, test.data)
		if !errors.Is(err, codec.ErrNewer) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := codec.DecodeUser(codec.Version+1, nil); !errors.Is(err, codec.ErrNewer) {
		t.Errorf("user: error %v", err)
	}
}
