package wal

import (
	"errors"
	"hash/maphash"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestHeads: what is being flushed moves a head for the next batch, and for
// nobody who asks until it is durable; a batch that is refused moves none.
func TestHeads(t *testing.T) {
	s := heads{seed: maphash.MakeSeed(), bare: map[uint64]struct{}{}}
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

// The table of heads has what a map would have, whatever is put in and dropped.
func TestHeadTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table headTable
		if rapid.Bool().Draw(t, "expected") {
			table.expect(rapid.IntRange(0, 4000).Draw(t, "streams"))
		}
		model := map[uint64]head{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			// One part, few beginnings: they stand behind one another, and around its end.
			hash := rapid.Uint64Range(0, 40).Draw(t, "hash") | rapid.SampledFrom([]uint64{0, 1 << 31, 1<<32 - 64}).Draw(t, "from")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				table.drop(hash)
				delete(model, max(hash, 1))
			default:
				h := head{seq: rapid.Uint64().Draw(t, "seq")}
				table.put(hash, h)
				model[max(hash, 1)] = h
			}
			if table.n != len(model) {
				t.Fatalf("%d streams, want %d", table.n, len(model))
			}
			for hash, want := range model {
				if got := table.find(hash); got == nil || *got != want {
					t.Fatalf("%d: %v, want %v", hash, got, want)
				}
			}
			if _, there := model[max(hash, 1)]; !there && table.find(hash) != nil {
				t.Fatalf("%d is still there", hash)
			}
		}
	})
}

func BenchmarkHeads(b *testing.B) {
	const streams, batch = 200_000, 1000
	s := heads{seed: maphash.MakeSeed(), bare: map[uint64]struct{}{}}
	entries := make([]Entry, batch)
	next := uint64(1)
	last := make([]uint64, streams)
	names := make([]string, streams)
	for i := range names {
		names[i] = "user-" + strconv.Itoa(i)
	}
	round := func(from int) {
		for i := range entries {
			who := (from + i*7919) % streams
			entries[i] = Entry{Stream: names[who], Prev: last[who]}
			last[who] = next + uint64(i)
		}
		if err := s.stage(entries, next, 0); err != nil {
			b.Fatal(err)
		}
		next += batch
	}
	for i := range 4 * streams / batch {
		round(i)
	}
	for i := 0; b.Loop(); i++ {
		round(i % 7919)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/record")
}
