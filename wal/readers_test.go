package wal_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"carillon/wal"
)

// TestLookUpsRest: a look-up that rests holds no writer back, not even one that
// has the file mapped anew, and shows nobody what was before a write.
func TestLookUpsRest(t *testing.T) {
	db := open(t, t.TempDir())
	for i := range 8 {
		seq := add(t, db, "ann", "x")
		data := strings.Repeat(string(rune('a'+i)), 300<<10) // the map is of 1 MiB
		must(t, db.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: seq, Data: []byte(data)}}))
		for range 2 {
			if s, ok, err := db.Snapshot("ann"); err != nil || !ok || s.Seq != seq || string(s.Data) != data {
				t.Fatalf("got %d of %d bytes, %v, %v; want that at %d", s.Seq, len(s.Data), ok, err, seq)
			}
			if _, ok, err := db.Snapshot("anna"); err != nil || ok {
				t.Fatalf("anna: %v, %v", ok, err)
			}
		}
	}
	must(t, db.DeleteSnapshot("ann"))
	if _, ok, err := db.Snapshot("ann"); err != nil || ok {
		t.Fatalf("ann was forgotten: %v, %v", ok, err)
	}
	must(t, db.Close())
}

// TestLookUpsBesideWrites: who asks behind the end of a write finds it.
func TestLookUpsBesideWrites(t *testing.T) {
	db := open(t, t.TempDir())
	db.NoSync()
	var written atomic.Uint64
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for written.Load() < 300 {
				least := written.Load()
				if s, _, err := db.Snapshot("ann"); err != nil || s.Seq < least {
					t.Errorf("got the snapshot at %d, %v, behind one at %d", s.Seq, err, least)
					return
				}
			}
		})
	}
	for range 300 {
		seq := add(t, db, "ann", "x")
		must(t, db.PutSnapshots([]wal.Snapshot{{Stream: "ann", Seq: seq, Data: []byte("state")}}))
		written.Store(seq)
	}
	wg.Wait()
	must(t, db.Close())
}
