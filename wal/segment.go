package wal

import (
	"encoding/binary"
)

// segment is what is known of one bucket of consecutive records.
type segment struct {
	first, last   uint64 // last is first-1 while it is empty
	before, chain uint32 // chain before the first and of the last record
	minAt, maxAt  int64  // Unix milliseconds
	bytes         int64  // of values
}

func newSegment(first uint64, before uint32) segment {
	return segment{first: first, last: first - 1, before: before, chain: before}
}

func (s *segment) records() uint64 { return s.last + 1 - s.first }

func (s *segment) note(at int64) {
	if s.last < s.first || at < s.minAt {
		s.minAt = at
	}
	if s.last < s.first || at > s.maxAt {
		s.maxAt = at
	}
}

// header is written when a segment begins, footer when the next one does: between
// them they say what must be there, without a page that every commit rewrites.
func (s *segment) header() []byte {
	b := binary.BigEndian.AppendUint64(nil, s.first)
	return binary.BigEndian.AppendUint32(b, s.before)
}

// end is where the log ends if s is the newest segment.
func (s *segment) end() []byte {
	b := binary.BigEndian.AppendUint64(nil, s.last)
	return binary.BigEndian.AppendUint32(b, s.chain)
}

func (s *segment) footer() []byte {
	b := s.end()
	b = binary.BigEndian.AppendUint64(b, uint64(s.minAt))
	b = binary.BigEndian.AppendUint64(b, uint64(s.maxAt))
	return binary.BigEndian.AppendUint64(b, uint64(s.bytes))
}

func (s *segment) parseHeader(b []byte) bool {
	if len(b) != segmentHeadBytes {
		return false
	}
	*s = newSegment(binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]))
	return true
}

func (s *segment) parseEnd(b []byte) bool {
	if len(b) != segmentHeadBytes {
		return false
	}
	s.last, s.chain = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	return true
}

func (s *segment) parseFooter(b []byte) bool {
	if len(b) != segmentFootBytes {
		return false
	}
	s.last, s.chain = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	s.minAt, s.maxAt = int64(binary.BigEndian.Uint64(b[12:])), int64(binary.BigEndian.Uint64(b[20:]))
	s.bytes = int64(binary.BigEndian.Uint64(b[28:]))
	return s.last >= s.first
}
