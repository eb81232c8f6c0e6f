package crash

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
)

// reader judges the files of a store by wal/FORMAT.md and by what the worker
// claims. It is the slow and obvious second opinion beside wal.Open, and yet the
// quicker one, since it reads memory and keeps nothing.
type reader struct {
	c         *claims
	journal   boltFile
	snapshots boltFile

	storeID      []byte
	first, last  uint64 // of the journal
	segment      uint64 // sequence that a segment should begin with
	chain        uint32
	chains       []uint32 // after each record from first-1 on
	heads        [workStreams]uint64
	below        [workStreams]uint64 // last record below replay
	snaps        [workStreams]uint64
	replay       uint64
	keys         int
	count, total uint64
	footer       bool // the segment read last has ended
	parts        journalParts
	content      *content
}

type journalParts struct {
	segments    [][]byte // name, header, name, header, …
	index, meta []byte
	values      [8][]byte
}

// metaKeys are what the bucket meta may hold.
var metaKeys = [...]string{"magic", "format", "store", "oldest", "end", "index_tally", "replay_from", "snap_tally"}

const (
	metaMagic = iota
	metaFormat
	metaStore
	metaOldest
	metaEnd
	metaIndexTally
	metaReplayFrom
	metaSnapTally
)

var table = crc32.MakeTable(crc32.Castagnoli)

// content remembers what the worker's function gives.
type content struct {
	data    [][]byte
	streams [workStreams]string
}

func newContent(upTo uint64) *content {
	c := &content{}
	for seq := range upTo + 1 {
		c.data = append(c.data, workData(seq))
	}
	for i := range c.streams {
		c.streams[i] = workStream(uint64(i))
	}
	return c
}

// judge says what is wrong with the files; side is STORE.
func (r *reader) judge(c *claims, journal, snapshots, side []byte) error {
	*r = reader{ // with the memory that it has
		c: c, content: r.content, chains: r.chains[:0],
		journal:   boltFile{name: "journal.db", b: journal, used: r.journal.used},
		snapshots: boltFile{name: "snapshots.db", b: snapshots, used: r.snapshots.used},
		parts:     journalParts{segments: r.parts.segments[:0]},
	}
	if err := r.readJournal(); err != nil {
		return err
	}
	if err := r.readSnapshots(); err != nil {
		return err
	}
	if err := r.readSide(side); err != nil {
		return err
	}
	return r.hold()
}

// hold compares what was read with what the worker claims.
func (r *reader) hold() error {
	c := r.c
	switch {
	case r.last < c.acked:
		return fmt.Errorf("record %d was acknowledged, the log ends at %d", c.acked, r.last)
	case r.last > c.tried:
		return fmt.Errorf("the log ends at %d, nobody appended more than %d", r.last, c.tried)
	case r.first < c.first:
		return fmt.Errorf("the log was compacted up to %d and begins at %d", c.first, r.first)
	case r.replay < c.from || r.replay > c.fromTried:
		return fmt.Errorf("replay begins at %d, not between %d and %d", r.replay, c.from, c.fromTried)
	case r.replay < r.first || r.replay > r.last+1:
		return fmt.Errorf("replay begins at %d, the log holds %d to %d", r.replay, r.first, r.last)
	case r.keys != int(min(r.last, workKeyLives)):
		return fmt.Errorf("%d keys of records up to %d", r.keys, r.last)
	}
	for i, name := range r.content.streams {
		snap := r.snaps[i]
		switch {
		case snap < c.snaps[name]:
			return fmt.Errorf("snapshot of %s at %d was acknowledged, it is at %d", name, c.snaps[name], snap)
		case snap > c.snapTried[name] || snap > r.last:
			return fmt.Errorf("snapshot of %s is at %d", name, snap)
		case snap < r.below[i] && i != workStreams-1: // whose snapshot is deleted at times
			return fmt.Errorf("snapshot of %s at %d lacks record %d", name, snap, r.below[i])
		}
	}
	return nil
}

func sealed(key, value []byte) ([]byte, bool) {
	if len(value) < 4 || binary.BigEndian.Uint32(value) != crc32.Update(crc32.Checksum(key, table), table, value[4:]) {
		return nil, false
	}
	return value[4:], true
}

