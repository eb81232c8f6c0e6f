package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// pageWalk follows every page from the root and compares them with the free list.
// bbolt trusts its pages: damage there is a panic in a goroutine of its own, an
// endless descent, a key that Get does not find although a cursor passes it, or
// a page in use that the next commit overwrites. Here each is an error.
type pageWalk struct {
	data []byte // the file, mapped: a system call and a copy per page cost three times as much
	name string
	high uint64
	seen []uint64 // a bit per page
}

// subtree is a page that another one leads to, and the bounds of its keys: the
// first is low, all are less than high. Nil is no bound. bbolt keeps the first
// exact, and a commit loses pages if it is not.
type subtree struct {
	id        uint64
	low, high []byte
}

// walkPages checks every page in use, and that the free list holds all others.
func walkPages(f *os.File, name string, m boltMeta) (err error) {
	data, err := syscall.Mmap(int(f.Fd()), 0, int(m.high*pageBytes), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("wal: mapping %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, syscall.Munmap(data)) }()
	w := &pageWalk{data: data, name: name, high: m.high, seen: make([]uint64, m.high/64+1)}
	if err := w.tree(subtree{id: m.root}, 0); err != nil || m.freelist == boltNoFreelist {
		return err
	}
	return w.freelist(m.freelist)
}

func (w *pageWalk) damaged(id uint64, what string) error {
	return corrupt(w.name, 0, 0, "page %d: %s", id, what)
}

// use marks a page; false: it was in use already.
func (w *pageWalk) use(id uint64) bool {
	bit := uint64(1) << (id % 64)
	free := w.seen[id/64]&bit == 0
	w.seen[id/64] |= bit
	return free
}

// read returns page id with all that belongs to it.
func (w *pageWalk) read(id uint64) (b []byte, flags, count uint16, err error) {
	if id < 2 || id >= w.high {
		return nil, 0, 0, w.damaged(id, "outside the file")
	}
	ne := binary.NativeEndian
	b = w.data[id*pageBytes:]
	pages := uint64(ne.Uint32(b[12:])) + 1
	if ne.Uint64(b) != id {
		return nil, 0, 0, w.damaged(id, "holds another page")
	}
	if id+pages > w.high {
		return nil, 0, 0, w.damaged(id, "reaches beyond the file")
	}
	for p := id; p < id+pages; p++ {
		if !w.use(p) {
			return nil, 0, 0, w.damaged(p, "is used twice")
		}
	}
	return b[:pages*pageBytes], ne.Uint16(b[8:]), ne.Uint16(b[10:]), nil
}

// freelist checks that each page is either in use or free.
func (w *pageWalk) freelist(id uint64) error {
	b, flags, count, err := w.read(id)
	if err != nil {
		return err
	}
	ne := binary.NativeEndian
	n, off := uint64(count), uint64(boltPageHeader)
	if count == 0xFFFF {
		n, off = ne.Uint64(b[boltPageHeader:]), off+8
	}
	if flags != boltFreelist || n > w.high || off+8*n > uint64(len(b)) {
		return w.damaged(id, "is no free list")
	}
	for i := range n {
		free := ne.Uint64(b[off+8*i:])
		if free < 2 || free >= w.high || !w.use(free) {
			return w.damaged(id, "the free list holds a page that is not free")
		}
	}
	for p := uint64(2); p < w.high; p++ {
		if w.use(p) {
			return w.damaged(p, "is neither in use nor free")
		}
	}
	return nil
}

func (w *pageWalk) tree(t subtree, depth int) error {
	if depth > 64 {
		return w.damaged(t.id, "tree too deep")
	}
	b, flags, count, err := w.read(t.id)
	if err != nil {
		return err
	}
	if flags != boltBranch && flags != boltLeaf || flags == boltBranch && count == 0 {
		return w.damaged(t.id, "is neither branch nor leaf")
	}
	below, err := w.elements(t, b, flags, int(count))
	if err != nil {
		return err
	}
	for _, sub := range below {
		if err := w.tree(sub, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// elements checks the elements of a page, and the order of their keys, and
// returns where they lead.
func (w *pageWalk) elements(t subtree, b []byte, flags uint16, count int) (below []subtree, err error) {
	ne := binary.NativeEndian
	table := boltPageHeader + boltElement*count
	if table > len(b) {
		return nil, w.damaged(t.id, "more elements than fit")
	}
	if count == 0 && t.low != nil {
		return nil, w.damaged(t.id, "leaf without elements")
	}
	last := t.low
	for i := range count {
		e := b[boltPageHeader+boltElement*i:]
		pos, ksize, vsize := uint64(ne.Uint32(e)), uint64(ne.Uint32(e[4:])), uint64(0)
		if flags == boltLeaf {
			pos, ksize, vsize = ksize, uint64(ne.Uint32(e[8:])), uint64(ne.Uint32(e[12:]))
		}
		if pos < uint64(table-boltPageHeader-boltElement*i) || pos+ksize+vsize > uint64(len(e)) || ksize == 0 {
			return nil, w.damaged(t.id, "element outside the page")
		}
		key := e[pos : pos+ksize : pos+ksize]
		c := bytes.Compare(last, key)
		if i == 0 && t.low != nil && c != 0 || i > 0 && c >= 0 || t.high != nil && bytes.Compare(key, t.high) >= 0 {
			return nil, w.damaged(t.id, "key out of order")
		}
		last = key
		switch {
		case flags == boltBranch:
			if len(below) > 0 {
				below[len(below)-1].high = key
			}
			below = append(below, subtree{ne.Uint64(e[8:]), key, t.high})
		case ne.Uint32(e) == boltBucket:
			sub, err := w.bucket(t.id, e[pos+ksize:pos+ksize+vsize])
			if err != nil {
				return nil, err
			}
			below = append(below, sub...)
		case ne.Uint32(e) != 0:
			return nil, w.damaged(t.id, "element of unknown kind")
		}
	}
	return below, nil
}

// bucket checks the value of a bucket: a root page, or a leaf with its elements.
func (w *pageWalk) bucket(id uint64, v []byte) ([]subtree, error) {
	ne := binary.NativeEndian
	if len(v) < boltBucketHeader {
		return nil, w.damaged(id, "bucket without header")
	}
	if root := ne.Uint64(v); root != 0 {
		return []subtree{{id: root}}, nil
	}
	v = v[boltBucketHeader:]
	if len(v) < boltPageHeader || ne.Uint16(v[8:]) != boltLeaf {
		return nil, w.damaged(id, "inline bucket is no leaf")
	}
	below, err := w.elements(subtree{id: id}, v, boltLeaf, int(ne.Uint16(v[10:])))
	if err == nil && len(below) > 0 {
		err = w.damaged(id, "bucket in an inline bucket")
	}
	return nil, err
}
