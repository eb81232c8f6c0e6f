package wal

import (
	"sync"

	"go.etcd.io/bbolt"
)

// readers keeps read transactions on the snapshots from one look-up to the next:
// to begin one, find the bucket and end it costs more than the look. One that is
// open keeps the file from being mapped anew, and shows it as it was. So whoever
// writes there ends those that rest first, and while it writes none comes to rest;
// one that was begun before the end of a write is not used again.
type readers struct {
	mu      sync.Mutex
	idle    []*reader
	writing int
	epoch   uint64 // of beginnings and ends of writes
}

// reader is such a transaction.
type reader struct {
	tx    *bbolt.Tx
	at    *bbolt.Cursor // of the snapshots
	key   []byte
	epoch uint64 // before it began
}

// keepReaders is how many rest at most.
const keepReaders = 8

func (p *readers) take(b *bbolt.DB) (*reader, error) {
	p.mu.Lock()
	epoch := p.epoch
	if n := len(p.idle) - 1; n >= 0 {
		r := p.idle[n]
		p.idle = p.idle[:n]
		p.mu.Unlock()
		return r, nil
	}
	p.mu.Unlock()
	tx, err := b.Begin(false)
	if err != nil {
		return nil, err
	}
	return &reader{tx: tx, epoch: epoch}, nil
}

// give takes one back. One that is not sound is ended.
func (p *readers) give(r *reader, sound bool) {
	p.mu.Lock()
	keep := sound && p.writing == 0 && p.epoch == r.epoch && len(p.idle) < keepReaders
	if keep {
		p.idle = append(p.idle, r)
	}
	p.mu.Unlock()
	if !keep {
		_ = r.tx.Rollback()
	}
}

// write ends those that rest, until done is called.
func (p *readers) write() (done func()) {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.writing++
	p.epoch++
	p.mu.Unlock()
	for _, r := range idle {
		_ = r.tx.Rollback()
	}
	return func() {
		p.mu.Lock()
		p.writing--
		p.epoch++
		p.mu.Unlock()
	}
}
