package wal

import (
	"errors"
	"fmt"
)

// Sentinels, found with errors.Is. The text of an error adds what a person
// needs to act on it.
var (
	// ErrConflict: an expected sequence is not the one in the log. Nothing written.
	ErrConflict = errors.New("wal: conflict")
	// ErrTooLarge: an entry, key or value exceeds its limit. Nothing written.
	ErrTooLarge = errors.New("wal: too large")
	// ErrInvalid: an argument makes no sense. Nothing written.
	ErrInvalid = errors.New("wal: invalid argument")
	// ErrNotFound: no such record in that stream.
	ErrNotFound = errors.New("wal: not found")
	// ErrCompacted: the log no longer reaches back that far.
	ErrCompacted = errors.New("wal: compacted")
	// ErrUnknownOutcome: the transaction may or may not be on the disk. The DB is poisoned.
	ErrUnknownOutcome = errors.New("wal: unknown outcome")
	// ErrPoisoned: an earlier failure left the disk in an unknown state; reopen.
	ErrPoisoned = errors.New("wal: poisoned")
	// ErrClosed: the DB was closed.
	ErrClosed = errors.New("wal: closed")
	// ErrLocked: another process has the store.
	ErrLocked = errors.New("wal: locked by another process")
	// ErrNewerFormat: written by a newer version; not damage.
	ErrNewerFormat = errors.New("wal: newer format")
	// ErrForeign: not one of our files, or one of another store.
	ErrForeign = errors.New("wal: foreign file")
	// ErrMissing: a file of the store is missing.
	ErrMissing = errors.New("wal: missing file")
	// ErrStale: a file is older than another one says.
	ErrStale = errors.New("wal: stale file")
	// ErrCorrupt matches every *CorruptError.
	ErrCorrupt = errors.New("wal: corrupt")
	// ErrNotEmpty: a restore needs an empty directory.
	ErrNotEmpty = errors.New("wal: directory not empty")
	// ErrUnfinished: a restore into the directory was cut short.
	ErrUnfinished = errors.New("wal: unfinished restore")
	// ErrNoSpace: too little room on the disk for what was asked.
	ErrNoSpace = errors.New("wal: no space")
	// ErrUnsupported: this implementation cannot do it.
	ErrUnsupported = errors.New("wal: unsupported")
)

// CorruptError is damage with an address. It matches ErrCorrupt.
type CorruptError struct {
	File    string // "journal.db", "snapshots.db", "STORE" or "backup"
	Segment uint64 // first sequence of the segment, 0 if it is not in one
	Seq     uint64 // sequence of the record, or the first one missing; 0 if unknown
	Detail  string
}

func (e *CorruptError) Error() string {
	switch {
	case e.Segment != 0 || e.Seq != 0:
		return fmt.Sprintf("wal: corrupt: %s: segment %d, sequence %d: %s", e.File, e.Segment, e.Seq, e.Detail)
	default:
		return fmt.Sprintf("wal: corrupt: %s: %s", e.File, e.Detail)
	}
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

func corrupt(file string, segment, seq uint64, format string, args ...any) error {
	return &CorruptError{File: file, Segment: segment, Seq: seq, Detail: fmt.Sprintf(format, args...)}
}
