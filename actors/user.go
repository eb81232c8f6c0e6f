package actors

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/engine"
	"carillon/engine/codec"
)

// user is the actor that owns one person's state. It decides, and leaves what
// the decision led to with the journal.
type user struct {
	node *Node
	*seat
}

// The messages of a user actor, besides *request.
type (
	// loadNow: everything that an earlier instance decided is durable.
	loadNow struct{}
	// takeSnapshot asks for the state as of the records before it. Who is busy stays
	// up behind it.
	takeSnapshot struct{ busy bool }
	// letGo asks an idle actor to leave memory.
	letGo struct{}
)

// Receive implements actor.Actor.
func (u *user) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		u.start(ctx.Self())
	case loadNow:
		u.load()
		u.workOff()
	case *request, takeSnapshot, letGo:
		u.take(m)
	case *actor.Stopped, *actor.Restarting:
		u.mail.taker = nil
		u.noteRest(nil)
		u.node.metrics.uncertain.Sub(float64(u.uncertain))
		u.node.metrics.actors.Dec()
	}
}

// take handles what came, or keeps it while the state is loaded. Once the actor has
// started, its mailbox calls it for requests.
func (u *user) take(m any) {
	if u.st == nil && u.rest == nil && u.lost == nil {
		u.backlog = append(u.backlog, m)
		return
	}
	u.handle(m)
}

// start finds out whose actor this is. A first instance loads at once; one
// that follows a panic waits until the journal has what its forerunner left
// there.
func (u *user) start(self *actor.PID) {
	id, _, _ := strings.Cut(self.GetId(), "\x00")
	u.seat = u.node.table.seat(id)
	u.self = *u
	u.mail.taker = &u.self
	u.node.metrics.actors.Inc()
	if !u.restarted {
		u.load()
		return
	}
	u.st, u.settled, u.lost, u.armed, u.uncertain, u.restarted = nil, nil, nil, 0, 0, false
	mail := &u.mail
	u.node.send(u.node.journal, &release{after: func() { mail.PostUserMessage(loadNow{}) }})
}

// workOff handles what came meanwhile, in order.
func (u *user) workOff() {
	for len(u.backlog) > 0 {
		m := u.backlog[0]
		if u.backlog = u.backlog[1:]; len(u.backlog) == 0 {
			u.backlog = nil
		}
		u.handle(m)
	}
}

// handle does what was asked. A request is noted in the seat: if it panics, the
// next instance finds it there.
func (u *user) handle(m any) {
	switch m := m.(type) {
	case *request:
		u.current = m
		u.rise()
		switch {
		case u.lost != nil:
			m.answer(nil, ErrInternal.because(u.lost))
		case m.failures >= maxFailures:
			u.quarantine(m)
		default:
			u.do(m)
		}
		u.current = nil
	case takeSnapshot:
		u.snapshot(m.busy)
	case letGo:
		u.letGo()
	}
}

// maxFailures is how often a command may panic before it is put aside.
const maxFailures = 2

// do decides on a command.
func (u *user) do(r *request) {
	if r.refusal != nil {
		u.decline(r)
		return
	}
	first := u.st.EventSeq + 1
	now := u.node.cfg.Clock.Now()
	if _, ok := r.cmd.(engine.Wake); ok {
		u.armed = 0
	}
	var took func() time.Duration
	if now >= u.st.Day.End { // a day plan is due
		took = stopwatch()
	}
	s := scratches.Get().(*engine.Scratch) //nolint:forcetypeassert // nothing else is put there
	env := u.env(now, r)
	env.Scratch = s
	if _, ok := r.cmd.(engine.PutEvent); ok && u.settled == nil {
		u.settled = engine.Unsettled()
	}
	env.Settled = u.settled
	d := engine.Decide(u.st, env, r.cmd)
	scratches.Put(s)
	u.node.metrics.decided(d.Events, took)
	_, woken := r.cmd.(engine.Wake)
	_, read := r.cmd.(engine.Recover)
	planned := took != nil
	u.leave(now, first, d, r, woken && (planned || u.planned))
	u.planned = read && planned // the wake for which it was read comes next
}

// decline answers a request that may not be carried out, unless it was already:
// the same Idempotency-Key is safe to repeat (W3), whatever has happened since.
func (u *user) decline(r *request) {
	now := u.node.cfg.Clock.Now()
	reply, before := engine.Remembered(u.st, u.env(now, r), r.cmd)
	if !before {
		reply = *r.refusal
	}
	u.leave(now, u.st.EventSeq+1, engine.Decision{Reply: reply}, r, false)
}

// scratches are where the workers' decisions are made.
var scratches = sync.Pool{New: func() any { return new(engine.Scratch) }}

