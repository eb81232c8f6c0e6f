package wal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// DB is the log on a disk. See Log for the contract.
type DB struct {
	dir  string
	opts Options
	lock *os.File

	journal, snapshots *bbolt.DB
	storeID            []byte

	closed atomic.Bool
	low    atomic.Bool
	poison atomic.Pointer[error]

	// wmu is held by whoever changes journal.db, over the flush.
	wmu   sync.Mutex
	enc   encoder
	heads heads

	// smu guards what readers see of the log: published only after a flush.
	smu      sync.RWMutex
	segments []segment // oldest first, never empty
	logBytes int64

	next                    atomic.Uint64
	commits, records, bytes atomic.Uint64

	// snapMu is held by whoever changes snapshots.db. Taken before wmu.
	snapMu     sync.Mutex
	snapBuf    []byte
	replayFrom atomic.Uint64
	readers    readers // of snapshots.db

	sideMu   sync.Mutex
	restored Restored // guarded by sideMu
	pending  bool     // guarded by sideMu
}

var _ Log = (*DB)(nil)

// NextSeq implements Log.
func (db *DB) NextSeq() uint64 { return db.next.Load() }

// ReplayFrom implements Log.
func (db *DB) ReplayFrom() uint64 { return db.replayFrom.Load() }

// Head implements Log. It does not wait for an append in flight.
func (db *DB) Head(stream string) uint64 {
	return db.heads.flushed(stream, db.next.Load())
}

// usable is asked before everything.
func (db *DB) usable() error {
	if p := db.poison.Load(); p != nil {
		return fmt.Errorf("%w by: %w", ErrPoisoned, *p)
	}
	if db.closed.Load() {
		return ErrClosed
	}
	return nil
}

// view reads in a transaction that fn must keep short: freed pages wait for it.
func (db *DB) view(b *bbolt.DB, file string, fn func(tx *bbolt.Tx) error) (err error) {
	if err := db.usable(); err != nil {
		return err
	}
	defer catchFault(&err, file, debug.SetPanicOnFault(true))
	return closedError(b.View(fn))
}

// commit changes a file in one transaction. Whatever goes wrong from here on
// leaves the disk in a state nobody knows, so it poisons: callers check what can
// be checked before.
func (db *DB) commit(b *bbolt.DB, file string, fn func(tx *bbolt.Tx) error) error {
	if b == db.snapshots {
		defer db.readers.write()()
	}
	err := func() (err error) {
		defer catchFault(&err, file, debug.SetPanicOnFault(true))
		return b.Update(fn)
	}()
	if err == nil {
		return nil
	}
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	err = fmt.Errorf("%w: commit of %s: %w", ErrUnknownOutcome, file, err)
	db.poison.CompareAndSwap(nil, &err)
	return err
}

// catchFault is deferred around everything that reads mapped pages: damage there
// shows as a fault or as a panic of bbolt, and must become a diagnosis.
func catchFault(perr *error, file string, old bool) {
	debug.SetPanicOnFault(old)
	if p := recover(); p != nil {
		*perr = corrupt(file, 0, 0, "reading pages: %v", p)
	}
}

func closedError(err error) error {
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Stats implements Log.
func (db *DB) Stats() Stats {
	s := Stats{StoreID: hex.EncodeToString(db.storeID), ReplayFrom: db.ReplayFrom()}
	db.smu.RLock()
	s.FirstSeq = db.segments[0].first
	newest := &db.segments[len(db.segments)-1]
	s.LastSeq, s.Chain = newest.last, newest.chain
	s.Segments, s.LogBytes = len(db.segments), db.logBytes
	db.smu.RUnlock()
	s.JournalBytes = fileBytes(filepath.Join(db.dir, journalName))
	s.SnapshotBytes = fileBytes(filepath.Join(db.dir, snapshotName))
	s.Streams = db.heads.len()
	s.Commits, s.Records, s.Bytes = db.commits.Load(), db.records.Load(), db.bytes.Load()
	db.sideMu.Lock()
	s.Restored, s.Pending = db.restored, db.pending
	db.sideMu.Unlock()
	return s
}

func fileBytes(path string) int64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return fi.Size()
}

// Close implements Log. A clean stop also writes the free list, which a running
// store never does (it would be rewritten whole by every commit), so that bbolt
// need not look for it at the next Open.
func (db *DB) Close() error {
	if db.closed.Swap(true) {
		return ErrClosed
	}
	db.snapMu.Lock()
	defer db.snapMu.Unlock()
	db.wmu.Lock()
	defer db.wmu.Unlock()
	var errs []error
	if db.poison.Load() == nil {
		errs = append(errs, db.writeFreelist(db.journal, journalName), db.writeFreelist(db.snapshots, snapshotName))
	}
	db.readers.write() // for good
	errs = append(errs, db.journal.Close(), db.snapshots.Close())
	if db.poison.Load() == nil && errors.Join(errs...) == nil {
		errs = append(errs, db.writeSide())
	}
	return errors.Join(append(errs, db.lock.Close())...)
}

func (db *DB) writeFreelist(b *bbolt.DB, file string) error {
	b.NoFreelistSync = false
	return db.commit(b, file, func(*bbolt.Tx) error { return nil })
}
