package codec_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carillon/engine"
	"carillon/engine/codec"
)

var update = flag.Bool("update", false, "write the golden files that are missing")

// TestGolden decodes bytes of every kind and version ever written. Beside
// each <kind>-v<n>.bin, a .txt lists the fields that it set. -update writes
// what is missing and never overwrites: old bytes stay as they were.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	for _, zero := range kinds(t) {
		name := goldenName(reflect.TypeOf(zero), codec.Version)
		if _, err := os.Stat(name + ".bin"); err != nil {
			t.Errorf("run go test -update: %v", err)
		}
	}
	files, err := filepath.Glob("testdata/golden/*.bin")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	for _, file := range files {
		checkGolden(t, strings.TrimSuffix(file, ".bin"))
	}
}

func checkGolden(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var version uint8
	if _, err := fmt.Sscanf(name[strings.LastIndex(name, "-v"):], "-v%d", &version); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	decode := decodeGoldenRecord
	if strings.HasPrefix(filepath.Base(name), "user-v") {
		decode = decodeGoldenUser
	}
	got, again, err := decode(version, data)
	if err != nil || sorted(got) != sorted(string(want)) {
		t.Errorf("%s: error %v, got\n%swant\n%s", name, err, got, want)
	}
	if version == codec.Version && !bytes.Equal(again, data) {
		t.Errorf("%s: is written differently now:\n%x, was\n%x", name, again, data)
	}
}

// sorted lets the fields of a struct change places.
func sorted(dump string) string {
	lines := strings.SplitAfter(dump, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func decodeGoldenRecord(version uint8, data []byte) (got string, again []byte, err error) {
	first, events, err := codec.DecodeRecord(version, data)
	if err != nil || len(events) != 1 {
		return "", nil, errors.Join(err, fmt.Errorf("%d events", len(events)))
	}
	got = fmt.Sprintf("%d %T\n%s", first, events[0], dump(events[0]))
	return got, codec.AppendRecord(nil, first, events), nil
}

func decodeGoldenUser(version uint8, data []byte) (got string, again []byte, err error) {
	u, err := codec.DecodeUser(version, data)
	if err != nil {
		return "", nil, err
	}
	text := strings.ReplaceAll(dump(u), ".PlannedReminder.", ".") // which has no message of its own there
	return fmt.Sprintf("%T\n%s", *u, text), codec.AppendUser(nil, u), nil
}

func writeGolden(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll("testdata/golden", 0o755); err != nil {
		t.Fatal(err)
	}
	for n, zero := range kinds(t) {
		e := filled(reflect.TypeOf(zero)).Interface().(engine.Event)
		first := uint64(n) * 1000
		writeMissing(t, goldenName(reflect.TypeOf(e), codec.Version),
			codec.AppendRecord(nil, first, []engine.Event{e}), fmt.Sprintf("%d %T\n%s", first, e, dump(e)))
	}
	u := filled(reflect.TypeFor[engine.User]()).Interface().(engine.User)
	writeMissing(t, goldenName(reflect.TypeOf(u), codec.Version),
		codec.AppendUser(nil, &u), fmt.Sprintf("%T\n%s", u, dump(u)))
}

func writeMissing(t *testing.T, name string, data []byte, text string) {
	t.Helper()
	if _, err := os.Stat(name + ".bin"); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	err := errors.Join(os.WriteFile(name+".bin", data, 0o644), os.WriteFile(name+".txt", []byte(text), 0o644))
	if err != nil {
		t.Fatal(err)
	}
}

// goldenName turns PlanRan and 1 into testdata/golden/plan-ran-v1.
func goldenName(typ reflect.Type, version int) string {
	return fmt.Sprintf("testdata/golden/%s-v%d", strings.ReplaceAll(snake(typ.Name()), "_", "-"), version)
}
