package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"carillon/wal"
	"carillon/wal/waltest"
)

// memStore keeps the log in memory.
type memStore struct{ opts waltest.MemOptions }

func (s *memStore) open() (wal.Log, error) { return waltest.NewMem(s.opts), nil }

func (s *memStore) crash(log wal.Log) (wal.Log, error) {
	m, ok := log.(*waltest.Mem)
	if !ok {
		return nil, errors.New("sim: not a log in memory")
	}
	return m.CrashClone(), nil
}

// backup implements store: copies share the records, which are never changed.
func (s *memStore) backup(log wal.Log) (restore, error) {
	m, ok := log.(*waltest.Mem)
	if !ok {
		return nil, errors.New("sim: not a log in memory")
	}
	kept, err := m.RestoredCopy(s.opts)
	return func() (wal.Log, error) { return kept, nil }, err
}

func (s *memStore) close() error { return nil }

// boltStore keeps it in real files. A crash leaves a copy of them as they are
// on the disk at that instant; the log that a dead process held is not closed
// in order.
type boltStore struct {
	parent string
	lives  int
	dir    string
	log    *wal.DB
}

func (s *boltStore) open() (wal.Log, error) {
	s.dir = s.next()
	return s.openDir()
}

func (s *boltStore) next() string {
	s.lives++
	return filepath.Join(s.parent, fmt.Sprintf("life-%06d", s.lives))
}

func (s *boltStore) openDir() (wal.Log, error) {
	log, err := wal.Open(s.dir, wal.Options{})
	s.log = log
	return log, err
}

func (s *boltStore) crash(wal.Log) (wal.Log, error) {
	before, dir := s.dir, s.next()
	if err := copyStore(before, dir); err != nil {
		return nil, err
	}
	if err := errors.Join(s.log.Close(), os.RemoveAll(before)); err != nil {
		return nil, err
	}
	s.dir = dir
	return s.openDir()
}

func (s *boltStore) backup(log wal.Log) (restore, error) {
	var buf bytes.Buffer
	_, err := log.Backup(&buf)
	return func() (wal.Log, error) {
		if err := s.close(); err != nil {
			return nil, err
		}
		s.dir = s.next()
		if err := wal.Restore(&buf, s.dir); err != nil {
			return nil, err
		}
		return s.openDir()
	}, err
}

func (s *boltStore) close() error { return errors.Join(s.log.Close(), os.RemoveAll(s.dir)) }

// copyStore copies the files of a store, all but its lock.
func copyStore(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.Name() == "LOCK" || f.IsDir() {
			continue
		}
		if err := copyFile(filepath.Join(from, f.Name()), filepath.Join(to, f.Name())); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err == nil {
		_, err = io.Copy(out, in)
		err = errors.Join(err, out.Close())
	}
	return errors.Join(err, in.Close())
}
