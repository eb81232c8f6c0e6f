package wal

import (
	"encoding/binary"
	"os"
)

// pageWalk follows every page from the root, as bbolt will when it has to rebuild
// its free list. bbolt does that in a goroutine of its own, where a damaged
// page is a panic that nobody can recover; here it is an error.
type pageWalk struct {
	f    *os.File
	name string
	high uint64
	seen []uint64 // a bit per page
	buf  []byte
}

// walkPages checks the free list's page if there is one, and otherwise, or if
// all is asked for, every page in use.
func walkPages(f *os.File, name string, m boltMeta, all bool) error {
	w := &pageWalk{f: f, name: name, high: m.high, seen: make([]uint64, m.high/64+1), buf: make([]byte, pageBytes)}
	if m.freelist != boltNoFreelist {
		if err := w.freelist(m.freelist); err != nil || !all {
			return err
		}
	}
	return w.page(m.root, 0)
}

func (w *pageWalk) damaged(id uint64, what string) error {
	return corrupt(w.name, 0, 0, "page %d: %s", id, what)
}

// read loads page id and returns its kind, elements and pages used.
func (w *pageWalk) read(id uint64) (b []byte, flags, count uint16, pages uint64, err error) {
	if id < 2 || id >= w.high {
		return nil, 0, 0, 0, w.damaged(id, "outside the file")
	}
	b = w.buf[:pageBytes]
	if _, err := w.f.ReadAt(b, int64(id)*pageBytes); err != nil {
		return nil, 0, 0, 0, w.damaged(id, err.Error())
	}
	ne := binary.NativeEndian
	flags, count, pages = ne.Uint16(b[8:]), ne.Uint16(b[10:]), uint64(ne.Uint32(b[12:]))+1
	if ne.Uint64(b) != id {
		return nil, 0, 0, 0, w.damaged(id, "holds another page")
	}
	if id+pages > w.high {
		return nil, 0, 0, 0, w.damaged(id, "reaches beyond the file")
	}
	for p := id; p < id+pages; p++ {
		if w.seen[p/64]&(1<<(p%64)) != 0 {
			return nil, 0, 0, 0, w.damaged(p, "is used twice")
		}
		w.seen[p/64] |= 1 << (p % 64)
	}
	return b, flags, count, pages, nil
}

func (w *pageWalk) freelist(id uint64) error {
	b, flags, count, pages, err := w.read(id)
	if err != nil {
		return err
	}
	n, off := uint64(count), uint64(boltPageHeader)
	if count == 0xFFFF {
		n, off = binary.NativeEndian.Uint64(b[boltPageHeader:]), off+8
	}
	if flags != boltFreelist || n > w.high || off+8*n > pages*pageBytes {
		return w.damaged(id, "is no free list")
	}
	return nil
}

func (w *pageWalk) page(id uint64, depth int) error {
	if depth > 64 {
		return w.damaged(id, "tree too deep")
	}
	b, flags, count, pages, err := w.read(id)
	if err != nil {
		return err
	}
	size := int(pages) * pageBytes
	if boltPageHeader+16*int(count) > size || flags != boltBranch && flags != boltLeaf {
		return w.damaged(id, "is neither branch nor leaf")
	}
	if elements := boltPageHeader + 16*int(count); elements > len(b) {
		b = make([]byte, elements)
		if _, err := w.f.ReadAt(b, int64(id)*pageBytes); err != nil {
			return w.damaged(id, err.Error())
		}
	}
	children, err := w.elements(id, b, flags, int(count), size)
	if err != nil {
		return err
	}
	for _, c := range children { // b is reused from here on
		if err := w.page(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// elements checks the element table of a page and returns the pages it leads to.
func (w *pageWalk) elements(id uint64, b []byte, flags uint16, count, size int) ([]uint64, error) {
	ne := binary.NativeEndian
	if flags == boltBranch && count == 0 {
		return nil, w.damaged(id, "branch without elements")
	}
	var children []uint64
	for i := range count {
		at := boltPageHeader + 16*i
		if flags == boltBranch {
			pos, ksize := uint64(ne.Uint32(b[at:])), uint64(ne.Uint32(b[at+4:]))
			if uint64(at)+pos+ksize > uint64(size) {
				return nil, w.damaged(id, "key outside the page")
			}
			children = append(children, ne.Uint64(b[at+8:]))
			continue
		}
		eflags, pos := ne.Uint32(b[at:]), uint64(ne.Uint32(b[at+4:]))
		ksize, vsize := uint64(ne.Uint32(b[at+8:])), uint64(ne.Uint32(b[at+12:]))
		if uint64(at)+pos+ksize+vsize > uint64(size) {
			return nil, w.damaged(id, "value outside the page")
		}
		if eflags&1 == 0 {
			continue
		}
		if vsize < 16 {
			return nil, w.damaged(id, "bucket without header")
		}
		var head [16 + boltPageHeader]byte
		n := min(uint64(len(head)), vsize)
		if _, err := w.f.ReadAt(head[:n], int64(id)*pageBytes+int64(uint64(at)+pos+ksize)); err != nil {
			return nil, w.damaged(id, err.Error())
		}
		if root := ne.Uint64(head[:]); root != 0 {
			children = append(children, root)
		} else if vsize < uint64(len(head)) || ne.Uint16(head[16+8:]) != boltLeaf {
			return nil, w.damaged(id, "inline bucket is no leaf")
		}
	}
	return children, nil
}