// env is the world as this decision sees it.
func (u *user) env(now engine.Millis, r *request) engine.Env {
	return engine.Env{
		Now: now, Zone: u.node.zones.Load, Policy: u.node.cfg.Policy, Draw: u.node.draw(u.e.id, u.st.EventSeq),
		Key: r.key, KeyHash: r.keyHash, RanOn: u.node.ranOn, Restores: u.node.restores,
	}
}

// leave gives a decision to the journal: record, reply, effects and next wake
// in one piece. What owes nothing to the disk and waits for nothing leaves at
// once. After a day plan that nobody but the timer asked for the actor lies
// down.
func (u *user) leave(now engine.Millis, first uint64, d engine.Decision, r *request, planned bool) {
	rel := newRelease()
	rel.of, rel.reply, rel.request, rel.effects = u.e, d.Reply, r, d.Effects
	// A wake that is due is on its way: to move it now, behind a read that came
	// first, would be to lose it, for a read owes no effects.
	// Nor does it move away from what is overdue, which is looked at every minute:
	// who is read twice a minute would never be rid of it.
	wake, earliest := u.settled.Wakes(u.st, now, &u.node.cfg.Policy)
	overdue := earliest != 0 && earliest <= now
	if wake != u.armed && (u.armed == 0 || u.armed > now && (wake < u.armed || !overdue)) {
		u.armed = wake
		rel.arm, rel.wake = u.e, wake
	}
	if len(d.Events) > 0 {
		u.count(d.Events)
		rel.events, rel.told, rel.at = d.Events, reportsOf(u.st, d.Events, now), now
		rel.entry.Stream, rel.entry.Kind, rel.entry.Version = u.e.id, kindUser, codec.Version
		rel.entry.At, rel.entry.Wake = now, earliest
		rel.data = codec.AppendRecord(slices.Grow(rel.data[:0], usualEvent*len(d.Events)), first, d.Events)
		rel.entry.Data = rel.data
		rel.entry.Index = indexOps(u.e.id, d.Events)
	}
	if planned && len(d.Effects) == 0 {
		rel.rest = u.doze(now, earliest)
	}
	if len(d.Events) == 0 && u.unflushed.Load() == 0 {
		u.node.release(rel)
		rel.free()
		return
	}
	rel.unflushed = &u.unflushed
	u.unflushed.Add(1)
	u.node.send(u.node.journal, rel)
}

// usualEvent is about what an event of the engine has in a record, in bytes: a
// record gets its room at once, and not by doubling.
const usualEvent = 144

// count keeps the gauge of uncertain messages, and notes where the wait for a
// look-up begins.
func (u *user) count(events []engine.Event) {
	for _, e := range events {
		switch e.(type) { //nolint:gochecksumtype // the others don't change it
		case engine.LookupDone:
			u.node.steps.look()
		case engine.AttemptUncertain:
			u.node.steps.look()
			u.countUncertain()
			return
		case engine.MessageAccepted, engine.MessageRefused, engine.ReminderFailed,
			engine.MessageReported, engine.UserErased:
			u.countUncertain()
			return
		}
	}
}

func (u *user) countUncertain() {
	_, n := u.st.Standing()
	n = min(n, math.MaxUint16)
	u.node.metrics.uncertain.Add(float64(n - int(u.uncertain)))
	u.uncertain = uint16(n)
}

// snapshot leaves the state with the journal, which knows its sequence when
// all records before it are flushed.
func (u *user) snapshot(busy bool) {
	u.rise()
	s := &snapshot{stream: u.e.id, lost: u.lost != nil}
	if u.st != nil {
		s.gone = !u.st.Exists
		s.wake = u.st.EarliestWake(&u.node.cfg.Policy)
		s.data = encodeUser(u.st)
		if !busy {
			u.lieDown(s)
		}
	}
	u.unflushed.Add(1)
	rel := newRelease()
	rel.snapshot, rel.of, rel.unflushed = s, u.e, &u.unflushed
	u.node.send(u.node.journal, rel)
}

// encodeUser writes a snapshot's data: the codec's version, and the state, in
// one piece of its own size.
func encodeUser(st *engine.User) []byte {
	b := encodings.Get().(*[]byte) //nolint:forcetypeassert // nothing else is put there
	*b = codec.AppendUser(append((*b)[:0], codec.Version), st)
	data := slices.Clone(*b)
	encodings.Put(b)
	return data
}

// encodings are where states are written before their size is known.
var encodings = sync.Pool{New: func() any { return new([]byte) }}

