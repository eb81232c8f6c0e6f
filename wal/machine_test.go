package wal_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"

	"carillon/wal"
	"carillon/wal/waltest"
)

// machine drives a DB and a Mem side by side. Mem is the model; the segments of
// the DB may be longer than asked for, so Mem follows what Compact drops.
type machine struct {
	dir   string
	db    *wal.DB
	mem   *waltest.Mem
	clock int64
}

var streamNames = rapid.SampledFrom([]string{"ann", "bob", "cat", "dan", "eve"})

// TestDBBehavesAsMem compares all that both show after every step.
func TestDBBehavesAsMem(t *testing.T) {
	n := 0
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := &machine{dir: fmt.Sprintf("%s/%d", root, n), mem: waltest.NewMem(waltest.MemOptions{})}
		m.open(rt)
		defer func() { _ = m.db.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"append":         m.append,
			"append again":   m.append,
			"append stale":   m.appendStale,
			"put snapshots":  m.putSnapshots,
			"any snapshot":   m.anySnapshot,
			"delete":         m.deleteSnapshot,
			"move replay":    m.setReplayFrom,
			"compact":        m.compact,
			"redact":         m.redact,
			"reopen":         m.reopen,
			"kill":           m.kill,
			"history of any": m.history,
			"":               m.compare,
		})
		if _, err := m.db.Verify(nil); err != nil {
			rt.Fatalf("verify: %v", err)
		}
	})
}

func (m *machine) open(t *rapid.T) {
	opts := small()
	opts.SnapshotSlice = 2
	db, err := wal.Open(m.dir, opts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	db.NoSync()
	m.db = db
}

// both checks that two errors are of one kind.
func both(t *rapid.T, what string, db, mem error) {
	t.Helper()
	for _, kind := range []error{
		nil, wal.ErrConflict, wal.ErrInvalid, wal.ErrTooLarge, wal.ErrNotFound, wal.ErrCompacted, wal.ErrClosed,
	} {
		if errors.Is(db, kind) != errors.Is(mem, kind) {
			t.Fatalf("%s: DB says %v, Mem says %v", what, db, mem)
		}
	}
	if db != nil && !errors.Is(db, wal.ErrConflict) && !errors.Is(db, wal.ErrNotFound) && !errors.Is(db, wal.ErrCompacted) {
		t.Fatalf("%s: %v", what, db)
	}
}

// batch draws records that link rightly, also to each other.
func (m *machine) batch(t *rapid.T) (batch []wal.Entry) {
	heads := map[string]uint64{}
	for i := range rapid.IntRange(1, 12).Draw(t, "records") {
		s := streamNames.Draw(t, "stream")
		if _, ok := heads[s]; !ok {
			heads[s] = m.mem.Head(s)
		}
		m.clock += rapid.Int64Range(0, 3).Draw(t, "later")
		data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data")
		if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
			data = make([]byte, rapid.IntRange(500, 9000).Draw(t, "bytes"))
		}
		batch = append(batch, wal.Entry{Stream: s, Prev: heads[s], Kind: uint8(i), At: m.clock, Data: data, Index: indexOps(t)})
		heads[s] = m.mem.NextSeq() + uint64(i)
	}
	return batch
}

func indexOps(t *rapid.T) (ops []wal.IndexOp) {
	for range rapid.IntRange(0, 2).Draw(t, "operations") {
		op := wal.IndexOp{
			Space: rapid.SampledFrom([]string{"phone", "key", "s"}).Draw(t, "space"),
			Key:   []byte{rapid.ByteRange('a', 'e').Draw(t, "key")},
		}
		if rapid.Bool().Draw(t, "put") {
			op.Value = rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "value")
		}
		ops = append(ops, op)
	}
	return ops
}

func (m *machine) append(t *rapid.T) {
	batch := m.batch(t)
	first, err := m.db.Append(batch)
	want, memErr := m.mem.Append(batch)
	both(t, "append", err, memErr)
	if first != want || err != nil {
		t.Fatalf("append: first %d and %v, want %d", first, err, want)
	}
}

func (m *machine) appendStale(t *rapid.T) {
	batch := m.batch(t)
	i := rapid.IntRange(0, len(batch)-1).Draw(t, "which")
	batch[i].Prev = rapid.Uint64Range(0, m.mem.NextSeq()+5).Draw(t, "prev")
	_, err := m.db.Append(batch)
	_, memErr := m.mem.Append(batch)
	both(t, "append stale", err, memErr)
}

// putSnapshots covers a drawn part of the streams at their heads.
func (m *machine) putSnapshots(t *rapid.T) {
	var batch []wal.Snapshot
	for range rapid.IntRange(1, 5).Draw(t, "snapshots") {
		s := streamNames.Draw(t, "stream")
		if head := m.mem.Head(s); head != 0 {
			batch = append(batch, wal.Snapshot{Stream: s, Seq: head, Wake: rapid.Int64().Draw(t, "wake"), Data: []byte(s)})
		}
	}
	both(t, "put snapshots", m.db.PutSnapshots(batch), m.mem.PutSnapshots(batch))
}

