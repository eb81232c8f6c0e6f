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
// Open looks at the file itself before bbolt does, since bbolt answers some
// damage with a panic in a goroutine of its own, which nobody can recover: the
// meta pages and the file size always, every page when the free list has to be
// rebuilt (that is, when the last stop was not clean). Reads run with faults
// turned into errors. All of it becomes a *CorruptError with an address. What
// remains: a page that rots between that look and bbolt's walk, and a panic
// while bbolt undoes a failed commit, end the process; both are fail-stop.
// bbolt has no page checksums, so every value here carries its own.
//
// # Privacy
//
// Redact takes the payloads of a person out of the log, but pages that bbolt has
// freed keep their old bytes until they are used again. A Backup holds live
// values only: restoring one gives files without any remains.
package wal
