package codec_test

import (
	"reflect"
	"testing"

	"carillon/engine"
	"carillon/engine/codec"
)

// What decodes at all means the same after it was written again. The bytes
// may differ: fields of newer builds go, and numbers get their shortest form.

func FuzzDecodeRecord(f *testing.F) {
	for n, zero := range kinds(f) {
		e := filled(reflect.TypeOf(zero)).Interface().(engine.Event)
		f.Add(codec.AppendRecord(nil, uint64(n), []engine.Event{e, zero}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, events, err := codec.DecodeRecord(codec.Version, data)
		if err != nil {
			return
		}
		again, got, err := codec.DecodeRecord(codec.Version, codec.AppendRecord(nil, first, events))
		if err != nil || again != first || !reflect.DeepEqual(got, events) {
			t.Errorf("%d %+v, written and read: %d %+v, error %v", first, events, again, got, err)
		}
	})
}

func FuzzDecodeUser(f *testing.F) {
	u := filled(reflect.TypeFor[engine.User]()).Interface().(engine.User)
	f.Add(codec.AppendUser(nil, &u))
	f.Add(codec.AppendUser(nil, &engine.User{ID: "u1", Prefs: engine.DefaultPreferences()}))
	f.Fuzz(func(t *testing.T, data []byte) {
		u, err := codec.DecodeUser(codec.Version, data)
		if err != nil {
			return
		}
		got, err := codec.DecodeUser(codec.Version, codec.AppendUser(nil, u))
		if err != nil || !reflect.DeepEqual(got, u) {
			t.Errorf("%+v, written and read: %+v, error %v", u, got, err)
		}
	})
}
