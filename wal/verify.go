package wal

import "hash/maphash"

// Verify implements Log. It may run beside appends: it looks at what was there
// when it began. The snapshots are compared with the log as far back as it
// reaches.
func (db *DB) Verify(progress func(done, total uint64)) (rep VerifyReport, err error) {
	from := db.replayFrom.Load() // first: snapshots only ever get newer than this
	db.smu.RLock()
	segments := append([]segment(nil), db.segments...)
	db.smu.RUnlock()
	first, next := segments[0].first, segments[len(segments)-1].last+1
	rep = VerifyReport{Segments: uint64(len(segments)), FirstSeq: first, LastSeq: next - 1, Chain: segments[0].before}
	bySegment := make(map[uint64]*segment, len(segments))
	for i := range segments {
		bySegment[segments[i].first] = &segments[i]
	}
	heads := map[uint64]uint64{}   // last record of each stream
	covered := map[uint64]uint64{} // last one below ReplayFrom
	end, err := db.scan(first, &segments[0].before, func(in uint64, r *rawRecord) error {
		if r.seq >= next {
			return nil
		}
		s := bySegment[in]
		if s == nil || r.seq < s.first || r.seq > s.last {
			return corrupt(journalName, in, r.seq, "record outside of its segment")
		}
		if r.seq == s.last && r.chain != s.chain {
			return corrupt(journalName, in, r.seq, "chain differs from the footer of the segment")
		}
		h := maphash.Bytes(db.heads.seed, r.stream)
		// A stream that begins anew links to nothing; one whose past is compacted
		// away links to where the log no longer reaches.
		if head, ok := heads[h]; r.prev != 0 && r.prev >= first && r.prev != head || ok && r.prev < first && r.prev != 0 {
			return corrupt(journalName, in, r.seq, "links to record %d, but the stream is at %d", r.prev, head)
		}
		heads[h] = r.seq
		if r.seq < from {
			covered[h] = r.seq
		}
		rep.Records++
		if r.redacted {
			rep.Redacted++
		}
		rep.Chain = r.chain
		if progress != nil && rep.Records%65_536 == 0 {
			progress(rep.Records, next-first)
		}
		return nil
	})
	if err != nil {
		return rep, err
	}
	if end < next {
		return rep, corrupt(journalName, 0, end, "records up to %d are missing", next-1)
	}
	rep.Streams = uint64(len(heads))
	if err := db.verifySnapshots(&rep, covered, next); err != nil {
		return rep, err
	}
	index, err := db.checkIndex()
	if err != nil {
		return rep, err
	}
	rep.IndexKeys = index.count
	if progress != nil {
		progress(rep.Records, next-first)
	}
	return rep, nil
}

// verifySnapshots keeps those who write snapshots waiting, so that the tally holds.
func (db *DB) verifySnapshots(rep *VerifyReport, covered map[uint64]uint64, next uint64) error {
	db.snapMu.Lock()
	defer db.snapMu.Unlock()
	t, err := db.checkSnapshots(func(s Snapshot) error {
		switch last := covered[maphash.String(db.heads.seed, s.Stream)]; {
		case s.Seq >= next && s.Seq >= db.next.Load():
			return corrupt(snapshotName, 0, s.Seq, "snapshot %q is ahead of the log", s.Stream)
		case s.Seq < last:
			return corrupt(snapshotName, 0, s.Seq, "snapshot %q lacks records up to %d, which replay no longer gives", s.Stream, last)
		}
		return nil
	})
	rep.Snapshots = t.count
	return err
}
