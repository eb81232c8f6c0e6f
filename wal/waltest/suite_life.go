package waltest

import (
	"bytes"
	"io"
	"testing"

	"carillon/wal"
)

var redactRules = map[string]func(*bench){
	"redact blanks the payloads of one stream":      redactBlanks,
	"redact counts, and repeating it is harmless":   redactRepeats,
	"redact reaches back from last only":            redactFromLast,
	"redact spares the neighbors in the same value": redactNeighbors,
	"redact of no record is not found":              redactNotFound,
}

var lifeRules = map[string]func(*bench){
	"close twice is closed":            closeTwice,
	"every call after close is closed": callsAfterClose,
	"a restart finds everything":       restartFindsAll,
}

var backupRules = map[string]func(*bench){
	"a new store was not restored":          notRestored,
	"a backup holds everything":             backupHoldsAll,
	"a restore is pending until it is told": restorePending,
	"the epoch grows with every restore":    epochGrows,
}

func redactBlanks(b *bench) {
	t := b.t
	for range SegmentRecords {
		b.add(t, "ann", "secret")
		b.add(t, "bob", "kept")
	}
	chain := b.history(t, "ann", b.Head("ann"))
	n, err := b.Redact("ann", b.Head("ann"))
	must(t, err)
	equal(t, "blanked", n, SegmentRecords)
	for range 2 {
		must(t, b.Replay(0, func(r wal.Record) error {
			secret := r.Stream == "ann"
			if r.Redacted != secret || secret && r.Data != nil || !secret && string(r.Data) != "kept" {
				t.Errorf("record %s", show(r))
			}
			equal(t, "kind", r.Kind, 7)
			return nil
		}))
		equalAll(t, "history", b.history(t, "ann", b.Head("ann")), chain...)
		rep, err := b.Verify(nil)
		must(t, err)
		equal(t, "redacted", rep.Redacted, SegmentRecords)
		b.reopen(t)
	}
	b.add(t, "ann", "new")
}

func redactRepeats(b *bench) {
	t := b.t
	b.fill(t, 3)
	for _, want := range []int{3, 0} {
		n, err := b.Redact("ann", 3)
		must(t, err)
		equal(t, "blanked", n, want)
	}
	b.fill(t, 2)
	n, err := b.Redact("ann", b.Head("ann"))
	must(t, err)
	equal(t, "the rest", n, 2)
}

func redactFromLast(b *bench) {
	t := b.t
	b.fill(t, 3)
	n, err := b.Redact("ann", 2)
	must(t, err)
	equal(t, "blanked", n, 2)
	equalAll(t, "log", b.replay(t, 2), `2 ann<1 k7 v2 at2 "" redacted`, `3 ann<2 k7 v2 at3 "x"`)
}

func redactNeighbors(b *bench) {
	t := b.t
	_, err := b.Append([]wal.Entry{
		{Stream: "bob", Data: []byte("1")},
		{Stream: "ann", Wake: 7, Data: []byte("secret")},
		{Stream: "bob", Prev: 1, Data: []byte("3")},
		{Stream: "ann", Prev: 2, Wake: 8, Data: []byte("secret")},
	})
	must(t, err)
	n, err := b.Redact("ann", 2)
	must(t, err)
	equal(t, "blanked", n, 1)
	b.reopen(t)
	equalAll(t, "log", b.replay(t, 1),
		`1 bob<0 k0 v0 at0 "1"`, `2 ann<0 k0 v0 at0 "" redacted`, `3 bob<1 k0 v0 at0 "3"`, `4 ann<2 k0 v0 at0 "secret" wake8`)
}

func redactNotFound(b *bench) {
	t := b.t
	b.fill(t, 1)
	_, err := b.Redact("bob", 1)
	wantErr(t, "another stream", err, wal.ErrNotFound)
	n, err := b.Redact("bob", b.Head("bob"))
	must(t, err)
	equal(t, "a stream without records", n, 0)
}

func closeTwice(b *bench) {
	t := b.t
	must(t, b.Close())
	wantErr(t, "second close", b.Close(), wal.ErrClosed)
}

