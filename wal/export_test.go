package wal

import (
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Journal and Snapshots are the files under a DB, for tests that come between.
func (db *DB) Journal() *bbolt.DB { return db.journal }

func (db *DB) Snapshots() *bbolt.DB {
	db.readers.write() // whatever the test does there: nobody reads what was before
	return db.snapshots
}

// NoSync spares a test the flushes that it does not depend on.
func (db *DB) NoSync() { db.journal.NoSync, db.snapshots.NoSync = true, true }

// Abandon ends without a clean stop.
func (db *DB) Abandon() { db.abandon() }

// The sums that a test has to make good again to damage what lies behind them.
var (
	ChunkSum = chunkSum
	Seal     = seal
)

// WalkFile looks at a bbolt file as Open does before bbolt.
func WalkFile(path string) error { return lookBeforeOpen(path, filepath.Base(path), Options{}, turn{}) }

// DecodeSide is for fuzzing.
func DecodeSide(b []byte) error {
	_, err := decodeSide(b)
	return err
}

// ReadChunk decodes a value, and says how many records it holds.
func ReadChunk(key uint64, v []byte) (n int, detail string) {
	var c chunkReader
	var r rawRecord
	if !c.open(key, v) {
		return 0, c.detail
	}
	for c.next(&r) {
		n++
	}
	return n, c.detail
}
