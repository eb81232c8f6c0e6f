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
	"runtime"
	"runtime/debug"

	"go.etcd.io/bbolt"
)

// Frames of a backup. FORMAT.md draws them.
const (
	frameHeader = 'H'
	frameBucket = 'B'
	framePairs  = 'K'
	frameEnd    = 'E'

	fileJournal   = 'J'
	fileSnapshots = 'S'

	framePairsBytes = 64 << 10
	frameMaxBytes   = framePairsBytes + MaxSnapBytes + 4096
)

// backupHeader is the first frame, in JSON.
type backupHeader struct {
	Format    int    `json:"format"`
	Store     string `json:"store"`
	Epoch     uint64 `json:"epoch"`
	LastSeq   uint64 `json:"last_seq"`
	LastChain uint32 `json:"last_chain"`
}

// Backup implements Log. It holds its read transactions only while it copies the
// live values to an unlinked file in the data directory, at the speed of the
// disk, and feeds w from there: a slow reader holds no pages back. The disk
// needs room for one copy (ErrNoSpace). Only live values are in it, not
// what pages once held.
func (db *DB) Backup(w io.Writer) (int64, error) {
	stage, err := os.CreateTemp(db.dir, "backup-*.tmp")
	if err != nil {
		return 0, err
	}
	defer func() { _ = stage.Close() }()
	if err := os.Remove(stage.Name()); err != nil {
		return 0, err
	}
	if err := db.stageBackup(stage); err != nil {
		return 0, err
	}
	if _, err := stage.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(w, stage)
}

func (db *DB) stageBackup(stage *os.File) (err error) {
	head, jtx, stx, err := db.beginBackup()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, jtx.Rollback(), stx.Rollback()) }()
	defer catchFault(&err, "backup", debug.SetPanicOnFault(true))
	if free, _, err := FreeBytes(db.dir); err == nil && free < uint64(jtx.Size()+stx.Size()) {
		return fmt.Errorf("%w: a backup needs up to %d bytes in %s, %d are free", ErrNoSpace, jtx.Size()+stx.Size(), db.dir, free)
	}
	buffered := bufio.NewWriterSize(stage, 1<<20)
	fw := &frameWriter{w: buffered}
	if _, err := buffered.WriteString(backupMagic); err != nil {
		return err
	}
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if err := fw.frame(frameHeader, b); err != nil {
		return err
	}
	for _, part := range []struct {
		file byte
		tx   *bbolt.Tx
	}{{fileJournal, jtx}, {fileSnapshots, stx}} {
		err := part.tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return fw.bucket([]byte{part.file}, name, b)
		})
		if err != nil {
			return err
		}
	}
	if err := fw.frame(frameEnd, binary.BigEndian.AppendUint64(nil, fw.total)); err != nil {
		return err
	}
	return buffered.Flush()
}

// beginBackup begins both transactions while nobody writes, so that they belong
// together: no snapshot ahead of the log, no segment dropped that one needs.
func (db *DB) beginBackup() (h backupHeader, jtx, stx *bbolt.Tx, err error) {
	db.snapMu.Lock()
	defer db.snapMu.Unlock()
	db.wmu.Lock()
	defer db.wmu.Unlock()
	if err := db.usable(); err != nil {
		return h, nil, nil, err
	}
	if jtx, err = db.journal.Begin(false); err != nil {
		return h, nil, nil, err
	}
	if stx, err = db.snapshots.Begin(false); err != nil {
		return h, nil, nil, errors.Join(err, jtx.Rollback())
	}
	newest := db.segments[len(db.segments)-1]
	db.sideMu.Lock()
	defer db.sideMu.Unlock()
	return backupHeader{
		Format: FormatVersion, Store: hex.EncodeToString(db.storeID), Epoch: db.restored.Epoch,
		LastSeq: newest.last, LastChain: newest.chain,
	}, jtx, stx, nil
}

// frameWriter writes frames; the checksum of each starts from that of the one
// before, so that none can be missing or swapped.
type frameWriter struct {
	w     io.Writer
	sum   uint32
	total uint64 // pairs
	buf   []byte
}

func (f *frameWriter) frame(kind byte, payload []byte) error {
	var head [5]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	f.sum = crc32.Update(crc32.Update(f.sum, castagnoli, head[:]), castagnoli, payload)
	var tail [4]byte
	binary.BigEndian.PutUint32(tail[:], f.sum)
	for _, b := range [][]byte{head[:], payload, tail[:]} {
		if _, err := f.w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// bucket writes a bucket with its pairs, then the buckets in it. path is the file
// and the names above, each with its length before it.
func (f *frameWriter) bucket(path, name []byte, b *bbolt.Bucket) error {
	path = binary.BigEndian.AppendUint16(append([]byte(nil), path...), uint16(len(name)))
	path = append(path, name...)
	if err := f.frame(frameBucket, path); err != nil {
		return err
	}
	f.buf = f.buf[:0]
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if v == nil {
			continue
		}
		f.buf = append(binary.AppendUvarint(f.buf, uint64(len(k))), k...)
		f.buf = append(binary.AppendUvarint(f.buf, uint64(len(v))), v...)
		f.total++
		if len(f.buf) >= framePairsBytes {
			if err := f.frame(framePairs, f.buf); err != nil {
				return err
			}
			f.buf = f.buf[:0]
		}
		if f.total%giveWayEvery == 0 {
			runtime.Gosched()
		}
	}
	if len(f.buf) > 0 {
		if err := f.frame(framePairs, f.buf); err != nil {
			return err
		}
	}
	return b.ForEachBucket(func(k []byte) error { return f.bucket(path, k, b.Bucket(k)) })
}