// anySnapshot may be ahead, behind, between, or right.
func (m *machine) anySnapshot(t *rapid.T) {
	batch := []wal.Snapshot{{
		Stream: streamNames.Draw(t, "stream"), Seq: rapid.Uint64Range(0, m.mem.NextSeq()+1).Draw(t, "seq"), Data: []byte("any"),
	}}
	both(t, "any snapshot", m.db.PutSnapshots(batch), m.mem.PutSnapshots(batch))
}

func (m *machine) deleteSnapshot(t *rapid.T) {
	s := streamNames.Draw(t, "stream")
	both(t, "delete", m.db.DeleteSnapshot(s), m.mem.DeleteSnapshot(s))
}

// setReplayFrom keeps the caller's promise: the streams with a snapshot get a new
// one at their heads, the others are gone.
func (m *machine) setReplayFrom(t *rapid.T) {
	seq := rapid.Uint64Range(0, m.mem.NextSeq()+1).Draw(t, "seq")
	if seq > m.mem.ReplayFrom() && seq <= m.mem.NextSeq() {
		var batch []wal.Snapshot
		must(t, m.mem.SnapshotHeaders(func(s wal.Snapshot) error {
			batch = append(batch, wal.Snapshot{Stream: s.Stream, Seq: m.mem.Head(s.Stream)})
			return nil
		}))
		both(t, "cover", m.db.PutSnapshots(batch), m.mem.PutSnapshots(batch))
	}
	both(t, "set replay from", m.db.SetReplayFrom(seq), m.mem.SetReplayFrom(seq))
}

func (m *machine) compact(t *rapid.T) {
	opts := wal.CompactOptions{MaxSegments: rapid.IntRange(0, 2).Draw(t, "segments")}
	if rapid.Bool().Draw(t, "by age") {
		opts.KeepFrom = m.clock - rapid.Int64Range(0, 10).Draw(t, "age")
	} else {
		opts.MaxLogBytes = rapid.Int64Range(1, 2000).Draw(t, "bytes")
	}
	before := m.db.Stats()
	res, err := m.db.Compact(opts)
	must(t, err)
	after := m.db.Stats()
	if after.FirstSeq-before.FirstSeq != res.Records || before.Segments-after.Segments != res.Segments || before.LogBytes-after.LogBytes != res.Bytes {
		t.Fatalf("compact says %+v, from %+v to %+v", res, before, after)
	}
	if after.FirstSeq > m.mem.ReplayFrom() {
		t.Fatalf("compact has dropped up to %d, replay begins at %d", after.FirstSeq, m.mem.ReplayFrom())
	}
	m.mem.DropBelow(after.FirstSeq)
}

func (m *machine) redact(t *rapid.T) {
	s := streamNames.Draw(t, "stream")
	n, err := m.db.Redact(s, m.mem.Head(s))
	want, memErr := m.mem.Redact(s, m.mem.Head(s))
	both(t, "redact", err, memErr)
	if n != want {
		t.Fatalf("redacted %d, want %d", n, want)
	}
}

func (m *machine) history(t *rapid.T) {
	s, last := streamNames.Draw(t, "stream"), rapid.Uint64Range(0, m.mem.NextSeq()+1).Draw(t, "last")
	all := func(wal.Record) (bool, error) { return true, nil }
	both(t, "history", m.db.History(s, last, all), m.mem.History(s, last, all))
	none := func(wal.Record) error { return nil }
	both(t, "replay", m.db.Replay(last, none), m.mem.Replay(last, none))
}

func (m *machine) reopen(t *rapid.T) {
	must(t, m.db.Close())
	m.open(t)
	m.mem = m.mem.CrashClone()
}

// kill opens a copy of the files, as the next process finds them.
func (m *machine) kill(t *rapid.T) {
	next := m.dir + "k"
	must(t, os.Mkdir(next, 0o700))
	copyStore(t, m.dir, next)
	must(t, m.db.Close())
	m.dir = next
	m.open(t)
	m.mem = m.mem.CrashClone()
}

func (m *machine) compare(t *rapid.T) {
	got, err := picture(m.db)
	must(t, err)
	want, err := picture(m.mem)
	must(t, err)
	if err := differ(got, want); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"ann", "bob", "cat", "dan", "eve"} {
		if g, w := m.db.Head(s), m.mem.Head(s); g != w {
			t.Fatalf("head of %s is %d, want %d", s, g, w)
		}
	}
	if g, w := m.db.Stats(), m.mem.Stats(); g.FirstSeq != w.FirstSeq || g.LastSeq != w.LastSeq || g.Streams != w.Streams {
		t.Fatalf("stats %+v, want %+v", g, w)
	}
}
