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
