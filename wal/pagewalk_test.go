package wal_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

// TestPageWalkAcceptsWhatBboltWrites: a refusal of a sound file would be the worse
// error. Keys and values of all sizes come and go in nested buckets, with the
// free list in the file and without.
func TestPageWalkAcceptsWhatBboltWrites(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if s := os.Getenv("WAL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("WAL_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	file := path(t.TempDir(), "any.db")
	b, err := bbolt.Open(file, 0o600, &bbolt.Options{PageSize: 4096, NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	must(t, err)
	for round := range rounds(t, "WAL_WALKS", 60) {
		b.NoFreelistSync = rng.IntN(2) == 0
		must(t, b.Update(func(tx *bbolt.Tx) error { return scribble(rng, tx, round) }))
		if err := wal.WalkFile(file); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	must(t, b.Close())
}

// scribble puts and deletes at random; whole buckets too.
func scribble(rng *rand.Rand, tx *bbolt.Tx, round int) error {
	name := []byte{'a' + byte(rng.IntN(4))}
	at, err := tx.CreateBucketIfNotExists(name)
	if err != nil {
		return err
	}
	if rng.IntN(2) == 0 {
		if at, err = at.CreateBucketIfNotExists([]byte("nested")); err != nil {
			return err
		}
	}
	grow := round/40%2 == 0 // and shrink, in turns
	at.FillPercent = []float64{0.5, 0.8, 1}[rng.IntN(3)]
	for range rng.IntN(200) {
		key := bytes.Repeat([]byte{'k'}, rng.IntN(60))
		key = binary.BigEndian.AppendUint32(key, rng.Uint32N(3000))
		if grow || rng.IntN(3) == 0 {
			err = at.Put(key, make([]byte, []int{0, 10, 100, 2000, 9000}[rng.IntN(5)]))
		} else {
			c := at.Cursor()
			if k, v := c.Seek(key); k != nil && v != nil {
				err = c.Delete()
			}
		}
		if err != nil {
			return err
		}
	}
	if rng.IntN(30) == 0 {
		return tx.DeleteBucket(name)
	}
	return nil
}

// TestPageWalkRefusesAFreeListThatLies: the next commit would write over a page
// that is in use.
func TestPageWalkRefusesAFreeListThatLies(t *testing.T) {
	dir := t.TempDir()
	must(t, grove(t, dir).Close())
	b := readFile(t, dir, journal)
	meta := 16
	if binary.NativeEndian.Uint64(b[4096+16+48:]) > binary.NativeEndian.Uint64(b[meta+48:]) {
		meta += 4096
	}
	list := int(binary.NativeEndian.Uint64(b[meta+32:])) * 4096
	count := int(binary.NativeEndian.Uint16(b[list+10:]))
	root := binary.NativeEndian.Uint64(b[meta+16:])
	for name, change := range map[string]func(b []byte){
		"names a page in use":    func(b []byte) { binary.NativeEndian.PutUint64(b[list+16:], root) },
		"names a page twice":     func(b []byte) { copy(b[list+16:list+24], b[list+24:list+32]) },
		"names a page too far":   func(b []byte) { binary.NativeEndian.PutUint64(b[list+16:], 1<<40) },
		"is shorter":             func(b []byte) { binary.NativeEndian.PutUint16(b[list+10:], uint16(count-1)) },
		"is longer":              func(b []byte) { binary.NativeEndian.PutUint16(b[list+10:], uint16(count+1)) },
		"is longer than a page":  func(b []byte) { binary.NativeEndian.PutUint16(b[list+10:], 600) },
		"is no free list":        func(b []byte) { binary.NativeEndian.PutUint16(b[list+8:], 2) },
		"is another page's":      func(b []byte) { binary.NativeEndian.PutUint64(b[list:], binary.NativeEndian.Uint64(b[list:])+1) },
		"reaches over the end":   func(b []byte) { binary.NativeEndian.PutUint32(b[list+12:], 1<<20) },
		"counts in a first word": func(b []byte) { binary.NativeEndian.PutUint16(b[list+10:], 0xFFFF) },
	} {
		t.Run(name, func(t *testing.T) {
			if count < 2 {
				t.Fatalf("the free list holds %d pages", count)
			}
			damaged := bytes.Clone(b)
			change(damaged)
			dir := t.TempDir()
			writeFile(t, dir, journal, damaged)
			wantDamage(t, wal.WalkFile(path(dir, journal)), journal, 0, 0)
		})
	}
}

// TestPageWalkRefusesABranchThatLies: bbolt would look in the wrong place, for
// ever, or lose pages with the next commit.
func TestPageWalkRefusesABranchThatLies(t *testing.T) {
	dir := t.TempDir()
	must(t, grove(t, dir).Close())
	b := readFile(t, dir, snapshots)
	at, ne := 0, binary.NativeEndian
	for at = 2 * 4096; ne.Uint16(b[at+8:]) != 1; at += 4096 {
	}
	first, second := b[at+16:], b[at+32:]
	for name, change := range map[string]func(){
		"its first key is another":       func() { ne.PutUint32(first, ne.Uint32(first)+2) },
		"a key is another":               func() { ne.PutUint32(second, ne.Uint32(second)+2) },
		"a key is outside of the page":   func() { ne.PutUint32(second, 5000) },
		"a key is longer than the page":  func() { ne.PutUint32(second[4:], 5000) },
		"it leads to itself":             func() { ne.PutUint64(first[8:], uint64(at/4096)) },
		"it leads to one page twice":     func() { copy(first[8:16], second[8:16]) },
		"it leads out of the file":       func() { ne.PutUint64(first[8:], 1<<50) },
		"it leads to a meta page":        func() { ne.PutUint64(first[8:], 1) },
		"it has no elements":             func() { ne.PutUint16(b[at+10:], 0) },
		"it has fewer elements":          func() { ne.PutUint16(b[at+10:], ne.Uint16(b[at+10:])-1) },
		"it has more elements than fit":  func() { ne.PutUint16(b[at+10:], 60_000) },
		"it claims to be a leaf":         func() { ne.PutUint16(b[at+8:], 2) },
		"it claims to be something else": func() { ne.PutUint16(b[at+8:], 3) },
	} {
		t.Run(name, func(t *testing.T) {
			sound := bytes.Clone(b)
			defer copy(b, sound)
			change()
			dir := t.TempDir()
			writeFile(t, dir, snapshots, b)
			wantDamage(t, wal.WalkFile(path(dir, snapshots)), snapshots, 0, 0)
		})
	}
}