func callsAfterClose(b *bench) {
	t := b.t
	b.fill(t, 2)
	must(t, b.Close())
	calls := map[string]func() error{
		"append":           func() error { return errOf(b.Append([]wal.Entry{{Stream: "ann", Prev: 2}})) },
		"append nothing":   func() error { return errOf(b.Append(nil)) },
		"replay":           func() error { return b.Replay(0, func(wal.Record) error { return nil }) },
		"history":          func() error { return b.History("ann", 2, func(wal.Record) (bool, error) { return true, nil }) },
		"history of none":  func() error { return b.History("ann", 0, nil) },
		"put snapshots":    func() error { return b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 2}}) },
		"delete snapshot":  func() error { return b.DeleteSnapshot("ann") },
		"snapshot":         func() error { _, _, err := b.Snapshot("ann"); return err },
		"snapshot headers": func() error { return b.SnapshotHeaders(func(wal.Snapshot) error { return nil }) },
		"index get":        func() error { _, _, err := b.IndexGet("s", []byte("k")); return err },
		"index scan":       func() error { return b.IndexScan("s", nil, 0, nil) },
		"set replay from":  func() error { return b.SetReplayFrom(3) },
		"compact":          func() error { _, err := b.Compact(wal.CompactOptions{KeepFrom: later}); return err },
		"redact":           func() error { return errOfN(b.Redact("ann", 2)) },
		"verify":           func() error { _, err := b.Verify(nil); return err },
		"backup":           func() error { _, err := b.Backup(io.Discard); return err },
		"ack restored":     func() error { return b.AckRestored() },
	}
	for name, call := range calls {
		wantErr(t, name, call(), wal.ErrClosed)
	}
}

func (b *bench) everything(t *testing.T) {
	t.Helper()
	b.compacted(t)
	b.add(t, "bob", "tail", put("phone", "+1", "bob"), put("phone", "+2", "bob"))
	must(t, errOfN(b.Redact("ann", SegmentRecords+1)))
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "bob", Seq: b.Head("bob"), Wake: 42, Data: []byte("bob")}}))
}

// all is the whole log as text.
func (b *bench) all(t *testing.T) (all []string) {
	t.Helper()
	all = append(all, b.replay(t, 0)...)
	all = append(all, b.snapshots(t)...)
	all = append(all, b.index(t, "s", nil, 0)...)
	all = append(all, b.index(t, "phone", nil, 0)...)
	for _, s := range []string{"ann", "bob", "old", "none"} {
		all = append(all, show(wal.Record{Stream: s, Seq: b.Head(s)}))
	}
	return append(all, show(wal.Record{Stream: "replay from", Seq: b.ReplayFrom()}))
}

func restartFindsAll(b *bench) {
	t := b.t
	b.everything(t)
	before, stats := b.all(t), b.Stats()
	b.reopen(t)
	equalAll(t, "after a restart", b.all(t), before...)
	equal(t, "chain", b.Stats().Chain, stats.Chain)
	equal(t, "log bytes", b.Stats().LogBytes, stats.LogBytes)
	equal(t, "streams", b.Stats().Streams, stats.Streams)
}

func notRestored(b *bench) {
	t := b.t
	r, pending := b.Restored()
	equal(t, "restored", r, wal.Restored{})
	equal(t, "pending", pending, false)
	must(t, b.AckRestored())
	b.reopen(t)
	_, pending = b.Restored()
	equal(t, "pending after a restart", pending, false)
}

func (b *bench) backup(t *testing.T) *bench {
	t.Helper()
	var buf bytes.Buffer
	n, err := b.Backup(&buf)
	must(t, err)
	equal(t, "bytes written", n, int64(buf.Len()))
	other := b.store.Restore(t, &buf)
	return &bench{t: t, store: other, Log: other.Open(t)}
}

func backupHoldsAll(b *bench) {
	t := b.t
	b.everything(t)
	before := b.all(t)
	r := b.backup(t)
	b.add(t, "bob", "after the backup")
	equalAll(t, "restored", r.all(t), before...)
	equal(t, "chain goes on", r.add(t, "ann", "y"), 3*SegmentRecords+2)
	_, err := r.Verify(nil)
	must(t, err)
	must(t, r.Close())
}

func restorePending(b *bench) {
	t := b.t
	b.fill(t, 3)
	r := b.backup(t)
	for range 2 {
		got, pending := r.Restored()
		equal(t, "restored", got, wal.Restored{Epoch: 1, Seq: 3})
		equal(t, "pending", pending, true)
		equal(t, "pending in stats", r.Stats().Pending, true)
		r.reopen(t)
	}
	must(t, r.AckRestored())
	must(t, r.AckRestored())
	for range 2 {
		got, pending := r.Restored()
		equal(t, "the epoch stays", got.Epoch, 1)
		equal(t, "pending once told", pending, false)
		r.reopen(t)
	}
	must(t, r.Close())
}

func epochGrows(b *bench) {
	t := b.t
	b.fill(t, 1)
	first := b.backup(t)
	must(t, first.AckRestored())
	second := first.backup(t)
	got, pending := second.Restored()
	equal(t, "epoch", got.Epoch, 2)
	equal(t, "pending", pending, true)
	must(t, first.Close())
	must(t, second.Close())
}
