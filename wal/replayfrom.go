package wal

import (
	"fmt"

	"go.etcd.io/bbolt"
)

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
		db.heads.forgetBare(seq)
	}
	// A side file that could not be written is only older than it might be.
	return db.writeSide()
}

func putReplayFrom(tx *bbolt.Tx, seq uint64) error {
	return tx.Bucket(bucketMeta).Put(keyReplayFrom, seal(keyReplayFrom, u64key(seq)))
}
