package waltest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"carillon/wal"
)

// MemOptions of NewMem. The zero value is a log without faults.
type MemOptions struct {
	// Seed of every draw.
	Seed uint64
	// CommitError is the probability that an Append reports ErrUnknownOutcome. Half
	// of those batches are on the disk all the same; CrashClone shows which.
	CommitError float64
	// Lying makes Append return without a flush, as a disk does that lies: the
	// positive control of crash tests, which must fail with it.
	Lying bool
	// Shared keeps and returns the data of snapshots without copies, for callers
	// who write to neither: reading copies was a fiftieth of a simulation's time.
	Shared bool
	// SegmentRecords is the number of records in a segment. Default: 65,536.
	SegmentRecords int
}

// Mem is a log in memory. It is safe for concurrent use.
type Mem struct {
	mu       sync.Mutex
	opts     MemOptions
	rand     *rand.Rand
	failNext func() (fail, visible bool)

	st      state
	flushed []state // Lying only: states that a crash may fall back to, oldest first
	poison  error
	closed  bool
}

// state is what a disk holds. Records are never changed in place: clones share
// them.
type state struct {
	First      uint64 // sequence of Records[0], or of the next record
	Records    []wal.Record
	Heads      map[string]uint64
	Bare       map[string]bool
	Snapshots  map[string]wal.Snapshot
	Index      map[string]map[string][]byte
	ReplayFrom uint64
	Restored   wal.Restored
	Pending    bool
}

func (s state) clone() state {
	s.Records = slices.Clip(s.Records) // what is appended to the clone is its own
	s.Heads, s.Bare, s.Snapshots = maps.Clone(s.Heads), maps.Clone(s.Bare), maps.Clone(s.Snapshots)
	index := make(map[string]map[string][]byte, len(s.Index))
	for k, v := range s.Index {
		index[k] = maps.Clone(v)
	}
	s.Index = index
	return s
}

func (s *state) next() uint64 { return s.First + uint64(len(s.Records)) }

var _ wal.Log = (*Mem)(nil)

// NewMem returns an empty log.
func NewMem(opts MemOptions) *Mem {
	return fromState(opts, state{
		First: 1, ReplayFrom: 1,
		Heads: map[string]uint64{}, Bare: map[string]bool{},
		Snapshots: map[string]wal.Snapshot{}, Index: map[string]map[string][]byte{},
	})
}

func fromState(opts MemOptions, st state) *Mem {
	if opts.SegmentRecords <= 0 {
		opts.SegmentRecords = 65_536
	}
	return &Mem{opts: opts, rand: rand.New(rand.NewPCG(opts.Seed, 0x3a1)), st: st}
}

func (m *Mem) usable() error {
	switch {
	case m.poison != nil:
		return fmt.Errorf("%w by: %w", wal.ErrPoisoned, m.poison)
	case m.closed:
		return wal.ErrClosed
	}
	return nil
}

// Append implements wal.Log.
func (m *Mem) Append(batch []wal.Entry) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return 0, err
	}
	first := m.st.next()
	if len(batch) == 0 {
		return first, nil
	}
	staged := map[string]uint64{}
	for i := range batch {
		e := &batch[i]
		if err := wal.CheckEntry(e); err != nil {
			return 0, fmt.Errorf("entry %d: %w", i, err)
		}
		have, known := staged[e.Stream]
		if !known {
			have, known = m.st.Heads[e.Stream]
		}
		if !known && e.Prev < m.st.ReplayFrom {
			e.Prev = 0 // forgotten meanwhile: it begins anew
		}
		if have != e.Prev {
			return 0, fmt.Errorf("%w: entry %d: stream is at %d, caller expects %d", wal.ErrConflict, i, have, e.Prev)
		}
		staged[e.Stream] = first + uint64(i)
	}
	fail, visible := m.drawFault()
	if fail && !visible {
		return 0, m.poisoned("before the write")
	}
	if m.opts.Lying {
		m.flushed = append(m.flushed, m.st.clone())
	}
	m.write(batch, first)
	if fail {
		return 0, m.poisoned("after the write")
	}
	return first, nil
}

func (m *Mem) poisoned(when string) error {
	m.poison = fmt.Errorf("%w: injected %s", wal.ErrUnknownOutcome, when)
	return m.poison
}

// FailNext makes the next Append report ErrUnknownOutcome, with the batch on the
// disk or not.
func (m *Mem) FailNext(visible bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failNext = func() (bool, bool) { return true, visible }
}

func (m *Mem) drawFault() (fail, visible bool) {
	if f := m.failNext; f != nil {
		m.failNext = nil
		return f()
	}
	if m.opts.CommitError == 0 || m.rand.Float64() >= m.opts.CommitError {
		return false, false
	}
	return true, m.rand.IntN(2) == 0
}

func (m *Mem) write(batch []wal.Entry, first uint64) {
	for i := range batch {
		e := &batch[i]
		seq := first + uint64(i)
		m.st.Records = append(m.st.Records, wal.Record{
			Seq: seq, Stream: e.Stream, Prev: e.Prev, Kind: e.Kind, Version: e.Version, At: e.At, Wake: e.Wake,
			Data: append([]byte{}, e.Data...),
		})
		if _, known := m.st.Heads[e.Stream]; !known {
			m.st.Bare[e.Stream] = true
		}
		m.st.Heads[e.Stream] = seq
		for _, op := range e.Index {
			space := m.st.Index[op.Space]
			if space == nil {
				space = map[string][]byte{}
				m.st.Index[op.Space] = space
			}
			if op.Value == nil {
				delete(space, string(op.Key))
			} else {
				space[string(op.Key)] = append([]byte{}, op.Value...)
			}
		}
	}
}

// CrashClone is the log as the next process finds it: everything acknowledged,
// and the batch of a failed Append if it was on the disk. A lying log loses a
// drawn number of its last appends. The clone draws from the next seed; m is
// closed, as a dead process is.
func (m *Mem) CrashClone() *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	opts := m.opts
	opts.Seed++
	if n := len(m.flushed); n > 0 {
		if keep := m.rand.IntN(n + 1); keep < n {
			return fromState(opts, m.flushed[keep].clone())
		}
	}
	st := m.st.clone()
	st.Records, m.st.Records = m.st.Records, st.Records // with the room to grow, which a dead log has no use for
	return fromState(opts, st)
}

// NextSeq implements wal.Log.
func (m *Mem) NextSeq() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st.next()
}

// Head implements wal.Log.
func (m *Mem) Head(stream string) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st.Heads[stream]
}

// IndexGet implements wal.Log.
func (m *Mem) IndexGet(space string, key []byte) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return nil, false, err
	}
	v, ok := m.st.Index[space][string(key)]
	return bytes.Clone(v), ok, nil
}

// IndexScan implements wal.Log.
func (m *Mem) IndexScan(space string, after []byte, limit int, fn func(key, value []byte) error) error {
	m.mu.Lock()
	err := m.usable()
	if err == nil && space == "" {
		err = fmt.Errorf("%w: no space", wal.ErrInvalid)
	}
	keys := maps.Clone(m.st.Index[space])
	m.mu.Unlock()
	if err != nil {
		return err
	}
	n := 0
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if k <= string(after) {
			continue
		}
		if limit > 0 && n == limit {
			return nil
		}
		n++
		if err := fn([]byte(k), keys[k]); err != nil {
			return err
		}
	}
	return nil
}
