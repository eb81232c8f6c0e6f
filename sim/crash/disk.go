package crash

import "bytes"

// sector is what a disk writes whole, or not at all.
const sector = 512

// disk is what a power loss may leave: what was flushed, and what was only asked
// for since.
type disk struct {
	files map[int]*inode
	names map[string]int // flushed
	order []nameChange   // not flushed; kept in order, as journalling file systems do
	// flushes are those under way: what was complete when they began.
	flushes map[int]flush
}

type inode struct {
	id      int
	durable []byte
	pending []piece
	open    map[int]bool // calls that have not returned
	scratch []byte       // equal to durable between two states
	stale   bool         // scratch is older than durable
}

// piece is a part of a write, or a new length if it has no data.
type piece struct {
	call int
	off  int64
	data []byte
}

type nameChange struct {
	call     int
	from, to string // from is empty for a new file, to for one that goes
	file     int
	done     bool
}

type flush struct {
	file   int
	covers map[int]bool // calls
}

func newDisk() *disk {
	return &disk{files: map[int]*inode{}, names: map[string]int{}, flushes: map[int]flush{}}
}

func (d *disk) file(id int) *inode {
	f := d.files[id]
	if f == nil {
		f = &inode{id: id, open: map[int]bool{}}
		d.files[id] = f
	}
	return f
}

// take lets one thing happen.
func (d *disk) take(h happening) {
	switch h := h.(type) {
	case wrote:
		f := d.file(h.file)
		f.open[h.call] = true
		for at := 0; at < len(h.data); {
			end := min(len(h.data), at+sector-int((h.off+int64(at))%sector))
			f.pending = append(f.pending, piece{h.call, h.off + int64(at), h.data[at:end]})
			at = end
		}
	case resized:
		f := d.file(h.file)
		f.open[h.call] = true
		f.pending = append(f.pending, piece{call: h.call, off: h.size})
	case made:
		d.file(h.file)
		d.order = append(d.order, nameChange{call: h.call, to: h.name, file: h.file})
	case renamed:
		d.order = append(d.order, nameChange{call: h.call, from: h.from, to: h.to})
	case removed:
		d.order = append(d.order, nameChange{call: h.call, from: h.name})
	case flushing:
		d.flushes[h.call] = d.begin(h.file)
	case ended:
		d.end(h.call)
	case said:
	}
}

// begin notes what a flush will have made durable when it returns: all that was
// complete when it began.
func (d *disk) begin(file int) flush {
	fl := flush{file, map[int]bool{}}
	if file == 0 {
		for i := range d.order {
			if d.order[i].done {
				fl.covers[d.order[i].call] = true
			}
		}
		return fl
	}
	f := d.file(file)
	for i := range f.pending {
		if !f.open[f.pending[i].call] {
			fl.covers[f.pending[i].call] = true
		}
	}
	return fl
}

func (d *disk) end(call int) {
	if fl, ok := d.flushes[call]; ok {
		delete(d.flushes, call)
		d.flushed(fl)
		return
	}
	for _, f := range d.files {
		delete(f.open, call)
	}
	for i := range d.order {
		d.order[i].done = d.order[i].done || d.order[i].call == call
	}
}

func (d *disk) flushed(fl flush) {
	if fl.file == 0 {
		for len(d.order) > 0 && fl.covers[d.order[0].call] {
			d.order[0].apply(d.names)
			d.order = d.order[1:]
		}
		return
	}
	f := d.file(fl.file)
	var rest []piece
	for _, p := range f.pending {
		if fl.covers[p.call] {
			f.durable = p.apply(f.durable)
		} else {
			rest = append(rest, p)
		}
	}
	f.pending, f.stale = rest, true
}

func (c *nameChange) apply(names map[string]int) {
	file := c.file
	if c.from != "" {
		file = names[c.from]
		delete(names, c.from)
	}
	if c.to != "" {
		names[c.to] = file
	}
}

// apply changes b, or returns a longer one.
func (p *piece) apply(b []byte) []byte {
	if p.data == nil {
		if int64(len(b)) > p.off {
			return b[:p.off:p.off]
		}
		return grown(b, p.off)
	}
	b = grown(b, p.off+int64(len(p.data)))
	copy(b[p.off:], p.data)
	return b
}

func grown(b []byte, n int64) []byte {
	if missing := int(n) - len(b); missing > 0 {
		return append(b, make([]byte, missing)...)
	}
	return b
}

// idle says that p would change nothing if it were the only one.
func (f *inode) idle(p *piece) bool {
	if p.data == nil {
		return int64(len(f.durable)) == p.off
	}
	end := p.off + int64(len(p.data))
	return end <= int64(len(f.durable)) && bytes.Equal(f.durable[p.off:end], p.data)
}