// metaValue keeps a value of the bucket meta.
func (r *reader) metaValue(key, value []byte, _ bool) error {
	for i, name := range metaKeys {
		if string(key) == name {
			v, ok := sealed(key, value)
			if !ok {
				return fmt.Errorf("meta %s: checksum", name)
			}
			r.parts.values[i] = v
			return nil
		}
	}
	return fmt.Errorf("meta: key %q", key)
}

func (r *reader) readJournal() error {
	f := &r.journal
	err := f.read(func(key, value []byte, bucket bool) error {
		switch {
		case !bucket:
			return fmt.Errorf("journal.db: pair %q beside the buckets", key)
		case string(key) == "meta":
			r.parts.meta = value
		case string(key) == "index":
			r.parts.index = value
		case len(key) == 9 && key[0] == 'L':
			r.parts.segments = append(r.parts.segments, key, value)
		default:
			return fmt.Errorf("journal.db: bucket %q", key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.parts.meta == nil || r.parts.index == nil {
		return fmt.Errorf("journal.db: a bucket is missing")
	}
	if err := f.bucket(r.parts.meta, r.metaValue); err != nil {
		return err
	}
	v := &r.parts.values
	if string(v[metaMagic]) != "carillon-journal" || !bytes.Equal(v[metaFormat], []byte{0, 0, 0, 1}) || len(v[metaStore]) != 16 || len(v[metaOldest]) != 12 || len(v[metaEnd]) != 12 {
		return fmt.Errorf("journal.db: meta")
	}
	r.storeID = v[metaStore]
	r.first = binary.BigEndian.Uint64(v[metaOldest])
	r.segment, r.last = r.first, r.first-1
	r.chain = binary.BigEndian.Uint32(v[metaOldest][8:])
	if r.first == 1 && r.chain != crc32.Checksum(r.storeID, table) {
		return fmt.Errorf("journal.db: chain begins with %x", r.chain)
	}
	r.chains = append(r.chains, r.chain)
	if err := r.readSegments(); err != nil {
		return err
	}
	if binary.BigEndian.Uint64(v[metaEnd]) != r.last || binary.BigEndian.Uint32(v[metaEnd][8:]) != r.chain {
		return fmt.Errorf("journal.db: ends at %d, meta says %d", r.last, binary.BigEndian.Uint64(v[metaEnd]))
	}
	return r.readIndex()
}

func (r *reader) readSegments() error {
	r.footer = true
	for i := 0; i < len(r.parts.segments); i += 2 {
		name := r.parts.segments[i]
		if first := binary.BigEndian.Uint64(name[1:]); !r.footer || first != r.last+1 {
			return fmt.Errorf("segment %d follows record %d", first, r.last)
		}
		r.footer = false
		head := false
		err := r.journal.bucket(r.parts.segments[i+1], func(key, value []byte, bucket bool) error {
			if len(key) != 8 || bucket {
				return fmt.Errorf("segment: key %x", key)
			}
			switch seq := binary.BigEndian.Uint64(key); seq {
			case 0:
				head = true
				return r.segmentHead(name, value)
			case ^uint64(0):
				r.footer = true
				return r.segmentFoot(name, value)
			default:
				return r.value(key, seq, value)
			}
		})
		if err != nil {
			return err
		}
		if !head {
			return fmt.Errorf("segment %x has no header", name)
		}
	}
	if r.footer {
		return fmt.Errorf("the newest segment has ended")
	}
	return nil
}

func (r *reader) segmentHead(name, value []byte) error {
	v, ok := sealed(name, value)
	if !ok || len(v) != 12 || binary.BigEndian.Uint64(v) != r.last+1 || binary.BigEndian.Uint32(v[8:]) != r.chain {
		return fmt.Errorf("header of segment behind record %d", r.last)
	}
	return nil
}

func (r *reader) segmentFoot(name, value []byte) error {
	v, ok := sealed(name, value)
	if !ok || len(v) != 36 || binary.BigEndian.Uint64(v) != r.last || binary.BigEndian.Uint32(v[8:]) != r.chain {
		return fmt.Errorf("footer of segment that ends at %d", r.last)
	}
	return nil
}

// value reads the records of one value.
func (r *reader) value(key []byte, seq uint64, v []byte) error {
	if seq != r.last+1 || len(v) < 10 {
		return fmt.Errorf("value %d follows record %d", seq, r.last)
	}
	if binary.BigEndian.Uint32(v) != crc32.Update(crc32.Checksum(key, table), table, v[4:]) {
		return fmt.Errorf("value %d: checksum", seq)
	}
	if binary.BigEndian.Uint32(v[6:]) != r.chain {
		return fmt.Errorf("value %d: chain", seq)
	}
	n, rest := int(binary.BigEndian.Uint16(v[4:])), v[10:]
	for range n {
		var err error
		if rest, err = r.record(rest); err != nil {
			return err
		}
	}
	if n == 0 || len(rest) > 0 {
		return fmt.Errorf("value %d: %d records, %d bytes left", seq, n, len(rest))
	}
	return nil
}

func (r *reader) record(b []byte) (rest []byte, err error) {
	seq := r.last + 1
	if len(b) < 18 {
		return nil, fmt.Errorf("record %d is cut short", seq)
	}
	blank, chain, nstream := b[0] == 1, binary.BigEndian.Uint32(b[1:]), int(b[7])
	at := 16
	back, w := binary.Uvarint(b[at:])
	at += max(w, 0)
	var wake uint64
	if b[0] == 2 {
		ahead, y := binary.Varint(b[at:])
		if y <= 0 || binary.BigEndian.Uint64(b[8:])+uint64(ahead) == 0 {
			return nil, fmt.Errorf("record %d: wake", seq)
		}
		wake, at = binary.BigEndian.Uint64(b[8:])+uint64(ahead), at+y
	}
	ndata, x := binary.Uvarint(b[at:])
	at += max(x, 0)
	if b[0] > 2 || w <= 0 || x <= 0 || at+nstream+int(ndata) > len(b) {
		return nil, fmt.Errorf("record %d: header", seq)
	}
	stream, data := b[at:at+nstream], b[at+nstream:at+nstream+int(ndata)]
	end := at + nstream + int(ndata)
	if !blank && crc32.Update(r.chain, table, b[5:end]) != chain {
		return nil, fmt.Errorf("record %d: chain", seq)
	}
	if !blank && wake != uint64(workWake(seq)) {
		return nil, fmt.Errorf("record %d: wake %d", seq, wake)
	}
	if err := r.known(seq, back, binary.BigEndian.Uint64(b[8:]), stream, data, blank); err != nil {
		return nil, err
	}
	r.last, r.chain = seq, chain
	r.chains = append(r.chains, chain)
	return b[end:], nil
}

// known compares a record with what the worker appends at that place.
func (r *reader) known(seq, back, at uint64, stream, data []byte, blank bool) error {
	i := seq % workStreams
	name := r.content.streams[i]
	switch {
	case seq >= uint64(len(r.content.data)) || string(stream) != name || at != seq:
		return fmt.Errorf("record %d is of %q at %d", seq, stream, at)
	case blank && seq > r.c.blankTried[name]:
		return fmt.Errorf("record %d is blank", seq)
	case !blank && seq <= r.c.blanked[name]:
		return fmt.Errorf("record %d was blanked and is there", seq)
	case !blank && !bytes.Equal(data, r.content.data[seq]):
		return fmt.Errorf("record %d is %.40q", seq, data)
	case r.heads[i] != 0 && back != 0 && seq-back != r.heads[i],
		r.heads[i] == 0 && back != 0 && seq-back >= r.first,
		back == 0 && r.heads[i] != 0 && i != workStreams-1:
		return fmt.Errorf("record %d links back by %d, the stream is at %d", seq, back, r.heads[i])
	}
	r.heads[i] = seq
	return nil
}

// readIndex reads the keys of the last records, and no others.
func (r *reader) readIndex() error {
	r.count, r.total = 0, 0
	err := r.journal.bucket(r.parts.index, func(space, value []byte, bucket bool) error {
		if !bucket {
			return fmt.Errorf("index: pair %q", space)
		}
		head := crc32.Checksum(append([]byte{byte(len(space))}, space...), table)
		return r.journal.bucket(value, func(key, value []byte, _ bool) error {
			v, ok := sealed(key, value)
			if !ok {
				return fmt.Errorf("index %s: checksum of %q", space, key)
			}
			r.count++
			r.total += uint64(crc32.Update(crc32.Update(head, table, key), table, value))
			return r.key(string(space), key, v)
		})
	})
	if err != nil {
		return err
	}
	return r.tally(metaIndexTally, "index")
}

func (r *reader) key(space string, key, value []byte) error {
	seq, err := strconv.ParseUint(string(value), 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("index %s: %q is %q", space, key, value)
	case space == "s" && seq == r.last:
	case space == "p" && seq <= r.last && seq+workKeyLives > r.last && bytes.Equal(key, workKey(seq)):
		r.keys++
	default:
		return fmt.Errorf("index %s: %q is %d, the log ends at %d", space, key, seq, r.last)
	}
	return nil
}

// tally compares the pairs that were read with the tally that is kept of them.
func (r *reader) tally(of int, what string) error {
	t := r.parts.values[of]
	if len(t) != 16 || binary.BigEndian.Uint64(t) != r.count || binary.BigEndian.Uint64(t[8:]) != r.total {
		return fmt.Errorf("%s: %d pairs, the tally says otherwise", what, r.count)
	}
	return nil
}

func (r *reader) readSnapshots() error {
	f := &r.snapshots
	var meta, snaps []byte
	err := f.read(func(key, value []byte, bucket bool) error {
		switch {
		case bucket && string(key) == "meta":
			meta = value
		case bucket && string(key) == "snap":
			snaps = value
		default:
			return fmt.Errorf("snapshots.db: %q", key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if meta == nil || snaps == nil {
		return fmt.Errorf("snapshots.db: a bucket is missing")
	}
	journalStore := r.storeID
	if err := f.bucket(meta, r.metaValue); err != nil {
		return err
	}
	v := &r.parts.values
	if string(v[metaMagic]) != "carillon-snapshots" || !bytes.Equal(v[metaStore], journalStore) || len(v[metaReplayFrom]) != 8 {
		return fmt.Errorf("snapshots.db: meta")
	}
	r.replay = binary.BigEndian.Uint64(v[metaReplayFrom])
	r.count, r.total = 0, 0
	if err := f.bucket(snaps, r.snapshot); err != nil {
		return err
	}
	r.coverage()
	return r.tally(metaSnapTally, "snapshots")
}

// coverage finds the last record of each stream that replay no longer gives.
func (r *reader) coverage() {
	for seq := r.first; seq < r.replay && seq <= r.last; seq++ {
		r.below[seq%workStreams] = seq
	}
}

func (r *reader) snapshot(stream, v []byte, _ bool) error {
	if len(v) < 24 || binary.BigEndian.Uint32(v) != crc32.Update(crc32.Checksum(v[4:24], table), table, stream) {
		return fmt.Errorf("snapshot of %s: header", stream)
	}
	seq := binary.BigEndian.Uint64(v[4:])
	r.count++
	r.total += uint64(binary.BigEndian.Uint32(v))
	if crc32.Checksum(v[24:], table) != binary.BigEndian.Uint32(v[20:]) {
		return fmt.Errorf("snapshot of %s: data", stream)
	}
	i := seq % workStreams
	if seq == 0 || seq >= uint64(len(r.content.data)) || string(stream) != r.content.streams[i] ||
		binary.BigEndian.Uint64(v[12:]) != seq || !bytes.Equal(v[24:], r.content.data[seq]) {
		return fmt.Errorf("snapshot of %s at %d is %.40q", stream, seq, v[24:])
	}
	r.snaps[i] = seq
	return nil
}

// readSide reads STORE, which must not know more than the files hold.
func (r *reader) readSide(b []byte) error {
	body, sum, ok := bytes.Cut(b, []byte("\n"))
	if !ok || string(sum) != fmt.Sprintf("crc32c:%08x\n", crc32.Checksum(body, table)) {
		return fmt.Errorf("STORE: checksum")
	}
	var s struct {
		Format     int
		Store      string
		LastSeq    uint64 `json:"last_seq"`
		LastChain  uint32 `json:"last_chain"`
		ReplayFrom uint64 `json:"replay_from"`
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("STORE: %w", err)
	}
	switch {
	case s.Format != 1 || s.Store != fmt.Sprintf("%x", r.storeID):
		return fmt.Errorf("STORE: is of store %s", s.Store)
	case s.LastSeq > r.last || s.ReplayFrom > r.replay:
		return fmt.Errorf("STORE: knows record %d and replay from %d, the files end at %d and %d", s.LastSeq, s.ReplayFrom, r.last, r.replay)
	case s.LastSeq+1 >= r.first && r.chains[s.LastSeq+1-r.first] != s.LastChain:
		return fmt.Errorf("STORE: knows another record %d", s.LastSeq)
	}
	return nil
}
