package actors

import (
	"context"
	"io"
	"slices"

	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
)

// Users lists users by id, after the given one; next is empty on the last
// page.
func (n *Node) Users(ctx context.Context, after string, limit int) (users []engine.UserView, next string, err error) {
	var ids []string
	err = n.cfg.Log.IndexScan(spaceUser, []byte(after), limit+1, func(key, _ []byte) error {
		ids = append(ids, string(key))
		return nil
	})
	if err != nil {
		return nil, "", ErrInternal.because(err)
	}
	if len(ids) > limit {
		ids = ids[:limit]
		next = ids[limit-1]
	}
	for _, id := range ids {
		reply, err := n.Do(ctx, id, engine.GetUser{}, "", 0)
		if err != nil {
			return nil, "", err
		}
		if u, ok := reply.(engine.UserReply); ok { // else erased meanwhile
			users = append(users, u.User)
		}
	}
	return users, next, nil
}

// UserByPhone returns whose verified number that is.
func (n *Node) UserByPhone(_ context.Context, phone string) (userID string, ok bool, err error) {
	v, ok, err := n.cfg.Log.IndexGet(spacePhone, []byte(phone))
	if err != nil {
		return "", false, ErrInternal.because(err)
	}
	return string(v), ok, nil
}

// Timeline lists a user's decisions after entry number after, oldest first,
// from the log itself. next is 0 on the last page.
func (n *Node) Timeline(ctx context.Context, userID string, after uint64, limit int) (entries []engine.TimelineEntry, next uint64, known bool, err error) {
	reply, err := n.Do(ctx, userID, engine.GetUser{}, "", 0) // also waits for what is not flushed yet
	if err != nil {
		return nil, 0, false, err
	}
	if _, known = reply.(engine.UserReply); !known {
		return nil, 0, false, nil
	}
	entries, err = History(n.cfg.Log, userID, after)
	if err != nil {
		return nil, 0, true, ErrInternal.because(err)
	}
	if len(entries) > limit {
		entries = entries[:limit]
		next = entries[limit-1].Seq
	}
	return entries, next, true, nil
}

// History reads a user's decisions after entry number after from a log, oldest
// first. It reaches back as far as the log is kept (W4).
func History(log wal.Log, userID string, after uint64) ([]engine.TimelineEntry, error) {
	var newestFirst []engine.TimelineEntry
	head := log.Head(userID)
	if head == 0 {
		return nil, nil
	}
	err := log.History(userID, head, func(r wal.Record) (bool, error) {
		if r.Redacted {
			return false, nil // another person's, who was erased
		}
		first, events, err := codec.DecodeRecord(r.Version, r.Data)
		if err != nil {
			return false, err
		}
		for i, ev := range slices.Backward(events) {
			if seq := first + uint64(i); seq > after {
				e := engine.Describe(ev)
				e.Seq, e.At = seq, r.At
				newestFirst = append(newestFirst, e)
			}
		}
		return first > after+1, nil
	})
	if err != nil && !isCompacted(err) {
		return nil, err
	}
	slices.Reverse(newestFirst)
	nameEvents(newestFirst)
	return newestFirst, nil
}

// nameEvents adds the event to entries that only know their reminder.
func nameEvents(entries []engine.TimelineEntry) {
	of := map[string]string{}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.ReminderID != "" && e.EventID != "":
			of[e.ReminderID] = e.EventID
		case e.ReminderID != "":
			e.EventID = of[e.ReminderID]
		}
	}
}

// Backup writes a consistent copy of the store while it runs (W6).
func (n *Node) Backup(_ context.Context, w io.Writer) error {
	_, err := n.cfg.Log.Backup(w)
	return err
}

// Stats is a picture of the node.
type Stats struct {
	Users       int           `json:"users"`
	ActorsAlive int           `json:"actors_alive"`
	InFlight    int64         `json:"requests_in_flight"`
	Timers      int64         `json:"timers_pending"`
	Waking      int64         `json:"users_waking"`
	Outbox      OutboxStats   `json:"outbox"`
	Journal     JournalStats  `json:"journal"`
	Webhooks    *WebhookStats `json:"webhooks,omitempty"` // nil: there is nobody to tell
	LastPlanRun engine.Millis `json:"last_plan_run_ms"`
	LowOnSpace  bool          `json:"low_on_space"`
	Ready       bool          `json:"ready"`
}

