package waltest_test

import (
	"io"
	"testing"

	"carillon/wal"
	"carillon/wal/waltest"
)

// memStore is a place in memory: the log that was opened last is its disk.
type memStore struct{ last *waltest.Mem }

var memOptions = waltest.MemOptions{SegmentRecords: waltest.SegmentRecords}

func (s *memStore) Open(testing.TB) wal.Log {
	if s.last == nil {
		s.last = waltest.NewMem(memOptions)
	} else {
		s.last = s.last.CrashClone()
	}
	return s.last
}

func (s *memStore) Restore(tb testing.TB, backup io.Reader) waltest.Store {
	tb.Helper()
	m, err := waltest.RestoreMem(backup, memOptions)
	if err != nil {
		tb.Fatal(err)
	}
	return &memStore{last: m}
}

func TestMemKeepsTheContract(t *testing.T) {
	waltest.Run(t, func(testing.TB) waltest.Store { return &memStore{} })
}
