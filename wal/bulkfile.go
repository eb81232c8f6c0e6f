package wal

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// bulkFile is a bbolt file being filled in key order, flushed only at the end.
type bulkFile struct {
	dir, name string
	db        *bbolt.DB
	tx        *bbolt.Tx
	bytes     int
}

func newBulkFile(dir, name string) (*bulkFile, error) {
	db, err := bbolt.Open(filepath.Join(dir, name+".new"), 0o600, &bbolt.Options{
		Timeout: lockTimeout, PageSize: pageBytes, FreelistType: bbolt.FreelistMapType, NoSync: true,
	})
	if err != nil {
		return nil, err
	}
	return &bulkFile{dir: dir, name: name, db: db}, nil
}

func (b *bulkFile) begin() (err error) {
	if b.tx != nil && b.bytes > restoreTxBytes {
		if err := b.commit(); err != nil {
			return err
		}
	}
	if b.tx == nil {
		b.tx, err = b.db.Begin(true)
	}
	return err
}

func (b *bulkFile) commit() error {
	tx := b.tx
	b.tx, b.bytes = nil, 0
	if tx == nil {
		return nil
	}
	return tx.Commit()
}

func (b *bulkFile) bucket(path [][]byte) error {
	if err := b.begin(); err != nil {
		return err
	}
	_, err := b.find(path)
	return err
}

func (b *bulkFile) find(path [][]byte) (*bbolt.Bucket, error) {
	at, err := b.tx.CreateBucketIfNotExists(path[0])
	for _, name := range path[1:] {
		if err != nil {
			return nil, err
		}
		at, err = at.CreateBucketIfNotExists(name)
	}
	return at, err
}

func (b *bulkFile) put(path [][]byte, pairs []byte) (n uint64, err error) {
	if err := b.begin(); err != nil {
		return 0, err
	}
	at, err := b.find(path)
	if err != nil {
		return 0, err
	}
	at.FillPercent = 1
	pairs = append([]byte(nil), pairs...) // bbolt refers to values until the commit
	b.bytes += len(pairs)
	for len(pairs) > 0 {
		var k, v []byte
		var ok bool
		if k, pairs, ok = cutBytes(pairs); ok {
			v, pairs, ok = cutBytes(pairs)
		}
		if !ok {
			return n, corrupt("backup", 0, 0, "pair cut short")
		}
		if err := at.Put(k, v); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func cutBytes(b []byte) (first, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}

// abandon gives up what finish did not end; after finish it does nothing. Close
// would wait for ever for a transaction that is still open.
func (b *bulkFile) abandon() {
	if b.tx != nil {
		_ = b.tx.Rollback()
	}
	_ = b.db.Close()
}

// finish makes the last change, flushes, and gives the file its name.
func (b *bulkFile) finish(last func(tx *bbolt.Tx) error) error {
	if err := b.commit(); err != nil {
		return err
	}
	if err := b.db.Update(last); err != nil {
		return err
	}
	if err := errors.Join(b.db.Sync(), b.db.Close()); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(b.dir, b.name+".new"), filepath.Join(b.dir, b.name)); err != nil {
		return err
	}
	return syncDir(b.dir)
}
