package actors

import (
	"context"
	"sync/atomic"

	"carillon/engine"
)

// request is a command on its way to a user actor. deliver is called once,
// after the flush of what the command led to; it must not block.
type request struct {
	cmd     engine.Command
	key     string
	keyHash uint64
	deliver func(engine.Reply, error)
	among   *gathered       // of which it is one, instead of deliver
	counted *atomic.Int64   // what it was counted in when it was admitted; nil: nowhere
	refusal *engine.Refusal // of who can't let it through; what was carried out under its key before is answered all the same

	failures int    // panics so far
	cause    string // of the last one
}

// answer delivers the reply, and counts the request out.
func (r *request) answer(reply engine.Reply, err error) {
	if r.counted != nil {
		r.counted.Add(-1)
	}
	r.tell(reply, err)
}

func (r *request) tell(reply engine.Reply, err error) {
	if r.among != nil {
		r.among.take(reply, err)
		return
	}
	r.deliver(reply, err)
}

// writes reports whether a command may change something. The others are
// answered even when the disk is full.
func writes(cmd engine.Command) bool {
	switch cmd.(type) { //nolint:gochecksumtype // the others write
	case engine.GetUser, engine.GetEvent, engine.GetReminder, engine.ListReminders, engine.PreviewPlan, engine.ReadNotice,
		engine.GetCalendars:
		return false
	}
	return true
}

// Do gives a command to the user's actor and waits for its reply, which is
// released after the flush. A ctx that ends leaves the command on its way.
func (n *Node) Do(ctx context.Context, userID string, cmd engine.Command, key string, keyHash uint64) (engine.Reply, error) {
	return n.await(ctx, func(deliver func(engine.Reply, error)) error {
		return n.Ask(userID, cmd, key, keyHash, deliver)
	})
}

// Ask gives a command to the user's actor and does not wait. deliver is called
// once, after the flush of what the command led to, and must not block; a node
// that dies before calls nobody. An error means that the command was not taken.
func (n *Node) Ask(userID string, cmd engine.Command, key string, keyHash uint64, deliver func(engine.Reply, error)) error {
	return n.pose(userID, &request{cmd: cmd, key: key, keyHash: keyHash, deliver: deliver})
}

// pose is Ask with the request made.
func (n *Node) pose(userID string, r *request) error {
	r.cmd = n.spared(r.cmd)
	if err := n.admit(r); err != nil {
		return err
	}
	if !writes(r.cmd) && n.stranger(userID) {
		d := engine.Decide(&engine.User{ID: userID}, engine.Env{Now: n.cfg.Clock.Now(), Zone: n.zones.Load, Policy: n.cfg.Policy}, r.cmd)
		r.answer(d.Reply, nil)
		return nil
	}
	n.dispatch(userID, r)
	return nil
}

// remembered is the reply to a command that was carried out under its key before;
// nil: it was not.
func (n *Node) remembered(ctx context.Context, userID string, cmd engine.Command, key string, keyHash uint64) (engine.Reply, error) {
	if key == "" || n.stranger(userID) {
		return nil, nil //nolint:nilnil // no answer, and nothing is wrong
	}
	reply, err := n.await(ctx, func(deliver func(engine.Reply, error)) error {
		r := &request{cmd: cmd, key: key, keyHash: keyHash, deliver: deliver, refusal: &engine.Refusal{Code: codeNotBefore}}
		if err := n.admit(r); err != nil {
			return err
		}
		n.toUser(userID, r)
		return nil
	})
	if refusal, ok := reply.(engine.Refusal); ok && refusal.Code == codeNotBefore {
		return nil, nil //nolint:nilnil // no answer, and nothing is wrong
	}
	return reply, err
}

// codeNotBefore says that a request was not carried out before. No caller gets it.
const codeNotBefore = "not_before"

// stranger reports whether neither memory nor the log knows anybody of that id.
// Who only asks for one leaves no actor behind.
func (n *Node) stranger(userID string) bool {
	return n.table.get(userID) == nil && n.cfg.Log.Head(userID) == 0
}

// dispatch sends a request where it goes first: to the directory if it claims
// a number, else to the user.
func (n *Node) dispatch(userID string, r *request) {
	if phone, ok := claims(r.cmd); ok {
		n.send(n.directory, claim{userID: userID, phone: phone, request: r})
		return
	}
	n.toUser(userID, r)
}

// admit takes a request in or says why not. What is let in is counted until
// its reply leaves.
func (n *Node) admit(r *request) error {
	switch {
	case n.dead.Load() != nil:
		return ErrUnknownOutcome
	case n.draining.Load():
		return ErrDraining
	case !n.ready.Load():
		return ErrRecovering
	case n.lowSpace.Load() && writes(r.cmd):
		return ErrNoSpace
	}
	if n.inFlight.Add(1) > int64(n.cfg.MaxInFlight) {
		n.inFlight.Add(-1)
		n.metrics.refused.WithLabelValues(ErrOverloaded.code).Inc()
		return ErrOverloaded
	}
	r.counted = &n.inFlight
	return nil
}

// await starts something and waits for its reply, the end of ctx, or the end
// of the node.
func (n *Node) await(ctx context.Context, start func(deliver func(engine.Reply, error)) error) (engine.Reply, error) {
	w := n.waiters.Get().(*waiter) //nolint:forcetypeassert // nothing else is put there
	if err := start(w.deliver); err != nil {
		n.waiters.Put(w)
		return nil, err
	}
	select {
	case a := <-w.answers:
		n.waiters.Put(w)
		return a.reply, a.err
	case <-ctx.Done(): // the answer may still come: this waiter is not used again
		return nil, ErrUnknownOutcome.because(ctx.Err())
	case <-n.died:
		select {
		case a := <-w.answers:
			return a.reply, a.err
		default:
			return nil, ErrUnknownOutcome
		}
	}
}

// waiter is where one caller waits for one answer at a time.
type waiter struct {
	answers chan answer
	deliver func(engine.Reply, error)
}

type answer struct {
	reply engine.Reply
	err   error
}

func newWaiter() any {
	w := &waiter{answers: make(chan answer, 1)}
	w.deliver = func(reply engine.Reply, err error) { w.answers <- answer{reply, err} }
	return w
}

// toUser puts a message in the mailbox of the user's actor, which is brought
// into memory if it has to be. It enqueues under the shard's lock, so that an
// actor that lets itself go can't miss one.
func (n *Node) toUser(userID string, message any) {
	now := n.cfg.Clock.Now()
	h := n.table.home(userID)
	h.mu.Lock()
	defer h.mu.Unlock()
	n.post(h.ensure(), message, now)
}

// toEntry is toUser for who has the entry at hand.
func (n *Node) toEntry(e *entry, message any, now engine.Millis) {
	s := n.table.of(e)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.gone {
		e = n.table.home(e.id).ensure()
	}
	n.post(e, message, now)
}

func (n *Node) post(e *entry, message any, now engine.Millis) {
	if e.seat == nil {
		n.spawn(e)
	}
	e.lastUsed = uint32(now / 1000)
	e.seat.mail.PostUserMessage(message)
}
