package actors

import (
	"cmp"
	"container/heap"
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/actors/provider"
	"carillon/engine"
)

// composer is the actor that has texts written ahead of the send (X4). Nothing
// waits for it: what is not written when the reminder is due goes by template.
//
//	Compose → queue → Compose at the endpoint → RecordComposition → flush → done
//
// What it is asked for is derived from the users' states and comes back after
// a crash; what it has already is not taken twice.
type composer struct {
	node   *Node
	self   *actor.PID
	ctx    context.Context // ends with the node: nobody would take the answers
	cancel context.CancelFunc

	queue   composeQueue
	known   map[string]bool // keys queued or under way
	running int             // asked, and not recorded yet
	open    int             // of those, whose cost is not known yet
	unasked []unasked       // to be recorded, one by one
	telling string          // the key of the one that is being recorded
	spend   ledger
	held    bool
	failing engine.ComposeOutcome // what was logged last; ComposeNone: it works
}

// The composer's messages, besides []engine.Effect.
type (
	// composed: the composer has answered, or has not.
	composed struct {
		effect engine.Compose
		out    provider.Composition
		err    error
		took   time.Duration
	}
	// composeRecorded: what it answered is flushed.
	composeRecorded struct{ key string }
	// unasked is a text that nobody was asked for, and why.
	unasked struct {
		effect  engine.Compose
		outcome engine.ComposeOutcome
	}
	// holdComposes begins nothing any more.
	holdComposes struct{}
)

func newComposer(n *Node) *composer {
	c := &composer{node: n, known: map[string]bool{}, spend: n.spend, held: n.cfg.Still}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Receive implements actor.Actor.
func (c *composer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.self = ctx.Self()
	case *actor.Stopped, holdComposes:
		c.held = true
		c.cancel()
	case []engine.Effect:
		c.takeIn(m)
	case composed:
		c.composed(m)
	case composeRecorded:
		c.recorded(m.key)
	}
	c.work()
}

func (c *composer) takeIn(effects []engine.Effect) {
	for _, e := range effects {
		if e, ok := e.(engine.Compose); ok && !c.known[e.Key()] {
			c.known[e.Key()] = true
			heap.Push(&c.queue, e)
		}
	}
}

// recorded frees the place of what is flushed. Only then, so that no more
// records come from here at a time than texts may be asked for: the journal
// has reminders to send.
func (c *composer) recorded(key string) {
	delete(c.known, key)
	if key == c.telling {
		c.telling = ""
	} else {
		c.running--
	}
}

// work begins what may begin now, the nearest due time first. When as much is
// under way as may be, the next answer leads here again.
func (c *composer) work() {
	now := c.node.cfg.Clock.Now()
	defer c.show(now)
	defer c.tellNext()
	for len(c.queue) > 0 && !c.held {
		switch next := c.queue[0]; {
		case now >= next.Due:
			c.unasked = append(c.unasked, unasked{c.queue.pop(), engine.ComposeBusy})
		case !c.spend.room(now, c.open):
			c.tell(engine.ComposeOverBudget, "what the day's budget allows is spent")
			c.unasked = append(c.unasked, unasked{c.queue.pop(), engine.ComposeOverBudget})
		case c.running >= c.node.cfg.MaxComposes:
			return
		default:
			c.begin(c.queue.pop(), now)
		}
	}
}

// tellNext records the next text that was not asked for: one at a time, for a
// thousand of them are known in the moment when as many reminders are due.
func (c *composer) tellNext() {
	if len(c.unasked) == 0 || c.telling != "" || c.held {
		return
	}
	next := c.unasked[0]
	if c.unasked = c.unasked[1:]; len(c.unasked) == 0 {
		c.unasked = nil
	}
	c.telling = next.effect.Key()
	c.record(next.effect, provider.Composition{}, next.outcome, "")
}

func (c *composer) show(now engine.Millis) { c.node.view.composerSpent.Store(c.spend.today(now)) }

