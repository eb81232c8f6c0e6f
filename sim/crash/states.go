package crash

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
)

// Kinds of crash states, by what was not flushed.
const (
	kindQuiet = "all flushed"
	kindPages = "pages torn, lost, reordered"
	kindMeta  = "meta page in doubt"
	kindNames = "side file and names"
)

// stateCount is what was judged.
type stateCount struct {
	kinds    map[string]int
	points   int
	reopened int
	wentOn   int
	acked    uint64
}

// player walks along a trace and judges the states that a power loss could leave
// at each point. Two players share a trace: each takes every other point.
type player struct {
	d      *disk
	c      *claims
	rng    *rand.Rand
	reader *reader
	reopen *reopener
	quota  int // states at a point
	every  int // one of so many is opened by wal.Open
	share  int // the points of this player
	of     int
	enough func() bool
	count  stateCount
	seen   map[uint64]struct{}
	undo   []saved
	bad    error
}

// choice is one state at a point: which pieces arrived, how many names changed.
type choice struct {
	arrived []bool
	names   int
}

// unit is a piece that matters.
type unit struct {
	f *inode
	p *piece
}

type saved struct {
	f   *inode
	off int64
	b   []byte
}

// play judges until the trace, the time or the luck ends.
func (p *player) play(trace []happening) error {
	p.d, p.c = newDisk(), newClaims()
	p.count.kinds = map[string]int{}
	p.seen = map[uint64]struct{}{}
	point := 0
	for _, h := range trace {
		switch h := h.(type) { //nolint:gochecksumtype // the others only change the disk
		case ended:
			if _, flush := p.d.flushes[h.call]; flush {
				point++
				p.at(point)
			}
			p.d.take(h)
		case said:
			if err := p.c.hear(h.line); err != nil {
				return err
			}
			if h.line[0] < 'a' { // an acknowledgement
				point++
				p.at(point)
			}
		default:
			p.d.take(h)
		}
		if p.bad != nil || p.enough() {
			break
		}
	}
	p.count.acked = p.c.acked
	return p.bad
}

// at judges the states at a point.
func (p *player) at(point int) {
	if point%p.of != p.share {
		return
	}
	p.count.points++
	units := p.units()
	kind, quota := p.kind(units), p.quota
	if !p.c.opened {
		quota /= 5 // wal.Open has to look at each of them
	}
	clear(p.seen)
	n := 0
	for c := range p.choices(len(units), len(p.d.order)) {
		if n >= quota || p.bad != nil || n%64 == 63 && p.enough() {
			return
		}
		if !p.fresh(c) {
			continue
		}
		n++
		p.count.kinds[kind]++
		p.bad = p.judge(units, c)
	}
}

// units are the pieces that are not flushed and would change something.
func (p *player) units() (all []unit) {
	for id := 1; id <= len(p.d.files); id++ {
		f := p.d.files[id]
		if f == nil {
			continue
		}
		at := map[int64]int{}
		for i := range f.pending {
			at[f.pending[i].off]++
		}
		for i := range f.pending {
			if q := &f.pending[i]; at[q.off] > 1 || !f.idle(q) {
				all = append(all, unit{f, q})
			}
		}
	}
	return all
}

func (p *player) kind(units []unit) string {
	if len(p.d.order) > 0 {
		return kindNames
	}
	kind := kindQuiet
	for _, u := range units {
		switch id := u.f.id; {
		case id != p.d.names["journal.db"] && id != p.d.names["snapshots.db"]:
			return kindNames
		case u.p.off < 2*page:
			kind = kindMeta
		case kind == kindQuiet:
			kind = kindPages
		}
	}
	return kind
}

// fresh says whether the state was not there yet at this point.
func (p *player) fresh(c choice) bool {
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(c.names))
	_, _ = h.Write(b[:])
	for i := 0; i < len(c.arrived); {
		var bits byte
		for j := 0; j < 8 && i < len(c.arrived); j++ {
			if c.arrived[i] {
				bits |= 1 << j
			}
			i++
		}
		_, _ = h.Write([]byte{bits})
	}
	sum := h.Sum64()
	if _, known := p.seen[sum]; known {
		return false
	}
	p.seen[sum] = struct{}{}
	return true
}

