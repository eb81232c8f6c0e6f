package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"unsafe"

	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
)

// load brings the user into memory, from snapshot and log. What was begun and
// has no outcome then becomes uncertain (S3).
func (u *user) load() {
	st, err := u.node.loadUser(u.e.id)
	if err != nil {
		u.lose(err)
		return
	}
	u.st = st
	u.countUncertain()
	if !u.recoveryWaits() {
		r := &request{cmd: u.node.recovered(u.e.id), deliver: func(engine.Reply, error) {}}
		u.backlog = append([]any{r}, u.backlog...)
	}
	u.workOff()
}

// recovered is the command that follows a load: after a restore it says when
// the backup was made, for as long as the log knows.
func (n *Node) recovered(id string) engine.Recover {
	if n.restoredAt == 0 {
		return engine.Recover{}
	}
	return engine.Recover{
		BackupAt: n.restoredAt, Settled: n.backupAt.Load() == 0, Ahead: n.cfg.Log.Head(id) > n.restoredSeq,
	}
}

// lose notes that the state can't be read.
func (u *user) lose(err error) {
	u.lost = err
	u.node.metrics.lost.Inc()
	u.node.log.Error("user can't be loaded", slog.String("user_id", u.e.id), slog.String("cause", err.Error()))
}

// recoveryWaits reports whether the command that follows a load is at hand
// already: it panicked, and is not to be begun anew for ever.
func (u *user) recoveryWaits() bool {
	if len(u.backlog) == 0 {
		return false
	}
	r, ok := u.backlog[0].(*request)
	if !ok {
		return false
	}
	_, ok = r.cmd.(engine.Recover)
	return ok
}

// loadUser reads a user from the log.
func (n *Node) loadUser(id string) (st *engine.User, err error) {
	defer func() {
		if p := recover(); p != nil {
			st, err = nil, fmt.Errorf("actors: loading panicked: %v", p)
		}
	}()
	st, _, err = readUser(n.cfg.Log, id)
	return st, err
}

// readUser rebuilds a user from snapshot and the records behind it, and
// returns the sequence that the state is as of.
func readUser(log wal.Log, id string) (*engine.User, uint64, error) {
	head := log.Head(id)
	if head == 0 { // somebody new: whoever has a snapshot has a head
		return &engine.User{ID: id}, 0, nil
	}
	st, at, err := readSnapshot(log, id)
	if err != nil {
		return nil, 0, err
	}
	if head <= at {
		return st, at, nil
	}
	var tail []decoded
	err = log.History(id, head, func(r wal.Record) (bool, error) {
		if r.Seq <= at {
			return false, nil
		}
		d, err := decode(r)
		tail = append(tail, d)
		return err == nil, err
	})
	if err != nil {
		return nil, 0, err
	}
	for i := range slices.Backward(tail) {
		if err := tail[i].replay(st); err != nil {
			return nil, 0, err
		}
	}
	return st, head, nil
}

// readSnapshot returns the state of a user's snapshot and its sequence, or
// somebody who does not exist yet.
func readSnapshot(log wal.Log, id string) (*engine.User, uint64, error) {
	s, ok, err := log.Snapshot(id)
	if err != nil || !ok {
		return &engine.User{ID: id}, 0, err
	}
	if len(s.Data) == 0 {
		return nil, 0, fmt.Errorf("%w: snapshot of %q is empty", codec.ErrCorrupt, id)
	}
	st, err := decodeUser(s.Data)
	if err != nil {
		return nil, 0, fmt.Errorf("snapshot at %d: %w", s.Seq, err)
	}
	return st, s.Seq, nil
}

// decodeUser reads a snapshot's data, which is ours and is not written to any
// more: the strings of the state are parts of it, and keep it.
func decodeUser(data []byte) (*engine.User, error) {
	rest := data[1:]
	text := unsafe.String(unsafe.SliceData(rest), len(rest)) //nolint:gosec // a copy of them was a sixth of decoding
	return codec.DecodeUserIn(data[0], rest, text)
}

var errGap = errors.New("actors: a record does not follow the one before it")

// decoded is a record of a user's stream, read from the bytes that the log
// lends.
type decoded struct {
	seq      uint64
	at       engine.Millis
	first    uint64
	events   []engine.Event
	redacted bool
}

func decode(r wal.Record) (decoded, error) {
	d := decoded{seq: r.Seq, at: r.At, redacted: r.Redacted}
	if r.Kind != kindUser {
		return d, fmt.Errorf("record %d: kind %d in a user's stream", r.Seq, r.Kind)
	}
	if r.Redacted {
		return d, nil
	}
	var err error
	if d.first, d.events, err = codec.DecodeRecord(r.Version, r.Data); err != nil {
		return d, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	return d, nil
}

// replay applies the record. Records of a person who was erased have no
// content any more: who comes after them begins anew (N6).
func (d *decoded) replay(st *engine.User) error {
	if d.redacted {
		*st = engine.User{ID: st.ID}
		return nil
	}
	if !st.Exists && st.EventSeq == 0 && d.first > 0 {
		st.EventSeq = d.first - 1 // what was before is erased or compacted away
	}
	if d.first != st.EventSeq+1 {
		return fmt.Errorf("record %d begins at event %d, the user is at %d: %w", d.seq, d.first, st.EventSeq, errGap)
	}
	for _, e := range d.events {
		st.Apply(d.at, e)
	}
	return nil
}
