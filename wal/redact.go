package wal

import (
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

// redactSlice bounds one transaction of a redaction, in values.
const redactSlice = 64

// Redact implements Log. It rewrites the values that hold the records: payloads
// become empty, the stored chain stays as it was, and the value gets a new
// checksum. Cut short, it leaves a part redacted; repeating it does the rest.
func (db *DB) Redact(stream string, last uint64) (int, error) {
	var keys []chunkRef
	err := db.walk(stream, last, func(c *chunkRef, r *rawRecord) (bool, error) {
		if !r.redacted && (len(keys) == 0 || keys[len(keys)-1].key != c.key) {
			keys = append(keys, *c)
		}
		return true, nil
	})
	// From the oldest on, the erasure's own record last: while that can be read,
	// a start knows that blanking was cut short (N6).
	slices.Reverse(keys)
	total := 0
	for len(keys) > 0 && err == nil {
		n := min(len(keys), redactSlice)
		var done int
		done, err = db.redactValues(stream, last, keys[:n])
		total += done
		keys = keys[n:]
	}
	return total, err
}

func (db *DB) redactValues(stream string, last uint64, keys []chunkRef) (total int, err error) {
	db.wmu.Lock()
	defer db.wmu.Unlock()
	if err := db.usable(); err != nil {
		return 0, err
	}
	var shrunk map[uint64]int64
	err = db.commit(db.journal, journalName, func(tx *bbolt.Tx) error {
		total, shrunk = 0, map[uint64]int64{}
		for _, c := range keys {
			b := tx.Bucket(segmentName(c.segment))
			if b == nil {
				continue // compacted since we looked
			}
			old := b.Get(u64key(c.key))
			v, n, err := redactChunk(c, old, stream, last)
			if err != nil {
				return err
			}
			b.FillPercent = 1
			if err := b.Put(u64key(c.key), v); err != nil {
				return err
			}
			total += n
			shrunk[c.segment] += int64(len(old) - len(v))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	db.smu.Lock()
	defer db.smu.Unlock()
	newest := &db.segments[len(db.segments)-1]
	if n := shrunk[newest.first]; n != 0 {
		newest.bytes -= n
		db.logBytes -= n
	}
	return total, nil
}

// redactChunk re-encodes a value without the payloads of the stream.
func redactChunk(c chunkRef, old []byte, stream string, last uint64) (v []byte, n int, err error) {
	var cr chunkReader
	var r rawRecord
	if !cr.open(c.key, old) {
		return nil, 0, corrupt(journalName, c.segment, c.key, "%s", cr.detail)
	}
	count, before := cr.left, cr.before
	v = make([]byte, chunkHeaderBytes, len(old))
	for {
		rest := cr.rest
		if !cr.next(&r) {
			break
		}
		whole := rest[:len(rest)-len(cr.rest)]
		if r.redacted || r.seq > last || string(r.stream) != stream {
			v = append(v, whole...)
			continue
		}
		n++
		at := len(v)
		v = append(v, whole[:recordFixedBytes]...)
		v[at] = flagRedacted // no wake either: it is somebody's reminder
		var back uint64
		if r.prev != 0 {
			back = r.seq - r.prev
		}
		v = binary.AppendUvarint(v, back)
		v = binary.AppendUvarint(v, 0)
		v = append(v, r.stream...)
	}
	if cr.detail != "" {
		return nil, 0, corrupt(journalName, c.segment, cr.seq, "%s", cr.detail)
	}
	finishChunk(v, c.key, count, before)
	return v, n, nil
}
