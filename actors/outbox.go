package actors

import (
	"context"
	"hash/maphash"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/actors/provider"
	"carillon/engine"
)

// outbox is the actor that gives reminders their turn at the carrier: in the
// order of their deadlines, at their sender's pace, so many at a time (S6). What
// it holds is derived from the users' states and comes back after a crash; a
// key that it has already is not taken twice.
//
//	offer → queue → HandOver to the user → flush → Send → RecordOutcome → flush → done
type outbox struct {
	watch // when the message that is handled was taken up

	node  *Node
	self  *actor.PID
	alarm Alarm

	senders []*sender
	known   map[uint64]struct{} // keys queued or under way that no entry has, as hashes
	seed    maphash.Seed        // of keys
	spare   []*flight           // that are done
	until   *limit              // of the hand-overs that begin now

	lookups     []engine.LookUp
	asking      int // look-ups and questions under way
	paused      bool
	unreachable string        // why the carrier can't be connected to; empty: it can
	ringsAt     engine.Millis // what the alarm is set to
	holdAll     bool          // the node is draining
	drainAsked  []func()
}

// The outbox' messages, besides owed, []owed and tick.
type (
	// handedOver: the user's last check is done and flushed.
	handedOver struct{ *flight }
	// sent: the carrier has answered, or has not.
	sent struct{ *flight }
	// sendDone: the outcome is flushed.
	sendDone struct{ *flight }
	// sighted: the carrier was asked for a message.
	sighted struct {
		lookup   engine.LookUp
		sighting provider.Sighting
		early    engine.Millis // how much longer the carrier is to be given before it counts that it has it not; 0: it counts
	}
	// lookupDone: what it said is flushed.
	lookupDone struct{ lookup engine.LookUp }
	// pauseSending holds everybody's reminders back, or lets them go (S8).
	pauseSending struct{ paused bool }
	// drainSends begins no hand-over any more, and calls done when none is
	// under way.
	drainSends struct{ done func() }
)

// flight is one hand-over. The same piece goes from the outbox to the user, to
// the carrier and back, and is touched by whoever has it. The outbox has it
// again when it is done, and uses it for another: a burst of them leaves little
// to collect.
type flight struct {
	by  *sender
	key uint64 // hash of the offer's
	to  *entry

	request request // the user's last check, then the record of the outcome
	reply   engine.Reply
	message *engine.Outgoing
	until   *limit
	outcome provider.Outcome
	took    time.Duration
	overdue bool // the last check was too old: the carrier was not called

	checked, recorded func(engine.Reply, error) // what the two requests deliver to
	call              func()                    // calls the carrier
}

// limit is the time of the hand-overs that begin within the same step. They
// share one context: one for each costs a timer and five allocations.
type limit struct {
	step engine.Millis
	ctx  context.Context
	end  context.CancelFunc
	uses int // calls under way
}

// limitStep is how much longer than SendTimeout a hand-over may take.
const limitStep = 100 * time.Millisecond

// limit returns one that ends SendTimeout from now, or a step later.
func (o *outbox) limit() *limit {
	step := o.now / limitStep.Milliseconds()
	l := o.until
	if l == nil || l.step != step || l.ctx.Err() != nil { // a clock may stand still
		if l != nil && l.uses == 0 {
			l.end()
		}
		l = &limit{step: step}
		l.ctx, l.end = context.WithTimeout(context.Background(), o.node.cfg.SendTimeout+limitStep)
		o.until = l
	}
	l.uses++
	return l
}

// answered notes that a call is over. The last one ends the limit, unless more may begin.
func (o *outbox) answered(l *limit) {
	if l.uses--; l.uses == 0 && l != o.until {
		l.end()
	}
}

const maxLookups = 8 // look-ups at the carrier at a time

func newOutbox(n *Node) *outbox {
	o := &outbox{watch: watch{clock: n.cfg.Clock}, node: n, known: map[uint64]struct{}{}, seed: maphash.MakeSeed(), paused: n.paused.Load(), holdAll: n.cfg.Still}
	for _, v := range n.view.senders {
		o.senders = append(o.senders, newSender(v, n))
	}
	return o
}

// sender returns the one of that name. A pool does not change while the engine
// runs, so that every offer finds its own; of a message that was handed over
// from another pool there may be none.
func (o *outbox) sender(name string) *sender {
	for _, s := range o.senders {
		if s.name == name {
			return s
		}
	}
	if len(o.senders) == 1 && name == "" { // handed over when it had no name yet
		return o.senders[0]
	}
	return nil
}

