package crash

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
)

// What has to be known of bbolt's file to read it without bbolt. This is a second
// hand: nothing here is shared with the log's own walk over pages.
const (
	page         = 4096
	pageHead     = 16
	elementBytes = 16
	branchPage   = 0x01
	leafPage     = 0x02
	freePage     = 0x10
	noFreePage   = ^uint64(0)
)

// boltFile reads a bbolt file that is in memory.
type boltFile struct {
	name string
	b    []byte
	high uint64 // pages
	used []uint64
}

// metaPage is the page that says which tree is the file.
type metaPage struct{ root, free, high, tx uint64 }

func (f *boltFile) metaPage(i int) (m metaPage, err error) {
	if len(f.b) < 2*page {
		return m, fmt.Errorf("%s: %d bytes", f.name, len(f.b))
	}
	b := f.b[i*page+pageHead:]
	ne := binary.NativeEndian
	h := fnv.New64a()
	_, _ = h.Write(b[:56])
	if ne.Uint32(b) != 0xED0CDAED || ne.Uint32(b[4:]) != 2 || ne.Uint32(b[8:]) != page || h.Sum64() != ne.Uint64(b[56:]) {
		return m, fmt.Errorf("%s: meta page %d is not sound", f.name, i)
	}
	return metaPage{ne.Uint64(b[16:]), ne.Uint64(b[32:]), ne.Uint64(b[40:]), ne.Uint64(b[48:])}, nil
}

// visit is called for each pair of a tree, in order. A bucket's value is its header.
type visit func(key, value []byte, bucket bool) error

// read checks that each page is used once, in order, and visits the pairs of the root.
func (f *boltFile) read(fn visit) error {
	m0, err0 := f.metaPage(0)
	m1, err1 := f.metaPage(1)
	if err := errors.Join(err0, err1); err != nil {
		return err
	}
	m := m0
	if m1.tx > m0.tx {
		m = m1
	}
	if m.high*page > uint64(len(f.b)) {
		return fmt.Errorf("%s: %d pages in %d bytes", f.name, m.high, len(f.b))
	}
	f.high = m.high
	f.used = slices.Grow(f.used[:0], int(m.high/64+1))[:m.high/64+1]
	clear(f.used)
	if m.free != noFreePage {
		if err := f.freeList(m.free); err != nil {
			return err
		}
	}
	return f.tree(m.root, nil, nil, 0, fn)
}

func (f *boltFile) bad(id uint64, what string) error {
	return fmt.Errorf("%s: page %d %s", f.name, id, what)
}

// take returns a page with all that belongs to it, and marks it.
func (f *boltFile) take(id uint64) (b []byte, kind, count int, err error) {
	if id < 2 || id >= f.high {
		return nil, 0, 0, f.bad(id, "is outside the file")
	}
	b = f.b[id*page:]
	ne := binary.NativeEndian
	more := uint64(ne.Uint32(b[12:]))
	if ne.Uint64(b) != id || id+more >= f.high {
		return nil, 0, 0, f.bad(id, "is another page")
	}
	for p := id; p <= id+more; p++ {
		if f.used[p/64]&(1<<(p%64)) != 0 {
			return nil, 0, 0, f.bad(p, "is used twice")
		}
		f.used[p/64] |= 1 << (p % 64)
	}
	return b[:(more+1)*page], int(ne.Uint16(b[8:])), int(ne.Uint16(b[10:])), nil
}

// freeList marks the free pages, so that one in use shows as used twice.
func (f *boltFile) freeList(id uint64) error {
	b, kind, count, err := f.take(id)
	if err != nil {
		return err
	}
	at := pageHead
	if count == 0xFFFF {
		count, at = int(binary.NativeEndian.Uint64(b[at:])), at+8
	}
	if kind != freePage || at+8*count > len(b) {
		return f.bad(id, "is no free list")
	}
	for i := range count {
		p := binary.NativeEndian.Uint64(b[at+8*i:])
		if p < 2 || p >= f.high || f.used[p/64]&(1<<(p%64)) != 0 {
			return f.bad(p, "is not free")
		}
		f.used[p/64] |= 1 << (p % 64)
	}
	return nil
}

func (f *boltFile) tree(id uint64, low, high []byte, depth int, fn visit) error {
	if depth > 40 {
		return f.bad(id, "is too deep")
	}
	b, kind, count, err := f.take(id)
	if err != nil {
		return err
	}
	if kind != branchPage && kind != leafPage || kind == branchPage && count == 0 || count == 0 && low != nil {
		return f.bad(id, "is neither branch nor leaf")
	}
	return f.elements(id, b, kind, count, low, high, depth, fn)
}

// element cuts one out of a page.
func element(b []byte, kind, i int) (key, value []byte, flags uint32, child uint64, ok bool) {
	at := pageHead + i*elementBytes
	if at+elementBytes > len(b) {
		return nil, nil, 0, 0, false
	}
	e, ne := b[at:], binary.NativeEndian
	pos, n, v := uint64(ne.Uint32(e)), uint64(ne.Uint32(e[4:])), uint64(0)
	if kind == leafPage {
		flags = ne.Uint32(e)
		pos, n, v = uint64(ne.Uint32(e[4:])), uint64(ne.Uint32(e[8:])), uint64(ne.Uint32(e[12:]))
	} else {
		child = ne.Uint64(e[8:])
	}
	if n == 0 || pos+n+v > uint64(len(e)) {
		return nil, nil, 0, 0, false
	}
	return e[pos : pos+n], e[pos+n : pos+n+v], flags, child, true
}

func (f *boltFile) elements(id uint64, b []byte, kind, count int, low, high []byte, depth int, fn visit) error {
	var last []byte
	for i := range count {
		key, value, flags, child, ok := element(b, kind, i)
		switch {
		case !ok:
			return f.bad(id, "has an element outside")
		case i == 0 && low != nil && !bytes.Equal(low, key),
			i > 0 && bytes.Compare(last, key) >= 0,
			high != nil && bytes.Compare(key, high) >= 0:
			return f.bad(id, "has a key out of order")
		case flags > 1:
			return f.bad(id, "has an element of unknown kind")
		}
		last = key
		if kind == leafPage {
			if err := fn(key, value, flags == 1); err != nil {
				return err
			}
			continue
		}
		end := high
		if i+1 < count {
			if end, _, _, _, ok = element(b, kind, i+1); !ok {
				return f.bad(id, "has an element outside")
			}
		}
		if err := f.tree(child, key, end, depth+1, fn); err != nil {
			return err
		}
	}
	return nil
}

// bucket visits the pairs of a bucket, whose header is a value of its parent.
func (f *boltFile) bucket(header []byte, fn visit) error {
	if len(header) < 16 {
		return fmt.Errorf("%s: bucket without header", f.name)
	}
	if root := binary.NativeEndian.Uint64(header); root != 0 {
		return f.tree(root, nil, nil, 1, fn)
	}
	b := header[16:]
	if len(b) < pageHead || binary.NativeEndian.Uint16(b[8:]) != leafPage {
		return fmt.Errorf("%s: bucket without a leaf", f.name)
	}
	return f.elements(0, b, leafPage, int(binary.NativeEndian.Uint16(b[10:])), nil, nil, 1, fn)
}
