package waltest

import (
	"carillon/wal"
)

var readRules = map[string]func(*bench){
	"replay begins at from":                   replayFrom,
	"replay returns the error of fn":          replayStops,
	"a callback may append and read":          callbackAppends,
	"replay crosses segments":                 replayCrosses,
	"history walks one stream back":           historyBack,
	"history ends when fn says no more":       historyStops,
	"history of no record is not found":       historyNotFound,
	"history ends where the log begins":       historyCompacted,
	"verify counts what it read":              verifyCounts,
	"verify reports progress to the end":      verifyProgress,
	"stats is a picture of the store":         statsPicture,
	"readers and a writer do not disturb one": readersBeside,
}

func replayFrom(b *bench) {
	t := b.t
	b.fill(t, 6)
	equal(t, "from 0", len(b.replay(t, 0)), 6)
	equal(t, "from 1", len(b.replay(t, 1)), 6)
	equalAll(t, "from 6", b.replay(t, 6), `6 ann<5 k7 v2 at6 "x"`)
	equal(t, "from the end", len(b.replay(t, 7)), 0)
	equal(t, "from beyond", len(b.replay(t, 70)), 0)
}

func replayStops(b *bench) {
	t := b.t
	b.fill(t, 3)
	n := 0
	err := b.Replay(0, func(wal.Record) error {
		if n++; n == 2 {
			return errStop
		}
		return nil
	})
	wantErr(t, "replay", err, errStop)
	equal(t, "calls", n, 2)
}

func callbackAppends(b *bench) {
	t := b.t
	b.fill(t, 3)
	must(t, b.Replay(0, func(r wal.Record) error {
		if r.Seq <= 3 {
			b.add(t, "bob", "in callback")
			b.history(t, "ann", r.Seq)
		}
		return nil
	}))
	must(t, b.History("ann", 3, func(wal.Record) (bool, error) { return true, b.PutSnapshots(nil) }))
	must(t, b.SnapshotHeaders(func(wal.Snapshot) error { return b.SetReplayFrom(1) }))
	equal(t, "next", b.NextSeq(), 7)
}

func replayCrosses(b *bench) {
	t := b.t
	n := 5*SegmentRecords + 1
	b.fill(t, n)
	for from := 1; from <= n+1; from++ {
		if got := b.replay(t, uint64(from)); len(got) != n+1-from {
			t.Errorf("from %d: %d records of %d", from, len(got), n+1-from)
		}
	}
}

func historyBack(b *bench) {
	t := b.t
	for range 2 * SegmentRecords {
		b.add(t, "ann", "a")
		b.add(t, "bob", "b")
	}
	equalAll(t, "ann", b.history(t, "ann", b.Head("ann")), 15, 13, 11, 9, 7, 5, 3, 1)
	equalAll(t, "from the middle", b.history(t, "bob", 6), 6, 4, 2)
	equal(t, "none", len(b.history(t, "none", b.Head("none"))), 0)
}

func historyStops(b *bench) {
	t := b.t
	b.fill(t, 3)
	n := 0
	must(t, b.History("ann", 3, func(wal.Record) (bool, error) { n++; return n < 2, nil }))
	equal(t, "calls", n, 2)
	err := b.History("ann", 3, func(wal.Record) (bool, error) { return true, errStop })
	wantErr(t, "error of fn", err, errStop)
}

func historyNotFound(b *bench) {
	t := b.t
	b.fill(t, 2)
	never := func(wal.Record) (bool, error) { t.Error("fn was called"); return false, nil }
	wantErr(t, "another stream", b.History("bob", 2, never), wal.ErrNotFound)
	wantErr(t, "beyond the end", b.History("ann", 3, never), wal.ErrNotFound)
}

func historyCompacted(b *bench) {
	t := b.t
	b.fill(t, 3*SegmentRecords)
	b.cover(t, "ann")
	res, err := b.Compact(wal.CompactOptions{KeepFrom: 1 << 40, MaxSegments: 1})
	must(t, err)
	equal(t, "segments dropped", res.Segments, 1)
	equal(t, "records", len(b.history(t, "ann", b.Head("ann"))), 2*SegmentRecords)
	err = b.History("ann", 1, func(wal.Record) (bool, error) { return true, nil })
	wantErr(t, "below the log", err, wal.ErrCompacted)
}

func verifyCounts(b *bench) {
	t := b.t
	b.fill(t, 6)
	b.add(t, "bob", "b", wal.IndexOp{Space: "s", Key: []byte("1"), Value: []byte("x")},
		wal.IndexOp{Space: "t", Key: []byte("1"), Value: []byte("x")})
	must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: 6}}))
	must(t, errOfN(b.Redact("bob", 7)))
	rep, err := b.Verify(nil)
	must(t, err)
	rep.Segments, rep.Chain = 0, 0 // how it is cut is not part of the contract
	equal(t, "report", rep, wal.VerifyReport{
		Records: 7, Redacted: 1, Streams: 2, IndexKeys: 2, Snapshots: 1, FirstSeq: 1, LastSeq: 7,
	})
}

func verifyProgress(b *bench) {
	t := b.t
	b.fill(t, 3)
	var done, total uint64
	_, err := b.Verify(func(d, n uint64) { done, total = d, n })
	must(t, err)
	equal(t, "done", done, 3)
	equal(t, "total", total, 3)
}

func statsPicture(b *bench) {
	t := b.t
	b.fill(t, 6)
	b.add(t, "bob", "b")
	b.cover(t, "ann", "bob")
	s := b.Stats()
	equal(t, "first", s.FirstSeq, 1)
	equal(t, "last", s.LastSeq, 7)
	equal(t, "replay from", s.ReplayFrom, 8)
	equal(t, "streams", s.Streams, 2)
	equal(t, "has an id", s.StoreID != "", true)
	id := s.StoreID
	b.reopen(t)
	equal(t, "id after a restart", b.Stats().StoreID, id)
	equal(t, "last after a restart", b.Stats().LastSeq, 7)
}

func readersBeside(b *bench) {
	t := b.t
	const n = 60
	done := make(chan error, 1)
	go func() {
		for b.NextSeq() <= n {
			if err := b.Replay(0, func(wal.Record) error { return nil }); err != nil {
				done <- err
				return
			}
			if _, err := b.Verify(nil); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range n {
		b.add(t, "ann", "a", wal.IndexOp{Space: "s", Key: []byte{byte(b.NextSeq())}, Value: []byte("x")})
		must(t, b.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: b.Head("ann")}}))
	}
	must(t, <-done)
}

func errOfN(_ int, err error) error { return err }
