package wal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"testing"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

// damage is one way in which a store of sample is broken, and where it must show.
type damage struct {
	name         string
	file         string
	do           func(tx *bbolt.Tx) error
	verify       bool // below ReplayFrom: Open does not read it, Verify does
	segment, seq uint64
}

// value changes the value of key seq in a segment.
func value(in, seq uint64, change func(v []byte) []byte) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b := tx.Bucket(segment(in))
		return b.Put(be64(seq), change(append([]byte(nil), b.Get(be64(seq))...)))
	}
}

// resum makes the checksum of a changed value right again, so that what is behind
// it has to find the damage.
func resum(seq uint64, change func(v []byte) []byte) func(v []byte) []byte {
	return func(v []byte) []byte {
		v = change(v)
		binary.BigEndian.PutUint32(v, wal.ChunkSum(seq, v))
		return v
	}
}

func without(in, seq uint64) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return tx.Bucket(segment(in)).Delete(be64(seq)) }
}

func cut(n int) func(v []byte) []byte { return func(v []byte) []byte { return v[:len(v)-n] } }

func set(at int, b byte) func(v []byte) []byte {
	return func(v []byte) []byte { v[at] = b; return v }
}

var logDamage = []damage{
	{name: "torn tail", do: value(9, 10, cut(1)), segment: 9, seq: 10},
	{name: "torn tail under a right checksum", do: value(9, 10, resum(10, cut(1))), segment: 9, seq: 10},
	{name: "empty tail", do: value(9, 10, func([]byte) []byte { return nil }), segment: 9, seq: 10},
	{name: "lost tail", do: without(9, 10), segment: 9, seq: 10},
	{name: "lost head of the tail", do: without(9, 9), segment: 9, seq: 9},
	{name: "value behind the end", do: func(tx *bbolt.Tx) error {
		b := tx.Bucket(segment(9))
		return b.Put(be64(11), resum(11, set(0, 0))(append([]byte(nil), b.Get(be64(10))...)))
	}, segment: 9, seq: 11},
	{name: "flipped byte in a payload", do: value(9, 9, flipped), segment: 9, seq: 9},
	{name: "flipped byte in a payload under a right checksum", do: value(9, 9, resum(9, flipped)), segment: 9, seq: 9},
	{name: "flipped byte in the header of a value", do: value(9, 9, set(5, 9)), segment: 9, seq: 9},
	{name: "a value of more records than it holds", do: value(9, 9, resum(9, set(5, 2))), segment: 9, seq: 10},
	{name: "a value of no records", do: value(9, 9, resum(9, set(5, 0))), segment: 9, seq: 9},
	{name: "a value with another chain before it", do: value(9, 9, resum(9, set(6, 1))), segment: 9, seq: 9},
	{name: "a record that claims a redaction", do: value(9, 10, resum(10, set(10, 1))), segment: 9, seq: 10},
	{name: "a record with a flag that nobody knows", do: value(9, 10, resum(10, set(10, 2))), segment: 9, seq: 10},
	{name: "values swapped", do: func(tx *bbolt.Tx) error {
		b := tx.Bucket(segment(9))
		nine, ten := append([]byte(nil), b.Get(be64(9))...), append([]byte(nil), b.Get(be64(10))...)
		return errors.Join(b.Put(be64(9), ten), b.Put(be64(10), nine))
	}, segment: 9, seq: 9},
	{name: "foreign key in a segment", do: func(tx *bbolt.Tx) error {
		return tx.Bucket(segment(9)).Put([]byte("\x01alien"), nil)
	}, segment: 9},
	{name: "header of a segment", do: value(5, 0, flipped), segment: 5},
	{name: "header of a segment is missing", do: without(5, 0), segment: 5},
	{name: "header of the newest segment", do: value(9, 0, flipped), segment: 9},
	{name: "footer of a segment", do: value(5, 1<<64-1, flipped), segment: 5},
	{name: "footer of a segment is missing", do: without(5, 1<<64-1), segment: 5},
	{name: "oldest segment is missing", do: lose(1), segment: 1, seq: 1},
	{name: "middle segment is missing", do: lose(5), segment: 5, seq: 5},
	{name: "newest segment is missing", do: lose(9), segment: 9, seq: 9},
	{name: "lost value in an old segment", do: without(5, 6), verify: true, segment: 5, seq: 6},
	{name: "lost last value of an old segment", do: without(5, 8), verify: true, segment: 9, seq: 8},
	{name: "flipped byte in an old segment", do: value(5, 6, flipped), verify: true, segment: 5, seq: 6},
	{name: "flipped byte in an old segment under a right checksum", do: value(5, 6, resum(6, flipped)), verify: true, segment: 5, seq: 6},
	{name: "the oldest value with another chain before it", do: value(1, 1, resum(1, set(6, 1))), verify: true, segment: 1, seq: 1},
}

func lose(in uint64) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return tx.DeleteBucket(segment(in)) }
}

