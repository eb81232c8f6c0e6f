package wal

import (
	"fmt"

	"go.etcd.io/bbolt"
)

// encoder holds what an append prepares outside the transaction. Its buffers are
// kept: bbolt refers to values, without copying, until the commit returns.
type encoder struct {
	buf    []byte
	chunks []chunkRef
	// open is the newest segment as it will be, closed the ones that end in this batch.
	open   segment
	closed []segment
	key    [8]byte
}

// Append implements Log.
func (db *DB) Append(batch []Entry) (first uint64, err error) {
	db.wmu.Lock()
	defer db.wmu.Unlock()
	if err := db.usable(); err != nil {
		return 0, err
	}
	first = db.next.Load()
	if len(batch) == 0 {
		return first, nil
	}
	for i := range batch {
		if err := CheckEntry(&batch[i]); err != nil {
			return 0, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if err := db.heads.stage(batch, first, db.replayFrom.Load()); err != nil {
		return 0, err
	}
	db.encode(batch, first)
	if err := db.commit(db.journal, journalName, func(tx *bbolt.Tx) error { return db.put(tx, batch) }); err != nil {
		return 0, err
	}
	db.publish()
	db.commits.Add(1)
	db.records.Add(uint64(len(batch)))
	db.bytes.Add(uint64(len(db.enc.buf)))
	return first, nil
}

// CheckEntry says whether an entry can be appended at all: ErrInvalid or ErrTooLarge.
func CheckEntry(e *Entry) error {
	switch {
	case e.Stream == "":
		return fmt.Errorf("%w: no stream", ErrInvalid)
	case len(e.Stream) > MaxStreamBytes:
		return fmt.Errorf("%w: stream of %d bytes", ErrTooLarge, len(e.Stream))
	case len(e.Data) > MaxDataBytes:
		return fmt.Errorf("%w: data of %d bytes", ErrTooLarge, len(e.Data))
	}
	for i := range e.Index {
		op := &e.Index[i]
		switch {
		case op.Space == "" || len(op.Key) == 0:
			return fmt.Errorf("%w: index operation without space or key", ErrInvalid)
		case len(op.Space) > MaxSpaceBytes || len(op.Key) > MaxKeyBytes || len(op.Value) > MaxValueBytes:
			return fmt.Errorf("%w: index operation in %q", ErrTooLarge, op.Space)
		}
	}
	return nil
}

// encode packs the batch into chunks and decides where segments end.
func (db *DB) encode(batch []Entry, first uint64) {
	w := &db.enc
	w.buf, w.chunks, w.closed = w.buf[:0], w.chunks[:0], w.closed[:0]
	w.open = db.segments[len(db.segments)-1]
	chain, before := w.open.chain, w.open.chain
	start, count := -1, 0
	finish := func(nextSeq uint64) {
		key := nextSeq - uint64(count)
		finishChunk(w.buf[start:], key, count, before)
		w.chunks = append(w.chunks, chunkRef{key: key, segment: w.open.first, off: start, end: len(w.buf)})
		w.open.bytes += int64(len(w.buf) - start)
		w.open.chain = chain
		start = -1
	}
	for i := range batch {
		seq := first + uint64(i)
		if start >= 0 && len(w.buf)-start+recordBytes(&batch[i]) > chunkBytes {
			finish(seq)
		}
		if start < 0 {
			if w.open.records() >= uint64(db.opts.SegmentRecords) || w.open.bytes >= db.opts.SegmentBytes {
				w.closed = append(w.closed, w.open)
				w.open = newSegment(seq, chain)
			}
			start, count, before = len(w.buf), 0, chain
			w.buf = append(w.buf, make([]byte, chunkHeaderBytes)...)
		}
		w.buf, chain = appendRecord(w.buf, chain, seq, &batch[i])
		w.open.note(batch[i].At)
		w.open.last = seq
		count++
	}
	finish(first + uint64(len(batch)))
}

// put is the transaction: ended segments, values, index keys.
func (db *DB) put(tx *bbolt.Tx, batch []Entry) error {
	w := &db.enc
	var bucket *bbolt.Bucket
	var in uint64
	ended := 0
	for i := range w.chunks {
		c := &w.chunks[i]
		if bucket == nil || c.segment != in {
			for ended < len(w.closed) && w.closed[ended].first < c.segment {
				if err := endSegment(tx, &w.closed[ended]); err != nil {
					return err
				}
				ended++
			}
			s := &w.open
			if ended < len(w.closed) {
				s = &w.closed[ended]
			}
			b, err := segmentBucket(tx, s)
			if err != nil {
				return err
			}
			bucket, in = b, c.segment
		}
		putKey(&w.key, c.key)
		if err := bucket.Put(w.key[:], w.buf[c.off:c.end:c.end]); err != nil {
			return err
		}
	}
	m := tx.Bucket(bucketMeta)
	if err := putEnd(m, &w.open); err != nil {
		return err
	}
	return putIndex(tx, m, batch)
}

// segmentBucket opens the bucket of s, or begins it.
func segmentBucket(tx *bbolt.Tx, s *segment) (*bbolt.Bucket, error) {
	name := segmentName(s.first)
	b := tx.Bucket(name)
	if b == nil {
		var err error
		if b, err = tx.CreateBucket(name); err != nil {
			return nil, err
		}
		if err := b.Put(u64key(headerKey), seal(name, s.header())); err != nil {
			return nil, err
		}
	}
	b.FillPercent = 1 // keys only ever grow
	return b, nil
}

func endSegment(tx *bbolt.Tx, s *segment) error {
	name := segmentName(s.first)
	b := tx.Bucket(name)
	if b == nil {
		return corrupt(journalName, s.first, s.last, "segment is missing")
	}
	b.FillPercent = 1
	return b.Put(u64key(footerKey), seal(name, s.footer()))
}

// publish makes the flushed batch visible to readers.
func (db *DB) publish() {
	w := &db.enc
	db.smu.Lock()
	if len(w.closed) > 0 {
		db.segments[len(db.segments)-1] = w.closed[0]
		db.segments = append(db.segments, w.closed[1:]...)
		db.segments = append(db.segments, w.open)
	} else {
		db.segments[len(db.segments)-1] = w.open
	}
	for i := range w.chunks {
		db.logBytes += int64(w.chunks[i].end - w.chunks[i].off)
	}
	db.smu.Unlock()
	db.next.Store(w.open.last + 1)
}