// begin asks for a text, for no longer than there is use for it.
func (c *composer) begin(e engine.Compose, now engine.Millis) {
	c.running++
	c.open++
	n := c.node
	limit := min(n.cfg.ComposeTimeout, time.Duration(e.Due-now)*time.Millisecond)
	n.cfg.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, limit)
		defer cancel()
		took := stopwatch()
		out, err := n.compose(ctx, e)
		n.send(c.self, composed{e, out, err, took()})
	})
}

// compose asks the composer; a panic there is a failure like any other.
func (n *Node) compose(ctx context.Context, e engine.Compose) (out provider.Composition, err error) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("composer panicked", slog.String("reminder_id", e.ReminderID))
			err = &provider.ComposeError{Outcome: engine.ComposeUnavailable, Cause: "the composer panicked"}
		}
	}()
	return n.cfg.Composer.Compose(ctx, e.Brief)
}

func (c *composer) composed(m composed) {
	c.open--
	if reserve, ok := c.spend.add(c.node.cfg.Clock.Now(), m.out.CostMicros); ok && !c.held {
		c.node.reserve(reserve)
	}
	c.node.metrics.composeTime.Observe(m.took.Seconds())
	c.node.metrics.composeCost.Add(float64(max(m.out.CostMicros, 0)) / 1e6)
	if c.held {
		return // the next start is asked again
	}
	outcome, cause := provider.ComposeOutcome(m.err)
	c.tell(outcome, cause)
	c.record(m.effect, m.out, outcome, cause)
}

// tell logs when the composer begins to fail, fails otherwise, and works
// again: once each, not per text.
func (c *composer) tell(outcome engine.ComposeOutcome, cause string) {
	switch {
	case outcome == engine.ComposeOK && c.failing != engine.ComposeNone:
		c.node.log.Info("composer works again")
		c.failing = engine.ComposeNone
	case outcome != engine.ComposeOK && outcome != c.failing && outcome != engine.ComposeBreakerOpen:
		c.node.log.Warn("composer fails; the template writes", slog.String("outcome", outcome.String()), slog.String("cause", cause))
		c.failing = outcome
	}
}

// record has the user keep what came of it. The text is looked at there.
func (c *composer) record(e engine.Compose, out provider.Composition, outcome engine.ComposeOutcome, cause string) {
	n := c.node
	n.toUser(e.UserID, &request{
		cmd: engine.RecordComposition{
			ReminderID: e.ReminderID, Content: e.Content, Outcome: outcome, Cause: cause, Text: out.Text, Model: out.Model,
			PromptTokens: out.PromptTokens, CachedTokens: out.CachedTokens, CompletionTokens: out.CompletionTokens,
			CostMicros: out.CostMicros, Priced: out.Priced,
		},
		deliver: func(reply engine.Reply, _ error) {
			if r, ok := reply.(engine.CompositionReply); ok { // else the person is gone
				n.metrics.composes.WithLabelValues(r.Outcome.String()).Inc()
			}
			n.send(c.self, composeRecorded{e.Key()})
		},
	})
}

// breakerOpen reports whether the composer is not asked at present.
func (n *Node) breakerOpen() bool {
	b, ok := n.cfg.Composer.(provider.Breaker)
	return ok && b.Open()
}

// composeQueue orders what is to be composed by when it is due.
type composeQueue []engine.Compose

func (q *composeQueue) pop() engine.Compose {
	e, _ := heap.Pop(q).(engine.Compose)
	return e
}

// Len implements heap.Interface.
func (q composeQueue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q composeQueue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].Due, q[j].Due), cmp.Compare(q[i].ReminderID, q[j].ReminderID)) < 0
}

// Swap implements heap.Interface.
func (q composeQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *composeQueue) Push(x any) {
	if e, ok := x.(engine.Compose); ok {
		*q = append(*q, e)
	}
}

// Pop implements heap.Interface.
func (q *composeQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = engine.Compose{}
	*q = (*q)[:last]
	return e
}
