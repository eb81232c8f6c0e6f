package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"carillon/engine"
)

// timer is the actor that wakes users when something of theirs is due. It
// holds one entry per user and lets only so many be awake at a time, so that a
// million midnights at once, or a morning after downtime, come as a stream
// that leaves room for callers (P9).
type timer struct {
	node  *Node
	heap  wakeHeap
	alarm Alarm
	awake int // wakes whose work is not durable yet
	held  bool
	wake  request // everybody's, which nobody changes: it tells the timer when it is done
}

// The timer's messages.
type (
	// arm says when a user has work next; at 0 there is none.
	arm struct {
		e  *entry
		at engine.Millis
	}
	// tick: the alarm rang, or there is reason to look.
	tick struct{}
	// woke: a user that was woken is done.
	woke struct{}
	// letWakes begins waking, holdWakes stops it.
	letWakes  struct{}
	holdWakes struct{}
)

func newTimer(n *Node) *timer { return &timer{node: n, held: true} }

// Receive implements actor.Actor.
func (t *timer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		self := ctx.Self()
		t.alarm = t.node.cfg.Clock.NewAlarm(func() { t.node.send(self, tick{}) })
		t.wake = request{cmd: engine.Wake{}, deliver: func(engine.Reply, error) { t.node.send(self, woke{}) }}
		return
	case *actor.Stopped:
		t.alarm.Stop()
		return
	case []arm:
		for _, a := range m {
			t.heap.set(a.e, a.at)
		}
	case arm:
		t.heap.set(m.e, m.at)
	case tick:
	case letWakes:
		t.held = false
	case woke:
		t.awake--
		if t.awake > t.node.cfg.MaxWakes/2 {
			return // one look for many
		}
	case holdWakes:
		t.held = true
	default:
		return
	}
	t.wakeDue()
}

// wakeDue wakes whom it may, and sets the alarm for the next one.
func (t *timer) wakeDue() {
	now := t.node.cfg.Clock.Now()
	for !t.held && t.awake < t.node.cfg.MaxWakes {
		at := t.heap.next()
		if at == 0 || at > now {
			break
		}
		t.awake++
		t.node.toEntry(t.heap.pop(), &t.wake, now)
	}
	switch {
	case t.held, t.awake >= t.node.cfg.MaxWakes:
		t.alarm.Set(0)
	default:
		t.alarm.Set(t.heap.next())
	}
	t.node.view.timers.Store(int64(t.heap.len()))
	t.node.view.due.Store(int64(t.awake))
}
