package wal

import (
	"encoding/binary"

	"go.etcd.io/bbolt"
)

// Restored implements Log.
func (db *DB) Restored() (Restored, bool) {
	db.sideMu.Lock()
	defer db.sideMu.Unlock()
	return db.restored, db.pending
}

// AckRestored implements Log. The epoch stays.
func (db *DB) AckRestored() error {
	db.wmu.Lock()
	defer db.wmu.Unlock()
	if err := db.usable(); err != nil {
		return err
	}
	r, pending := db.Restored()
	if !pending {
		return nil
	}
	err := db.commit(db.journal, journalName, func(tx *bbolt.Tx) error {
		b := binary.BigEndian.AppendUint64(u64key(r.Epoch), r.Seq)
		return putSealed(tx.Bucket(bucketMeta), keyRestored, append(b, 0))
	})
	if err != nil {
		return err
	}
	db.sideMu.Lock()
	defer db.sideMu.Unlock()
	db.pending = false
	return nil
}
