package wal

import (
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
)

// heads knows the last sequence of each stream. It has a lock of its own, which
// nobody holds over a flush: who only wants to know where a stream is does not
// wait for the disk.
type heads struct {
	mu   sync.Mutex
	seed maphash.Seed
	// at goes by a 64-bit hash of the stream's name: no pointers for the
	// collector, a quarter of the look-up time of a map of strings. Two names that
	// collide (3e-8 for a million) would refuse each other's appends until the
	// next start draws another seed.
	at   headTable
	bare map[uint64]struct{} // streams without a snapshot
	undo []headUndo
}

// head is where a stream is with the batch that is being flushed, and where it
// was before.
type head struct{ seq, was uint64 }

type headUndo struct {
	hash  uint64
	head  head
	known bool
}

// flushed is the last sequence of a stream below next, the first that is not
// durable.
func (s *heads) flushed(stream string, next uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.below(stream, next)
}

func (s *heads) below(stream string, next uint64) uint64 {
	h := s.at.find(maphash.String(s.seed, stream))
	switch {
	case h == nil:
		return 0
	case h.seq >= next:
		return h.was
	}
	return h.seq
}

// of is flushed for many.
func (s *heads) of(batch []Snapshot, next uint64) []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]uint64, len(batch))
	for i := range batch {
		out[i] = s.below(batch[i].Stream, next)
	}
	return out
}

// stage moves the head of every stream in the batch, or of none.
func (s *heads) stage(batch []Entry, first, replayFrom uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	undo := s.undo[:0]
	for i := range batch {
		e := &batch[i]
		h := maphash.String(s.seed, e.Stream)
		at := s.at.find(h)
		var have head
		known := at != nil
		if known {
			have = *at
		}
		if !known && e.Prev < replayFrom {
			e.Prev = 0 // forgotten meanwhile: it begins anew
		}
		if have.seq != e.Prev {
			s.takeBack(undo)
			return fmt.Errorf("%w: entry %d: stream is at %d, caller expects %d", ErrConflict, i, have.seq, e.Prev)
		}
		undo = append(undo, headUndo{h, have, known})
		now := head{seq: first + uint64(i), was: have.seq}
		if have.seq >= first {
			now.was = have.was
		}
		if known {
			*at = now
			continue
		}
		s.bare[h] = struct{}{}
		s.at.put(h, now)
	}
	s.undo = undo
	return nil
}

func (s *heads) takeBack(undo []headUndo) {
	for _, u := range slices.Backward(undo) {
		if u.known {
			s.at.put(u.hash, u.head)
		} else {
			s.at.drop(u.hash)
			delete(s.bare, u.hash)
		}
	}
}

// forgetBare drops the heads that a start would not find again either.
func (s *heads) forgetBare(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.bare {
		if at := s.at.find(h); at == nil || at.seq < seq {
			delete(s.bare, h)
			s.at.drop(h)
		}
	}
}

// cover takes the streams of a batch of snapshots out of bare.
func (s *heads) cover(batch []Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range batch {
		delete(s.bare, maphash.String(s.seed, batch[i].Stream))
	}
}

// uncover notes that a stream has no snapshot any more. If nothing of it is
// replayed either it is forgotten.
func (s *heads) uncover(stream string, replayFrom uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := maphash.String(s.seed, stream)
	switch at := s.at.find(h); {
	case at == nil:
	case at.seq < replayFrom:
		s.at.drop(h)
	default:
		s.bare[h] = struct{}{}
	}
}

func (s *heads) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at.n
}
