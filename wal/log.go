package wal

import "io"

// Limits of what a caller may append.
const (
	MaxStreamBytes = 255       // of Entry.Stream
	MaxDataBytes   = 1 << 20   // of Entry.Data
	MaxKeyBytes    = 1 << 10   // of IndexOp.Key
	MaxValueBytes  = 64 << 10  // of IndexOp.Value
	MaxSpaceBytes  = 64        // of IndexOp.Space
	MaxSnapBytes   = 256 << 20 // of Snapshot.Data
)

// Entry is what a caller appends.
type Entry struct {
	// Stream is the user id, 1 to MaxStreamBytes bytes.
	Stream string
	// Prev is the last sequence of the stream that the caller knows, 0 for none.
	// Another one in the log means that the decision rests on stale state.
	Prev uint64
	// Kind and Version belong to the caller: what Data is, and in which layout.
	Kind, Version uint8
	// At is the caller's time in Unix milliseconds; Compact drops by it.
	At int64
	// Wake (Unix milliseconds) is when the stream has work next, as of this record;
	// 0 says nothing. Like that of a snapshot it lies before the data, so that a
	// start arms its timers without decoding the log.
	Wake int64
	// Data is the payload, at most MaxDataBytes. It is copied.
	Data []byte
	// Index is changed in the same transaction, in order.
	Index []IndexOp
}

// IndexOp changes one index key. A nil Value deletes the key.
type IndexOp struct {
	Space string // "phone", "key", …: key spaces do not overlap
	Key   []byte
	Value []byte
}

// Record is an entry with its place in the log.
type Record struct {
	Seq           uint64
	Stream        string
	Prev          uint64 // sequence of the stream's record before this one, 0 for none
	Kind, Version uint8
	At            int64  // Unix milliseconds
	Wake          int64  // of the entry; 0 if Redacted
	Data          []byte // borrowed: valid until the callback returns; nil if Redacted
	Redacted      bool   // the payload was erased, the chain goes on
}

// Snapshot is the state of a stream at Seq. Wake (Unix milliseconds) is in the
// header, so that a start arms its timers without reading Data.
type Snapshot struct {
	Stream string
	Seq    uint64
	Wake   int64
	Data   []byte
}

// CompactOptions says what may go. A segment is dropped only if it lies wholly
// below ReplayFrom and is not the newest.
type CompactOptions struct {
	// KeepFrom drops segments whose records are all older, in Unix milliseconds.
	// Zero keeps them.
	KeepFrom int64
	// MaxLogBytes drops the oldest segments until the rest is no larger. Zero: no limit.
	MaxLogBytes int64
	// MaxSegments bounds the work of one call. Zero: no limit.
	MaxSegments int
}

// CompactResult is what Compact dropped. Bytes are those of values, which is
// what becomes free inside the file; the file itself does not shrink.
type CompactResult struct {
	Segments int
	Records  uint64
	Bytes    int64
}

// VerifyReport is what Verify read, all of it sound.
type VerifyReport struct {
	Segments, Records, Redacted, Streams uint64
	IndexKeys, Snapshots                 uint64
	FirstSeq, LastSeq                    uint64
	Chain                                uint32 // of the record LastSeq
}

// Restored says that the store came out of a backup: whatever was due since
// Seq was appended may have happened without leaving a record.
type Restored struct {
	Epoch uint64 // grows by one with every restore
	Seq   uint64 // last sequence of the backup
}

// Stats is a picture of the store.
type Stats struct {
	StoreID                       string
	FirstSeq, LastSeq, ReplayFrom uint64
	Chain                         uint32 // of the record LastSeq
	Segments                      int
	LogBytes                      int64 // of values in all segments
	JournalBytes, SnapshotBytes   int64 // of the files
	Streams                       int   // whose last sequence is known
	Commits, Records, Bytes       uint64
	Restored                      Restored
	Pending                       bool // Restored has not been acknowledged
}