// Receive implements actor.Actor.
func (o *outbox) Receive(ctx actor.Context) {
	if back := o.look(); back > 0 {
		for _, s := range o.senders {
			s.putBack(o.now, back)
		}
	}
	switch m := ctx.Message().(type) {
	case *actor.Started:
		o.self = ctx.Self()
		o.alarm = o.node.cfg.Clock.NewAlarm(func() { o.node.send(o.self, tick{}) })
	case *actor.Stopped:
		o.alarm.Stop()
		return
	case tick:
		o.ringsAt = 0
	case []owed:
		for i := range m {
			o.takeIn(m[i].Effect, m[i].to)
		}
	case owed:
		o.takeIn(m.Effect, m.to)
	case handedOver:
		o.handedOver(m.flight)
	case sent:
		o.sent(m.flight)
	case accountFault:
		if s := o.sender(m.sender); s != nil {
			o.stop(s, m.failure, true)
		}
	case probed:
		o.probed(m)
	case sendDone:
		o.finish(m.flight)
	case sighted:
		o.sighted(m)
	case lookupDone:
		o.asking--
		delete(o.known, o.hash(m.lookup.Key()))
	case pauseSending:
		o.paused = m.paused
		if !m.paused {
			o.resumeAll()
		}
	case drainSends:
		o.holdAll = true
		o.drainAsked = append(o.drainAsked, m.done)
	}
	o.work()
}

// takeIn queues what is owed, if it is not known yet.
func (o *outbox) takeIn(e engine.Effect, to *entry) {
	switch e := e.(type) {
	case engine.Offer:
		if key := o.hash(e.Key()); o.takes(to, key) {
			o.sender(e.Sender).take(waiting{
				reminder: e.ReminderID, deadline: e.Deadline, due: e.Due, to: to, key: key, attempts: e.Attempts,
			}, o.now)
		}
	case engine.LookUp:
		if key := o.hash(e.Key()); !o.has(key) {
			o.known[key] = struct{}{}
			o.lookups = append(o.lookups, e)
		}
	case engine.Compose, engine.ReadCalendar: // the composer's, and the calendars'
	}
}

// hash is what keys go by. Of two that collide (3e-10 for a hundred thousand)
// one waits until it is offered again.
func (o *outbox) hash(key string) uint64 { return maphash.String(o.seed, key) }

func (o *outbox) has(key uint64) bool {
	_, ok := o.known[key]
	return ok
}

// takes notes a reminder, and reports whether it was not known. The entry has
// room for one, which is what most people have at a time.
func (o *outbox) takes(to *entry, key uint64) bool {
	switch short := shortKey(key); {
	case to.offered == short, o.has(key):
		return false
	case to.offered == 0:
		to.offered = short
	default:
		o.known[key] = struct{}{}
	}
	return true
}

// forget lets a reminder be taken again.
func (o *outbox) forget(to *entry, key uint64) {
	switch {
	case o.has(key):
		delete(o.known, key)
	case to.offered == shortKey(key):
		to.offered = 0
	}
}

// shortKey is what an entry has of a key: it tells apart those of one person.
func shortKey(key uint64) uint32 { return uint32(key) | 1 }

// work begins what may begin now, and sets the alarm for what may later.
func (o *outbox) work() {
	var next engine.Millis
	for _, s := range o.senders {
		if at := o.serve(s); at > 0 && (next == 0 || at < next) {
			next = at
		}
	}
	if next != o.ringsAt {
		o.ringsAt = next
		o.alarm.Set(next)
	}
	for len(o.lookups) > 0 && o.asking < maxLookups && !o.holdAll {
		l := o.lookups[0]
		o.lookups = o.lookups[1:]
		o.lookUp(l)
	}
	if sending := o.show(); o.holdAll && sending == 0 && o.asking == 0 {
		for _, done := range o.drainAsked {
			done()
		}
		o.drainAsked = nil
	}
}

// serve begins what may begin now at one sender. It returns when more may, or
// 0 and less if another event will tell.
func (o *outbox) serve(s *sender) engine.Millis {
	now := o.now
	for s.queue.len() > 0 && now >= s.queue.at(s.queue.first()).deadline {
		w := s.queue.pop() // the user's own wake ends it as stale
		o.forget(w.to, w.key)
	}
	if o.paused || o.holdAll {
		return 0
	}
	if s.stopped != "" && !s.trial {
		if at := o.mend(s, now); s.stopped != "" && !s.trial {
			return at
		}
	}
	for s.queue.len() > 0 {
		if at := s.wait(now); at != 0 {
			return at
		}
		w, later := s.next(now)
		if later != 0 {
			return later
		}
		o.begin(s, w)
	}
	return 0
}

func (o *outbox) begin(s *sender, w waiting) {
	s.sending++
	s.asked++
	if s.fresh {
		s.fresh, s.waryUntil = false, o.now+alone
	}
	f := o.flight()
	f.by, f.key, f.to = s, w.key, w.to
	f.request = request{cmd: engine.HandOver{ReminderID: w.reminder}, deliver: f.checked}
	o.node.toEntry(f.to, &f.request, o.now)
}

