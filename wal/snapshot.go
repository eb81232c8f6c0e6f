package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// snapshotFill leaves room in leaves: snapshots are rewritten with other sizes.
const snapshotFill = 0.8

// appendSnapshot encodes the value of a snapshot. The header has a checksum of
// its own, so that headers can be read without touching the data behind them.
func appendSnapshot(buf []byte, s *Snapshot) []byte {
	start := len(buf)
	buf = append(buf, 0, 0, 0, 0)
	buf = binary.BigEndian.AppendUint64(buf, s.Seq)
	buf = binary.BigEndian.AppendUint64(buf, uint64(s.Wake))
	buf = binary.BigEndian.AppendUint32(buf, crc32.Checksum(s.Data, castagnoli))
	binary.BigEndian.PutUint32(buf[start:], snapHeaderSum(s.Stream, buf[start:]))
	return append(buf, s.Data...)
}

func snapHeaderSum(stream string, v []byte) uint32 {
	sum := crc32.Update(0, castagnoli, v[4:snapHeaderBytes])
	return crc32.Update(sum, castagnoli, []byte(stream))
}

// parseSnapshotHeader checks and decodes the header; data is not looked at.
func parseSnapshotHeader(stream string, v []byte) (s Snapshot, dataSum uint32, err error) {
	if len(v) < snapHeaderBytes || binary.BigEndian.Uint32(v) != snapHeaderSum(stream, v) {
		return s, 0, corrupt(snapshotName, 0, 0, "header of snapshot %q", stream)
	}
	s = Snapshot{Stream: stream, Seq: binary.BigEndian.Uint64(v[4:]), Wake: int64(binary.BigEndian.Uint64(v[12:]))}
	return s, binary.BigEndian.Uint32(v[20:]), nil
}

// PutSnapshots implements Log.
func (db *DB) PutSnapshots(batch []Snapshot) error {
	db.snapMu.Lock()
	defer db.snapMu.Unlock()
	if err := db.usable(); err != nil {
		return err
	}
	if err := db.coverHeads(batch); err != nil {
		return err
	}
	order := make([]*Snapshot, len(batch))
	for i := range batch {
		order[i] = &batch[i]
	}
	slices.SortStableFunc(order, func(a, b *Snapshot) int { return strings.Compare(a.Stream, b.Stream) })
	for slice := range slices.Chunk(order, db.opts.SnapshotSlice) {
		err := db.commit(db.snapshots, snapshotName, func(tx *bbolt.Tx) error { return db.putSnapshots(tx, slice) })
		if err != nil {
			return err
		}
	}
	return nil
}

// giveWayEvery is after how many pairs whoever goes through many lets others have
// the processor: the runtime would let them wait ten milliseconds, and a
// hand-over waits for several of them in a row.
const giveWayEvery = 32

// putSnapshots is the transaction. bbolt refers to values until the commit
// returns; the buffer is kept for the next one.
func (db *DB) putSnapshots(tx *bbolt.Tx, slice []*Snapshot) error {
	m, b := tx.Bucket(bucketMeta), tx.Bucket(bucketSnap)
	b.FillPercent = snapshotFill
	t, ok := getTally(m, keySnapTally)
	if !ok {
		return corrupt(snapshotName, 0, 0, "meta: %s", keySnapTally)
	}
	size := 0
	for _, s := range slice {
		size += snapHeaderBytes + len(s.Data)
	}
	buf := slices.Grow(db.snapBuf[:0], size) // values must not move
	var key []byte
	for i, s := range slice {
		if i%giveWayEvery == giveWayEvery-1 {
			runtime.Gosched()
		}
		off := len(buf)
		buf = appendSnapshot(buf, s)
		key = append(key[:0], s.Stream...) // Put makes a copy
		v := buf[off:len(buf):len(buf)]
		if old := b.Get(key); old != nil {
			t.remove(snapSum(old))
		}
		t.add(snapSum(v))
		if err := b.Put(key, v); err != nil {
			return err
		}
	}
	if db.snapBuf = buf; cap(buf) > keepSnapBuf {
		db.snapBuf = nil
	}
	return t.put(m, keySnapTally)
}

// keepSnapBuf is the most that is kept for the next transaction, in bytes.
const keepSnapBuf = 4 << 20

