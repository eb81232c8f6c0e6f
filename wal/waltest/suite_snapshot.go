package waltest

import (
	"strings"

	"carillon/wal"
)

var headRules = map[string]func(*bench){
	"the head is the last sequence of a stream":      headIsLast,
	"a bare stream is forgotten when replay passes":  bareIsForgotten,
	"a covered stream is remembered when it passes":  coveredIsRemembered,
	"a forgotten stream may begin again with prev 0": forgottenBegins,
	"replay from begins at 1 and never moves back":   replayFromMoves,
}

var snapshotRules = map[string]func(*bench){
	"a snapshot replaces the older one":                 snapshotReplaces,
	"a snapshot is a copy":                              snapshotIsCopy,
	"headers come in key order without data":            headersInOrder,
	"a snapshot ahead of its stream is a conflict":      snapshotAhead,
	"a snapshot behind replay is a conflict":            snapshotBehind,
	"a snapshot between two records is a conflict":      snapshotBetween,
	"a snapshot that makes no sense is invalid":         snapshotInvalid,
	"a deleted snapshot is gone and may be so already":  snapshotDeleted,
	"the stream of a deleted snapshot is forgotten":     deletedForgets,
	"a stream in the tail outlives its snapshot":        tailOutlives,
	"snapshots of many streams survive a restart whole": manySnapshots,
}

func headIsLast(b *bench) {
	t := b.t
	equal(t, "none", b.Head("ann"), 0)
	b.add(t, "ann", "a")
	b.add(t, "bob", "b")
	b.add(t, "ann", "c")
	for range 2 {
		equal(t, "ann", b.Head("ann"), 3)
		equal(t, "bob", b.Head("bob"), 2)
		equal(t, "none", b.Head(""), 0)
		b.reopen(t)
	}
}

func bareIsForgotten(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.add(t, "bob", "b")
	must(t, b.SetReplayFrom(2))
	for range 2 {
		equal(t, "ann", b.Head("ann"), 0)
		equal(t, "bob", b.Head("bob"), 2)
		b.reopen(t)
	}
}

func coveredIsRemembered(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.cover(t, "ann")
	for range 2 {
		equal(t, "ann", b.Head("ann"), 1)
		b.reopen(t)
	}
	b.add(t, "ann", "b")
	b.reopen(t)
	equal(t, "ann", b.Head("ann"), 2)
}

func forgottenBegins(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	must(t, b.SetReplayFrom(2))
	_, err := b.Append([]wal.Entry{{Stream: "ann", Prev: 2}})
	wantErr(t, "link to what never was", err, wal.ErrConflict)
	// One writer does not know yet, another does.
	must(t, errOf(b.Append([]wal.Entry{{Stream: "ann", Prev: 1}, {Stream: "ann", Prev: 2}, {Stream: "bob", Prev: 0}})))
	for range 2 {
		equal(t, "head", b.Head("ann"), 3)
		equalAll(t, "history", b.history(t, "ann", 3), 3, 2)
		_, err = b.Verify(nil)
		must(t, err)
		b.reopen(t)
	}
}

func replayFromMoves(b *bench) {
	t := b.t
	equal(t, "at first", b.ReplayFrom(), 1)
	b.fill(t, 3)
	b.cover(t, "ann")
	equal(t, "after a round", b.ReplayFrom(), 4)
	wantErr(t, "back", b.SetReplayFrom(3), wal.ErrConflict)
	wantErr(t, "past the end", b.SetReplayFrom(5), wal.ErrConflict)
	must(t, b.SetReplayFrom(4))
	b.reopen(t)
	equal(t, "after a restart", b.ReplayFrom(), 4)
}

func snapshotReplaces(b *bench) {
	t := b.t
	b.fill(t, 2)
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 1, Wake: 5, Data: []byte("old")}}))
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 2, Wake: -6, Data: []byte("new")}}))
	for range 2 {
		equalAll(t, "snapshots", b.snapshots(t), `ann@2 wake-6 "new"`)
		b.reopen(t)
	}
	_, ok, err := b.Snapshot("none")
	must(t, err)
	equal(t, "none", ok, false)
}

func snapshotIsCopy(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	data := []byte("state")
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 1, Data: data}}))
	data[0] = 'X'
	s, _, err := b.Snapshot("ann")
	must(t, err)
	s.Data[1] = 'X'
	equalAll(t, "snapshots", b.snapshots(t), `ann@1 wake0 "state"`)
}