// choices yields states, the telling ones first: nothing arrived, all, each
// beginning, all but one, only one; then subsets, drawn.
func (p *player) choices(units, names int) func(yield func(choice) bool) {
	return func(yield func(choice) bool) {
		c := choice{arrived: make([]bool, units)}
		set := func(is func(i int) bool) bool {
			for i := range c.arrived {
				c.arrived[i] = is(i)
			}
			for c.names = range names + 1 {
				if !yield(c) {
					return false
				}
			}
			return true
		}
		if !set(func(int) bool { return false }) || !set(func(int) bool { return true }) {
			return
		}
		for k := range min(units, p.quota/4) {
			k = k * units / min(units, p.quota/4)
			if !set(func(i int) bool { return i < k }) || !set(func(i int) bool { return i != k }) || !set(func(i int) bool { return i == k }) {
				return
			}
		}
		for range 4 * p.quota {
			share := p.rng.Float64()
			for i := range c.arrived {
				c.arrived[i] = p.rng.Float64() < share
			}
			c.names = p.rng.IntN(names + 1)
			if !yield(c) {
				return
			}
		}
	}
}

// judge makes a state, looks at it, and takes it back.
func (p *player) judge(units []unit, c choice) error {
	for _, f := range p.d.files {
		if f.stale || len(f.scratch) != len(f.durable) {
			f.scratch = append(f.scratch[:0], f.durable...)
			f.stale = false
		}
	}
	p.undo = p.undo[:0]
	for i, u := range units {
		if c.arrived[i] {
			p.change(u)
		}
	}
	defer p.takeBack()
	names := p.d.names
	if len(p.d.order) > 0 {
		names = maps.Clone(names)
		for i := range c.names {
			p.d.order[i].apply(names)
		}
	}
	files := map[string]*inode{}
	for name, id := range names {
		files[name] = p.d.file(id)
	}
	err := p.look(files)
	if err != nil {
		err = fmt.Errorf("after %d records were acknowledged, %s: %w", p.c.acked, p.describe(units, c), err)
		p.reopen.keep(files)
	}
	return err
}

func (p *player) look(files map[string]*inode) error {
	journal, snapshots, side := files["journal.db"], files["snapshots.db"], files["STORE"]
	whole := journal != nil && snapshots != nil && side != nil
	if whole {
		if err := p.reader.judge(p.c, journal.scratch, snapshots.scratch, side.scratch); err != nil {
			return fmt.Errorf("our reader: %w", err)
		}
	}
	if whole && p.rng.IntN(p.every) > 0 {
		return nil
	}
	p.count.reopened++
	goOn := p.rng.IntN(8) == 0
	if goOn {
		p.count.wentOn++
	}
	last, replay, err := p.reopen.open(files, goOn)
	switch {
	case err != nil:
		return err
	case last < p.c.acked || last > p.c.tried:
		return fmt.Errorf("wal.Open: the log ends at %d, %d was acknowledged", last, p.c.acked)
	case whole && (last != p.reader.last || replay != p.reader.replay):
		return fmt.Errorf("wal.Open: the log ends at %d and replay begins at %d, our reader says %d and %d", last, replay, p.reader.last, p.reader.replay)
	}
	return nil
}

// change makes a piece arrive.
func (p *player) change(u unit) {
	f := u.f
	if u.p.data == nil {
		p.undo = append(p.undo, saved{f: f, off: u.p.off, b: append([]byte(nil), f.scratch[min(int64(len(f.scratch)), u.p.off):]...)})
	} else if end := min(u.p.off+int64(len(u.p.data)), int64(len(f.scratch))); end > u.p.off {
		p.undo = append(p.undo, saved{f: f, off: u.p.off, b: append([]byte(nil), f.scratch[u.p.off:end]...)})
	}
	f.scratch = u.p.apply(f.scratch)
}

func (p *player) takeBack() {
	for _, s := range slices.Backward(p.undo) {
		if len(s.b) > 0 {
			s.f.scratch = grown(s.f.scratch, s.off+int64(len(s.b)))
			copy(s.f.scratch[s.off:], s.b)
		}
	}
	for _, f := range p.d.files {
		if len(f.scratch) > len(f.durable) {
			f.scratch = f.scratch[:len(f.durable)]
		}
	}
}

func (p *player) describe(units []unit, c choice) string {
	arrived := 0
	for _, a := range c.arrived {
		if a {
			arrived++
		}
	}
	return fmt.Sprintf("%d of %d unflushed pieces and %d of %d names on the disk", arrived, len(units), c.names, len(p.d.order))
}
