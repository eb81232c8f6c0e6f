package wal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"go.etcd.io/bbolt"
)

// readBytes is how much of the log one read transaction copies out: records are
// decoded and handed on outside, so that a slow callback holds nothing back and
// may even append.
const readBytes = 1 << 20

type chunkBuf struct {
	buf    []byte
	chunks []chunkRef
	first  uint64 // where the log began in that transaction
}

// chunkBufs are for walks: each has one value at a time, and they are many when
// many are loaded.
var chunkBufs = sync.Pool{New: func() any { return new(chunkBuf) }}

// fill copies chunks, from the one that holds sequence from on, until limit bytes.
func (db *DB) fill(from uint64, limit int, cb *chunkBuf) error {
	cb.buf, cb.chunks = cb.buf[:0], cb.chunks[:0]
	return db.view(db.journal, journalName, func(tx *bbolt.Tx) error {
		cb.first = firstSegment(tx)
		for first, b := range segmentsFrom(tx, from) {
			c := b.Cursor()
			k, v := c.Seek(u64key(max(from, 1)))
			if from > first && !bytes.Equal(k, u64key(from)) {
				if k == nil {
					k, v = c.Last() // Seek past the end leaves the cursor on the last key
				} else {
					k, v = c.Prev()
				}
				if len(k) == 8 && binary.BigEndian.Uint64(k) == headerKey {
					k, v = c.Next()
				}
			}
			for ; k != nil; k, v = c.Next() {
				if len(k) != 8 || v == nil {
					return corrupt(journalName, first, 0, "foreign key %x", k)
				}
				key := binary.BigEndian.Uint64(k)
				if key == footerKey {
					continue
				}
				// The limit waits for progress: the first value may lie before from.
				if n := len(cb.chunks); n > 0 && len(cb.buf)+len(v) > limit && (limit == 0 || cb.chunks[n-1].key >= from) {
					return nil
				}
				off := len(cb.buf)
				cb.buf = append(cb.buf, v...)
				cb.chunks = append(cb.chunks, chunkRef{key: key, segment: first, off: off, end: len(cb.buf)})
			}
		}
		return nil
	})
}

// firstSegment is where the log begins.
func firstSegment(tx *bbolt.Tx) uint64 {
	k, _ := tx.Cursor().Seek([]byte{segmentPrefix})
	first, _ := parseSegmentName(k)
	return first
}

// segmentsFrom yields the segments from the one that holds sequence from on.
func segmentsFrom(tx *bbolt.Tx, from uint64) func(yield func(uint64, *bbolt.Bucket) bool) {
	return func(yield func(uint64, *bbolt.Bucket) bool) {
		c := tx.Cursor()
		name := segmentName(from)
		k, _ := c.Seek(name)
		if !bytes.Equal(k, name) {
			if p, _ := c.Prev(); len(p) == segmentNameLen && p[0] == segmentPrefix {
				k = p
			} else {
				k, _ = c.Seek(name)
			}
		}
		for ; k != nil; k, _ = c.Next() {
			first, ok := parseSegmentName(k)
			if !ok {
				return
			}
			b := tx.Bucket(k)
			if b == nil || !yield(first, b) {
				return
			}
		}
	}
}

