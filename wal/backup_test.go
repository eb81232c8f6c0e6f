package wal_test

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"testing"

	"carillon/wal"
)

func backup(tb testing.TB, db *wal.DB) []byte {
	tb.Helper()
	var buf bytes.Buffer
	_, err := db.Backup(&buf)
	must(tb, err)
	return buf.Bytes()
}

func sampleBackup(tb testing.TB) []byte {
	tb.Helper()
	db := open(tb, sample(tb, "x"))
	b := backup(tb, db)
	must(tb, db.Close())
	return b
}

func TestRestoreRefusesADirectoryThatHoldsAnything(t *testing.T) {
	b := sampleBackup(t)
	for _, name := range []string{"a file", "LOCK", store, journal} {
		dir := t.TempDir()
		writeFile(t, dir, name, []byte("there"))
		if err := wal.Restore(bytes.NewReader(b), dir); !errors.Is(err, wal.ErrNotEmpty) {
			t.Errorf("%s: got %v, want not empty", name, err)
		}
		if string(readFile(t, dir, name)) != "there" {
			t.Errorf("%s has changed", name)
		}
	}
	dir := sample(t, "y")
	before := files(t, dir)
	if err := wal.Restore(bytes.NewReader(b), dir); !errors.Is(err, wal.ErrNotEmpty) {
		t.Errorf("over a store: got %v, want not empty", err)
	}
	for name, content := range files(t, dir) {
		if before[name] != content {
			t.Errorf("%s has changed", name)
		}
	}
}

// TestRestoreOfADamagedBackupLeavesNothing: whatever is wrong with the stream, it
// is refused, the directory is as it was, and a sound one can be restored there.
func TestRestoreOfADamagedBackupLeavesNothing(t *testing.T) {
	b := sampleBackup(t)
	dir := t.TempDir()
	for at := 0; at < len(b); at += 1 + len(b)/60 {
		for name, damaged := range map[string][]byte{"cut": b[:at], "flipped": flippedAt(b, at)} {
			err := wal.Restore(bytes.NewReader(damaged), dir)
			if want := map[bool]error{true: wal.ErrForeign, false: wal.ErrCorrupt}[at < 8]; !errors.Is(err, want) {
				t.Fatalf("%s at %d: got %v, want %v", name, at, err, want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Fatalf("%s at %d: %d files are left, %v", name, at, len(left), err)
			}
		}
	}
	must(t, wal.Restore(bytes.NewReader(b), dir))
	must(t, open(t, dir).Close())
}

func TestRestoreOfANewerBackupIsRefusedAsSuch(t *testing.T) {
	b := frames(frame{'H', []byte(`{"format":2,"store":"30313233343536373839616263646566"}`)})
	if err := wal.Restore(bytes.NewReader(b), t.TempDir()); !errors.Is(err, wal.ErrNewerFormat) {
		t.Errorf("got %v, want newer format", err)
	}
}

// spy looks at the directory of a restore while it reads.
type spy struct {
	io.Reader
	look func()
}

func (s spy) Read(b []byte) (int, error) { s.look(); return s.Reader.Read(b) }

// TestARestoreCutShortIsNeverBegunAnew: the machine may stop at any time.
func TestARestoreCutShortIsNeverBegunAnew(t *testing.T) {
	b, dir, looks := sampleBackup(t), t.TempDir(), 0
	must(t, wal.Restore(spy{bytes.NewReader(b), func() {
		looks++
		if _, err := wal.Open(dir, small()); !errors.Is(err, wal.ErrLocked) {
			t.Errorf("while it runs: got %v, want locked", err)
		}
		cut := t.TempDir()
		for name, content := range files(t, dir) {
			writeFile(t, cut, name, []byte(content))
		}
		_ = refuse(t, cut, wal.ErrUnfinished)
		if err := wal.Restore(bytes.NewReader(b), cut); !errors.Is(err, wal.ErrNotEmpty) {
			t.Errorf("again: got %v, want not empty", err)
		}
	}}, dir))
	if looks == 0 {
		t.Error("nobody looked")
	}
	// The last moment: all is there but the removal of the mark.
	writeFile(t, dir, "RESTORING", nil)
	_ = refuse(t, dir, wal.ErrUnfinished)
}

// TestHotBackupIsConsistent takes backups while appends, snapshots and compaction
// run; each holds exactly the records up to the sequence that it names.
func TestHotBackupIsConsistent(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	stop, started, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	enough := errors.New("enough")
	start := sync.OnceFunc(func() { close(started) })
	go func() {
		done <- work(db, func(last uint64) error {
			if last > 100 {
				start()
			}
			select {
			case <-stop:
				return enough
			default:
				return nil
			}
		})
	}()
	<-started
	for range 4 {
		before := db.NextSeq() - 1
		b := backup(t, db)
		dir := t.TempDir()
		var restored *wal.DB
		unforked(func() { // a restore closes its store and opens it, and so does who uses it
			must(t, wal.Restore(bytes.NewReader(b), dir))
			restored = open(t, dir)
		})
		if err := checkWork(restored, before); err != nil {
			t.Fatal(err)
		}
		r, pending := restored.Restored()
		if r.Seq != restored.NextSeq()-1 || r.Epoch != 1 || !pending {
			t.Errorf("restored %+v, pending %v, the log ends before %d", r, pending, restored.NextSeq())
		}
		must(t, restored.Close())
	}
	close(stop)
	if err := <-done; !errors.Is(err, enough) {
		t.Fatal(err)
	}
	must(t, db.Close())
}

// TestASlowReaderOfABackupHoldsNothingBack: appends go on while nobody reads.
func TestASlowReaderOfABackupHoldsNothingBack(t *testing.T) {
	db := open(t, sample(t, "x"))
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := db.Backup(w)
		done <- errors.Join(err, w.Close())
	}()
	head := make([]byte, 8)
	_, err := io.ReadFull(r, head)
	must(t, err)
	for range 10 {
		add(t, db, "ann", "meanwhile")
	}
	rest, err := io.ReadAll(r)
	must(t, err)
	must(t, <-done)
	dir := t.TempDir()
	must(t, wal.Restore(io.MultiReader(bytes.NewReader(head), bytes.NewReader(rest)), dir))
	restored := open(t, dir)
	if restored.NextSeq() != 11 {
		t.Errorf("the backup ends before %d", restored.NextSeq())
	}
	must(t, restored.Close())
	must(t, db.Close())
}

