package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// chunkRef is a value being built or read: records key, key+1, … in buf[off:end].
type chunkRef struct {
	key      uint64
	segment  uint64 // first sequence of its segment
	off, end int
}

// appendRecord encodes one record behind buf and returns the chain after it. The
// checksum runs over everything behind itself, starting from the checksum of
// the record before: it is checksum and hash of the predecessor in one.
func appendRecord(buf []byte, chain uint32, seq uint64, e *Entry) ([]byte, uint32) {
	start := len(buf)
	var flags byte
	if e.Wake != 0 {
		flags = flagWake
	}
	buf = append(buf, flags, 0, 0, 0, 0, e.Kind, e.Version, byte(len(e.Stream)))
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.At))
	var back uint64
	if e.Prev != 0 {
		back = seq - e.Prev
	}
	buf = binary.AppendUvarint(buf, back)
	if e.Wake != 0 {
		buf = binary.AppendVarint(buf, e.Wake-e.At)
	}
	buf = binary.AppendUvarint(buf, uint64(len(e.Data)))
	buf = append(buf, e.Stream...)
	buf = append(buf, e.Data...)
	chain = crc32.Update(chain, castagnoli, buf[start+5:])
	binary.BigEndian.PutUint32(buf[start+1:], chain)
	return buf, chain
}

// recordBytes bounds the encoded size from above.
func recordBytes(e *Entry) int {
	return recordFixedBytes + 3*binary.MaxVarintLen64 + len(e.Stream) + len(e.Data)
}

// finishChunk fills in the header of the chunk v, which begins at record key.
func finishChunk(v []byte, key uint64, count int, before uint32) {
	binary.BigEndian.PutUint16(v[4:], uint16(count))
	binary.BigEndian.PutUint32(v[6:], before)
	binary.BigEndian.PutUint32(v, chunkSum(key, v))
}

func chunkSum(key uint64, v []byte) uint32 {
	var k [8]byte
	binary.BigEndian.PutUint64(k[:], key)
	return crc32.Update(crc32.Checksum(k[:], castagnoli), castagnoli, v[4:])
}

// rawRecord is a decoded record; stream and data point into the chunk.
type rawRecord struct {
	seq, prev     uint64
	at, wake      int64
	chain         uint32
	kind, version uint8
	redacted      bool
	stream, data  []byte
}

func (r *rawRecord) record() Record {
	return Record{
		Seq: r.seq, Stream: string(r.stream), Prev: r.prev, Kind: r.kind, Version: r.version,
		At: r.at, Wake: r.wake, Data: r.data, Redacted: r.redacted,
	}
}

// chunkReader walks the records of one chunk. detail is set when it finds damage.
type chunkReader struct {
	rest   []byte
	seq    uint64 // of the next record
	left   int
	before uint32 // chain before the next record
	detail string
}

// open checks the chunk's checksum and header.
func (c *chunkReader) open(key uint64, v []byte) bool {
	*c = chunkReader{seq: key}
	if len(v) < chunkHeaderBytes {
		c.detail = "value too short"
		return false
	}
	if binary.BigEndian.Uint32(v) != chunkSum(key, v) {
		c.detail = "checksum of value"
		return false
	}
	c.left = int(binary.BigEndian.Uint16(v[4:]))
	c.before = binary.BigEndian.Uint32(v[6:])
	c.rest = v[chunkHeaderBytes:]
	if c.left == 0 {
		c.detail = "value without records"
		return false
	}
	return true
}

// next decodes a record into r. False: the end if detail is empty, else damage.
func (c *chunkReader) next(r *rawRecord) bool {
	if c.left == 0 {
		if len(c.rest) != 0 {
			c.detail = "bytes behind the last record"
		}
		return false
	}
	b := c.rest
	if len(b) < recordFixedBytes {
		c.detail = "record cut short"
		return false
	}
	r.seq, r.prev = c.seq, 0
	r.redacted = b[0] == flagRedacted
	if b[0] > flagWake {
		c.detail = "flags of record"
		return false
	}
	r.chain = binary.BigEndian.Uint32(b[1:])
	r.kind, r.version = b[5], b[6]
	nstream := int(b[7])
	r.at = int64(binary.BigEndian.Uint64(b[8:]))
	at := recordFixedBytes
	back, n := binary.Uvarint(b[at:])
	if n <= 0 || back != 0 && back >= c.seq {
		c.detail = "link of record"
		return false
	}
	at += n
	if back != 0 {
		r.prev = c.seq - back
	}
	r.wake = 0
	if b[0] == flagWake {
		ahead, n := binary.Varint(b[at:])
		if n <= 0 {
			c.detail = "wake of record"
			return false
		}
		at += n
		r.wake = r.at + ahead
	}
	ndata, n := binary.Uvarint(b[at:])
	at += max(n, 0)
	if n <= 0 || ndata > MaxDataBytes || r.redacted && ndata != 0 || nstream == 0 || at+nstream+int(ndata) > len(b) {
		c.detail = "length of record"
		return false
	}
	r.stream = b[at : at+nstream]
	r.data = nil
	if !r.redacted {
		r.data = b[at+nstream : at+nstream+int(ndata) : at+nstream+int(ndata)]
	}
	at += nstream + int(ndata)
	// The payload of a redacted record is gone, so its own checksum proves nothing
	// any more; it stays as the start of the next one, and the value's checksum
	// covers both.
	if !r.redacted && crc32.Update(c.before, castagnoli, b[5:at]) != r.chain {
		c.detail = "checksum of record"
		return false
	}
	c.rest, c.before = b[at:], r.chain
	c.seq++
	c.left--
	return true
}
