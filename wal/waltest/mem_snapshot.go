package waltest

import (
	"fmt"
	"maps"
	"slices"

	"carillon/wal"
)

// PutSnapshots implements wal.Log.
func (m *Mem) PutSnapshots(batch []wal.Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return err
	}
	for i := range batch {
		s := &batch[i]
		head := m.st.Heads[s.Stream]
		switch {
		case s.Stream == "":
			return fmt.Errorf("%w: snapshot %d has no stream", wal.ErrInvalid, i)
		case len(s.Stream) > wal.MaxStreamBytes || len(s.Data) > wal.MaxSnapBytes:
			return fmt.Errorf("%w: snapshot %d", wal.ErrTooLarge, i)
		case s.Seq == 0 || s.Seq > head:
			return fmt.Errorf("%w: snapshot %d at %d is ahead of its stream at %d", wal.ErrConflict, i, s.Seq, head)
		case !m.st.replaysAfter(s, head):
			return fmt.Errorf("%w: snapshot %d at %d would lose records up to %d", wal.ErrConflict, i, s.Seq, head)
		}
	}
	for _, s := range batch {
		if !m.opts.Shared {
			s.Data = append([]byte{}, s.Data...)
		}
		m.st.Snapshots[s.Stream] = s
		delete(m.st.Bare, s.Stream)
	}
	return nil
}

// replaysAfter says whether s is at a record of its stream, and replay gives all
// records of the stream after it.
func (s *state) replaysAfter(snap *wal.Snapshot, head uint64) bool {
	at := func(seq uint64) *wal.Record {
		if seq < s.First || seq >= s.next() {
			return &wal.Record{}
		}
		return &s.Records[seq-s.First]
	}
	if snap.Seq >= s.ReplayFrom {
		return at(snap.Seq).Stream == snap.Stream
	}
	seq := head
	for seq > snap.Seq && seq >= s.ReplayFrom {
		seq = at(seq).Prev
	}
	return seq == snap.Seq
}

// DeleteSnapshot implements wal.Log.
func (m *Mem) DeleteSnapshot(stream string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return err
	}
	if stream == "" {
		return fmt.Errorf("%w: no stream", wal.ErrInvalid)
	}
	delete(m.st.Snapshots, stream)
	switch head, known := m.st.Heads[stream]; {
	case !known:
	case head < m.st.ReplayFrom:
		delete(m.st.Heads, stream)
	default:
		m.st.Bare[stream] = true
	}
	return nil
}

// Snapshot implements wal.Log.
func (m *Mem) Snapshot(stream string) (wal.Snapshot, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return wal.Snapshot{}, false, err
	}
	if stream == "" {
		return wal.Snapshot{}, false, fmt.Errorf("%w: no stream", wal.ErrInvalid)
	}
	s, ok := m.st.Snapshots[stream]
	if !m.opts.Shared {
		s.Data = slices.Clone(s.Data)
	}
	return s, ok, nil
}

// SnapshotHeaders implements wal.Log.
func (m *Mem) SnapshotHeaders(fn func(wal.Snapshot) error) error {
	m.mu.Lock()
	err := m.usable()
	all := maps.Clone(m.st.Snapshots)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		s := all[k]
		s.Data = nil
		if err := fn(s); err != nil {
			return err
		}
	}
	return nil
}

// ReplayFrom implements wal.Log.
func (m *Mem) ReplayFrom() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st.ReplayFrom
}

// SetReplayFrom implements wal.Log.
func (m *Mem) SetReplayFrom(seq uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return err
	}
	if seq < m.st.ReplayFrom || seq > m.st.next() {
		return fmt.Errorf("%w: replay from %d", wal.ErrConflict, seq)
	}
	m.st.ReplayFrom = seq
	for s := range m.st.Bare {
		if m.st.Heads[s] < seq {
			delete(m.st.Bare, s)
			delete(m.st.Heads, s)
		}
	}
	return nil
}
