package actors

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
)

// recover learns when everybody has to be woken: from the headers of their
// snapshots, and from those of the records behind them (W2). Nobody is read;
// who is touched is rebuilt then, like somebody who was passivated.
func (n *Node) recover() error {
	if err := n.loadSettings(); err != nil {
		return err
	}
	covered := map[string]uint64{}
	n.expect(n.cfg.Log.Stats().Streams)
	err := n.cfg.Log.SnapshotHeaders(func(s wal.Snapshot) error {
		h := n.table.home(s.Stream)
		h.mu.Lock()
		n.discover(h).wake = s.Wake // a stream has one snapshot: nobody is there twice
		h.mu.Unlock()
		if s.Seq >= n.cfg.Log.ReplayFrom() {
			covered[s.Stream] = s.Seq
		}
		return nil
	})
	if err != nil {
		return err
	}
	silent := map[*entry]bool{}
	blanked := untold{}
	err = n.cfg.Log.Replay(n.cfg.Log.ReplayFrom(), func(r wal.Record) error {
		blanked.see(r)
		if strings.HasPrefix(r.Stream, "!") || r.Seq <= covered[r.Stream] {
			return nil
		}
		return n.recoverRecord(r, silent)
	})
	if err != nil {
		return err
	}
	for e := range silent {
		st, _, err := readUser(n.cfg.Log, e.id)
		if err != nil {
			return err
		}
		e.wake = st.EarliestWake(&n.cfg.Policy)
	}
	n.untold = blanked.erasures(n.tidings.start.saved.Since)
	return n.findBackup()
}

// recoverRecord takes note of one record of the tail: a snapshot is owed, and
// the wake is the last one's. Silent are those whose last record does not say:
// they have to be read.
func (n *Node) recoverRecord(r wal.Record, silent map[*entry]bool) error {
	if err := codec.Supported(r.Version); err != nil {
		return fmt.Errorf("record %d: %w", r.Seq, err)
	}
	if r.Kind != kindUser {
		return fmt.Errorf("record %d: kind %d in a user's stream", r.Seq, r.Kind)
	}
	h := n.table.home(r.Stream)
	h.mu.Lock()
	defer h.mu.Unlock()
	e := n.find(h)
	e.wake = r.Wake
	n.dirty.add(e)
	delete(silent, e)
	if r.Wake != 0 || r.Redacted {
		return nil
	}
	_, events, err := codec.DecodeRecord(r.Version, r.Data)
	if err != nil {
		return fmt.Errorf("record %d: %w", r.Seq, err)
	}
	if slices.ContainsFunc(events, func(e engine.Event) bool { _, ok := e.(engine.UserErased); return ok }) {
		n.erasures = append(n.erasures, erase{e.id, r.Seq}) // cut short, or it would be redacted
		return nil
	}
	silent[e] = true
	return nil
}

// expect makes room for so many users at once: growing by and by moves all of
// them again and again.
func (n *Node) expect(users int) {
	n.table.expect(users)
	n.found = make([]*entry, 0, users)
}

// find returns the entry of a user that recovery comes across; the caller
// holds the shard's lock.
func (n *Node) find(h home) *entry {
	if e := h.entry(); e != nil {
		return e
	}
	return n.discover(h)
}

// discover makes the entry of a user who is not in the table; the caller holds
// the shard's lock.
func (n *Node) discover(h home) *entry {
	e := h.add()
	n.found = append(n.found, e)
	return e
}

// findBackup learns when a restored backup was made: at its last record. What
// came due since may have left without leaving a record here (S3).
func (n *Node) findBackup() error {
	r, pending := n.cfg.Log.Restored()
	if r.Epoch == 0 && !pending {
		return nil
	}
	at := engine.Millis(1)
	if r.Seq > 0 {
		err := n.cfg.Log.Replay(r.Seq, func(r wal.Record) error {
			at = r.At
			return errFound
		})
		switch {
		case errors.Is(err, wal.ErrCompacted):
		case err != nil && !errors.Is(err, errFound):
			return fmt.Errorf("actors: last record of the restored backup: %w", err)
		}
	}
	n.restoredAt, n.restoredSeq, n.restores = at, r.Seq, r.Epoch
	if err := n.findRanOn(); err != nil {
		return err
	}
	if pending {
		n.backupAt.Store(at)
	}
	return nil
}

// findRanOn learns when this store took over at the latest: when its first record
// behind the backup was written, as far as it has them, or now.
func (n *Node) findRanOn() error {
	n.ranOn = n.cfg.Clock.Now()
	from := max(n.restoredSeq+1, n.cfg.Log.Stats().FirstSeq)
	err := n.cfg.Log.Replay(from, func(r wal.Record) error {
		n.ranOn = r.At
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return fmt.Errorf("actors: first record behind the restored backup: %w", err)
	}
	return nil
}

var errFound = errors.New("found")

// begin arms the timers and lets requests in; after a restore only when
// everything that came due since the backup is recorded as uncertain.
func (n *Node) begin() {
	now := n.cfg.Clock.Now()
	var arms []arm
	var overdue []string
	for _, e := range n.found {
		if e.wake == 0 {
			continue
		}
		if n.backupAt.Load() != 0 && e.wake <= now {
			overdue = append(overdue, e.id)
		}
		arms = append(arms, arm{e, e.wake})
	}
	n.found = nil
	n.view.timers.Store(int64(len(arms))) // until the timer has looked at them: who asks is told as soon as requests are let in
	if len(arms) > 0 {
		n.send(n.timer, arms)
	}
	for _, m := range n.erasures {
		n.erase(m)
	}
	for _, m := range n.untold {
		n.tellErased(m)
	}
	n.erasures, n.untold = nil, nil
	n.fence(overdue, func() {
		n.ready.Store(true)
		if !n.cfg.Still {
			n.send(n.timer, letWakes{})
		}
		n.send(n.keeper, tick{})
		n.pokeHerald()
	})
}

// fence has every user load that something was due for since the backup, and
// then tells the log that this is done.
func (n *Node) fence(overdue []string, done func()) {
	if n.backupAt.Load() == 0 || n.cfg.Still {
		done()
		return
	}
	finish := func() {
		if err := n.cfg.Log.AckRestored(); err != nil {
			n.fatal(err)
			return
		}
		n.backupAt.Store(0)
		done()
	}
	if len(overdue) == 0 {
		finish()
		return
	}
	var left atomic.Int64
	left.Store(int64(len(overdue)))
	for _, id := range overdue {
		n.wakeUser(id, func() {
			if left.Add(-1) == 0 {
				n.cfg.Go(finish)
			}
		})
	}
}
