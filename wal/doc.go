// Package wal is the write-ahead log: it makes batches of records durable, in
// one dense order, and gives them back after a crash. It knows bytes only.
//
// A record belongs to a stream (one user) and names the position of the record
// of the same stream before it; a batch that names a stale position is refused
// as a whole. Index keys change in the transaction of the records that change
// them. Snapshots live beside the log in a second file, so that their rounds
// never stall a commit. What is on the disk is drawn in FORMAT.md.
//
// # Obligations
//
// Append returns nil only after the flush: until then nothing that rests on the
// batch may leave the process. An error that is ErrUnknownOutcome says neither
// yes nor no (bbolt can report an error for a transaction that is on the disk);
// the DB is then poisoned, every later call fails with ErrPoisoned, and the
// only way on is to end the process, open again and let callers repeat.
// Nothing is ever retried here.
//
// # Damage
//
// Open reads every page of both files before bbolt does, since bbolt answers some
// damage with a panic in a goroutine of its own, which nobody can recover, with an
// endless descent, or with silence: both meta pages, the order of keys, where
// pages lead, and the free list (0.4 s for a GiB that is in memory). bbolt has
// checksums in its meta pages only, so every value here carries its own, and
// what could be gone without a trace is counted: the end of the log, the index,
// the snapshots. Open verifies the log from ReplayFrom on; the history below, and
// the data of snapshots, are checked when they are read, and by Verify.
//
// Reads run with faults turned into errors. All damage becomes a *CorruptError with
// an address. What remains: a page that rots between that look and its use by
// bbolt, in a commit or while a failed one is undone, may end the process with a
// panic; that is fail-stop too.
//
// # Privacy
//
// Redact takes the payloads of a person out of the log, but pages that bbolt has
// freed keep their old bytes until they are used again. A Backup holds live
// values only: restoring one gives files without any remains.
package wal
