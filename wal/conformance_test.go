package wal_test

import (
	"io"
	"testing"

	"carillon/wal"
	"carillon/wal/waltest"
)

// dirStore is a place on the disk.
type dirStore struct {
	dir  string
	opts wal.Options
}

func (s *dirStore) Open(tb testing.TB) wal.Log {
	tb.Helper()
	db, err := wal.Open(s.dir, s.opts)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	return db
}

func (s *dirStore) Restore(tb testing.TB, backup io.Reader) waltest.Store {
	tb.Helper()
	other := &dirStore{tb.TempDir(), s.opts}
	if err := wal.Restore(backup, other.dir); err != nil {
		tb.Fatalf("restore: %v", err)
	}
	return other
}

func TestDBKeepsTheContract(t *testing.T) {
	waltest.Run(t, func(tb testing.TB) waltest.Store {
		tb.Helper()
		return &dirStore{tb.TempDir(), wal.Options{SegmentRecords: waltest.SegmentRecords}}
	})
}
