package wal

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

const (
	prewarmReaders = 8
	prewarmPiece   = 256 << 10 // what a processor's cache holds: larger ones were copied twice as slowly
)

// prewarm reads the file in order into the page cache, at most limit bytes. One
// reader at a time has a disk wait between its requests; several in step got two
// to three times as much from it.
func prewarm(f *os.File, m boltMeta, limit int64) error {
	end := min(int64(m.high)*pageBytes, limit)
	var next atomic.Int64
	var readers sync.WaitGroup
	var errs [prewarmReaders]error
	for i := range min(prewarmReaders, (end+prewarmPiece-1)/prewarmPiece) {
		readers.Go(func() { errs[i] = prewarmPieces(f, &next, end) })
	}
	readers.Wait()
	return errors.Join(errs[:]...)
}

func prewarmPieces(f *os.File, next *atomic.Int64, end int64) error {
	buf := make([]byte, prewarmPiece)
	for {
		off := next.Add(prewarmPiece) - prewarmPiece
		if off >= end {
			return nil
		}
		if _, err := f.ReadAt(buf[:min(prewarmPiece, end-off)], off); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
}
