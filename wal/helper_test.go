package wal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

const (
	journal   = "journal.db"
	snapshots = "snapshots.db"
	store     = "STORE"
)

// small has segments of four records, and always the same store id.
func small() wal.Options {
	return wal.Options{SegmentRecords: 4, MmapBytes: 1 << 20, Rand: bytes.NewReader([]byte("0123456789abcdef"))}
}

func open(tb testing.TB, dir string) *wal.DB {
	tb.Helper()
	db, err := wal.Open(dir, small())
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	return db
}

// fataler is what testing.TB and rapid.T share.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t fataler, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entry(db *wal.DB, stream, data string, index ...wal.IndexOp) wal.Entry {
	return wal.Entry{Stream: stream, Prev: db.Head(stream), Kind: 1, Version: 1, At: int64(db.NextSeq()), Data: []byte(data), Index: index}
}

func add(tb testing.TB, db *wal.DB, stream, data string, index ...wal.IndexOp) uint64 {
	tb.Helper()
	seq, err := db.Append([]wal.Entry{entry(db, stream, data, index...)})
	must(tb, err)
	return seq
}

func key(space, k, v string) wal.IndexOp {
	return wal.IndexOp{Space: space, Key: []byte(k), Value: []byte(v)}
}

// sample is a store with three segments, 1 to 4, 5 to 8 and 9 to 10, of which
// replay needs the last. The odd records are ann's, the even ones bob's. mark is
// in every payload.
func sample(tb testing.TB, mark string) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	db := open(tb, dir)
	fillSample(tb, db, mark)
	must(tb, db.Close())
	return dir
}

func fillSample(tb testing.TB, db *wal.DB, mark string) {
	tb.Helper()
	add(tb, db, "ann", mark+"1", key("phone", "+1", "ann"), key("phone", "+2", "bob"))
	add(tb, db, "bob", mark+"2", key("key", "k", "bob"))
	for seq := 3; seq <= 8; seq++ {
		add(tb, db, []string{"bob", "ann"}[seq%2], fmt.Sprint(mark, seq))
	}
	must(tb, db.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 7, Wake: 70, Data: []byte(mark + "ann@7")}, {Stream: "bob", Seq: 8, Data: []byte(mark + "bob@8")}}))
	must(tb, db.SetReplayFrom(9))
	add(tb, db, "ann", mark+"9")
	add(tb, db, "bob", mark+"10")
}

// picture is all that a log shows, as text.
func picture(log wal.Log) (all []string, err error) {
	note := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	var streams []string
	err = log.Replay(0, func(r wal.Record) error {
		note("%d %s<%d k%d v%d at%d %q %v", r.Seq, r.Stream, r.Prev, r.Kind, r.Version, r.At, r.Data, r.Redacted)
		if !slices.Contains(streams, r.Stream) {
			streams = append(streams, r.Stream)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = log.SnapshotHeaders(func(h wal.Snapshot) error {
		s, ok, err := log.Snapshot(h.Stream)
		note("snapshot %s@%d wake%d %q %v", s.Stream, s.Seq, h.Wake, s.Data, ok)
		if !slices.Contains(streams, h.Stream) {
			streams = append(streams, h.Stream)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, space := range []string{"phone", "key", "s"} {
		err = log.IndexScan(space, nil, 0, func(k, v []byte) error {
			got, ok, err := log.IndexGet(space, k)
			note("index %s %s=%q %q %v", space, k, v, got, ok)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(streams)
	for _, s := range streams {
		head := log.Head(s)
		note("head %s %d", s, head)
		err = log.History(s, head, func(r wal.Record) (bool, error) { note("history %s %d", s, r.Seq); return true, nil })
		if errors.Is(err, wal.ErrCompacted) {
			note("history %s is compacted", s)
		} else if err != nil {
			return nil, err
		}
	}
	note("next %d, replay from %d", log.NextSeq(), log.ReplayFrom())
	return all, nil
}

func pictureOf(tb testing.TB, log wal.Log) []string {
	tb.Helper()
	all, err := picture(log)
	must(tb, err)
	return all
}

func same(tb testing.TB, what string, got, want []string) {
	tb.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			tb.Fatalf("%s: line %d is\n %s\nwant\n %s", what, i, g, w)
		}
	}
}

// edit changes a file through bbolt, past all checks of wal. The file is left as
// a clean stop leaves it.
func edit(tb testing.TB, dir, file string, fn func(tx *bbolt.Tx) error) {
	tb.Helper()
	b, err := bbolt.Open(filepath.Join(dir, file), 0o600, &bbolt.Options{PageSize: 4096})
	must(tb, err)
	must(tb, b.Update(fn))
	must(tb, b.Close())
}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// be64 is a key of the log, and after an L the name of a segment.
func be64(n uint64) []byte      { return binary.BigEndian.AppendUint64(nil, n) }
func segment(n uint64) []byte   { return append([]byte("L"), be64(n)...) }
func flipped(b []byte) []byte   { return flippedAt(b, len(b)-1) }
func path(dir, f string) string { return filepath.Join(dir, f) }

func flippedAt(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x20
	return b
}

func readFile(tb fataler, dir, file string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path(dir, file))
	must(tb, err)
	return b
}

func writeFile(tb fataler, dir, file string, b []byte) {
	tb.Helper()
	must(tb, os.WriteFile(path(dir, file), b, 0o600))
}

// copyStore copies the files of a store as they are at this moment.
func copyStore(tb fataler, from, to string) {
	tb.Helper()
	for _, f := range []string{journal, snapshots, store} {
		writeFile(tb, to, f, readFile(tb, from, f))
	}
}

// files are names and contents of all that is in dir but the lock.
func files(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	all := map[string]string{}
	names, err := os.ReadDir(dir)
	must(tb, err)
	for _, n := range names {
		if n.Name() != "LOCK" {
			all[n.Name()] = string(readFile(tb, dir, n.Name()))
		}
	}
	return all
}

// wantDamage checks the kind of an error and its address.
func wantDamage(tb testing.TB, err error, file string, segment, seq uint64) {
	tb.Helper()
	var c *wal.CorruptError
	if !errors.As(err, &c) || !errors.Is(err, wal.ErrCorrupt) {
		tb.Fatalf("got %v, want damage in %s", err, file)
	}
	if c.File != file || c.Segment != segment || c.Seq != seq {
		tb.Fatalf("got %v, want %s, segment %d, sequence %d", err, file, segment, seq)
	}
}
