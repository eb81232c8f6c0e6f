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

	boltBranch   = 0x01 // flags of a page
	boltLeaf     = 0x02
	boltFreelist = 0x10

	boltElement      = 16   // bytes of an element, in branches and leaves
	boltBucket       = 0x01 // flag of a leaf's element
	boltBucketHeader = 16
)

// boltMeta is a sound meta page.
type boltMeta struct {
	pageSize             int
	root, freelist, high uint64 // page ids; high is the first one never used
	txid                 uint64
}

// inspect reads both meta pages and chooses as bbolt will. Its errors are the
// ones that a person can act on: empty, foreign, newer, damaged, truncated.
//
// Both must be sound, although bbolt is content with one: it would fall back to
// the transaction before, and a flushed record would be gone without a word
// (W7). No crash leaves one torn, as long as 512 bytes are written whole. And
// they must be of transactions that follow each other: an older page in the
// place of the newest one is sound too, and takes the last transaction away.
func inspect(f *os.File, name string) (boltMeta, error) {
	fi, err := f.Stat()
	if err != nil {
		return boltMeta{}, err
	}
	if fi.Size() == 0 {
		return boltMeta{}, corrupt(name, 0, 0, "the file is empty")
	}
	var metas [2]boltMeta
	var errs [2]error
	for i := range metas {
		var b [boltPageHeader + boltMetaBytes]byte
		if _, err := f.ReadAt(b[:], int64(i)*pageBytes); err != nil && !errors.Is(err, io.EOF) {
			return boltMeta{}, err
		}
		metas[i], errs[i] = parseMeta(b[boltPageHeader:], name, i)
	}
	if err := metaError(name, errs); err != nil {
		return boltMeta{}, err
	}
	if err := metasFollow(name, metas); err != nil {
		return boltMeta{}, err
	}
	best := metas[0]
	if metas[1].txid > best.txid {
		best = metas[1]
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

// metasFollow holds that each page is in its place, as bbolt writes transaction n
// to meta page n modulo 2.
func metasFollow(name string, metas [2]boltMeta) error {
	a, b := metas[0].txid, metas[1].txid
	if a%2 != 0 || b%2 != 1 || a+1 != b && b+1 != a {
		return corrupt(name, 0, 0, "the meta pages are of transactions %d and %d: one is older than it should be", a, b)
	}
	return nil
}

// metaError prefers the error that says most: damage before another format before
// another kind of file. One meta page that is none of ours is damage too.
func metaError(name string, errs [2]error) error {
	for _, kind := range []error{ErrCorrupt, ErrNewerFormat} {
		for _, err := range errs {
			if errors.Is(err, kind) {
				return err
			}
		}
	}
	if errs[0] != nil && errs[1] != nil {
		return errs[0]
	}
	for i, err := range errs {
		if err != nil {
			return corrupt(name, 0, 0, "meta page %d is damaged", i)
		}
	}
	return nil
}

func parseMeta(b []byte, name string, page int) (boltMeta, error) {
	le := binary.NativeEndian
	if le.Uint32(b) != boltMagic {
		return boltMeta{}, fmt.Errorf("%w: %s is no bbolt file", ErrForeign, name)
	}
	h := fnv.New64a()
	_, _ = h.Write(b[:boltMetaBytes-8])
	if le.Uint64(b[56:]) != h.Sum64() {
		return boltMeta{}, corrupt(name, 0, 0, "meta page %d is damaged", page)
	}
	if v := le.Uint32(b[4:]); v != boltVersion {
		return boltMeta{}, fmt.Errorf("%w: %s has bbolt format %d", ErrNewerFormat, name, v)
	}
	return boltMeta{
		pageSize: int(le.Uint32(b[8:])), root: le.Uint64(b[16:]), freelist: le.Uint64(b[32:]),
		high: le.Uint64(b[40:]), txid: le.Uint64(b[48:]),
	}, nil
}