// coverHeads checks the batch before anything is written, and takes its streams
// out of bare. snapMu is held, so that no stream is forgotten meanwhile and
// ReplayFrom stays.
func (db *DB) coverHeads(batch []Snapshot) error {
	from := db.replayFrom.Load()
	heads := db.heads.of(batch, db.next.Load())
	for i := range batch {
		s, head := &batch[i], heads[i]
		switch {
		case s.Stream == "":
			return fmt.Errorf("%w: snapshot %d has no stream", ErrInvalid, i)
		case len(s.Stream) > MaxStreamBytes || len(s.Data) > MaxSnapBytes:
			return fmt.Errorf("%w: snapshot %d", ErrTooLarge, i)
		case s.Seq == 0 || s.Seq > head:
			return fmt.Errorf("%w: snapshot %d at %d is ahead of its stream at %d", ErrConflict, i, s.Seq, head)
		case s.Seq == head:
			continue
		}
		switch ok, err := db.replaysAfter(s, head, from); {
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("%w: snapshot %d at %d, which is no record of its stream, or replay from %d does not give those up to %d", ErrConflict, i, s.Seq, from, head)
		}
	}
	db.heads.cover(batch)
	return nil
}

// replaysAfter says whether s, which lies behind its stream's head, is at a record
// of the stream, and all records after it are at from or later. A start that
// finds another snapshot could not tell it from damage.
func (db *DB) replaysAfter(s *Snapshot, head, from uint64) (ok bool, err error) {
	if head < from {
		return false, nil
	}
	last := head
	if s.Seq >= from {
		last = s.Seq
	}
	err = db.walk(s.Stream, last, func(_ *chunkRef, r *rawRecord) (bool, error) {
		ok = r.seq == s.Seq || r.prev == s.Seq
		return !ok && r.prev > s.Seq && r.prev >= from, nil
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return ok, err
}

// DeleteSnapshot implements Log.
func (db *DB) DeleteSnapshot(stream string) error {
	db.snapMu.Lock()
	defer db.snapMu.Unlock()
	if err := db.usable(); err != nil {
		return err
	}
	if stream == "" {
		return fmt.Errorf("%w: no stream", ErrInvalid)
	}
	err := db.commit(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
		m, b, key := tx.Bucket(bucketMeta), tx.Bucket(bucketSnap), []byte(stream)
		old := b.Get(key)
		if old == nil {
			return nil
		}
		t, ok := getTally(m, keySnapTally)
		if !ok {
			return corrupt(snapshotName, 0, 0, "meta: %s", keySnapTally)
		}
		t.remove(snapSum(old))
		return errors.Join(b.Delete(key), t.put(m, keySnapTally))
	})
	if err != nil {
		return err
	}
	db.heads.uncover(stream, db.replayFrom.Load())
	return nil
}

// Snapshot implements Log.
func (db *DB) Snapshot(stream string) (s Snapshot, ok bool, err error) {
	if err := db.usable(); err != nil {
		return s, false, err
	}
	if stream == "" {
		return s, false, fmt.Errorf("%w: no stream", ErrInvalid)
	}
	return db.lookUp(stream)
}

func (db *DB) lookUp(stream string) (s Snapshot, ok bool, err error) {
	defer catchFault(&err, snapshotName, debug.SetPanicOnFault(true))
	r, err := db.readers.take(db.snapshots)
	if err != nil {
		return s, false, closedError(err)
	}
	sound := false
	defer func() { db.readers.give(r, sound) }()
	if r.at == nil {
		r.at = r.tx.Bucket(bucketSnap).Cursor()
	}
	r.key = append(r.key[:0], stream...)
	k, v := r.at.Seek(r.key)
	sound = true
	if v == nil || string(k) != stream {
		return s, false, nil
	}
	head, sum, err := parseSnapshotHeader(stream, v)
	if err != nil {
		return s, false, err
	}
	if crc32.Checksum(v[snapHeaderBytes:], castagnoli) != sum {
		return s, false, corrupt(snapshotName, 0, head.Seq, "data of snapshot %q", stream)
	}
	head.Data = append([]byte{}, v[snapHeaderBytes:]...)
	return head, true, nil
}
