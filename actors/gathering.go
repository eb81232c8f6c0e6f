package actors

import (
	"context"
	"sync/atomic"

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
	g := &gathering{asked: make([]gathered, len(calls)), all: make(chan struct{})}
	g.missing.Store(int64(len(calls)))
	for i := range calls {
		c, a := &calls[i], &g.asked[i]
		a.of = g
		a.request = request{cmd: c.Cmd, key: c.Key, keyHash: c.KeyHash, among: a}
		if err := n.pose(c.UserID, &a.request); err != nil {
			a.take(nil, err)
		}
	}
	var end error
	select {
	case <-g.all:
	case <-ctx.Done():
		end = ErrUnknownOutcome.because(ctx.Err())
	case <-n.died:
		end = ErrUnknownOutcome
	}
	for i := range calls {
		calls[i].Reply, calls[i].Err = g.asked[i].answer(end)
	}
}

// gathering are the answers that one caller waits for.
type gathering struct {
	asked   []gathered
	missing atomic.Int64
	all     chan struct{}
}

// gathered is one of them, with what was asked: in one piece for all, since each
// waits for the others anyway.
type gathered struct {
	request
	of    *gathering
	reply engine.Reply
	err   error
	there atomic.Bool
}

// take notes an answer.
func (a *gathered) take(reply engine.Reply, err error) {
	a.reply, a.err = reply, err
	a.there.Store(true)
	if a.of.missing.Add(-1) == 0 {
		close(a.of.all)
	}
}

// answer is what came, or the end that came first. What comes later is nobody's.
func (a *gathered) answer(end error) (engine.Reply, error) {
	if !a.there.Load() {
		return nil, end
	}
	return a.reply, a.err
}
