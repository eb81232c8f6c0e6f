package wal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"go.etcd.io/bbolt"

	"carillon/wal"
)

// FuzzReadValue: a value of the log is read whole or is damage, whatever it holds.
// The checksum is made right, so that the reader behind it is reached.
func FuzzReadValue(f *testing.F) {
	db := open(f, sample(f, "x"))
	_, err := db.Redact("ann", 9)
	must(f, err)
	must(f, db.Journal().View(func(tx *bbolt.Tx) error {
		for _, seq := range []uint64{9, 10} {
			f.Add(seq, bytes.Clone(tx.Bucket(segment(9)).Get(be64(seq))))
		}
		return nil
	}))
	must(f, db.Close())
	f.Add(uint64(1), []byte{})
	f.Add(uint64(1), []byte("0123\x00\x01before"))
	f.Add(uint64(1<<63), bytes.Repeat([]byte{0xff}, 60))
	f.Fuzz(func(t *testing.T, seq uint64, v []byte) {
		_, detail := wal.ReadChunk(seq, v)
		if len(v) < 10 {
			if detail == "" {
				t.Fatal("a short value was read")
			}
			return
		}
		v = bytes.Clone(v)
		binary.BigEndian.PutUint32(v, wal.ChunkSum(seq, v))
		n, detail := wal.ReadChunk(seq, v)
		if count := int(binary.BigEndian.Uint16(v[4:])); detail == "" && n != count {
			t.Fatalf("%d records of %d were read", n, count)
		}
	})
}

// FuzzStoreFile: STORE is understood, damaged or newer, and nothing else.
func FuzzStoreFile(f *testing.F) {
	f.Add(readFile(f, sample(f, "x"), store))
	f.Add([]byte{})
	f.Add(sealStore([]byte(`{"format":1}`)))
	f.Add(sealStore([]byte(`{"format":9,"store":"30313233343536373839616263646566"}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, try := range [][]byte{b, sealStore(b)} {
			err := wal.DecodeSide(try)
			if err != nil && !errors.Is(err, wal.ErrCorrupt) && !errors.Is(err, wal.ErrNewerFormat) {
				t.Fatalf("%q: %v", try, err)
			}
		}
	})
}

// FuzzRestoreStream: bytes that are no backup leave nothing behind.
func FuzzRestoreStream(f *testing.F) {
	b := sampleBackup(f)
	f.Add(b)
	f.Add(b[:len(b)-20])
	f.Add([]byte("CRLWALB1H\xff\xff\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) { restoreOrNothing(t, b) })
}

// FuzzRestoreFrame puts a frame with a right checksum into a sound backup.
func FuzzRestoreFrame(f *testing.F) {
	sound := parseFrames(sampleBackup(f))
	for _, fr := range sound {
		f.Add(fr.kind, fr.payload, uint(1))
	}
	f.Add(byte('B'), []byte("J\x00\x04meta\x00\x05magic"), uint(len(sound)-1)) // a bucket where a value is
	f.Add(byte('B'), []byte("J\x00\x00"), uint(2))
	f.Add(byte('B'), []byte("X\x00\x01x"), uint(2))
	f.Add(byte('K'), []byte("\x00\x00"), uint(3)) // an empty key
	f.Add(byte('K'), []byte("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), uint(3))
	f.Fuzz(func(t *testing.T, kind byte, payload []byte, at uint) {
		i := int(at % uint(len(sound)+1))
		all := append(append(append([]frame(nil), sound[:i]...), frame{kind, payload}), sound[i:]...)
		restoreOrNothing(t, frames(all...))
	})
}

func restoreOrNothing(t *testing.T, b []byte) {
	t.Helper()
	dir := t.TempDir()
	if err := wal.Restore(bytes.NewReader(b), dir); err != nil {
		if left, readErr := os.ReadDir(dir); readErr != nil || len(left) != 0 {
			t.Fatalf("after %v, %d files are left", err, len(left))
		}
		return
	}
	db := open(t, dir)
	if _, err := db.Verify(nil); err != nil {
		t.Fatal(err)
	}
	db.Abandon()
}
