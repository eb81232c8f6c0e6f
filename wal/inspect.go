package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// bbolt's file layout, as far as it has to be known to look at a file before
// bbolt does. Version 2 of bbolt's format; integers in the order of the machine.
const (
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	boltPageHeader = 16
	boltMetaBytes  = 64
	boltNoFreelist = ^uint64(0)

	boltBranch   = 0x01
	boltLeaf     = 0x02
	boltFreelist = 0x10
)

// boltMeta is a sound meta page.
type boltMeta struct {
	pageSize             int
	root, freelist, high uint64 // page ids; high is the first one never used
	txid                 uint64
}

// inspect reads both meta pages and chooses as bbolt will. Its errors are the
// ones that a person can act on: empty, foreign, newer, torn, truncated.
func inspect(f *os.File, name string) (boltMeta, error) {
	fi, err := f.Stat()
	if err != nil {
		return boltMeta{}, err
	}
	if fi.Size() == 0 {
		return boltMeta{}, corrupt(name, 0, 0, "the file is empty")
	}
	var best boltMeta
	var errs [2]error
	found := false
	for i := range errs {
		var b [boltPageHeader + boltMetaBytes]byte
		if _, err := f.ReadAt(b[:], int64(i)*pageBytes); err != nil && !errors.Is(err, io.EOF) {
			return boltMeta{}, err
		}
		var m boltMeta
		if m, errs[i] = parseMeta(b[boltPageHeader:], name); errs[i] == nil && (!found || m.txid > best.txid) {
			best, found = m, true
		}
	}
	if !found {
		if errors.Is(errs[0], ErrCorrupt) {
			return boltMeta{}, errs[0]
		}
		if errors.Is(errs[1], ErrCorrupt) {
			return boltMeta{}, errs[1]
		}
		return boltMeta{}, errs[0]
	}
	if best.pageSize != pageBytes {
		return boltMeta{}, fmt.Errorf("%w: %s has pages of %d bytes", ErrForeign, name, best.pageSize)
	}
	if best.root >= best.high || best.root < 2 {
		return boltMeta{}, corrupt(name, 0, 0, "root page %d of %d", best.root, best.high)
	}
	if need := int64(best.high) * pageBytes; fi.Size() < need {
		return boltMeta{}, corrupt(name, 0, 0, "the file is truncated: %d bytes of %d", fi.Size(), need)
	}
	return best, nil
}

func parseMeta(b []byte, name string) (boltMeta, error) {
	le := binary.NativeEndian
	if le.Uint32(b) != boltMagic {
		return boltMeta{}, fmt.Errorf("%w: %s is no bbolt file", ErrForeign, name)
	}
	h := fnv.New64a()
	_, _ = h.Write(b[:boltMetaBytes-8])
	if le.Uint64(b[56:]) != h.Sum64() {
		return boltMeta{}, corrupt(name, 0, 0, "no sound meta page")
	}
	if v := le.Uint32(b[4:]); v != boltVersion {
		return boltMeta{}, fmt.Errorf("%w: %s has bbolt format %d", ErrNewerFormat, name, v)
	}
	return boltMeta{
		pageSize: int(le.Uint32(b[8:])), root: le.Uint64(b[16:]), freelist: le.Uint64(b[32:]),
		high: le.Uint64(b[40:]), txid: le.Uint64(b[48:]),
	}, nil
}

// prewarm reads the file in order into the page cache, at most limit bytes.
func prewarm(f *os.File, m boltMeta, limit int64) error {
	if limit < 0 {
		return nil
	}
	buf := make([]byte, 1<<20)
	end := min(int64(m.high)*pageBytes, limit)
	for off := int64(0); off < end; off += int64(len(buf)) {
		if _, err := f.ReadAt(buf[:min(int64(len(buf)), end-off)], off); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}
