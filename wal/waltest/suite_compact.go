package waltest

import (
	"testing"

	"carillon/wal"
)

const later = 1 << 40 // all records of the suite are older

var compactRules = map[string]func(*bench){
	"compact drops nothing that replay needs":               compactKeepsTail,
	"compact keeps a segment that ends where replay begins": compactKeepsBorder,
	"compact never drops the newest segment":                compactKeepsNewest,
	"compact drops segments that are wholly older":          compactByAge,
	"compact drops until the log is small enough":           compactBySize,
	"compact drops no more segments than asked":             compactBounded,
	"compact without a reason drops nothing":                compactNoReason,
	"replay below the oldest record is compacted":           replayBelow,
	"a compacted log survives a restart":                    compactRestart,
	"a link into the compacted past is no damage":           linkBelow,
	"snapshots and index outlive a compacted log":           stateOutlives,
	"a stream goes on after its past was compacted":         streamGoesOn,
}

func compactKeepsTail(b *bench) {
	t := b.t
	b.fill(t, 4*SegmentRecords)
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: SegmentRecords + 1}}))
	must(t, b.SetReplayFrom(SegmentRecords+2)) // inside the second segment
	res, err := b.Compact(wal.CompactOptions{KeepFrom: later})
	must(t, err)
	equal(t, "segments", res.Segments, 1)
	equal(t, "records", res.Records, SegmentRecords)
	equal(t, "first", b.Stats().FirstSeq, SegmentRecords+1)
	equal(t, "replay", len(b.replay(t, b.ReplayFrom())), 3*SegmentRecords-1)
}

func compactKeepsBorder(b *bench) {
	t := b.t
	b.fill(t, 2*SegmentRecords)
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: SegmentRecords - 1}}))
	must(t, b.SetReplayFrom(SegmentRecords))
	res, err := b.Compact(wal.CompactOptions{KeepFrom: later, MaxLogBytes: 1})
	must(t, err)
	equal(t, "segments", res.Segments, 0)
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: SegmentRecords}}))
	must(t, b.SetReplayFrom(SegmentRecords+1))
	res, err = b.Compact(wal.CompactOptions{KeepFrom: later})
	must(t, err)
	equal(t, "segments once replay has passed", res.Segments, 1)
}

func compactKeepsNewest(b *bench) {
	t := b.t
	b.fill(t, SegmentRecords)
	b.cover(t, "ann")
	res, err := b.Compact(wal.CompactOptions{KeepFrom: later, MaxLogBytes: 1})
	must(t, err)
	equal(t, "segments", res.Segments, 0)
	equal(t, "records left", len(b.replay(t, 0)), SegmentRecords)
}

func compactByAge(b *bench) {
	t := b.t
	b.fill(t, 4*SegmentRecords) // at is the sequence
	b.cover(t, "ann")
	res, err := b.Compact(wal.CompactOptions{KeepFrom: 2 * SegmentRecords})
	must(t, err)
	equal(t, "segments with a record at the limit stay", res.Segments, 1)
	res, err = b.Compact(wal.CompactOptions{KeepFrom: 2*SegmentRecords + 1})
	must(t, err)
	equal(t, "segments wholly older go", res.Segments, 1)
	equal(t, "first", b.Stats().FirstSeq, 2*SegmentRecords+1)
}

func compactBySize(b *bench) {
	t := b.t
	b.fill(t, 4*SegmentRecords)
	b.cover(t, "ann")
	res, err := b.Compact(wal.CompactOptions{MaxLogBytes: 1 << 30})
	must(t, err)
	equal(t, "under the limit", res.Segments, 0)
	res, err = b.Compact(wal.CompactOptions{MaxLogBytes: 1})
	must(t, err)
	equal(t, "over the limit", res.Segments, 3)
	if res.Bytes <= 0 {
		t.Errorf("dropped %d bytes", res.Bytes)
	}
}

func compactBounded(b *bench) {
	t := b.t
	b.fill(t, 5*SegmentRecords)
	b.cover(t, "ann")
	for _, want := range []int{2, 2, 0} {
		res, err := b.Compact(wal.CompactOptions{KeepFrom: later, MaxSegments: 2})
		must(t, err)
		equal(t, "segments", res.Segments, want)
	}
}

func compactNoReason(b *bench) {
	t := b.t
	b.fill(t, 3*SegmentRecords)
	b.cover(t, "ann")
	res, err := b.Compact(wal.CompactOptions{})
	must(t, err)
	equal(t, "result", res, wal.CompactResult{})
}

// compacted has two streams, with three segments of which the first is dropped.
func (b *bench) compacted(t *testing.T) {
	t.Helper()
	b.add(t, "old", "o", put("s", "k", "v"))
	b.fill(t, 3*SegmentRecords-1)
	b.cover(t, "ann", "old")
	res, err := b.Compact(wal.CompactOptions{KeepFrom: later, MaxSegments: 1})
	must(t, err)
	equal(t, "dropped", res.Segments, 1)
}

func replayBelow(b *bench) {
	t := b.t
	b.compacted(t)
	first := b.Stats().FirstSeq
	wantErr(t, "below", b.Replay(first-1, func(wal.Record) error { return nil }), wal.ErrCompacted)
	equal(t, "from 0", len(b.replay(t, 0)), 2*SegmentRecords)
	equal(t, "from the oldest", len(b.replay(t, first)), 2*SegmentRecords)
}

func compactRestart(b *bench) {
	t := b.t
	b.compacted(t)
	before := b.replay(t, 0)
	b.reopen(t)
	equalAll(t, "log", b.replay(t, 0), before...)
	equal(t, "first", b.Stats().FirstSeq, SegmentRecords+1)
	equal(t, "next", b.add(t, "ann", "y"), 3*SegmentRecords+1)
}

func linkBelow(b *bench) {
	t := b.t
	b.compacted(t)
	b.add(t, "old", "again")
	rep, err := b.Verify(nil)
	must(t, err)
	equal(t, "records", rep.Records, 2*SegmentRecords+1)
	equalAll(t, "history", b.history(t, "old", b.Head("old")), 3*SegmentRecords+1)
}

func stateOutlives(b *bench) {
	t := b.t
	b.compacted(t)
	for range 2 {
		equal(t, "snapshots", len(b.snapshots(t)), 2)
		equalAll(t, "index", b.index(t, "s", nil, 0), "k=v")
		equal(t, "head", b.Head("old"), 1)
		b.reopen(t)
	}
}

func streamGoesOn(b *bench) {
	t := b.t
	b.compacted(t)
	_, err := b.Append([]wal.Entry{{Stream: "old", Prev: 0}})
	wantErr(t, "begin anew although it is known", err, wal.ErrConflict)
	_, err = b.Append([]wal.Entry{{Stream: "old", Prev: 1}})
	must(t, err)
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "old", Seq: b.Head("old")}}))
	b.reopen(t)
	equal(t, "head", b.Head("old"), 3*SegmentRecords+1)
}