// letGo leaves memory if nothing is under way or due soon, and nobody has
// written meanwhile.
func (u *user) letGo() {
	n := u.node
	if u.rest != nil && u.rest.soon(n.cfg.Clock.Now()) {
		return
	}
	if u.st != nil {
		sending, uncertain := u.st.Standing()
		soon := u.st.EarliestWake(&u.node.cfg.Policy)
		if sending+uncertain > 0 || (soon != 0 && soon < n.cfg.Clock.Now()+soonMillis) {
			return
		}
	}
	if u.unflushed.Load() > 0 || len(u.backlog) > 0 {
		return
	}
	s := n.table.of(u.e)
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.mail.UserMessageCount() > 0 {
		return
	}
	u.e.seat = nil
	if u.st != nil && !u.st.Exists {
		n.table.home(u.e.id).drop()
		u.e.gone = true
	}
	n.root.Stop(u.mail.pid())
}

// soonMillis: who is woken within a minute stays.
const soonMillis = 60_000

// resting is an actor that has nothing to do, and whose state is on the disk:
// a million people with five reminders each are four gigabytes otherwise.
type resting struct {
	wake engine.Millis // EarliestWake
	// unwritten is the snapshot until the disk has it: the keeper takes it away.
	unwritten atomic.Pointer[snapshot]
	// unflushed is the state until its last record is durable: the journal takes
	// it away.
	unflushed atomic.Pointer[engine.User]
}

func (r *resting) soon(now engine.Millis) bool { return r.wake != 0 && r.wake < now+soonMillis }

// lieDown lets go of the state that the snapshot has.
func (u *user) lieDown(s *snapshot) {
	r := u.mayRest(u.node.cfg.Clock.Now(), s.wake)
	if r == nil || s.gone {
		return
	}
	r.unwritten.Store(s)
	s.rest = r
	u.noteRest(r)
	u.st, u.settled = nil, nil
}

// doze lets go of the state when the record that is about to leave is durable:
// what a midnight has planned is not looked at for hours, and of all the people
// of a zone nobody could stay. It returns nil if the actor stays up.
func (u *user) doze(now, wake engine.Millis) *resting {
	r := u.mayRest(now, wake)
	if r == nil || !u.st.Exists {
		return nil
	}
	r.unflushed.Store(u.st)
	u.noteRest(r)
	u.st, u.settled = nil, nil
	return r
}

// mayRest returns nil if something is under way, due soon, or waiting in the
// mailbox.
func (u *user) mayRest(now, wake engine.Millis) *resting {
	r := &resting{wake: wake}
	sending, uncertain := u.st.Standing()
	if sending+uncertain > 0 || len(u.backlog) > 0 || u.mail.UserMessageCount() > 0 || r.soon(now) {
		return nil
	}
	return r
}

// rise brings the state back, from the disk like somebody's who was not in
// memory, unless it is still on its way there.
func (u *user) rise() {
	if u.rest == nil {
		return
	}
	st, s := u.rest.unflushed.Load(), u.rest.unwritten.Load()
	u.noteRest(nil)
	var err error
	switch {
	case st != nil:
		u.st = st
	case s != nil:
		u.st, err = decodeUser(s.data)
	default:
		u.st, err = u.node.loadUser(u.e.id)
	}
	if err != nil {
		u.lose(err)
	}
}

// noteRest sets who rests, and keeps the gauge.
func (u *user) noteRest(r *resting) {
	if (u.rest == nil) != (r == nil) {
		if r != nil {
			u.node.metrics.atRest.Inc()
		} else {
			u.node.metrics.atRest.Dec()
		}
	}
	u.rest = r
}

// quarantine puts a command aside that failed twice, with its input.
func (u *user) quarantine(r *request) {
	u.node.metrics.quarantined.Inc()
	first := u.st.EventSeq + 1
	now := u.node.cfg.Clock.Now()
	q := engine.Quarantine{Command: commandName(r.cmd), Input: clip(fmt.Sprintf("%+v", r.cmd), maxQuarantined), Cause: clip(r.cause, maxQuarantined)}
	d := engine.Decide(u.st, u.env(now, &request{}), q)
	u.leave(now, first, d, &request{deliver: func(engine.Reply, error) { r.answer(nil, ErrQuarantined) }}, false)
}

const maxQuarantined = 4096 // bytes of a command that are kept

func clip(s string, limit int) string {
	if len(s) > limit {
		return s[:limit]
	}
	return s
}

func commandName(cmd engine.Command) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", cmd), "engine.")
}

// draw makes a decision's random bits from the seed, the user and the place
// in the user's history, so that a run can be repeated.
func (n *Node) draw(id string, seq uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	x := h.Sum64() ^ n.cfg.Seed ^ seq*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
