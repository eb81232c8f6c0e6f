package wal

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// creationTx is the transaction that fills a new file: bbolt's meta pages begin
// with 0 and 1. A file with a later one may hold somebody's records.
const creationTx = 2

// create makes a new store: STORE.new first, as the mark that a creation is under
// way, then both files, each built under another name, then STORE. Whatever
// instant it is cut at, the next Open finds the mark and begins again, or
// finds a whole store. Nothing was acknowledged before it returns.
func create(dir string, opts Options) error {
	id := make([]byte, 16)
	if _, err := io.ReadFull(opts.Rand, id); err != nil {
		return fmt.Errorf("wal: store id: %w", err)
	}
	s := side{Format: FormatVersion, Store: hex.EncodeToString(id), LastChain: chainStart(id), ReplayFrom: 1}
	b, err := s.encode()
	if err != nil {
		return err
	}
	if err := writeFileSync(filepath.Join(dir, sideNewName), b); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	if err := createFile(dir, journalName, func(tx *bbolt.Tx) error { return initJournal(tx, id) }); err != nil {
		return err
	}
	if err := createFile(dir, snapshotName, func(tx *bbolt.Tx) error { return initSnapshots(tx, id, 1) }); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, sideNewName), filepath.Join(dir, sideName)); err != nil {
		return err
	}
	return syncDir(dir)
}

// createFile builds a bbolt file under another name. bbolt itself creates in
// place and flushes no directory: three torn creations of four were unusable.
func createFile(dir, name string, init func(tx *bbolt.Tx) error) (err error) {
	tmp := filepath.Join(dir, name+".new")
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	b, err := bbolt.Open(tmp, 0o600, &bbolt.Options{Timeout: lockTimeout, PageSize: pageBytes, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	if err := errors.Join(b.Update(init), b.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

func initMeta(tx *bbolt.Tx, magic string, id []byte) (*bbolt.Bucket, error) {
	m, err := tx.CreateBucket(bucketMeta)
	if err != nil {
		return nil, err
	}
	return m, errors.Join(
		putSealed(m, keyMagic, []byte(magic)),
		putSealed(m, keyFormat, binary.BigEndian.AppendUint32(nil, FormatVersion)),
		putSealed(m, keyStore, id),
	)
}

func putSealed(b *bbolt.Bucket, key, payload []byte) error { return b.Put(key, seal(key, payload)) }

func initJournal(tx *bbolt.Tx, id []byte) error {
	m, err := initMeta(tx, journalMagic, id)
	if err != nil {
		return err
	}
	s := newSegment(1, chainStart(id))
	if err := errors.Join(putOldest(m, &s), putEnd(m, &s), tally{}.put(m, keyIndexTally)); err != nil {
		return err
	}
	if _, err := tx.CreateBucket(bucketIndex); err != nil {
		return err
	}
	_, err = segmentBucket(tx, &s)
	return err
}

// putOldest notes where the log begins, so that a segment lost in front shows.
func putOldest(m *bbolt.Bucket, s *segment) error { return putSealed(m, keyOldest, s.header()) }

// putEnd notes where the log ends, so that values lost at its end show.
func putEnd(m *bbolt.Bucket, s *segment) error { return putSealed(m, keyEnd, s.end()) }

func initSnapshots(tx *bbolt.Tx, id []byte, replayFrom uint64) error {
	m, err := initMeta(tx, snapshotMagic, id)
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucket(bucketSnap); err != nil {
		return err
	}
	if err := (tally{}).put(m, keySnapTally); err != nil {
		return err
	}
	return putReplayFrom(tx, replayFrom)
}

// resumeCreation removes what an interrupted creation left behind, after making
// sure that it is no more than that.
func resumeCreation(dir string) error {
	for _, name := range []string{journalName, snapshotName} {
		path := filepath.Join(dir, name)
		f, err := os.Open(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		m, err := inspect(f, name)
		_ = f.Close()
		if err != nil {
			return err
		}
		if m.txid > creationTx {
			return fmt.Errorf("%w: %s is not there, but %s holds records", ErrMissing, sideName, name)
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
