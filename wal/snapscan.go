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

// snapSlice is how many snapshots one read transaction looks at.
const snapSlice = 1024

// eachSnapshot reads headers in bounded transactions; with data it also checks
// the data, which is all it does with it. The next slice is read while fn works
// on the one before.
func (db *DB) eachSnapshot(data bool, fn func(*snapItem) error) error {
	type slice struct {
		items []snapItem
		err   error
	}
	ahead, free, stop := make(chan slice), make(chan []snapItem, 2), make(chan struct{})
	defer close(stop)
	free <- make([]snapItem, 0, snapSlice)
	free <- make([]snapItem, 0, snapSlice)
	go func() {
		defer close(ahead)
		var after []byte
		for items := range free {
			items, err := db.snapshotsAfter(after, data, items[:0])
			if len(items) > 0 {
				after = append(after[:0], items[len(items)-1].Stream...)
			}
			select {
			case ahead <- slice{items, err}:
			case <-stop:
				return
			}
			if err != nil || len(items) == 0 {
				return
			}
		}
	}()
	for s := range ahead {
		if s.err != nil {
			return s.err
		}
		for i := range s.items {
			if err := fn(&s.items[i]); err != nil {
				return err
			}
		}
		free <- s.items
	}
	return nil
}

// snapshotsAfter reads a slice of snapshots behind a key.
func (db *DB) snapshotsAfter(after []byte, data bool, items []snapItem) ([]snapItem, error) {
	err := db.view(db.snapshots, snapshotName, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketSnap).Cursor()
		k, v := seekAfter(c, after)
		for ; k != nil && len(items) < snapSlice; k, v = c.Next() {
			s, sum, err := parseSnapshotHeader(string(k), v)
			if err != nil {
				return err
			}
			items = append(items, snapItem{s, snapSum(v), !data || crc32.Checksum(v[snapHeaderBytes:], castagnoli) == sum})
		}
		return nil
	})
	return items, err
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