var stateDamage = []damage{
	{name: "index: flipped byte", do: nested("index", "phone", "+1", flipped)},
	{name: "index: lost key", do: nested("index", "phone", "+1", nil)},
	{name: "index: older value", do: func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("index")).Bucket([]byte("phone")).Put([]byte("+1"), wal.Seal([]byte("+1"), []byte("old")))
	}},
	{name: "index: key of another space", do: func(tx *bbolt.Tx) error {
		phone := tx.Bucket([]byte("index")).Bucket([]byte("phone"))
		v := append([]byte(nil), phone.Get([]byte("+1"))...)
		return errors.Join(phone.Delete([]byte("+1")), tx.Bucket([]byte("index")).Bucket([]byte("key")).Put([]byte("+1"), v))
	}},
	{name: "index: missing", do: func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("index")) }},
	{name: "index: lost space", do: func(tx *bbolt.Tx) error { return tx.Bucket([]byte("index")).DeleteBucket([]byte("key")) }},
	{name: "meta: oldest", do: top("meta", "oldest", flipped)},
	{name: "meta: end", do: top("meta", "end", flipped)},
	{name: "meta: end is missing", do: top("meta", "end", nil)},
	{name: "meta: tally of the index", do: top("meta", "index_tally", flipped)},
	{name: "meta: store id", do: top("meta", "store", flipped)},
	{name: "meta: magic", do: top("meta", "magic", flipped)},
	{name: "meta: format", do: top("meta", "format", flipped)},
	{name: "snapshots: header", file: snapshots, do: top("snap", "ann", func(v []byte) []byte { return flippedAt(v, 5) })},
	{name: "snapshots: lost", file: snapshots, do: top("snap", "ann", nil)},
	{name: "snapshots: of another stream", file: snapshots, do: func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("snap"))
		return b.Put([]byte("ann"), append([]byte(nil), b.Get([]byte("bob"))...))
	}},
	{name: "snapshots: missing", file: snapshots, do: func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("snap")) }},
	{name: "snapshots: cut short", file: snapshots, do: top("snap", "ann", func(v []byte) []byte { return v[:20] })},
	{name: "snapshots: meta: replay_from", file: snapshots, do: top("meta", "replay_from", flipped)},
	{name: "snapshots: meta: tally", file: snapshots, do: top("meta", "snap_tally", flipped)},
	{name: "snapshots: data", file: snapshots, do: top("snap", "ann", flipped), seq: 7},
}

// top changes a value of a bucket at the top, or deletes it.
func top(bucket, k string, change func(v []byte) []byte) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return changeIn(tx.Bucket([]byte(bucket)), k, change) }
}

func nested(bucket, space, k string, change func(v []byte) []byte) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		return changeIn(tx.Bucket([]byte(bucket)).Bucket([]byte(space)), k, change)
	}
}

func changeIn(b *bbolt.Bucket, k string, change func(v []byte) []byte) error {
	if change == nil {
		return b.Delete([]byte(k))
	}
	return b.Put([]byte(k), change(append([]byte(nil), b.Get([]byte(k))...)))
}

// TestDamageHasAnAddress is W7: damage stops the start with segment and sequence,
// and nothing is repaired.
func TestDamageHasAnAddress(t *testing.T) {
	for _, d := range append(logDamage, stateDamage...) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			if d.file == "" {
				d.file = journal
			}
			dir := sample(t, "x")
			edit(t, dir, d.file, d.do)
			before := files(t, dir)
			err := openVerify(t, dir, d.verify)
			wantDamage(t, err, d.file, d.segment, d.seq)
			if !d.verify && !maps.Equal(before, files(t, dir)) {
				t.Error("a refused start has changed a file")
			}
			wantDamage(t, openVerify(t, dir, d.verify), d.file, d.segment, d.seq)
		})
	}
}

// openVerify opens a store, and verifies it if the damage is not for Open to find.
func openVerify(t *testing.T, dir string, verify bool) error {
	t.Helper()
	db, err := wal.Open(dir, small())
	if err != nil {
		if verify {
			t.Fatalf("open, which should not read that far: %v", err)
		}
		return err
	}
	defer func() { must(t, db.Close()) }()
	if !verify {
		t.Fatal("open has not noticed")
	}
	_, err = db.Verify(nil)
	return err
}

// TestAValueOfAnotherHistoryIsDamage: it is sound in itself, and even of a store of
// the same id. Only the chain shows it.
func TestAValueOfAnotherHistoryIsDamage(t *testing.T) {
	other := sample(t, "y")
	for seq, d := range map[uint64]damage{
		1: {segment: 1, verify: true}, // the second value shows that the first is another's
		6: {segment: 5, verify: true}, 8: {segment: 5, verify: true}, 9: {segment: 9}, 10: {segment: 9},
	} {
		dir := sample(t, "x")
		var v []byte
		edit(t, other, journal, func(tx *bbolt.Tx) error {
			v = append(v, tx.Bucket(segment(d.segment)).Get(be64(seq))...)
			return nil
		})
		edit(t, dir, journal, value(d.segment, seq, func([]byte) []byte { return v }))
		if seq == 1 {
			seq = 2
		}
		wantDamage(t, openVerify(t, dir, d.verify), journal, d.segment, seq)
	}
}

// flipUnder changes a value in a file that a store has open: a disk may do so at
// any time.
func flipUnder(t *testing.T, dir, file, value string) {
	t.Helper()
	b := readFile(t, dir, file)
	f, err := os.OpenFile(path(dir, file), os.O_WRONLY, 0)
	must(t, err)
	found := false
	for off := range b {
		if bytes.HasPrefix(b[off:], []byte(value)) {
			_, err := f.WriteAt([]byte{b[off] ^ 1}, int64(off))
			must(t, err)
			found = true
		}
	}
	must(t, f.Close())
	if !found {
		t.Fatalf("%s does not hold %q", file, value)
	}
}

func TestReadingDamagedHistoryIsAnError(t *testing.T) {
	dir := sample(t, "x")
	edit(t, dir, journal, value(5, 6, flipped))
	db := open(t, dir)
	flipUnder(t, dir, snapshots, "xann@7")
	none := func(wal.Record) (bool, error) { return true, nil }
	wantDamage(t, db.History("bob", 10, none), journal, 5, 6)
	wantDamage(t, db.Replay(0, func(wal.Record) error { return nil }), journal, 5, 6)
	_, _, err := db.Snapshot("ann")
	wantDamage(t, err, snapshots, 0, 7)
	must(t, db.History("ann", 9, none)) // does not read that value
	must(t, db.Close())
}
