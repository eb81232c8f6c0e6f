package wal

import (
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// SnapshotHeaders implements Log.
func (db *DB) SnapshotHeaders(fn func(Snapshot) error) error {
	return db.eachSnapshot(false, func(s *snapItem) error { return fn(s.Snapshot) })
}

// snapItem is a snapshot without its data.
type snapItem struct {
	Snapshot
	sum   uint32 // for the tally
	sound bool   // the data, if it was looked at
}

// eachSnapshot reads headers in bounded transactions; with data it also checks
// the data, which is all it does with it.
func (db *DB) eachSnapshot(data bool, fn func(*snapItem) error) error {
	const slice = 1024
	items := make([]snapItem, 0, slice)
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
				items = append(items, snapItem{s, snapSum(v), !data || crc32.Checksum(v[snapHeaderBytes:], castagnoli) == sum})
			}
			return nil
		})
		if err != nil || len(items) == 0 {
			return err
		}
		after = append(after[:0], items[len(items)-1].Stream...)
		for i := range items {
			if err := fn(&items[i]); err != nil {
				return err
			}
		}
	}
}

// checkSnapshots reads all headers and data and compares them with the tally: a
// snapshot that is gone, or an older one in its place, shows nowhere else.
// Nobody may write snapshots meanwhile.
func (db *DB) checkSnapshots(fn func(Snapshot) error) (t tally, err error) {
	err = db.eachSnapshot(true, func(s *snapItem) error {
		if !s.sound {
			return corrupt(snapshotName, 0, s.Seq, "data of snapshot %q", s.Stream)
		}
		t.add(s.sum)
		return fn(s.Snapshot)
	})
	if err != nil {
		return t, err
	}
	return t, db.view(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
		if want, ok := getTally(tx.Bucket(bucketMeta), keySnapTally); !ok || t != want {
			return corrupt(snapshotName, 0, 0, "%d snapshots that sum up to %x, the tally says %d and %x", t.count, t.sum, want.count, want.sum)
		}
		return nil
	})
}
