package wal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

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
