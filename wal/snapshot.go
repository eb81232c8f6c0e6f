package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// snapshotFill leaves room in leaves: snapshots are rewritten with other sizes.
const snapshotFill = 0.8

// appendSnapshot encodes the value of a snapshot. The header has a checksum of
// its own, so that a start reads headers without touching the data behind them.
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
		var buf []byte
		err := db.commit(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketSnap)
			b.FillPercent = snapshotFill
			for _, s := range slice {
				off := len(buf)
				buf = appendSnapshot(buf, s)
				if err := b.Put([]byte(s.Stream), buf[off:len(buf):len(buf)]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// coverHeads checks the batch before anything is written, and takes its streams
// out of bare. snapMu is held.
func (db *DB) coverHeads(batch []Snapshot) error {
	next, from := db.next.Load(), db.replayFrom.Load()
	db.wmu.Lock()
	defer db.wmu.Unlock()
	for i := range batch {
		s := &batch[i]
		head := db.heads[maphash.String(db.hash, s.Stream)]
		switch {
		case s.Stream == "":
			return fmt.Errorf("%w: snapshot %d has no stream", ErrInvalid, i)
		case len(s.Stream) > MaxStreamBytes || len(s.Data) > MaxSnapBytes:
			return fmt.Errorf("%w: snapshot %d", ErrTooLarge, i)
		case s.Seq == 0 || s.Seq >= next || s.Seq > head:
			return fmt.Errorf("%w: snapshot %d at %d is ahead of its stream at %d", ErrConflict, i, s.Seq, head)
		case head < from && s.Seq < head:
			return fmt.Errorf("%w: snapshot %d at %d would lose records up to %d", ErrConflict, i, s.Seq, head)
		}
	}
	for i := range batch {
		delete(db.bare, maphash.String(db.hash, batch[i].Stream))
	}
	return nil
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
		return tx.Bucket(bucketSnap).Delete([]byte(stream))
	})
	if err != nil {
		return err
	}
	db.wmu.Lock()
	defer db.wmu.Unlock()
	h := maphash.String(db.hash, stream)
	switch head, known := db.heads[h]; {
	case !known:
	case head < db.replayFrom.Load():
		delete(db.heads, h)
	default:
		db.bare[h] = struct{}{}
	}
	return nil
}

// Snapshot implements Log.
func (db *DB) Snapshot(stream string) (s Snapshot, ok bool, err error) {
	if stream == "" {
		return s, false, fmt.Errorf("%w: no stream", ErrInvalid)
	}
	err = db.view(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
		v := tx.Bucket(bucketSnap).Get([]byte(stream))
		if v == nil {
			return nil
		}
		head, sum, err := parseSnapshotHeader(stream, v)
		if err != nil {
			return err
		}
		if crc32.Checksum(v[snapHeaderBytes:], castagnoli) != sum {
			return corrupt(snapshotName, 0, head.Seq, "data of snapshot %q", stream)
		}
		head.Data = append([]byte{}, v[snapHeaderBytes:]...)
		s, ok = head, true
		return nil
	})
	return s, ok, err
}

// SnapshotHeaders implements Log.
func (db *DB) SnapshotHeaders(fn func(Snapshot) error) error {
	return db.eachSnapshot(false, func(s Snapshot, _ bool) error { return fn(s) })
}

// eachSnapshot reads headers in bounded transactions; with data it also checks
// the data, which is all it does with it.
func (db *DB) eachSnapshot(data bool, fn func(s Snapshot, sound bool) error) error {
	const slice = 1024
	type item struct {
		Snapshot
		sound bool
	}
	items := make([]item, 0, slice)
	var after []byte
	for {
		items = items[:0]
		err := db.view(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
			c := tx.Bucket(bucketSnap).Cursor()
			k, v := seekAfter(c, after)
			for ; k != nil && len(items) < slice; k, v = c.Next() {
				s, sum, err := parseSnapshotHeader(string(k), v)
				if err != nil {
					return err
				}
				items = append(items, item{s, !data || crc32.Checksum(v[snapHeaderBytes:], castagnoli) == sum})
			}
			return nil
		})
		if err != nil || len(items) == 0 {
			return err
		}
		after = append(after[:0], items[len(items)-1].Stream...)
		for _, it := range items {
			if err := fn(it.Snapshot, it.sound); err != nil {
				return err
			}
		}
	}
}

// SetReplayFrom implements Log.
func (db *DB) SetReplayFrom(seq uint64) error {
	db.snapMu.Lock()
	defer db.snapMu.Unlock()
	if err := db.usable(); err != nil {
		return err
	}
	have, next := db.replayFrom.Load(), db.next.Load()
	if seq < have || seq > next {
		return fmt.Errorf("%w: replay from %d, it is %d and the log ends before %d", ErrConflict, seq, have, next)
	}
	if seq != have {
		err := db.commit(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
			return putReplayFrom(tx, seq)
		})
		if err != nil {
			return err
		}
		db.replayFrom.Store(seq)
		db.forgetBare(seq)
	}
	// A side file that could not be written is only older than it might be.
	return db.writeSide()
}

// forgetBare drops the heads that a start would not find again either.
func (db *DB) forgetBare(seq uint64) {
	db.wmu.Lock()
	defer db.wmu.Unlock()
	for h := range db.bare {
		if db.heads[h] < seq {
			delete(db.bare, h)
			delete(db.heads, h)
		}
	}
}

func putReplayFrom(tx *bbolt.Tx, seq uint64) error {
	return tx.Bucket(bucketMeta).Put(keyReplayFrom, seal(keyReplayFrom, u64key(seq)))
}
