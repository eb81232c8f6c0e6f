package actors

import (
	"context"
	"errors"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/wal"
)

// Stop takes no new requests, wakes nobody, begins no hand-over, and waits for
// what is under way until ctx ends. What the carrier has not answered by then
// is found uncertain by the next start. The log is the caller's to close.
func (n *Node) Stop(ctx context.Context) error {
	n.draining.Store(true)
	n.send(n.timer, holdWakes{})
	if n.composer != nil {
		n.send(n.composer, holdComposes{})
	}
	if n.calendars != nil {
		n.send(n.calendars, holdCalendars{})
	}
	err := errors.Join(
		n.waitFor(ctx, "hand-overs in flight", func(done func()) { n.send(n.outbox, drainSends{done}) }),
		n.drainHerald(ctx),
		n.waitFor(ctx, "records to be flushed", func(done func()) { n.send(n.journal, &release{after: done}) }),
	)
	for _, pid := range []*actor.PID{n.timer, n.outbox, n.keeper, n.herald} { // those with an alarm
		if pid != nil {
			n.root.Stop(pid)
		}
	}
	n.closeQueues()
	n.system.Shutdown()
	return err
}

// waitFor says what it waits for, and waits until it is done, ctx ends, or the
// node is dead.
func (n *Node) waitFor(ctx context.Context, what string, ask func(done func())) error {
	if n.dead.Load() != nil {
		return nil
	}
	n.log.Info("waiting", slog.String("for", what), slog.Int64("sending", n.view.sending.Load()), slog.Int64("requests", n.inFlight.Load()))
	done := make(chan struct{})
	ask(func() { close(done) })
	select {
	case <-done:
		return nil
	case <-n.died:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("actors: stopped before it was done: "+what), ctx.Err())
	}
}

func (n *Node) closeQueues() {
	for _, q := range n.queues {
		q.close()
	}
	n.crew.close()
}

func isCompacted(err error) bool { return errors.Is(err, wal.ErrCompacted) }
