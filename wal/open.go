package wal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long bbolt waits for its own lock. Without one it waits for
// ever, even for a lock that a panic inside its Open left behind.
const lockTimeout = time.Second

// migrations bring a store of format n to n+1, in one transaction per file, and
// must be harmless to repeat: STORE gets the new format only afterwards. Format 1
// is the first, so there are none.
var migrations = map[int]func(journal, snapshots *bbolt.DB) error{}

func (db *DB) migrate(format int) error {
	if format == FormatVersion {
		return nil
	}
	for ; format < FormatVersion; format++ {
		step := migrations[format]
		if step == nil {
			return fmt.Errorf("%w: format %d, which nothing here migrates", ErrForeign, format)
		}
		if err := step(db.journal, db.snapshots); err != nil {
			return err
		}
	}
	return db.writeSide()
}

// Open opens the store in dir, or creates one if there are no files of a store
// at all (unless Options.MustExist). It verifies how the files fit together, all
// snapshots, and the whole tail of the log from ReplayFrom on. Damage, foreign, older, newer
// and missing files each have their own error, and none of them is repaired.
func Open(dir string, opts Options) (_ *DB, err error) {
	opts = opts.withDefaults()
	if !opts.MustExist {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{
		dir: dir, opts: opts, lock: lock,
		heads: heads{seed: maphash.MakeSeed(), bare: map[uint64]struct{}{}},
	}
	defer func() {
		if err != nil {
			db.abandon()
		}
	}()
	var c contents
	defer c.beside.Wait()
	if err := db.openFiles(&c); err != nil {
		return nil, err
	}
	if err := db.recover(&c); err != nil {
		return nil, err
	}
	if c.beside.Wait(); c.index != nil {
		return nil, c.index
	}
	return db, nil
}

// abandon releases what a failed Open has opened.
func (db *DB) abandon() {
	db.readers.write() // for good
	for _, b := range []*bbolt.DB{db.journal, db.snapshots} {
		if b != nil {
			_ = b.Close()
		}
	}
	_ = db.lock.Close()
}

// openFiles finds out what is there, creates or refuses, and opens both files.
func (db *DB) openFiles(c *contents) error {
	has := func(name string) bool {
		_, err := os.Lstat(filepath.Join(db.dir, name))
		return err == nil
	}
	if has(restoreName) && !db.opts.restoring {
		return fmt.Errorf("%w: %s was begun in %s and did not end; empty the directory and restore again", ErrUnfinished, restoreName, db.dir)
	}
	if !has(sideName) && has(sideNewName) {
		if err := resumeCreation(db.dir); err != nil {
			return err
		}
	}
	if !has(sideName) && !has(journalName) && !has(snapshotName) {
		if db.opts.MustExist {
			return fmt.Errorf("%w: no store in %s", ErrMissing, db.dir)
		}
		if err := create(db.dir, db.opts); err != nil {
			return err
		}
	}
	s, err := readSide(db.dir)
	if err != nil {
		return err
	}
	if !has(journalName) {
		return fmt.Errorf("%w: %s is not there, but %s knows it up to sequence %d; restore a backup", ErrMissing, journalName, sideName, s.LastSeq)
	}
	db.storeID, _ = hex.DecodeString(s.Store)
	if err := removeLeftovers(db.dir); err != nil {
		return err
	}
	hasSnapshots := has(snapshotName)
	if err := db.openBoth(s, hasSnapshots, c); err != nil {
		return err
	}
	if !hasSnapshots {
		if first := db.segments[0].first; first != 1 {
			return fmt.Errorf("%w: %s is not there, and the log before sequence %d has been compacted away; restore a backup", ErrMissing, snapshotName, first)
		}
		if err := db.beginSnapshots(&s); err != nil {
			return err
		}
		if err := db.openSnapshots(s, turn{}, c); err != nil {
			return err
		}
	}
	if c.replayFrom != nil {
		return c.replayFrom
	}
	if s.Format == FormatVersion {
		return nil
	}
	if err := db.migrate(s.Format); err != nil {
		return err
	}
	db.checkIndexBeside(c)
	c.heads = db.loadHeads(c)
	return nil
}

// turn is a file's place in the order in which the disk is read: after before
// is closed, and done tells the next one. Zero is a file that is read alone.
type turn struct {
	before <-chan struct{}
	done   func()
}

// openBoth looks at both files, if both are there. The disk reads one after the
// other, the snapshots first: what there is to be checked of them keeps a
// processor busy for about as long as the disk is with the journal. Damage of
// the journal is told first.
func (db *DB) openBoth(s side, hasSnapshots bool, c *contents) (err error) {
	var beside sync.WaitGroup
	var snapErr error
	var mine turn
	if hasSnapshots {
		read := make(chan struct{})
		mine.before = read
		beside.Go(func() { snapErr = db.openSnapshots(s, turn{done: sync.OnceFunc(func() { close(read) })}, c) })
	}
	db.journal, err = openFile(db.dir, journalName, journalMagic, db.storeID, db.opts, mine)
	if err == nil {
		err = db.loadLog(s)
	}
	if err == nil && s.Format == FormatVersion {
		db.checkIndexBeside(c)
	}
	beside.Wait()
	if err != nil {
		return err
	}
	return snapErr
}

// openSnapshots also reads what a start wants of them, unless they have to be
// migrated first.
func (db *DB) openSnapshots(s side, t turn, c *contents) (err error) {
	if db.snapshots, err = openFile(db.dir, snapshotName, snapshotMagic, db.storeID, db.opts, t); err != nil {
		return err
	}
	if c.replayFrom = db.loadReplayFrom(s); c.replayFrom == nil && s.Format == FormatVersion {
		c.heads = db.loadHeads(c)
	}
	return nil
}

// beginSnapshots makes snapshots.db anew: the log still reaches back to the first
// record, and snapshots are derived. STORE has to know first, or it would take
// the new file for an older copy.
func (db *DB) beginSnapshots(s *side) error {
	s.ReplayFrom = 1
	if err := storeSide(db.dir, *s); err != nil {
		return err
	}
	return createFile(db.dir, snapshotName, func(tx *bbolt.Tx) error { return initSnapshots(tx, db.storeID, 1) })
}

// removeLeftovers deletes what creations, backups and restores under another name
// left when they were cut short. They are never part of a store.
//
// A folder that can't be read stops the start: filepath.Glob would say that
// nothing is there.
func removeLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		backup := strings.HasPrefix(name, "backup-") && strings.HasSuffix(name, ".tmp")
		if !strings.HasSuffix(name, ".new") && !backup {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// openFile looks at the file, reads it in order, and only then lets bbolt map it.
func openFile(dir, name, magic string, storeID []byte, opts Options, t turn) (b *bbolt.DB, err error) {
	path := filepath.Join(dir, name)
	if err := lookBeforeOpen(path, name, opts, t); err != nil {
		return nil, err
	}
	b, err = boltOpen(path, name, &bbolt.Options{
		Timeout:         lockTimeout,
		PageSize:        pageBytes,
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true, // see Close
		InitialMmapSize: opts.MmapBytes,
		NoStatistics:    true,
	})
	if err != nil {
		return nil, err
	}
	if err := checkMeta(b, name, magic, storeID); err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

func boltOpen(path, name string, o *bbolt.Options) (b *bbolt.DB, err error) {
	defer catchFault(&err, name, debug.SetPanicOnFault(true))
	b, err = bbolt.Open(path, 0o600, o)
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, path)
	}
	return b, err
}

func lookBeforeOpen(path, name string, opts Options, t turn) (err error) {
	if t.done != nil {
		defer t.done()
	}
	defer catchFault(&err, name, debug.SetPanicOnFault(true))
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	m, err := inspect(f, name)
	if err != nil {
		return err
	}
	if t.before != nil {
		<-t.before
	}
	if err := prewarm(f, m, opts.PrewarmBytes); err != nil {
		return err
	}
	if t.done != nil {
		t.done()
	}
	return walkPages(f, name, m)
}

// checkMeta compares the file's own identity with the expected one.
func checkMeta(b *bbolt.DB, name, magic string, storeID []byte) (err error) {
	defer catchFault(&err, name, debug.SetPanicOnFault(true))
	return b.View(func(tx *bbolt.Tx) error {
		m := tx.Bucket(bucketMeta)
		if m == nil || m.Get(keyMagic) == nil {
			return fmt.Errorf("%w: %s is a bbolt file, but none of ours", ErrForeign, name)
		}
		got, ok := unseal(keyMagic, m.Get(keyMagic))
		if !ok {
			return corrupt(name, 0, 0, "meta: magic")
		}
		if string(got) != magic {
			return fmt.Errorf("%w: %s is a %q", ErrForeign, name, got)
		}
		format, ok := unseal(keyFormat, m.Get(keyFormat))
		if !ok || len(format) != 4 {
			return corrupt(name, 0, 0, "meta: format")
		}
		if v := binary.BigEndian.Uint32(format); v > FormatVersion {
			return fmt.Errorf("%w: %s has format %d, this program knows %d", ErrNewerFormat, name, v, FormatVersion)
		}
		id, ok := unseal(keyStore, m.Get(keyStore))
		if !ok {
			return corrupt(name, 0, 0, "meta: store id")
		}
		if !bytes.Equal(id, storeID) {
			return fmt.Errorf("%w: %s belongs to store %x, %s says %x", ErrForeign, name, id, sideName, storeID)
		}
		return nil
	})
}