func TestABackupThatCannotBeWrittenDisturbsNothing(t *testing.T) {
	dir := sample(t, "x")
	db := open(t, dir)
	r, w := io.Pipe()
	must(t, r.Close())
	if _, err := db.Backup(w); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the error of the writer", err)
	}
	add(t, db, "ann", "goes on")
	must(t, db.Close())
	if n := len(files(t, dir)); n != 3 {
		t.Errorf("%d files are left", n)
	}
}

// TestABackupHasNoRemainsOfARedactedPerson is N6: the pages of the store may.
func TestABackupHasNoRemainsOfARedactedPerson(t *testing.T) {
	db := open(t, t.TempDir())
	add(t, db, "ann", "secret-of-ann")
	add(t, db, "bob", "public")
	if b := backup(t, db); !bytes.Contains(b, []byte("secret-of-ann")) {
		t.Fatal("the backup is not read right")
	}
	_, err := db.Redact("ann", 1)
	must(t, err)
	if b := backup(t, db); bytes.Contains(b, []byte("secret-of-ann")) || !bytes.Contains(b, []byte("public")) {
		t.Error("the payload is in the backup")
	}
	must(t, db.Close())
}

// frame is one frame of a backup.
type frame struct {
	kind    byte
	payload []byte
}

// frames builds a stream with right checksums, as FORMAT.md draws it.
func frames(all ...frame) []byte {
	table := crc32.MakeTable(crc32.Castagnoli)
	b, sum := []byte("CRLWALB1"), uint32(0)
	for _, f := range all {
		start := len(b)
		b = append(append(b, f.kind), be32(uint32(len(f.payload)))...)
		b = append(b, f.payload...)
		sum = crc32.Update(sum, table, b[start:])
		b = append(b, be32(sum)...)
	}
	return b
}

// parseFrames is the way back.
func parseFrames(b []byte) (all []frame) {
	for b = b[8:]; len(b) > 0; {
		n := int(b[1])<<24 | int(b[2])<<16 | int(b[3])<<8 | int(b[4])
		all = append(all, frame{b[0], b[5 : 5+n]})
		b = b[9+n:]
	}
	return all
}