// flight returns one that is free.
func (o *outbox) flight() *flight {
	if n := len(o.spare) - 1; n >= 0 {
		f := o.spare[n]
		o.spare = o.spare[:n]
		return f
	}
	f := &flight{}
	f.checked = func(reply engine.Reply, _ error) { f.reply = reply; o.node.send(o.self, handedOver{f}) }
	f.call = func() { o.call(f) }
	f.recorded = func(engine.Reply, error) { o.node.send(o.self, sendDone{f}) }
	return f
}

// handedOver calls the carrier with what the user's last check let through.
func (o *outbox) handedOver(f *flight) {
	f.by.asked--
	reply, ok := f.reply.(engine.HandOverReply)
	if !ok || reply.Message == nil {
		f.by.sending-- // its turn is free for another
		o.free(f)
		return
	}
	f.message, f.reply = reply.Message, nil
	f.by.weigh(int(f.message.Segments), o.now)
	f.by.segments.Add(float64(f.message.Segments))
	o.node.metrics.lateness.Observe(float64(max(o.now-f.message.Due, 0)) / 1000)
	f.until = o.limit()
	o.node.cfg.Go(f.call)
}

// call runs beside the outbox.
func (o *outbox) call(f *flight) {
	if f.overdue = o.node.cfg.Clock.Now()-f.message.CreatedAt > checkHolds; f.overdue {
		o.node.send(o.self, sent{f})
		return
	}
	took := stopwatch()
	f.outcome = o.node.handOver(f.until.ctx, messageOf(f.message))
	f.took = took()
	o.node.send(o.self, sent{f})
}

// checkHolds is how long what a last check found holds good. A machine that fell
// asleep behind it wakes up hours later, in quiet hours perhaps: nothing is sent
// on its word any more, and it is made again. No hand-over is used up by that.
const checkHolds = engine.Millis(60_000)

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
// the sender as a whole. The carrier has one less from here on: its outcome need
// not be durable for another to begin.
func (o *outbox) sent(f *flight) {
	f.by.sending--
	f.by.recording++
	o.answered(f.until)
	f.request = request{deliver: f.recorded}
	if f.overdue {
		f.by.unheard(o.now)
		f.request.cmd = engine.RecordOutcome{
			MessageID: f.message.MessageID, Kind: engine.OutcomeNotMade, Cause: "the machine stood still behind the last check",
		}
	} else {
		o.node.metrics.handedOver(f.took)
		o.learn(f.by, &f.outcome)
		f.request.cmd = outcomeCommand(f.message.MessageID, &f.outcome)
	}
	o.node.toEntry(f.to, &f.request, o.now)
}

func (o *outbox) finish(f *flight) {
	f.by.recording--
	o.free(f)
}

// free makes a hand-over's piece ready for another.
func (o *outbox) free(f *flight) {
	o.forget(f.to, f.key)
	*f = flight{checked: f.checked, recorded: f.recorded, call: f.call}
	if len(o.spare) < maxSpare {
		o.spare = append(o.spare, f)
	}
}

// maxSpare is how many pieces are kept for other hand-overs.
const maxSpare = 4096

// lookUp asks the carrier for a message whose fate is open (S3).
func (o *outbox) lookUp(l engine.LookUp) {
	o.asking++
	n := o.node
	early := n.steps.lacks(n.cfg.Policy.ReconcileAfter)
	n.cfg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.SendTimeout)
		defer cancel()
		n.send(o.self, sighted{l, n.ask(ctx, l), early})
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
	return n.cfg.Sender.Find(ctx, messageOf(&l.Message), l.Since)
}

func (o *outbox) sighted(m sighted) {
	o.node.metrics.lookups.WithLabelValues(findName(m.sighting.Result)).Inc()
	o.reached(m.sighting.Cause)
	o.node.spare(&m.sighting.Failure)
	cmd := sightingCommand(m.lookup.Message.MessageID, m.sighting)
	if m.early > 0 && cmd.Kind == engine.SightingAbsent {
		cmd.Kind, cmd.Wait = engine.SightingEarly, m.early
	}
	o.node.toUser(m.lookup.Message.UserID, &request{
		cmd:     cmd,
		deliver: func(engine.Reply, error) { o.node.send(o.self, lookupDone{m.lookup}) },
	})
}

// show tells how much there is to do, and returns how many hand-overs are under
// way.
func (o *outbox) show() int {
	queued, sending := 0, 0
	for _, s := range o.senders {
		queued, sending = queued+s.queue.len(), sending+s.sending+s.recording
		s.show()
	}
	v := &o.node.view
	v.queued.Store(int64(queued))
	v.sending.Store(int64(sending))
	v.lookups.Store(int64(len(o.lookups) + o.asking))
	return sending
}