func headersInOrder(b *bench) {
	t := b.t
	var batch []wal.Snapshot
	for _, s := range []string{"cat", "ann", "bob", "ann2"} {
		batch = append(batch, wal.Snapshot{Stream: s, Seq: b.add(t, s, "x")})
	}
	must(t, b.PutSnapshots(batch))
	equalAll(t, "snapshots", b.snapshots(t), `ann@2 wake0 ""`, `ann2@4 wake0 ""`, `bob@3 wake0 ""`, `cat@1 wake0 ""`)
	wantErr(t, "error of fn", b.SnapshotHeaders(func(wal.Snapshot) error { return errStop }), errStop)
}

func snapshotAhead(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.add(t, "bob", "b")
	for name, s := range map[string]wal.Snapshot{
		"ahead of the log":    {Stream: "ann", Seq: 3},
		"ahead of its stream": {Stream: "ann", Seq: 2},
		"of no stream":        {Stream: "none", Seq: 1},
		"of nothing":          {Stream: "ann", Seq: 0},
	} {
		wantErr(t, name, b.PutSnapshots([]wal.Snapshot{{Stream: "bob", Seq: 2}, s}), wal.ErrConflict)
	}
	equal(t, "written", len(b.snapshots(t)), 0)
}

// snapshotBehind: a start would lack what lies between the snapshot and ReplayFrom.
func snapshotBehind(b *bench) {
	t := b.t
	b.fill(t, 3)
	b.cover(t, "ann")
	wantErr(t, "head below", b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 2}}), wal.ErrConflict)
	b.fill(t, 2)
	wantErr(t, "head above", b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 2}}), wal.ErrConflict)
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 3, Data: []byte("again")}}))
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 4, Data: []byte("late")}}))
	b.reopen(t)
	equalAll(t, "snapshots", b.snapshots(t), `ann@4 wake0 "late"`)
	equal(t, "head", b.Head("ann"), 5)
}

func snapshotBetween(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.add(t, "bob", "b")
	b.add(t, "ann", "c")
	b.add(t, "ann", "d")
	wantErr(t, "between", b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 2}}), wal.ErrConflict)
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 3}}))
	b.reopen(t)
	equal(t, "head", b.Head("ann"), 4)
}

func snapshotInvalid(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	wantErr(t, "no stream", b.PutSnapshots([]wal.Snapshot{{Seq: 1}}), wal.ErrInvalid)
	long := strings.Repeat("u", wal.MaxStreamBytes+1)
	wantErr(t, "long stream", b.PutSnapshots([]wal.Snapshot{{Stream: long, Seq: 1}}), wal.ErrTooLarge)
	wantErr(t, "delete", b.DeleteSnapshot(""), wal.ErrInvalid)
	_, _, err := b.Snapshot("")
	wantErr(t, "get", err, wal.ErrInvalid)
}

func snapshotDeleted(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.add(t, "bob", "b")
	b.cover(t, "ann", "bob")
	must(t, b.DeleteSnapshot("ann"))
	must(t, b.DeleteSnapshot("ann"))
	must(t, b.DeleteSnapshot("never"))
	b.reopen(t)
	equalAll(t, "snapshots", b.snapshots(t), `bob@2 wake0 "state of bob"`)
}

func deletedForgets(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.cover(t, "ann")
	must(t, b.DeleteSnapshot("ann"))
	for range 2 {
		equal(t, "head", b.Head("ann"), 0)
		b.reopen(t)
	}
	equal(t, "begins again", b.add(t, "ann", "b"), 2)
}

func tailOutlives(b *bench) {
	t := b.t
	b.add(t, "ann", "a")
	b.cover(t, "ann")
	b.add(t, "ann", "b")
	must(t, b.DeleteSnapshot("ann"))
	for range 2 {
		equal(t, "head", b.Head("ann"), 2)
		b.reopen(t)
	}
	must(t, b.SetReplayFrom(3))
	equal(t, "head once replay has passed", b.Head("ann"), 0)
}

func manySnapshots(b *bench) {
	t := b.t
	const n = 1100 // more than one slice of reading and of writing
	batch := make([]wal.Entry, n)
	snaps := make([]wal.Snapshot, n)
	for i := range batch {
		name := "user" + strings.Repeat("-", i%7) + string(rune('a'+i%26)) + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))
		batch[i] = wal.Entry{Stream: name}
		snaps[i] = wal.Snapshot{Stream: name, Seq: uint64(i + 1), Wake: int64(i)}
	}
	must(t, errOf(b.Append(batch)))
	must(t, b.PutSnapshots(snaps))
	must(t, b.SetReplayFrom(b.NextSeq()))
	b.reopen(t)
	seen, last := map[string]bool{}, ""
	must(t, b.SnapshotHeaders(func(s wal.Snapshot) error {
		if s.Stream <= last {
			t.Errorf("%q comes behind %q", s.Stream, last)
		}
		seen[s.Stream], last = true, s.Stream
		return nil
	}))
	equal(t, "snapshots", len(seen), n)
	equal(t, "streams", b.Stats().Streams, n)
}
