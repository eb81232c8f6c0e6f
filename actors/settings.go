package actors

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"carillon/engine"
	"carillon/wal"
)

// Streams of the node's own records. No user id begins with "!".
const (
	streamSystem = "!system"
	streamKeys   = "!keys"
)

var keyPaused = []byte("paused")

// Key is an API key as it is stored: its hash, and what it may do.
type Key struct {
	ID        string        `json:"id"` // first 12 hex digits of the hash
	Role      string        `json:"role"`
	Note      string        `json:"note,omitempty"`
	CreatedAt engine.Millis `json:"created_at"`

	hash [sha256.Size]byte
}

// keyring holds the keys that are accepted.
type keyring struct {
	mu   sync.RWMutex
	keys []Key
}

// AddKey accepts a key that is not stored: the one of the configuration.
func (n *Node) AddKey(secret, role string) {
	n.keys.mu.Lock()
	defer n.keys.mu.Unlock()
	n.keys.keys = append(n.keys.keys, newKey(secret, role, "configuration", 0))
}

func newKey(secret, role, note string, at engine.Millis) Key {
	k := Key{Role: role, Note: note, CreatedAt: at, hash: sha256.Sum256([]byte(secret))}
	k.ID = hex.EncodeToString(k.hash[:6])
	return k
}

// KeyRole returns the role of a key. Every key is compared, each in constant
// time.
func (n *Node) KeyRole(secret string) (role string, ok bool) {
	hash := sha256.Sum256([]byte(secret))
	n.keys.mu.RLock()
	defer n.keys.mu.RUnlock()
	for i := range n.keys.keys {
		if subtle.ConstantTimeCompare(hash[:], n.keys.keys[i].hash[:]) == 1 {
			role, ok = n.keys.keys[i].Role, true
		}
	}
	return role, ok
}

// loadSettings reads what outlives the process: keys, and whether sending is
// paused.
func (n *Node) loadSettings() error {
	keys, err := Keys(n.cfg.Log)
	if err != nil {
		return err
	}
	n.keys.keys = keys
	if err := errors.Join(n.loadSpend(), n.loadCursor()); err != nil {
		return err
	}
	v, _, err := n.cfg.Log.IndexGet(spaceSystem, keyPaused)
	n.paused.Store(len(v) == 1 && v[0] == 1)
	return err
}

// Keys lists the keys that are stored in a log.
func Keys(log wal.Log) ([]Key, error) {
	var out []Key
	err := log.IndexScan(spaceKey, nil, 0, func(hash, value []byte) error {
		var k Key
		if err := json.Unmarshal(value, &k); err != nil || len(hash) != sha256.Size {
			return fmt.Errorf("actors: a stored API key can't be read: %w", err)
		}
		k.hash = [sha256.Size]byte(hash)
		out = append(out, k)
		return nil
	})
	return out, err
}

// StoreKey stores a key's hash in a log that no node is running on.
func StoreKey(log wal.Log, secret, role, note string, at engine.Millis) (Key, error) {
	k := newKey(secret, role, note, at)
	value, err := json.Marshal(k)
	if err != nil {
		return k, err
	}
	return k, appendSystem(log, streamKeys, at, "key_added", k.ID, wal.IndexOp{Space: spaceKey, Key: k.hash[:], Value: value})
}

// RevokeKey removes a key from a log that no node is running on, and reports
// whether there was one of that id.
func RevokeKey(log wal.Log, id string, at engine.Millis) (bool, error) {
	keys, err := Keys(log)
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if k.ID == id {
			return true, appendSystem(log, streamKeys, at, "key_revoked", id, wal.IndexOp{Space: spaceKey, Key: k.hash[:]})
		}
	}
	return false, nil
}

func appendSystem(log wal.Log, stream string, at engine.Millis, what, detail string, op wal.IndexOp) error {
	e, err := systemEntry(stream, at, what, detail, op)
	if err != nil {
		return err
	}
	e.Prev = log.Head(stream)
	_, err = log.Append([]wal.Entry{e})
	return err
}

// systemEntry is a record of the node's own.
func systemEntry(stream string, at engine.Millis, what, detail string, op wal.IndexOp) (wal.Entry, error) {
	data, err := json.Marshal(map[string]string{"what": what, "detail": detail})
	return wal.Entry{Stream: stream, Kind: kindSystem, Version: 1, At: at, Data: data, Index: []wal.IndexOp{op}}, err
}

// SetPaused stops and resumes sending for everybody (S8). It is durable: a
// restart stays paused. Resuming also lets a sender try again that a fault of
// its account had stopped.
func (n *Node) SetPaused(ctx context.Context, paused bool) error {
	_, err := n.await(ctx, func(deliver func(engine.Reply, error)) error { return n.AskPaused(paused, deliver) })
	return err
}

// AskPaused is SetPaused that does not wait; deliver as with Ask.
func (n *Node) AskPaused(paused bool, deliver func(engine.Reply, error)) error {
	what, value := "sending_resumed", []byte{0}
	if paused {
		what, value = "sending_paused", []byte{1}
	}
	now := n.cfg.Clock.Now()
	e, err := systemEntry(streamSystem, now, what, "", wal.IndexOp{Space: spaceSystem, Key: keyPaused, Value: value})
	if err != nil {
		return err
	}
	r := &request{cmd: engine.PauseUser{}, deliver: deliver}
	if err := n.admit(r); err != nil {
		return err
	}
	n.send(n.journal, &release{entry: e, at: now, deliver: func(reply engine.Reply, err error) {
		if err == nil {
			n.paused.Store(paused)
			n.send(n.outbox, pauseSending{paused})
		}
		r.answer(reply, err)
	}})
	return nil
}

// KeyCount is how many keys are accepted.
func (n *Node) KeyCount() int {
	n.keys.mu.RLock()
	defer n.keys.mu.RUnlock()
	return len(n.keys.keys)
}