// scan decodes every record from sequence from on and checks values, chain and
// density across values. The chain before the first one is checked if it is
// given. fn may keep nothing of r. It returns the sequence after the last record.
func (db *DB) scan(from uint64, before *uint32, fn func(segment uint64, r *rawRecord) error) (uint64, error) {
	var cb chunkBuf
	var cr chunkReader
	var r rawRecord
	next, started := from, before != nil
	var chain uint32
	if started {
		chain = *before
	}
	for {
		if err := db.fill(next, readBytes, &cb); err != nil {
			return next, err
		}
		advanced := false
		for i := range cb.chunks {
			c := &cb.chunks[i]
			if !cr.open(c.key, cb.buf[c.off:c.end]) {
				return next, corrupt(journalName, c.segment, c.key, "%s", cr.detail)
			}
			end := c.key + uint64(cr.left)
			if end <= next {
				continue // the chunk before, found because nothing follows it
			}
			if c.key > next && cb.first > next {
				return next, fmt.Errorf("%w: sequence %d, meanwhile", ErrCompacted, next)
			}
			if c.key > next || started && c.key != next {
				return next, corrupt(journalName, c.segment, next, "records up to %d are missing", c.key-1)
			}
			if started && cr.before != chain {
				return next, corrupt(journalName, c.segment, c.key, "chain does not continue")
			}
			for cr.next(&r) {
				if r.seq < from {
					continue
				}
				if err := fn(c.segment, &r); err != nil {
					return next, err
				}
			}
			if cr.detail != "" {
				return next, corrupt(journalName, c.segment, cr.seq, "%s", cr.detail)
			}
			next, chain, started, advanced = end, cr.before, true, true
		}
		if !advanced {
			return next, nil
		}
	}
}

// Replay implements Log.
func (db *DB) Replay(from uint64, fn func(Record) error) error {
	if err := db.usable(); err != nil {
		return err
	}
	first := db.firstSeq()
	if from == 0 {
		from = first
	}
	if from < first {
		return fmt.Errorf("%w: sequence %d, the oldest kept is %d", ErrCompacted, from, first)
	}
	want := db.NextSeq()
	end, err := db.scan(from, nil, func(_ uint64, r *rawRecord) error { return fn(r.record()) })
	if err == nil && end < want {
		return corrupt(journalName, 0, end, "records up to %d are missing", want-1)
	}
	return err
}

func (db *DB) firstSeq() uint64 {
	db.smu.RLock()
	defer db.smu.RUnlock()
	return db.segments[0].first
}

// History implements Log.
func (db *DB) History(stream string, last uint64, fn func(Record) (bool, error)) error {
	if err := db.usable(); err != nil {
		return err
	}
	return db.walk(stream, last, func(_ *chunkRef, r *rawRecord) (bool, error) { return fn(r.record()) })
}

// walk follows Prev from last back. Each step reads one value in a transaction of
// its own, or none if the record lies in the value at hand.
func (db *DB) walk(stream string, last uint64, fn func(c *chunkRef, r *rawRecord) (bool, error)) error {
	cb := chunkBufs.Get().(*chunkBuf) //nolint:forcetypeassert // nothing else is put there
	defer chunkBufs.Put(cb)
	cb.chunks = cb.chunks[:0]
	var cr chunkReader
	var r rawRecord
	for seq := last; seq != 0; seq = r.prev {
		if seq < db.firstSeq() {
			if seq == last {
				return fmt.Errorf("%w: sequence %d", ErrCompacted, seq)
			}
			return nil
		}
		if len(cb.chunks) == 0 || seq < cb.chunks[0].key {
			if err := db.fill(seq, 0, cb); err != nil {
				return err
			}
		}
		found := false
		for i := range cb.chunks {
			c := &cb.chunks[i]
			if !cr.open(c.key, cb.buf[c.off:c.end]) {
				return corrupt(journalName, c.segment, c.key, "%s", cr.detail)
			}
			for !found && cr.next(&r) {
				found = r.seq == seq
			}
			if cr.detail != "" {
				return corrupt(journalName, c.segment, cr.seq, "%s", cr.detail)
			}
		}
		switch {
		case found && string(r.stream) == stream:
		case seq < cb.first && seq != last:
			return nil // compacted since we looked
		case seq < cb.first:
			return fmt.Errorf("%w: sequence %d, meanwhile", ErrCompacted, seq)
		case seq == last:
			return fmt.Errorf("%w: sequence %d of that stream", ErrNotFound, last)
		default:
			return corrupt(journalName, 0, seq, "link to a record that is missing or of another stream")
		}
		if more, err := fn(&cb.chunks[0], &r); err != nil || !more {
			return err
		}
	}
	return nil
}
