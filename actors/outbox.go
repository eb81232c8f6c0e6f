package actors

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/time/rate"

	"carillon/actors/provider"
	"carillon/engine"
)

// outbox is the actor that gives reminders their turn at the carrier: in the
// order of their deadlines, at the sender's pace, so many at a time (S6). What
// it holds is derived from the users' states and comes back after a crash; a
// key that it has already is not taken twice.
//
//	offer → queue → HandOver to the user → flush → Send → RecordOutcome → flush → done
type outbox struct {
	node  *Node
	self  *actor.PID
	alarm Alarm

	queue   offerQueue
	known   map[string]bool // keys queued or under way
	sending int
	window  window
	pace    *rate.Limiter

	lookups     []engine.LookUp
	lookingUp   int
	paused      bool
	stopped     string        // why the sender is stopped; empty: it is not
	unreachable string        // why the carrier can't be connected to; empty: it can
	shown       [2]string     // what of that was shown last
	ringsAt     engine.Millis // what the alarm is set to
	resumeAt    engine.Millis // when it is tried again
	pause       engine.Millis // how long that was, for the next time
	probing     bool
	notBefore   engine.Millis // after the carrier asked us to slow down
	holdAll     bool          // the node is draining
	drainAsked  []func()
}

// The outbox' messages, besides []engine.Effect and tick.
type (
	// handedOver: the user's last check is done and flushed.
	handedOver struct {
		offer engine.Offer
		reply engine.Reply
		err   error
	}
	// sent: the carrier has answered, or has not.
	sent struct {
		offer   engine.Offer
		message engine.Outgoing
		outcome provider.Outcome
		took    time.Duration
	}
	// sendDone: the outcome is flushed.
	sendDone struct{ offer engine.Offer }
	// sighted: the carrier was asked for a message.
	sighted struct {
		lookup   engine.LookUp
		sighting provider.Sighting
	}
	// lookupDone: what it said is flushed.
	lookupDone struct{ lookup engine.LookUp }
	// pauseSending holds everybody's reminders back, or lets them go (S8).
	pauseSending struct{ paused bool }
	// drainSends begins no hand-over any more, and calls done when none is
	// under way.
	drainSends struct{ done func() }
)

const (
	maxLookups = 8 // look-ups at the carrier at a time
	// probeAfter is how long a stopped sender waits before it tries one
	// hand-over again; it doubles up to probeMost.
	probeAfter = engine.Millis(60_000)
	probeMost  = engine.Millis(10 * 60_000)
	// slowDown is the pause after a rate limit that names no time.
	slowDown = engine.Millis(1000)
)

func newOutbox(n *Node) *outbox {
	pace := rate.NewLimiter(rate.Inf, 1)
	if n.cfg.MPS > 0 {
		pace = rate.NewLimiter(rate.Limit(n.cfg.MPS), max(1, int(n.cfg.MPS)))
	}
	return &outbox{node: n, known: map[string]bool{}, pace: pace, window: newWindow(n.cfg.MaxSends), paused: n.paused.Load(), holdAll: n.cfg.Still}
}

// Receive implements actor.Actor.
func (o *outbox) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		o.self = ctx.Self()
		o.alarm = o.node.cfg.Clock.NewAlarm(func() { o.node.send(o.self, tick{}) })
	case *actor.Stopped:
		o.alarm.Stop()
		return
	case tick:
		o.ringsAt = 0
	case []engine.Effect:
		o.takeIn(m)
	case handedOver:
		o.handedOver(m)
	case sent:
		o.sent(m)
	case accountFault:
		o.stop(m.failure)
	case sendDone:
		o.finish(m.offer)
	case sighted:
		o.sighted(m)
	case lookupDone:
		o.lookingUp--
		delete(o.known, m.lookup.Key())
	case pauseSending:
		o.paused = m.paused
		if !m.paused {
			o.stopped, o.probing = "", false
		}
	case drainSends:
		o.holdAll = true
		o.drainAsked = append(o.drainAsked, m.done)
	}
	o.work()
}

// takeIn queues what is owed and not known yet.
func (o *outbox) takeIn(effects []engine.Effect) {
	for _, e := range effects {
		if _, ok := e.(engine.Compose); ok || o.known[e.Key()] {
			continue // texts are the composer's
		}
		o.known[e.Key()] = true
		switch e := e.(type) {
		case engine.Offer:
			o.queue.push(e)
		case engine.LookUp:
			o.lookups = append(o.lookups, e)
		case engine.Compose:
		}
	}
}

// work begins what may begin now, and sets the alarm for what may later.
func (o *outbox) work() {
	now := o.node.cfg.Clock.Now()
	var next engine.Millis
	for o.queue.len() > 0 {
		if wait := o.wait(now); wait != 0 {
			next = max(wait, 0)
			break
		}
		offer := o.queue.pop()
		if now >= offer.Deadline {
			delete(o.known, offer.Key()) // the user's own wake ends it as stale
			continue
		}
		o.begin(offer)
	}
	if next != o.ringsAt {
		o.ringsAt = next
		o.alarm.Set(next)
	}
	for len(o.lookups) > 0 && o.lookingUp < maxLookups && !o.holdAll {
		l := o.lookups[0]
		o.lookups = o.lookups[1:]
		o.lookUp(l)
	}
	if o.holdAll && o.sending == 0 && o.lookingUp == 0 {
		for _, done := range o.drainAsked {
			done()
		}
		o.drainAsked = nil
	}
	o.show()
}

