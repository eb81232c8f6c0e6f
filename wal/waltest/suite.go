package waltest

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"carillon/wal"
)

// SegmentRecords is the length of a segment that the suite counts on.
const SegmentRecords = 4

// Store is a place where one log lives, as a directory is.
type Store interface {
	// Open opens the log that lives here, and begins it the first time. The one
	// that was opened before is closed.
	Open(tb testing.TB) wal.Log
	// Restore makes a log of a backup in another place.
	Restore(tb testing.TB, backup io.Reader) Store
}

// Factory makes a new place, for a log with segments of SegmentRecords records.
type Factory func(tb testing.TB) Store

// Run holds an implementation to the contract of wal.Log: each test is named by
// the sentence that it checks.
func Run(t *testing.T, factory Factory) {
	t.Helper()
	for _, group := range []map[string]func(*bench){
		appendRules, readRules, headRules, snapshotRules, indexRules, compactRules, redactRules, lifeRules, backupRules,
	} {
		for name, rule := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				store := factory(t)
				b := &bench{t: t, store: store, Log: store.Open(t)}
				rule(b)
				if err := b.Close(); err != nil && !errors.Is(err, wal.ErrClosed) {
					t.Errorf("close at the end: %v", err)
				}
			})
		}
	}
}

// bench is a log under test with what most rules need.
type bench struct {
	wal.Log
	t     *testing.T
	store Store
}

// reopen closes the log and opens it again.
func (b *bench) reopen(t *testing.T) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	b.Log = b.store.Open(t)
}

// add appends one record behind the head of its stream.
func (b *bench) add(t *testing.T, stream, data string, index ...wal.IndexOp) uint64 {
	t.Helper()
	return b.addAt(t, stream, data, 1000, index...)
}

func (b *bench) addAt(t *testing.T, stream, data string, at int64, index ...wal.IndexOp) uint64 {
	t.Helper()
	seq, err := b.Append([]wal.Entry{{
		Stream: stream, Prev: b.Head(stream), Kind: 7, Version: 2, At: at, Data: []byte(data), Index: index,
	}})
	if err != nil {
		t.Fatalf("append to %q: %v", stream, err)
	}
	return seq
}

// fill appends n records of ann, of at = sequence.
func (b *bench) fill(t *testing.T, n int) {
	t.Helper()
	for range n {
		b.addAt(t, "ann", "x", int64(b.NextSeq()))
	}
}

// cover puts a snapshot of each stream at its head and moves ReplayFrom to the end.
func (b *bench) cover(t *testing.T, streams ...string) {
	t.Helper()
	var batch []wal.Snapshot
	for _, s := range streams {
		batch = append(batch, wal.Snapshot{Stream: s, Seq: b.Head(s), Data: []byte("state of " + s)})
	}
	must(t, b.PutSnapshots(batch))
	must(t, b.SetReplayFrom(b.NextSeq()))
}

// show is a record as text, for comparisons.
func show(r wal.Record) string {
	s := fmt.Sprintf("%d %s<%d k%d v%d at%d %q", r.Seq, r.Stream, r.Prev, r.Kind, r.Version, r.At, r.Data)
	if r.Wake != 0 {
		s += fmt.Sprintf(" wake%d", r.Wake)
	}
	if r.Redacted {
		s += " redacted"
	}
	return s
}

func (b *bench) replay(t *testing.T, from uint64) (all []string) {
	t.Helper()
	must(t, b.Replay(from, func(r wal.Record) error {
		all = append(all, show(r))
		return nil
	}))
	return all
}

func (b *bench) history(t *testing.T, stream string, last uint64) (seqs []uint64) {
	t.Helper()
	must(t, b.History(stream, last, func(r wal.Record) (bool, error) {
		seqs = append(seqs, r.Seq)
		return true, nil
	}))
	return seqs
}

func (b *bench) snapshots(t *testing.T) (all []string) {
	t.Helper()
	must(t, b.SnapshotHeaders(func(s wal.Snapshot) error {
		if s.Data != nil {
			t.Errorf("header of %q has data", s.Stream)
		}
		full, ok, err := b.Snapshot(s.Stream)
		if err != nil || !ok {
			t.Fatalf("snapshot %q: %v %v", s.Stream, ok, err)
		}
		all = append(all, fmt.Sprintf("%s@%d wake%d %q", s.Stream, s.Seq, s.Wake, full.Data))
		return nil
	}))
	return all
}

func (b *bench) index(t *testing.T, space string, after []byte, limit int) (all []string) {
	t.Helper()
	must(t, b.IndexScan(space, after, limit, func(k, v []byte) error {
		all = append(all, fmt.Sprintf("%s=%s", k, v))
		return nil
	}))
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalAll[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: got %v, want %v", what, got, want)
		}
	}
}
