package wal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"sync"

	"go.etcd.io/bbolt"
)

// loadLog reads the segment table, measures the newest segment, and compares the
// log with where it should end and with what STORE knows of it.
func (db *DB) loadLog(s side) error {
	var want segment
	err := db.view(db.journal, journalName, func(tx *bbolt.Tx) (err error) {
		want, err = db.loadSegments(tx)
		return err
	})
	if err != nil {
		return err
	}
	newest := &db.segments[len(db.segments)-1]
	end, err := db.scan(newest.first, &newest.before, func(segment uint64, r *rawRecord) error {
		if segment != newest.first {
			return corrupt(journalName, segment, r.seq, "segment behind the newest")
		}
		newest.note(r.at)
		newest.last, newest.chain = r.seq, r.chain
		return nil
	})
	switch {
	case err != nil:
		return err
	case newest.last < want.last:
		return corrupt(journalName, newest.first, newest.last+1, "records up to %d are missing", want.last)
	case newest.last > want.last:
		return corrupt(journalName, newest.first, want.last+1, "records behind the end of the log")
	case newest.chain != want.chain:
		return corrupt(journalName, newest.first, newest.last, "chain differs from the one at the end of the log")
	}
	db.next.Store(end)
	for i := range db.segments {
		db.logBytes += db.segments[i].bytes
	}
	return db.compareSide(s)
}

// loadSegments reads headers and footers and checks that each segment begins
// where the one before it ended, in sequence and chain. end has the last record
// and chain that the log should end with.
func (db *DB) loadSegments(tx *bbolt.Tx) (end segment, err error) {
	meta := tx.Bucket(bucketMeta)
	if tx.Bucket(bucketIndex) == nil {
		return end, corrupt(journalName, 0, 0, "index is missing")
	}
	p, ok := unseal(keyOldest, meta.Get(keyOldest))
	var expect segment
	if !ok || !expect.parseHeader(p) {
		return end, corrupt(journalName, 0, 0, "meta: oldest")
	}
	if p, ok := unseal(keyEnd, meta.Get(keyEnd)); !ok || !end.parseEnd(p) {
		return end, corrupt(journalName, 0, 0, "meta: end")
	}
	if p, ok := unseal(keyRestored, meta.Get(keyRestored)); meta.Get(keyRestored) != nil {
		if !ok || len(p) != 17 {
			return end, corrupt(journalName, 0, 0, "meta: restored")
		}
		db.restored = Restored{Epoch: binary.BigEndian.Uint64(p), Seq: binary.BigEndian.Uint64(p[8:])}
		db.pending = p[16] != 0
	}
	return end, db.loadTable(tx, expect)
}

// loadTable walks over the segments, of which the oldest should begin as oldest does.
func (db *DB) loadTable(tx *bbolt.Tx, oldest segment) error {
	first, before, ended := oldest.first, oldest.before, true
	for name, b := range segmentsFrom(tx, 0) {
		if !ended {
			return corrupt(journalName, db.segments[len(db.segments)-1].first, 0, "footer is missing")
		}
		s, hasFooter, err := loadSegment(name, b)
		if err != nil {
			return err
		}
		if s.first != first {
			return corrupt(journalName, first, first, "segment is missing, the next one begins at %d", s.first)
		}
		if s.before != before {
			return corrupt(journalName, s.first, s.first, "chain does not continue from the segment before")
		}
		db.segments = append(db.segments, s)
		first, before, ended = s.last+1, s.chain, hasFooter
	}
	if ended {
		return corrupt(journalName, first, first, "newest segment is missing")
	}
	return nil
}

func loadSegment(first uint64, b *bbolt.Bucket) (s segment, hasFooter bool, err error) {
	name := segmentName(first)
	p, ok := unseal(name, b.Get(u64key(headerKey)))
	if !ok || !s.parseHeader(p) || s.first != first {
		return s, false, corrupt(journalName, first, 0, "header of segment")
	}
	if v := b.Get(u64key(footerKey)); v != nil {
		p, ok := unseal(name, v)
		if !ok || !s.parseFooter(p) {
			return s, false, corrupt(journalName, first, 0, "footer of segment")
		}
		return s, true, nil
	}
	c := b.Cursor()
	for k, v := c.Seek(u64key(1)); k != nil; k, v = c.Next() {
		s.bytes += int64(len(v))
	}
	return s, false, nil
}

// compareSide refuses a log that does not reach as far as STORE says it did, or
// that is another one there.
func (db *DB) compareSide(s side) error {
	first, last := db.segments[0].first, db.next.Load()-1
	if s.Epoch != db.restored.Epoch {
		return fmt.Errorf("%w: %s is of restore %d, %s of restore %d", ErrStale, journalName, db.restored.Epoch, sideName, s.Epoch)
	}
	if last < s.LastSeq {
		return fmt.Errorf("%w: %s ends at sequence %d, but %s knows it up to %d; it is an older copy or has lost its end, restore a backup",
			ErrStale, journalName, last, sideName, s.LastSeq)
	}
	if s.LastSeq+1 < first {
		return nil // compacted away since; only a stop before its side file was written
	}
	chain, err := db.chainAt(s.LastSeq)
	if err != nil {
		return err
	}
	if chain != s.LastChain {
		return fmt.Errorf("%w: record %d of %s is not the one that %s knows", ErrStale, s.LastSeq, journalName, sideName)
	}
	return nil
}

