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
	for name, do := range map[string]func(t *testing.T, dir, file string){
		"the file is empty": func(t *testing.T, dir, file string) { writeFile(t, dir, file, nil) },
		"the file is cut in half": func(t *testing.T, dir, file string) {
			b := readFile(t, dir, file)
			writeFile(t, dir, file, b[:len(b)/2])
		},
		"half a meta is left":      func(t *testing.T, dir, file string) { writeFile(t, dir, file, readFile(t, dir, file)[:50]) },
		"one meta is left":         func(t *testing.T, dir, file string) { writeFile(t, dir, file, readFile(t, dir, file)[:80]) },
		"the first meta is broken": func(t *testing.T, dir, file string) { writeFile(t, dir, file, flippedAt(readFile(t, dir, file), 40)) },
		"the other meta is broken": func(t *testing.T, dir, file string) {
			writeFile(t, dir, file, flippedAt(readFile(t, dir, file), 4096+40))
		},
		"a meta has lost its magic": func(t *testing.T, dir, file string) {
			writeFile(t, dir, file, flippedAt(readFile(t, dir, file), 16))
		},
	} {
		for _, file := range []string{journal, snapshots} {
			t.Run(name+" "+file, func(t *testing.T) {
				t.Parallel()
				dir := sample(t, "x")
				do(t, dir, file)
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

func TestMissingFileIsNeverBegunAnew(t *testing.T) {
	for _, lost := range [][]string{{store}, {journal}, {journal, snapshots}, {store, snapshots}, {store, journal}} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			dir := sample(t, "x")
			for _, f := range lost {
				must(t, os.Remove(path(dir, f)))
			}
			_ = refuse(t, dir, wal.ErrMissing)
		})
	}
	t.Run("STORE, beside what looks like a creation", func(t *testing.T) {
		dir := t.TempDir()
		db := open(t, dir)
		add(t, db, "ann", "one record")
		must(t, db.Close())
		must(t, os.Rename(path(dir, store), path(dir, "STORE.new")))
		_ = refuse(t, dir, wal.ErrMissing)
	})
	t.Run("a directory", func(t *testing.T) {
		opts := small()
		opts.MustExist = true
		for _, dir := range []string{t.TempDir(), t.TempDir() + "/none"} {
			_, err := wal.Open(dir, opts)
			if !errors.Is(err, wal.ErrMissing) {
				t.Errorf("got %v, want missing", err)
			}
		}
	})
}

func TestMissingSnapshotsAreDerivedWhileTheLogIsWhole(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	fillSample(t, db, "x")
	add(t, db, "gone", "forgotten soon")
	must(t, db.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 9}, {Stream: "bob", Seq: 10}}))
	must(t, db.SetReplayFrom(12))
	add(t, db, "gone", "begins anew") // with Prev 0
	must(t, db.Close())
	must(t, os.Remove(path(dir, snapshots)))
	for range 2 {
		db = open(t, dir)
		if from, head := db.ReplayFrom(), db.Head("ann"); from != 1 || head != 9 {
			t.Errorf("replay from %d, head %d", from, head)
		}
		if _, err := db.Verify(nil); err != nil {
			t.Error(err)
		}
		must(t, db.Close())
	}
}

func TestMissingSnapshotsOfACompactedLogAreRefused(t *testing.T) {
	dir := sample(t, "x")
	db := open(t, dir)
	res, err := db.Compact(wal.CompactOptions{KeepFrom: 1 << 40})
	must(t, err)
	must(t, db.Close())
	if res.Segments != 2 {
		t.Fatalf("dropped %d segments", res.Segments)
	}
	must(t, os.Remove(path(dir, snapshots)))
	_ = refuse(t, dir, wal.ErrMissing)
}

