package wal

import (
	"errors"
	"hash/maphash"
	"testing"
)

// TestHeads: what is being flushed moves a head for the next batch, and for
// nobody who asks until it is durable; a batch that is refused moves none.
func TestHeads(t *testing.T) {
	s := heads{seed: maphash.MakeSeed(), at: map[uint64]head{}, bare: map[uint64]struct{}{}}
	must := func(stream string, next, want uint64) {
		t.Helper()
		if got := s.flushed(stream, next); got != want {
			t.Errorf("%s is at %d below %d, want %d", stream, got, next, want)
		}
	}
	if err := s.stage([]Entry{{Stream: "ann"}, {Stream: "bob"}, {Stream: "ann", Prev: 10}}, 10, 1); err != nil {
		t.Fatal(err)
	}
	must("ann", 10, 0)
	must("ann", 13, 12)
	must("bob", 13, 11)
	if err := s.stage([]Entry{{Stream: "ann", Prev: 12}, {Stream: "cid"}, {Stream: "bob", Prev: 10}}, 13, 1); !errors.Is(err, ErrConflict) {
		t.Fatalf("a wrong link gave %v", err)
	}
	must("ann", 13, 12)
	must("cid", 13, 0)
	if n := s.len(); n != 2 {
		t.Errorf("%d streams, want 2", n)
	}
	if err := s.stage([]Entry{{Stream: "ann", Prev: 12}, {Stream: "ann", Prev: 13}}, 13, 1); err != nil {
		t.Fatal(err)
	}
	must("ann", 13, 12)
	must("ann", 15, 14)
	must("bob", 13, 11)
}