// chainAt is the chain of record seq, which may also be the one before the first.
func (db *DB) chainAt(seq uint64) (uint32, error) {
	if s := &db.segments[0]; seq+1 == s.first {
		return s.before, nil
	}
	var cb chunkBuf
	var cr chunkReader
	var r rawRecord
	if err := db.fill(seq, 0, &cb); err != nil {
		return 0, err
	}
	for i := range cb.chunks {
		c := &cb.chunks[i]
		if !cr.open(c.key, cb.buf[c.off:c.end]) {
			return 0, corrupt(journalName, c.segment, c.key, "%s", cr.detail)
		}
		for cr.next(&r) {
			if r.seq == seq {
				return r.chain, nil
			}
		}
		if cr.detail != "" {
			return 0, corrupt(journalName, c.segment, cr.seq, "%s", cr.detail)
		}
	}
	return 0, corrupt(journalName, 0, seq, "record is missing")
}

// contents is what a start learns of the two files beside the reading of the
// other one. What is wrong with them is told in the order of recover.
type contents struct {
	replayFrom, heads error
	index             error // when all beside is done
	beside            sync.WaitGroup

	covered map[uint64]struct{} // streams whose snapshot is inside the tail: records up to there are not news
	newest  uint64              // the highest sequence of a snapshot
}

// recover compares the files with each other, learns the head of every stream
// from the tail, and verifies the tail on the way.
func (db *DB) recover(c *contents) error {
	from, next := db.replayFrom.Load(), db.next.Load()
	switch first := db.segments[0].first; {
	case from < first:
		return fmt.Errorf("%w: %s needs the log from sequence %d, which begins at %d; it is an older copy, restore a backup", ErrStale, snapshotName, from, first)
	case from > next:
		return fmt.Errorf("%w: %s covers the log up to sequence %d, but %s ends at %d; it is an older copy, restore a backup", ErrStale, snapshotName, from-1, journalName, next-1)
	case c.heads != nil:
		return c.heads
	case c.newest >= next:
		return fmt.Errorf("%w: a snapshot is at sequence %d, but %s ends at %d; it is an older copy, restore a backup", ErrStale, c.newest, journalName, next-1)
	}
	return db.loadTail(from, next, c.covered)
}

// loadTail reads the records behind the snapshots.
func (db *DB) loadTail(from, next uint64, covered map[uint64]struct{}) error {
	end, err := db.scan(from, nil, func(segment uint64, r *rawRecord) error {
		h := maphash.Bytes(db.heads.seed, r.stream)
		at := db.heads.at.find(h)
		if at != nil && r.seq <= at.seq {
			if _, ok := covered[h]; ok {
				return nil
			}
		}
		// Without a head the link may lead to a forgotten stream's past, and a
		// forgotten stream begins anew with none.
		if at != nil && r.prev != at.seq && r.prev != 0 {
			return corrupt(journalName, segment, r.seq, "links to record %d, but the stream is at %d", r.prev, at.seq)
		}
		if at == nil {
			db.heads.bare[h] = struct{}{}
		}
		db.heads.at.put(h, head{seq: r.seq})
		return nil
	})
	if err != nil {
		return err
	}
	if end != next {
		return corrupt(journalName, 0, end, "records up to %d are missing", next-1)
	}
	return nil
}

// loadHeads checks all snapshots, and learns the heads that they know.
func (db *DB) loadHeads(c *contents) error {
	from, n := db.replayFrom.Load(), db.snapshotsTold()
	db.heads.at, c.covered = headTable{}, map[uint64]struct{}{}
	db.heads.at.expect(n)
	_, err := db.checkSnapshots(func(s Snapshot) error {
		h := maphash.String(db.heads.seed, s.Stream)
		db.heads.at.put(h, head{seq: s.Seq})
		if s.Seq >= from {
			c.covered[h] = struct{}{}
		}
		c.newest = max(c.newest, s.Seq)
		return nil
	})
	return err
}

// snapshotsTold is how many snapshots there are by the tally, which is not
// compared with them here: no more than the file has room for.
func (db *DB) snapshotsTold() (n int) {
	_ = db.view(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
		t, _ := getTally(tx.Bucket(bucketMeta), keySnapTally)
		n = int(min(t.count, uint64(tx.Size()/snapHeaderBytes)))
		return nil
	})
	return n
}

func (db *DB) loadReplayFrom(s side) error {
	return db.view(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketSnap) == nil {
			return corrupt(snapshotName, 0, 0, "bucket of snapshots is missing")
		}
		v := bytes.Clone(tx.Bucket(bucketMeta).Get(keyReplayFrom))
		p, ok := unseal(keyReplayFrom, v)
		if !ok || len(p) != 8 {
			return corrupt(snapshotName, 0, 0, "meta: replay_from")
		}
		from := binary.BigEndian.Uint64(p)
		if from < s.ReplayFrom {
			return fmt.Errorf("%w: %s covers the log up to sequence %d, but %s knows it up to %d; it is an older copy, restore a backup",
				ErrStale, snapshotName, from-1, sideName, s.ReplayFrom-1)
		}
		db.replayFrom.Store(from)
		return nil
	})
}
