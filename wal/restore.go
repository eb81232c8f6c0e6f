package wal

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// restoreTxBytes bounds one transaction of a restore.
const restoreTxBytes = 8 << 20

// Restore builds a store from a backup in dir, which must be empty or absent
// (ErrNotEmpty), and verifies it whole before it returns. The store gets the
// next epoch and says so until AckRestored: what came due since the backup may
// have left without a record here. After an error nothing is left in dir; after
// a crash Open refuses it (ErrUnfinished), so that no store is begun there anew.
func Restore(r io.Reader, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: %s holds %s", ErrNotEmpty, dir, entries[0].Name())
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			removeRestore(dir)
		}
	}()
	marker := filepath.Join(dir, restoreName)
	err = errors.Join(writeFileSync(marker, nil), syncDir(dir))
	if err == nil {
		err = restoreFiles(r, dir)
	}
	if err := errors.Join(err, lock.Close()); err != nil {
		return err
	}
	if err := verifyRestore(dir); err != nil {
		return err
	}
	return errors.Join(os.Remove(marker), syncDir(dir))
}

// removeRestore takes away all that a restore makes. The mark goes last but for
// the lock, so that nobody finds half a removal without it.
func removeRestore(dir string) {
	for _, name := range []string{
		sideName, sideNewName, journalName, snapshotName,
		journalName + ".new", snapshotName + ".new", restoreName, lockName,
	} {
		_ = os.Remove(filepath.Join(dir, name))
	}
}

func verifyRestore(dir string) error {
	db, err := Open(dir, Options{MustExist: true, restoring: true})
	if err != nil {
		return err
	}
	_, err = db.Verify(nil)
	return errors.Join(err, db.Close())
}

func restoreFiles(r io.Reader, dir string) error {
	in := &frameReader{r: bufio.NewReaderSize(r, 1<<20)}
	head, err := in.header()
	if err != nil {
		return err
	}
	files := map[byte]*bulkFile{}
	for id, name := range map[byte]string{fileJournal: journalName, fileSnapshots: snapshotName} {
		f, err := newBulkFile(dir, name)
		if err != nil {
			return err
		}
		defer f.abandon()
		files[id] = f
	}
	if err := in.pairs(files); err != nil {
		return err
	}
	restored := binary.BigEndian.AppendUint64(u64key(head.Epoch+1), head.LastSeq)
	restored = append(restored, 1)
	for id, f := range files {
		if err := f.finish(func(tx *bbolt.Tx) error {
			m := tx.Bucket(bucketMeta)
			if m == nil {
				return corrupt("backup", 0, 0, "no meta bucket for file %c", id)
			}
			if id != fileJournal {
				return nil
			}
			return putSealed(m, keyRestored, restored)
		}); err != nil {
			return err
		}
	}
	return storeSide(dir, side{
		Format: FormatVersion, Store: head.Store, Epoch: head.Epoch + 1, LastSeq: head.LastSeq, LastChain: head.LastChain,
	})
}

// frameReader reads what frameWriter wrote.
type frameReader struct {
	r   *bufio.Reader
	sum uint32
	buf []byte
}

func (f *frameReader) next() (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, corrupt("backup", 0, 0, "cut short: %v", err)
	}
	n := int(binary.BigEndian.Uint32(head[1:]))
	if n > frameMaxBytes {
		return 0, nil, corrupt("backup", 0, 0, "frame of %d bytes", n)
	}
	// Grown as bytes arrive: a damaged length must not allocate what never comes.
	f.buf = f.buf[:0]
	for len(f.buf) < n+4 {
		step := min(n+4-len(f.buf), 1<<20)
		off := len(f.buf)
		f.buf = append(f.buf, make([]byte, step)...)
		if _, err := io.ReadFull(f.r, f.buf[off:]); err != nil {
			return 0, nil, corrupt("backup", 0, 0, "cut short: %v", err)
		}
	}
	payload = f.buf[:n]
	f.sum = crc32.Update(crc32.Update(f.sum, castagnoli, head[:]), castagnoli, payload)
	if binary.BigEndian.Uint32(f.buf[n:]) != f.sum {
		return 0, nil, corrupt("backup", 0, 0, "checksum of frame")
	}
	return head[0], payload, nil
}

func (f *frameReader) header() (h backupHeader, err error) {
	magic := make([]byte, len(backupMagic))
	if _, err := io.ReadFull(f.r, magic); err != nil || string(magic) != backupMagic {
		return h, fmt.Errorf("%w: this is no backup", ErrForeign)
	}
	kind, payload, err := f.next()
	if err != nil {
		return h, err
	}
	if kind != frameHeader {
		return h, corrupt("backup", 0, 0, "no header")
	}
	if err := json.Unmarshal(payload, &h); err != nil {
		return h, corrupt("backup", 0, 0, "header: %v", err)
	}
	if h.Format > FormatVersion {
		return h, fmt.Errorf("%w: the backup has format %d, this program knows %d", ErrNewerFormat, h.Format, FormatVersion)
	}
	if id, err := hex.DecodeString(h.Store); err != nil || len(id) != 16 || h.Format < 1 {
		return h, corrupt("backup", 0, 0, "header: content")
	}
	return h, nil
}

// pairs reads buckets and pairs until the end frame.
func (f *frameReader) pairs(files map[byte]*bulkFile) error {
	var into *bulkFile
	var path [][]byte
	var total uint64
	for {
		kind, payload, err := f.next()
		if err != nil {
			return err
		}
		switch kind {
		case frameBucket:
			if into, path = parsePath(payload, files); into == nil {
				return corrupt("backup", 0, 0, "path of bucket")
			}
			err = into.bucket(path)
		case framePairs:
			if into == nil {
				return corrupt("backup", 0, 0, "pairs without a bucket")
			}
			var n uint64
			n, err = into.put(path, payload)
			total += n
		case frameEnd:
			if len(payload) != 8 || binary.BigEndian.Uint64(payload) != total {
				return corrupt("backup", 0, 0, "number of pairs")
			}
			return nil
		default:
			return corrupt("backup", 0, 0, "frame of kind %d", kind)
		}
		if err != nil {
			return err
		}
	}
}

func parsePath(b []byte, files map[byte]*bulkFile) (f *bulkFile, path [][]byte) {
	if len(b) == 0 {
		return nil, nil
	}
	f, b = files[b[0]], b[1:]
	for len(b) > 0 {
		if len(b) < 2 {
			return nil, nil
		}
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 || len(b) < 2+n {
			return nil, nil
		}
		path = append(path, append([]byte(nil), b[2:2+n]...))
		b = b[2+n:]
	}
	if len(path) == 0 {
		return nil, nil
	}
	return f, path
}
