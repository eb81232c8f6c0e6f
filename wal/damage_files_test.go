package wal_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"maps"
	"os"
	"testing"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

// refuse checks that Open refuses dir with one kind of error and no other, twice,
// and leaves its files as they were.
func refuse(t *testing.T, dir string, kind error) error {
	t.Helper()
	before := files(t, dir)
	var err error
	for range 2 {
		var db *wal.DB
		if db, err = wal.Open(dir, small()); err == nil {
			_ = db.Close()
			t.Fatalf("open has not noticed, want %v", kind)
		}
		for _, k := range []error{wal.ErrCorrupt, wal.ErrForeign, wal.ErrMissing, wal.ErrStale, wal.ErrNewerFormat, wal.ErrLocked, wal.ErrUnfinished} {
			if errors.Is(err, k) != (k == kind) { //nolint:errorlint // the very sentinel is meant
				t.Fatalf("got %v, want %v and nothing else", err, kind)
			}
		}
		if !maps.Equal(before, files(t, dir)) {
			t.Fatal("a refused start has changed the files")
		}
	}
	return err
}

// sealStore puts a right checksum behind the content of STORE.
func sealStore(body []byte) []byte {
	return fmt.Appendf(bytes.Clone(body), "\ncrc32c:%08x\n", crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// changeStore changes one field of STORE.
func changeStore(t *testing.T, dir, field string, v any) {
	t.Helper()
	body, _, _ := bytes.Cut(readFile(t, dir, store), []byte("\n"))
	content := map[string]any{}
	must(t, json.Unmarshal(body, &content))
	if _, ok := content[field]; !ok {
		t.Fatalf("STORE has no %s", field)
	}
	content[field] = v
	body, err := json.Marshal(content)
	must(t, err)
	writeFile(t, dir, store, sealStore(body))
}

func TestWholeFileDamage(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"the file is empty":         func([]byte) []byte { return nil },
		"the file is cut in half":   func(b []byte) []byte { return b[:len(b)/2] },
		"half a meta is left":       func(b []byte) []byte { return b[:50] },
		"one meta is left":          func(b []byte) []byte { return b[:80] },
		"the first meta is broken":  func(b []byte) []byte { return flippedAt(b, 40) },
		"the other meta is broken":  func(b []byte) []byte { return flippedAt(b, 4096+40) },
		"a meta has lost its magic": func(b []byte) []byte { return flippedAt(b, 16) },
	} {
		for _, file := range []string{journal, snapshots} {
			t.Run(name+" "+file, func(t *testing.T) {
				t.Parallel()
				dir := sample(t, "x")
				writeFile(t, dir, file, damage(readFile(t, dir, file)))
				wantDamage(t, refuse(t, dir, wal.ErrCorrupt), file, 0, 0)
			})
		}
	}
}

func TestStoreFileDamage(t *testing.T) {
	whole := readFile(t, sample(t, "x"), store)
	for name, b := range map[string][]byte{
		"empty":               {},
		"cut short":           whole[:len(whole)-1],
		"only a checksum":     whole[len(whole)-5:],
		"flipped byte":        flippedAt(whole, 20),
		"flipped checksum":    flipped(whole[:len(whole)-1]),
		"no JSON":             sealStore([]byte("store")),
		"no store id":         sealStore([]byte(`{"format":1,"store":"zz"}`)),
		"a format before one": sealStore([]byte(`{"format":0,"store":"30313233343536373839616263646566"}`)),
	} {
		t.Run(name, func(t *testing.T) {
			dir := sample(t, "x")
			writeFile(t, dir, store, b)
			wantDamage(t, refuse(t, dir, wal.ErrCorrupt), store, 0, 0)
		})
	}
}

func TestNewerFormatIsNotDamage(t *testing.T) {
	newer := func(v []byte) []byte {
		return wal.Seal([]byte("format"), binary.BigEndian.AppendUint32(nil, wal.FormatVersion+1))
	}
	for name, do := range map[string]func(dir string){
		store:     func(dir string) { changeStore(t, dir, "format", wal.FormatVersion+1) },
		journal:   func(dir string) { edit(t, dir, journal, top("meta", "format", newer)) },
		snapshots: func(dir string) { edit(t, dir, snapshots, top("meta", "format", newer)) },
		"bbolt": func(dir string) {
			b := readFile(t, dir, journal)
			for _, at := range []int{16, 4096 + 16} {
				m := b[at : at+64]
				binary.NativeEndian.PutUint32(m[4:], 3)
				h := fnv.New64a()
				_, _ = h.Write(m[:56])
				binary.NativeEndian.PutUint64(m[56:], h.Sum64())
			}
			writeFile(t, dir, journal, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sample(t, "x")
			do(dir)
			_ = refuse(t, dir, wal.ErrNewerFormat)
		})
	}
}

func TestForeignFileIsRefused(t *testing.T) {
	other := t.TempDir()
	opts := small()
	opts.Rand = bytes.NewReader([]byte("another store id"))
	db, err := wal.Open(other, opts)
	must(t, err)
	fillSample(t, db, "x")
	must(t, db.Close())
	bolt := func(dir, file string, pageSize int) {
		must(t, os.Remove(path(dir, file)))
		b, err := bbolt.Open(path(dir, file), 0o600, &bbolt.Options{PageSize: pageSize})
		must(t, err)
		must(t, b.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err }))
		must(t, b.Close())
	}
	for name, do := range map[string]func(dir, file string){
		"a text":                  func(dir, file string) { writeFile(t, dir, file, bytes.Repeat([]byte("text\n"), 4000)) },
		"bbolt, but none of ours": func(dir, file string) { bolt(dir, file, 4096) },
		"of another store":        func(dir, file string) { writeFile(t, dir, file, readFile(t, other, file)) },
		"the other file of the same": func(dir, file string) {
			writeFile(t, dir, file, readFile(t, dir, map[string]string{journal: snapshots, snapshots: journal}[file]))
		},
	} {
		for _, file := range []string{journal, snapshots} {
			t.Run(name+" "+file, func(t *testing.T) {
				dir := sample(t, "x")
				do(dir, file)
				_ = refuse(t, dir, wal.ErrForeign)
			})
		}
	}
	t.Run("STORE of another store", func(t *testing.T) {
		dir := sample(t, "x")
		writeFile(t, dir, store, readFile(t, other, store))
		_ = refuse(t, dir, wal.ErrForeign)
	})
}
