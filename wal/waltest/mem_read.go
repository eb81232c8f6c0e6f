package waltest

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"carillon/wal"
)

// records is the log at this moment; the slice is never written below its length,
// except by Redact, which replaces it.
func (m *Mem) records() (first uint64, recs []wal.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st.First, m.st.Records, m.usable()
}

// Replay implements wal.Log.
func (m *Mem) Replay(from uint64, fn func(wal.Record) error) error {
	first, recs, err := m.records()
	if err != nil {
		return err
	}
	if from == 0 {
		from = first
	}
	if from < first {
		return fmt.Errorf("%w: sequence %d, the oldest kept is %d", wal.ErrCompacted, from, first)
	}
	for i := from - first; i < uint64(len(recs)); i++ {
		if err := fn(recs[i]); err != nil {
			return err
		}
	}
	return nil
}

// History implements wal.Log.
func (m *Mem) History(stream string, last uint64, fn func(wal.Record) (bool, error)) error {
	first, recs, err := m.records()
	if err != nil {
		return err
	}
	for seq := last; seq != 0; {
		switch {
		case seq < first && seq == last:
			return fmt.Errorf("%w: sequence %d", wal.ErrCompacted, seq)
		case seq < first:
			return nil
		case seq-first >= uint64(len(recs)) || recs[seq-first].Stream != stream:
			return fmt.Errorf("%w: sequence %d of that stream", wal.ErrNotFound, seq)
		}
		r := recs[seq-first]
		if more, err := fn(r); err != nil || !more {
			return err
		}
		seq = r.Prev
	}
	return nil
}

// Redact implements wal.Log.
func (m *Mem) Redact(stream string, last uint64) (int, error) {
	var seqs []uint64
	err := m.History(stream, last, func(r wal.Record) (bool, error) {
		if !r.Redacted {
			seqs = append(seqs, r.Seq)
		}
		return true, nil
	})
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.st.Records = slices.Clone(m.st.Records) // a backup, or who reads just now, has the others
	for _, seq := range seqs {
		if seq >= m.st.First {
			r := &m.st.Records[seq-m.st.First]
			r.Data, r.Wake, r.Redacted = nil, 0, true
		}
	}
	return len(seqs), nil
}

// Compact implements wal.Log.
func (m *Mem) Compact(opts wal.CompactOptions) (res wal.CompactResult, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return res, err
	}
	size := func(recs []wal.Record) (n int64) {
		for i := range recs {
			n += int64(len(recs[i].Stream) + len(recs[i].Data))
		}
		return n
	}
	for opts.MaxSegments == 0 || res.Segments < opts.MaxSegments {
		n := m.opts.SegmentRecords - int((m.st.First-1)%uint64(m.opts.SegmentRecords))
		if n >= len(m.st.Records) || m.st.Records[n-1].Seq >= m.st.ReplayFrom {
			break
		}
		old := opts.KeepFrom != 0
		for _, r := range m.st.Records[:n] {
			old = old && r.At < opts.KeepFrom
		}
		if !old && (opts.MaxLogBytes <= 0 || size(m.st.Records) <= opts.MaxLogBytes) {
			break
		}
		res.Segments++
		res.Records += uint64(n)
		res.Bytes += size(m.st.Records[:n])
		m.drop(m.st.First + uint64(n))
	}
	return res, nil
}

func (m *Mem) drop(first uint64) {
	m.st.Records = m.st.Records[first-m.st.First:]
	m.st.First = first
}

// DropBelow forgets the records below first, so that Mem can follow the segments
// of the log that it is the model of.
func (m *Mem) DropBelow(first uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(first)
}

// Verify implements wal.Log.
func (m *Mem) Verify(progress func(done, total uint64)) (rep wal.VerifyReport, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return rep, err
	}
	rep = wal.VerifyReport{
		Segments: 1, Records: uint64(len(m.st.Records)), Snapshots: uint64(len(m.st.Snapshots)),
		FirstSeq: m.st.First, LastSeq: m.st.next() - 1,
	}
	streams := map[string]bool{}
	for _, r := range m.st.Records {
		streams[r.Stream] = true
		if r.Redacted {
			rep.Redacted++
		}
	}
	rep.Streams = uint64(len(streams))
	for _, space := range m.st.Index {
		rep.IndexKeys += uint64(len(space))
	}
	if progress != nil {
		progress(rep.Records, rep.Records)
	}
	return rep, nil
}

// Backup implements wal.Log; only RestoreMem reads it.
func (m *Mem) Backup(w io.Writer) (int64, error) {
	m.mu.Lock()
	b, err := json.Marshal(m.st)
	if err == nil {
		err = m.usable()
	}
	m.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := w.Write(b)
	return int64(n), err
}

// RestoreMem is wal.Restore for what Mem.Backup wrote. Index and stream names
// must be UTF-8, since the backup is JSON.
func RestoreMem(r io.Reader, opts MemOptions) (*Mem, error) {
	m := NewMem(opts)
	if err := json.NewDecoder(r).Decode(&m.st); err != nil {
		return nil, err
	}
	m.restored()
	return m, nil
}

func (m *Mem) restored() {
	m.st.Restored = wal.Restored{Epoch: m.st.Restored.Epoch + 1, Seq: m.st.next() - 1}
	m.st.Pending = true
}

// RestoredCopy is what RestoreMem makes of a backup of m, without the bytes:
// JSON was a sixth of a simulation's time.
func (m *Mem) RestoredCopy(opts MemOptions) (*Mem, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return nil, err
	}
	out := fromState(opts, m.st.clone())
	out.restored()
	return out, nil
}

// Restored implements wal.Log.
func (m *Mem) Restored() (wal.Restored, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st.Restored, m.st.Pending
}

// AckRestored implements wal.Log.
func (m *Mem) AckRestored() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(); err != nil {
		return err
	}
	m.st.Pending = false
	return nil
}

// Stats implements wal.Log.
func (m *Mem) Stats() wal.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return wal.Stats{
		StoreID: "mem", FirstSeq: m.st.First, LastSeq: m.st.next() - 1, ReplayFrom: m.st.ReplayFrom,
		Segments: 1, Streams: len(m.st.Heads), Restored: m.st.Restored, Pending: m.st.Pending,
	}
}

// Close implements wal.Log.
func (m *Mem) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return wal.ErrClosed
	}
	m.closed = true
	return nil
}
