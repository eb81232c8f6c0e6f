package codec_test

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"carillon/engine"
	"carillon/engine/codec"
)

func TestDamage(t *testing.T) {
	for name, test := range map[string]struct{ data, says string }{
		"cut in a tag":         {"\x80", "at byte 0"},
		"cut in a number":      {"\x08\x80", "at byte 1"},
		"number too long":      {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "at byte 1"},
		"length beyond end":    {"\x12\x05\x0a", "length beyond the end at byte 2"},
		"field number 0":       {"\x00\x01", "no such field number"},
		"field number 2^29":    {"\x80\x80\x80\x80\x10\x01", "no such field number"},
		"another wire type":    {"\x0a\x00", "another wire type at byte 1"},
		"group never begun":    {"\x1c", "at byte 1"},
		"field twice":          {"\x08\x01\x08\x02", "field out of order at byte 3"},
		"field out of order":   {"\x12\x02\x0a\x00\x08\x01", "field out of order at byte 5"},
		"event without kind":   {"\x12\x00", "event without a kind"},
		"event of two kinds":   {"\x12\x04\x0a\x00\x12\x00", "event of two kinds"},
		"kind not a message":   {"\x12\x02\x08\x01", "another wire type"},
		"bool of 2":            {"\x12\x05\xa2\x01\x02\x08\x02", "neither true nor false"},
		"reason of 256":        {"\x12\x05\x4a\x03\x10\x80\x02", "number out of range"},
		"count of 2^31":        {"\x12\x08\x32\x06\x18\x80\x80\x80\x80\x10", "number out of range"},
		"cut in a hash":        {"\x12\x04\x6a\x02\x11\x01", "at byte"},
		"packed beyond itself": {"\x12\x0a\x82\x01\x07\x1a\x05\x12\x01\x80\x20\x01", "number beyond its end"},
	} {
		first, events, err := codec.DecodeRecord(codec.Version, []byte(test.data))
		if !errors.Is(err, codec.ErrCorrupt) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %q", name, err, test.says)
		}
		if first != 0 || events != nil {
			t.Errorf("%s: half a record: %d %v", name, first, events)
		}
	}
	if _, err := codec.DecodeUser(0, nil); !errors.Is(err, codec.ErrCorrupt) {
		t.Errorf("version 0: error %v", err)
	}
}

// TestCutShort reads every beginning of sound bytes: an error or a shorter
// value, and never the whole one.
func TestCutShort(t *testing.T) {
	want := filled(reflect.TypeFor[engine.User]()).Interface().(engine.User)
	data := codec.AppendUser(nil, &want)
	for n := range data {
		if got, err := codec.DecodeUser(codec.Version, data[:n]); err == nil && reflect.DeepEqual(*got, want) {
			t.Fatalf("%d of %d bytes gave the whole user", n, len(data))
		}
	}
}

// TestDamageAllocates bounds what a payload of the shortest reminders takes:
// two bytes each on the wire, some hundred in memory.
func TestDamageAllocates(t *testing.T) {
	const reminders = 1000
	data := bytes.Repeat([]byte{12<<3 | 2, 0}, reminders)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	u, err := codec.DecodeUser(codec.Version, data)
	runtime.ReadMemStats(&after)
	if err != nil || len(u.Reminders) != reminders {
		t.Fatalf("error %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(len(data))*400 {
		t.Errorf("%d bytes for %d", took, len(data))
	}
}

// A text that is not the payload would give a state of other words.
func TestDecodeUserInWantsThePayloadsText(t *testing.T) {
	want := engine.User{ID: "u1", Exists: true, Zone: "Europe/Berlin", Phone: "+15550001"}
	data := codec.AppendUser(nil, &want)
	got, err := codec.DecodeUserIn(codec.Version, data, string(data))
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v, error %v, want %+v", got, err, want)
	}
	if _, err := codec.DecodeUserIn(codec.Version, data, string(data[1:])); !errors.Is(err, codec.ErrCorrupt) {
		t.Errorf("a text that is too short: %v", err)
	}
}
