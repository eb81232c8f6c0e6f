package actors

import (
	"context"
	"sync"

	"carillon/engine"
)

// DoAll is Do for many commands: it returns when each has its reply or its
// error. Those of one user are decided in their order, if none of them claims a
// number, and what is decided meanwhile shares its flushes. A ctx that ends
// leaves the commands on their way.
func (n *Node) DoAll(ctx context.Context, calls []engine.Call) {
	if len(calls) == 0 {
		return
	}
	g := &gathering{calls: calls, missing: len(calls), all: make(chan struct{})}
	for i := range calls {
		c := &calls[i]
		deliver := func(reply engine.Reply, err error) { g.take(i, reply, err) }
		if err := n.Ask(c.UserID, c.Cmd, c.Key, c.KeyHash, deliver); err != nil {
			deliver(nil, err)
		}
	}
	select {
	case <-g.all:
	case <-ctx.Done():
		g.end(ErrUnknownOutcome.because(ctx.Err()))
	case <-n.died:
		g.end(ErrUnknownOutcome)
	}
}

// gathering are the answers that one caller waits for.
type gathering struct {
	mu      sync.Mutex
	calls   []engine.Call // the caller's again when all is closed, or at the end
	missing int
	all     chan struct{}
}

// take notes an answer. One that comes after the end is nobody's.
func (g *gathering) take(i int, reply engine.Reply, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls == nil {
		return
	}
	g.calls[i].Reply, g.calls[i].Err = reply, err
	if g.missing--; g.missing == 0 {
		close(g.all)
	}
}

// end gives up what has not been answered.
func (g *gathering) end(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.calls {
		if c := &g.calls[i]; c.Reply == nil && c.Err == nil {
			c.Err = err
		}
	}
	g.calls = nil
}
