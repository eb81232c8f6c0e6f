package actors

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"carillon/engine"
	"carillon/wal"
)

// cursor is how far the receiver has been told, as the store keeps it: every
// record below At, but for those of the streams that are held back. It is
// raised in transactions of the journal, behind the telling: what was told
// since is told again after a crash, with the same ids.
type cursor struct {
	At    uint64       `json:"at"`
	Since uint64       `json:"since,omitempty"` // the first that was to be told; 0: nobody knows any more
	Held  []heldCursor `json:"held,omitempty"`
}

type heldCursor struct {
	Stream string        `json:"stream"`
	From   place         `json:"from"`
	Since  engine.Millis `json:"since"`
	Tries  int           `json:"tries"`
	At     engine.Millis `json:"at"`
}

type cursorState struct {
	saved   cursor
	savedAt engine.Millis
	behind  bool // there is something to save
	saving  bool
}

// heraldView is what the herald shares with the rest of the node.
type heraldView struct {
	store string      // id of the store
	start cursorState // as recovery found it
	poked atomic.Bool // a flushed is on its way

	oldest, waiting, held atomic.Int64
	away                  atomic.Bool
}

const (
	// saveEvery bounds what is told again after a crash, and what saving costs.
	saveEvery = engine.Millis(1000)
	// farBehind records without anything to tell are worth saving too: a start
	// would read them again.
	farBehind = 50_000
)

var keyTold = []byte("webhooks_told")

// tells reports whether there is somebody to tell.
func (n *Node) tells() bool { return n.cfg.Notifier != nil && !n.cfg.Still }

// loadCursor takes up where the store has it. A receiver that is new is told
// what happens from now on.
func (n *Node) loadCursor() error {
	if !n.tells() {
		return nil
	}
	n.tidings.store = n.cfg.Log.Stats().StoreID
	s := &n.tidings.start
	v, ok, err := n.cfg.Log.IndexGet(spaceSystem, keyTold)
	switch {
	case err != nil:
		return err
	case !ok:
		return n.firstCursor(s)
	}
	if err := json.Unmarshal(v, &s.saved); err != nil {
		return fmt.Errorf("actors: how far webhooks were told can't be read: %w", err)
	}
	return nil
}

// firstCursor is on the disk before anything happens that is to be told.
func (n *Node) firstCursor(s *cursorState) error {
	s.saved.At = n.cfg.Log.NextSeq()
	s.saved.Since = s.saved.At
	value, err := json.Marshal(s.saved)
	if err != nil {
		return err
	}
	return appendSystem(n.cfg.Log, streamSystem, n.cfg.Clock.Now(), "webhooks_told", "", wal.IndexOp{Space: spaceSystem, Key: keyTold, Value: value})
}

// position is the first record that has something untold of a stream that is
// not held back.
func (h *herald) position() uint64 {
	at := h.next
	for _, l := range h.lanes {
		if l.back == nil && len(l.queue) > 0 {
			at = min(at, l.queue[0].Seq)
		}
	}
	return at
}

// save has the journal write down how far everything is told.
func (h *herald) save(now engine.Millis) {
	n, c := h.node, &h.cursor
	c.behind = c.behind || len(h.lanes) == 0 && h.next > c.saved.At+farBehind
	due := h.hold || now >= c.savedAt+saveEvery && !n.lowSpace.Load()
	if !c.behind || c.saving || !due {
		return
	}
	next := cursor{At: h.position(), Since: c.saved.Since}
	for _, l := range h.held {
		k := l.back
		next.Held = append(next.Held, heldCursor{l.stream, k.from, k.since, k.tries, k.at})
	}
	value, err := json.Marshal(next)
	if err != nil {
		return // strings and numbers always can
	}
	e, err := systemEntry(streamSystem, now, "webhooks_told", "", wal.IndexOp{Space: spaceSystem, Key: keyTold, Value: value})
	if err != nil {
		return
	}
	c.saved, c.savedAt, c.saving, c.behind = next, now, true, false
	n.send(n.journal, &release{entry: e, at: now, after: func() { n.send(h.self, cursorSaved{}) }})
}

// pokeHerald tells it that the log has grown; one word is enough.
func (n *Node) pokeHerald() {
	if n.herald != nil && !n.tidings.poked.Swap(true) {
		n.send(n.herald, flushed{})
	}
}

// drainHerald waits until nothing is being told and the place is saved.
func (n *Node) drainHerald(ctx context.Context) error {
	if n.herald == nil {
		return nil
	}
	return n.waitFor(ctx, "webhooks under way", func(done func()) { n.send(n.herald, drainNotices{done}) })
}

// watchHerald registers what it shows.
func (n *Node) watchHerald(f factory) {
	v := &n.tidings
	f.gaugeFunc("webhooks_pending", "Webhooks in memory that the receiver has not taken yet.", func() float64 { return float64(v.waiting.Load()) })
	f.gaugeFunc("webhook_users_held", "Users whose webhooks wait because the receiver declined one.", func() float64 { return float64(v.held.Load()) })
	f.gaugeFunc("webhook_receiver_away", "1 while the webhook receiver takes nothing.", func() float64 { return flag(v.away.Load()) })
	f.gaugeFunc("webhook_lag_seconds", "Age of the oldest webhook that the receiver has not taken yet; 0 if there is none.", func() float64 {
		oldest := v.oldest.Load()
		if oldest == 0 {
			return 0
		}
		return float64(max(n.cfg.Clock.Now()-oldest, 0)) / 1000
	})
}