// TestOlderCopyIsRefused is the last sentence of W7.
func TestOlderCopyIsRefused(t *testing.T) {
	dir, old := t.TempDir(), t.TempDir()
	db := open(t, dir)
	fillSample(t, db, "x")
	must(t, db.Close())
	copyStore(t, dir, old)
	db = open(t, dir)
	for range 6 {
		add(t, db, "ann", "newer")
	}
	must(t, db.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: db.Head("ann")}, {Stream: "bob", Seq: db.Head("bob")}}))
	must(t, db.SetReplayFrom(db.NextSeq()))
	must(t, db.Close())
	for _, file := range []string{journal, snapshots} {
		t.Run(file, func(t *testing.T) {
			mixed := t.TempDir()
			copyStore(t, dir, mixed)
			writeFile(t, mixed, file, readFile(t, old, file))
			_ = refuse(t, mixed, wal.ErrStale)
		})
	}
	t.Run("an older STORE is no reason: it is only written now and then", func(t *testing.T) {
		mixed := t.TempDir()
		copyStore(t, dir, mixed)
		writeFile(t, mixed, store, readFile(t, old, store))
		db := open(t, mixed)
		same(t, "picture", pictureOf(t, db), func() []string { d := open(t, dir); defer d.Close(); return pictureOf(t, d) }())
		must(t, db.Close())
	})
	t.Run("a copy from before a restore", func(t *testing.T) {
		mixed := t.TempDir()
		copyStore(t, dir, mixed)
		changeStore(t, mixed, "epoch", 1)
		_ = refuse(t, mixed, wal.ErrStale)
	})
	t.Run("another history of the same length", func(t *testing.T) {
		mixed := t.TempDir()
		copyStore(t, dir, mixed)
		changeStore(t, mixed, "last_chain", 7)
		_ = refuse(t, mixed, wal.ErrStale)
	})
}

// TestAnInterruptedCreationBeginsAgain: nothing was acknowledged before its end.
func TestAnInterruptedCreationBeginsAgain(t *testing.T) {
	whole := t.TempDir()
	must(t, open(t, whole).Close())
	for name, do := range map[string]func(dir string){
		"mark only": func(dir string) { writeFile(t, dir, "STORE.new", nil) },
		"torn journal": func(dir string) {
			writeFile(t, dir, "STORE.new", nil)
			writeFile(t, dir, "journal.db.new", []byte("torn"))
		},
		"one file":       func(dir string) { writeFile(t, dir, "STORE.new", nil); creation(t, dir, journal) },
		"both files":     func(dir string) { writeFile(t, dir, "STORE.new", nil); creation(t, dir, journal, snapshots) },
		"nothing at all": func(string) {},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			do(dir)
			db := open(t, dir)
			add(t, db, "ann", "x")
			must(t, db.Close())
			must(t, open(t, dir).Close())
		})
	}
}

// creation leaves files as a creation has just made them.
func creation(t *testing.T, dir string, names ...string) {
	t.Helper()
	fresh := t.TempDir()
	db := open(t, fresh)
	for _, n := range names { // before Close, which adds a transaction
		writeFile(t, dir, n, readFile(t, fresh, n))
	}
	must(t, db.Close())
}

func TestLeftoversOfCutShortWorkGo(t *testing.T) {
	dir := sample(t, "x")
	for _, f := range []string{"journal.db.new", "STORE.new", "backup-123.tmp"} {
		writeFile(t, dir, f, []byte("left"))
	}
	must(t, open(t, dir).Close())
	if got := files(t, dir); len(got) != 3 {
		t.Errorf("the directory holds %d files", len(got))
	}
}

func TestASecondOpenIsRefused(t *testing.T) {
	dir := sample(t, "x")
	db := open(t, dir)
	if _, err := wal.Open(dir, small()); !errors.Is(err, wal.ErrLocked) {
		t.Errorf("got %v, want locked", err)
	}
	if out := child(t, "open", dir); !bytes.Contains(out, []byte(wal.ErrLocked.Error())) {
		t.Errorf("another process got %q", out)
	}
	must(t, db.Close())
	if out := child(t, "open", dir); !bytes.Contains(out, []byte("opened")) {
		t.Errorf("after the close another process got %q", out)
	}
}

// TestAnEditAloneIsNoDamage is the control of all tests that edit a file.
func TestAnEditAloneIsNoDamage(t *testing.T) {
	dir := sample(t, "x")
	want := func() []string { db := open(t, dir); defer db.Close(); return pictureOf(t, db) }()
	for _, file := range []string{journal, snapshots} {
		edit(t, dir, file, func(*bbolt.Tx) error { return nil })
	}
	db := open(t, dir)
	same(t, "picture", pictureOf(t, db), want)
	must(t, db.Close())
}