// OutboxStats is a picture of the way to the carrier.
type OutboxStats struct {
	Queued  int64 `json:"queued"`
	Sending int64 `json:"sending"`
	LookUps int64 `json:"look_ups"`
	Paused  bool  `json:"paused"`
	// Stopped is why senders are stopped; each of them says so for itself below.
	Stopped string `json:"stopped,omitempty"`
	// Senders are the numbers or the service that texts come from (S6).
	Senders []SenderStats `json:"senders"`
	// Unreachable is why the carrier can't be connected to.
	Unreachable string `json:"unreachable,omitempty"`
}

// SenderStats is a picture of one sender.
type SenderStats struct {
	Sender  string `json:"sender,omitempty"` // empty: the carrier's only one
	Queued  int64  `json:"queued"`
	Sending int64  `json:"sending"`
	Window  int64  `json:"window"` // how many may be under way at a time
	Stopped string `json:"stopped,omitempty"`
	// SlowUntil is set while the carrier's word, or our own pace, holds it back.
	SlowUntil engine.Millis `json:"slow_until_ms,omitempty"`
}

func (n *Node) senderStats() []SenderStats {
	out := make([]SenderStats, 0, len(n.view.senders))
	for _, v := range n.view.senders {
		s := SenderStats{Sender: v.name, Queued: v.queued.Load(), Sending: v.sending.Load(), Window: v.window.Load()}
		if why := v.stopped.Load(); why != nil {
			s.Stopped = *why
		}
		if at := v.slowBefore.Load(); at > n.cfg.Clock.Now() {
			s.SlowUntil = at
		}
		out = append(out, s)
	}
	return out
}

// WebhookStats is a picture of what is told to the webhook receiver.
type WebhookStats struct {
	Pending int64         `json:"pending"`    // in memory, not taken yet
	Held    int64         `json:"held_users"` // whose webhooks wait because one was declined
	Away    bool          `json:"away"`
	Oldest  engine.Millis `json:"oldest_ms,omitempty"` // when the oldest that waits happened
}

// JournalStats is a picture of the store.
type JournalStats struct {
	FirstSeq       uint64 `json:"first_seq"`
	LastSeq        uint64 `json:"last_seq"`
	ReplayFrom     uint64 `json:"replay_from"`
	Segments       int    `json:"segments"`
	LogBytes       int64  `json:"log_bytes"`
	JournalBytes   int64  `json:"journal_file_bytes"`
	SnapshotBytes  int64  `json:"snapshots_file_bytes"`
	SnapshotRounds int64  `json:"snapshot_rounds"`
	Unsnapshotted  int    `json:"users_to_snapshot"`
}

// Stats takes the picture.
func (n *Node) Stats() Stats {
	users, alive := n.table.len()
	dirty, _ := n.dirty.count()
	s := n.cfg.Log.Stats()
	ready, _ := n.Ready()
	out := Stats{
		Users: users, ActorsAlive: alive, InFlight: n.inFlight.Load(), Timers: n.view.timers.Load(), Waking: n.view.due.Load(),
		Outbox: OutboxStats{
			Queued: n.view.queued.Load(), Sending: n.view.sending.Load(), LookUps: n.view.lookups.Load(), Paused: n.paused.Load(),
		},
		Journal: JournalStats{
			FirstSeq: s.FirstSeq, LastSeq: s.LastSeq, ReplayFrom: s.ReplayFrom, Segments: s.Segments, LogBytes: s.LogBytes,
			JournalBytes: s.JournalBytes, SnapshotBytes: s.SnapshotBytes, SnapshotRounds: n.view.snapshotRounds.Load(), Unsnapshotted: dirty,
		},
		LastPlanRun: n.view.lastPlan.Load(), LowOnSpace: n.lowSpace.Load(), Ready: ready,
	}
	if v := &n.tidings; n.tells() {
		out.Webhooks = &WebhookStats{Pending: v.waiting.Load(), Held: v.held.Load(), Away: v.away.Load(), Oldest: v.oldest.Load()}
	}
	if why := n.view.unreachable.Load(); why != nil {
		out.Outbox.Unreachable = *why
	}
	out.Outbox.Stopped, out.Outbox.Senders = n.stoppedWhy(), n.senderStats()
	return out
}