// Log is the contract; *DB keeps it on a disk, waltest.Mem in memory, and
// waltest.Run holds both to it. Appends come from one goroutine at a time
// (others wait); every other method may be called at any time from any
// goroutine, also from callbacks, which never run inside a transaction.
type Log interface {
	// Append writes the batch in one transaction and returns after the flush. The
	// records get the sequences first, first+1, … in the order of the batch; the
	// Prev of a later entry may be the sequence that an earlier one is about to
	// get (NextSeq plus its place in the batch). A Prev below ReplayFrom, of a
	// stream that was forgotten since the caller asked for its head, is taken for 0
	// and set to it. ErrConflict, ErrTooLarge and
	// ErrInvalid mean that nothing was written; ErrUnknownOutcome means what it says.
	Append(batch []Entry) (first uint64, err error)
	// NextSeq is the sequence of the next record; the first ever is 1.
	NextSeq() uint64
	// Head is the last sequence of a stream, 0 for none. A stream without a
	// snapshot is forgotten when ReplayFrom passes its last record: the log
	// below is history only, and the stream may begin again with Prev 0.
	Head(stream string) uint64
	// Replay calls fn for every record from sequence from on, in order, until the
	// end or an error of fn, which it returns. From 0 is the oldest record kept; a
	// sequence below that one is ErrCompacted. Records appended meanwhile may be
	// included. Data is borrowed.
	Replay(from uint64, fn func(Record) error) error
	// History walks one stream back from its record at sequence last through Prev,
	// newest first, until fn says no more, the stream begins, or the log no longer
	// reaches back. ErrNotFound: last is no record of that stream; ErrCompacted: it is
	// older than the log; 0 is no record, and no error. Data is borrowed.
	History(stream string, last uint64, fn func(Record) (more bool, err error)) error
	// PutSnapshots stores states, replacing older ones, in bounded transactions in
	// key order; an error may leave a part written. ErrConflict: a snapshot is not
	// at a record of its stream, or behind a record that replay no longer gives.
	PutSnapshots(batch []Snapshot) error
	// DeleteSnapshot forgets the state of a stream; no snapshot is no error.
	DeleteSnapshot(stream string) error
	// Snapshot returns a copy.
	Snapshot(stream string) (Snapshot, bool, error)
	// SnapshotHeaders calls fn for every snapshot in key order with Data nil.
	SnapshotHeaders(fn func(Snapshot) error) error
	// IndexGet returns a copy of the value.
	IndexGet(space string, key []byte) ([]byte, bool, error)
	// IndexScan calls fn for at most limit keys greater than after, in order (0: all).
	// Key and value are borrowed.
	IndexScan(space string, after []byte, limit int, fn func(key, value []byte) error) error
	// ReplayFrom is the first sequence that the snapshots do not cover: a start
	// reads the snapshots and replays from there.
	ReplayFrom() uint64
	// SetReplayFrom is called after a round of snapshots: every record below seq is
	// in the snapshot of its stream, or its stream is gone. It never moves back
	// nor past NextSeq (ErrConflict).
	SetReplayFrom(seq uint64) error
	// Compact drops whole old segments, one transaction each.
	Compact(opts CompactOptions) (CompactResult, error)
	// Redact blanks the payload of the stream's records from last back and returns
	// how many it blanked. The chain stays verifiable. Repeating it is harmless.
	Redact(stream string, last uint64) (int, error)
	// Verify reads everything: checksums, chain, dense sequences, links, index,
	// snapshots. progress may be nil; it gets the records done and to do. It may run
	// beside appends; ErrCompacted means that Compact has overtaken it.
	Verify(progress func(done, total uint64)) (VerifyReport, error)
	// Backup writes a consistent picture of the whole store as one stream.
	Backup(w io.Writer) (int64, error)
	// Restored says whether the store came out of a backup and nobody has called
	// AckRestored since.
	Restored() (Restored, bool)
	// AckRestored is called when everything in doubt since the backup has been
	// recorded as such.
	AckRestored() error
	Stats() Stats
	// Close notes a clean stop. Later calls fail with ErrClosed.
	Close() error
}
