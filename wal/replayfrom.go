package wal

import (
	"errors"
	"fmt"
	"syscall"

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
	// A side file that could not be written is only older than it might be. For
	// want of a descriptor nothing was tried, and the next call tries again; any
	// other failure is the disk's (W3).
	if err := db.writeSide(); err != nil && !noDescriptor(err) {
		return err
	}
	return nil
}

// noDescriptor reports that a file could not be opened because too many are:
// the disk had no part in it.
func noDescriptor(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

func putReplayFrom(tx *bbolt.Tx, seq uint64) error {
	return tx.Bucket(bucketMeta).Put(keyReplayFrom, seal(keyReplayFrom, u64key(seq)))
}
