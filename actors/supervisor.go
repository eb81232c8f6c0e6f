package actors

import (
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
)

// supervisor restarts what panicked, for ever: the library's default stops an
// actor after ten restarts and drops its mailbox without a word. The new
// instance of a user loads from the journal (DESIGN 3). A panic in one of the
// node's own actors is fatal: they hold what is not flushed yet.
type supervisor struct{ node *Node }

var _ actor.SupervisorStrategy = (*supervisor)(nil)

// HandleFailure implements actor.SupervisorStrategy. It runs in the failed
// mailbox' turn, so the user's fields may be touched.
func (s *supervisor) HandleFailure(_ *actor.ActorSystem, parent actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	e := s.node.table.byPID(child)
	if e == nil {
		s.node.fatal(fmt.Errorf("actor %s panicked: %v", child.GetId(), reason))
		return
	}
	s.node.metrics.restarts.Inc()
	s.node.log.Error("user actor restarted", slog.String("user_id", e.id), slog.String("cause", fmt.Sprint(reason)))
	if at := e.seat; at != nil {
		at.restarted = true
		if r := at.current; r != nil {
			again := *r // all wakes are the same request
			again.failures++
			again.cause = fmt.Sprint(reason)
			at.backlog = append([]any{&again}, at.backlog...)
			at.current = nil
		}
	}
	parent.RestartChildren(child)
}
