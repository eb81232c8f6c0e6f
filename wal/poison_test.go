package wal_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

// fault makes the next transaction of b fail at one step.
type fault struct {
	name string
	arm  func(b *bbolt.DB)
	kept bool // the transaction is on the disk all the same
}

var faults = []fault{
	{name: "the first write", arm: func(b *bbolt.DB) {
		*writes(b) = func([]byte, int64) (int, error) { return 0, syscall.EIO }
	}},
	{name: "a write that is cut short", arm: func(b *bbolt.DB) {
		write := *writes(b)
		*writes(b) = func(data []byte, off int64) (int, error) {
			n, _ := write(data[:len(data)/2], off)
			return n, syscall.ENOSPC
		}
	}},
	{name: "the flush of the pages", arm: func(b *bbolt.DB) {
		write := *writes(b)
		*writes(b) = func(data []byte, off int64) (int, error) {
			n, err := write(data, off)
			return n, errors.Join(err, boltFile(b).Close())
		}
	}},
	{name: "the write of the meta page", arm: func(b *bbolt.DB) {
		write := *writes(b)
		*writes(b) = func(data []byte, off int64) (int, error) {
			if isMeta(off) {
				return 0, syscall.EIO
			}
			return write(data, off)
		}
	}},
	{name: "the flush of the meta page", kept: true, arm: func(b *bbolt.DB) {
		write := *writes(b)
		*writes(b) = func(data []byte, off int64) (int, error) {
			n, err := write(data, off)
			if isMeta(off) {
				err = errors.Join(err, boltFile(b).Close())
			}
			return n, err
		}
	}},
}

// TestAFailedAppendIsOfUnknownOutcomeAndPoisons is W3: nothing goes on upon a disk
// in an unknown state, and the next start finds the batch whole or not at all.
func TestAFailedAppendIsOfUnknownOutcomeAndPoisons(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			dir := sample(t, "x")
			db := open(t, dir)
			add(t, db, "ann", "11") // STORE does not know it yet
			before, side := pictureOf(t, db), string(readFile(t, dir, store))
			f.arm(db.Journal())
			_, err := db.Append([]wal.Entry{entry(db, "ann", "12", key("phone", "+3", "x")), entry(db, "new", "13")})
			if !errors.Is(err, wal.ErrUnknownOutcome) {
				t.Fatalf("got %v, want unknown outcome", err)
			}
			if db.NextSeq() != 12 || db.Stats().LastSeq != 11 {
				t.Errorf("the log shows the batch: next %d, last %d", db.NextSeq(), db.Stats().LastSeq)
			}
			wantPoisoned(t, db)
			_ = db.Close() // may complain about the broken file
			if got := string(readFile(t, dir, store)); got != side {
				t.Errorf("a poisoned stop has written STORE: %s", got)
			}
			checkAfterFault(t, dir, before, f.kept)
		})
	}
}

// wantPoisoned calls everything that may fail.
func wantPoisoned(t *testing.T, db *wal.DB) {
	t.Helper()
	for name, call := range map[string]func() error{
		"append":          func() error { _, err := db.Append([]wal.Entry{{Stream: "other"}}); return err },
		"replay":          func() error { return db.Replay(0, func(wal.Record) error { return nil }) },
		"history":         func() error { return db.History("ann", 9, func(wal.Record) (bool, error) { return true, nil }) },
		"put snapshots":   func() error { return db.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 9}}) },
		"delete snapshot": func() error { return db.DeleteSnapshot("ann") },
		"snapshot":        func() error { _, _, err := db.Snapshot("ann"); return err },
		"headers":         func() error { return db.SnapshotHeaders(func(wal.Snapshot) error { return nil }) },
		"index get":       func() error { _, _, err := db.IndexGet("phone", []byte("+1")); return err },
		"index scan":      func() error { return db.IndexScan("phone", nil, 0, func(_, _ []byte) error { return nil }) },
		"set replay from": func() error { return db.SetReplayFrom(10) },
		"compact":         func() error { _, err := db.Compact(wal.CompactOptions{KeepFrom: 1 << 40}); return err },
		"redact":          func() error { _, err := db.Redact("ann", 9); return err },
		"verify":          func() error { _, err := db.Verify(nil); return err },
		"backup":          func() error { _, err := db.Backup(nil); return err },
		"ack restored":    db.AckRestored,
	} {
		if err := call(); !errors.Is(err, wal.ErrPoisoned) || !errors.Is(err, wal.ErrUnknownOutcome) {
			t.Errorf("%s: got %v, want poisoned, and by what", name, err)
		}
	}
}

func checkAfterFault(t *testing.T, dir string, before []string, kept bool) {
	t.Helper()
	db := open(t, dir)
	if _, err := db.Verify(nil); err != nil {
		t.Fatal(err)
	}
	if !kept {
		same(t, "after the restart", pictureOf(t, db), before)
	} else if db.NextSeq() != 14 || db.Head("ann") != 12 || db.Head("new") != 13 {
		t.Errorf("the batch was on the disk: next %d", db.NextSeq())
	}
	if _, ok, err := db.IndexGet("phone", []byte("+3")); ok != kept || err != nil {
		t.Errorf("index key: %v %v", ok, err)
	}
	add(t, db, "ann", "goes on")
	must(t, db.Close())
}

func TestAFailedSnapshotPoisonsToo(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			dir := sample(t, "x")
			db := open(t, dir)
			f.arm(db.Snapshots())
			err := db.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 9, Data: []byte("newer")}})
			if !errors.Is(err, wal.ErrUnknownOutcome) {
				t.Fatalf("got %v, want unknown outcome", err)
			}
			wantPoisoned(t, db)
			_ = db.Close()
			db = open(t, dir)
			s, _, err := db.Snapshot("ann")
			must(t, err)
			want := map[bool]string{true: "newer@9", false: "xann@7@7"}[f.kept]
			if got := fmt.Sprintf("%s@%d", s.Data, s.Seq); got != want {
				t.Errorf("snapshot %s, want %s", got, want)
			}
			must(t, db.Close())
		})
	}
}
