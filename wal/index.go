package wal

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
)

// indexScanSlice bounds one read transaction of an index scan, in keys.
const indexScanSlice = 1024

// IndexGet implements Log.
func (db *DB) IndexGet(space string, key []byte) (value []byte, ok bool, err error) {
	err = db.view(db.journal, journalName, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketIndex).Bucket([]byte(space))
		if b == nil || len(key) == 0 {
			return nil
		}
		v := b.Get(key)
		if v == nil {
			return nil
		}
		payload, sound := unseal(key, v)
		if !sound {
			return corrupt(journalName, 0, 0, "index %q, key %x: checksum", space, key)
		}
		value, ok = append([]byte{}, payload...), true
		return nil
	})
	return value, ok, err
}

// IndexScan implements Log.
func (db *DB) IndexScan(space string, after []byte, limit int, fn func(key, value []byte) error) error {
	if err := db.usable(); err != nil {
		return err
	}
	if space == "" {
		return fmt.Errorf("%w: no space", ErrInvalid)
	}
	after = bytes.Clone(after)
	var buf []byte
	var ends []int // key end, value end, …
	for done := 0; ; {
		want := indexScanSlice
		if limit > 0 {
			want = min(want, limit-done)
		}
		if want == 0 {
			return nil
		}
		buf, ends = buf[:0], ends[:0]
		err := db.view(db.journal, journalName, func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketIndex).Bucket([]byte(space))
			if b == nil {
				return nil
			}
			c := b.Cursor()
			k, v := seekAfter(c, after)
			for ; k != nil && len(ends) < 2*want && len(buf) < readBytes; k, v = c.Next() {
				payload, sound := unseal(k, v)
				if !sound {
					return corrupt(journalName, 0, 0, "index %q, key %x: checksum", space, k)
				}
				buf = append(buf, k...)
				ends = append(ends, len(buf))
				buf = append(buf, payload...)
				ends = append(ends, len(buf))
			}
			return nil
		})
		if err != nil || len(ends) == 0 {
			return err
		}
		off := 0
		for i := 0; i < len(ends); i += 2 {
			k, v := buf[off:ends[i]:ends[i]], buf[ends[i]:ends[i+1]:ends[i+1]]
			if i+2 == len(ends) {
				after = append(after[:0], k...)
			}
			if err := fn(k, v); err != nil {
				return err
			}
			off = ends[i+1]
			done++
		}
	}
}

// seekAfter positions the cursor on the first key greater than after.
func seekAfter(c *bbolt.Cursor, after []byte) (k, v []byte) {
	if len(after) == 0 {
		return c.First()
	}
	k, v = c.Seek(after)
	if bytes.Equal(k, after) {
		return c.Next()
	}
	return k, v
}

// putIndex makes the index operations of a batch and keeps the tally.
func putIndex(tx *bbolt.Tx, meta *bbolt.Bucket, batch []Entry) error {
	var root *bbolt.Bucket
	var t tally
	for i := range batch {
		for j := range batch[i].Index {
			if root == nil {
				root = tx.Bucket(bucketIndex)
				var ok bool
				if t, ok = getTally(meta, keyIndexTally); !ok {
					return corrupt(journalName, 0, 0, "meta: %s", keyIndexTally)
				}
			}
			if err := t.index(root, &batch[i].Index[j]); err != nil {
				return err
			}
		}
	}
	if root == nil {
		return nil
	}
	return t.put(meta, keyIndexTally)
}

// index makes one operation in its space.
func (t *tally) index(root *bbolt.Bucket, op *IndexOp) error {
	b, err := root.CreateBucketIfNotExists([]byte(op.Space))
	if err != nil {
		return err
	}
	if old := b.Get(op.Key); old != nil {
		t.remove(indexSum(op.Space, op.Key, old))
	}
	if op.Value == nil {
		return b.Delete(op.Key)
	}
	v := seal(op.Key, op.Value)
	t.add(indexSum(op.Space, op.Key, v))
	return b.Put(op.Key, v)
}

func (db *DB) checkIndexBeside(c *contents) {
	c.beside.Go(func() { _, c.index = db.checkIndex() })
}

// checkIndex reads the whole index in one transaction and compares it with its
// tally: a key that is gone shows nowhere else.
func (db *DB) checkIndex() (t tally, err error) {
	err = db.view(db.journal, journalName, func(tx *bbolt.Tx) error {
		root := tx.Bucket(bucketIndex)
		err := root.ForEachBucket(func(space []byte) error {
			return root.Bucket(space).ForEach(func(k, v []byte) error {
				if _, sound := unseal(k, v); !sound {
					return corrupt(journalName, 0, 0, "index %q, key %x: checksum", space, k)
				}
				t.add(indexSum(string(space), k, v))
				return nil
			})
		})
		if err != nil {
			return err
		}
		if want, ok := getTally(tx.Bucket(bucketMeta), keyIndexTally); !ok || t != want {
			return corrupt(journalName, 0, 0, "index holds %d keys that sum up to %x, its tally says %d and %x", t.count, t.sum, want.count, want.sum)
		}
		return nil
	})
	return t, err
}