// wait returns 0 if a hand-over may begin, the instant at which it may, or -1
// if another event will tell.
func (o *outbox) wait(now engine.Millis) engine.Millis {
	switch {
	case o.paused, o.holdAll, o.sending >= o.window.size():
		return -1
	case o.stopped != "" && (o.probing || o.sending > 0):
		return -1
	case o.stopped != "" && now < o.resumeAt:
		return o.resumeAt
	case now < o.notBefore:
		return o.notBefore
	}
	at := time.UnixMilli(now)
	if r := o.pace.ReserveN(at, 1); r.DelayFrom(at) > 0 {
		delay := r.DelayFrom(at)
		r.CancelAt(at)
		return now + max(delay.Milliseconds(), 1)
	}
	return 0
}

func (o *outbox) begin(offer engine.Offer) {
	o.sending++
	o.probing = o.stopped != ""
	o.node.toUser(offer.UserID, &request{
		cmd:     engine.HandOver{ReminderID: offer.ReminderID},
		deliver: func(reply engine.Reply, err error) { o.node.send(o.self, handedOver{offer, reply, err}) },
	})
}

// handedOver calls the carrier with what the user's last check let through.
func (o *outbox) handedOver(m handedOver) {
	reply, ok := m.reply.(engine.HandOverReply)
	if !ok || reply.Message == nil {
		o.probing = false
		o.finish(m.offer)
		return
	}
	out := *reply.Message
	now := o.node.cfg.Clock.Now()
	if out.Segments > 1 {
		o.pace.ReserveN(time.UnixMilli(now), min(int(out.Segments)-1, o.pace.Burst())) // one was taken when it began
	}
	o.node.metrics.lateness.Observe(float64(max(now-out.Due, 0)) / 1000)
	n := o.node
	n.cfg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.SendTimeout)
		defer cancel()
		took := stopwatch()
		outcome := n.handOver(ctx, messageOf(out))
		n.send(o.self, sent{m.offer, out, outcome, took()})
	})
}

// handOver calls the carrier; a panic there is an answer that nobody heard.
func (n *Node) handOver(ctx context.Context, m provider.Message) (out provider.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("sender panicked", slog.String("message_id", m.MessageID))
			out = provider.Outcome{Kind: provider.Uncertain, Cause: "the sender panicked"}
		}
	}()
	return n.cfg.Sender.Send(ctx, m)
}

// sent has the user record what the carrier answered, and learns from it for
// the sender as a whole.
func (o *outbox) sent(m sent) {
	o.node.metrics.handedOver(m.took)
	o.learn(&m.outcome)
	o.node.toUser(m.offer.UserID, &request{
		cmd:     outcomeCommand(m.message.MessageID, m.outcome),
		deliver: func(engine.Reply, error) { o.node.send(o.self, sendDone{m.offer}) },
	})
}

func (o *outbox) finish(offer engine.Offer) {
	o.sending--
	delete(o.known, offer.Key())
}

// lookUp asks the carrier for a message whose fate is open (S3).
func (o *outbox) lookUp(l engine.LookUp) {
	o.lookingUp++
	n := o.node
	n.cfg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.SendTimeout)
		defer cancel()
		n.send(o.self, sighted{l, n.ask(ctx, l)})
	})
}

// ask asks for a message by its sid if it has one, else by what is in it.
func (n *Node) ask(ctx context.Context, l engine.LookUp) (s provider.Sighting) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("sender panicked at a look-up", slog.String("message_id", l.Message.MessageID))
			s = provider.Sighting{Result: provider.FindUnknown}
		}
	}()
	if f, ok := n.cfg.Sender.(provider.Fetcher); ok && l.SID != "" {
		return f.Fetch(ctx, l.SID)
	}
	return n.cfg.Sender.Find(ctx, messageOf(l.Message), l.Since)
}

func (o *outbox) sighted(m sighted) {
	o.node.metrics.lookups.WithLabelValues(findName(m.sighting.Result)).Inc()
	o.reached(m.sighting.Cause)
	o.node.spare(&m.sighting.Failure)
	o.node.toUser(m.lookup.Message.UserID, &request{
		cmd:     sightingCommand(m.lookup.Message.MessageID, m.sighting),
		deliver: func(engine.Reply, error) { o.node.send(o.self, lookupDone{m.lookup}) },
	})
}

func (o *outbox) show() {
	v := &o.node.view
	v.queued.Store(int64(o.queue.len()))
	v.sending.Store(int64(o.sending))
	v.lookups.Store(int64(len(o.lookups) + o.lookingUp))
	now := [2]string{o.stopped, o.unreachable}
	if now == o.shown {
		return
	}
	o.shown = now
	o.node.metrics.senderStopped.Set(flag(o.stopped != ""))
	o.node.metrics.unreachable.Set(flag(o.unreachable != ""))
	v.stopped.Store(orNil(o.stopped))
	v.unreachable.Store(orNil(o.unreachable))
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
