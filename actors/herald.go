package actors

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/actors/provider"
	"carillon/engine"
)

// herald is the actor that tells our receiver what happened (SPEC 9). The
// journal is its queue: it reads behind the flushes, keeps a place in the log,
// and has no list of its own that could differ from what happened.
//
//	log → lanes, one per stream → ReadNotice at the user → Notify → place in the log
//
// Each stream's notices are told in order, one at a time; some streams at the
// same time. Everything is told at least once: the place moves behind the
// telling, and a notice that is told again has the same id. Nothing waits for
// it, and it holds few notices in memory: while the receiver is away it does
// not read on.
type herald struct {
	watch // when the message that is handled was taken up

	node  *Node
	self  *actor.PID
	alarm Alarm

	next    uint64 // the log is read up to here
	reading bool
	readAt  engine.Millis // after a failed read: not before
	lanes   map[string]*lane
	ready   []*lane // have something to tell and nothing under way
	delayed []*lane // the node's own that were declined: soon again
	held    []*lane // streams whose notice was declined, in that order
	waiting int     // notices in memory
	running int     // of those, being told
	loading int     // held streams that are being read

	// By user, the record that erased them: what is before it was another person's.
	// Behind a start what is not here is blanked, and not read any more.
	erased map[string]uint64

	road    road
	cursor  cursorState
	shownAt engine.Millis // when the oldest was looked for

	hold       bool
	drainAsked []func()
}

// place is where a notice is in the log: its record, and which of the
// record's notices.
type place struct {
	Seq uint64 `json:"seq"`
	Nth int    `json:"nth,omitempty"`
}

// before reports whether p comes earlier than q.
func (p place) before(q place) bool { return p.Seq < q.Seq || p.Seq == q.Seq && p.Nth < q.Nth }

// tiding is a notice on its way.
type tiding struct {
	place
	stream string
	id     string
	at     engine.Millis
	user   string // empty: nobody's
	notice engine.Notice
}

// The herald's messages, besides tick.
type (
	// flushed: the log has grown.
	flushed struct{}
	// tidingsRead: the next piece of the log.
	tidingsRead struct {
		tidings []tiding
		next    uint64
		gap     uint64 // records that were compacted away unread
		err     error
	}
	// laneRead: what a held stream has to tell.
	laneRead struct {
		lane    *lane
		tidings []tiding
		more    bool
		err     error
	}
	// looked: the user has shown what a notice is about.
	looked struct {
		lane  *lane
		reply engine.Reply
		err   error
	}
	// heard: the receiver has answered, or has not.
	heard struct {
		lane    *lane
		hearing provider.Hearing
		took    time.Duration
	}
	// cursorSaved: the place is on the disk.
	cursorSaved struct{}
	// drainNotices begins nothing any more, and calls done when nothing is under
	// way and the place is saved.
	drainNotices struct{ done func() }
)

// maxWaiting bounds the notices in memory.
const maxWaiting = 512

func newHerald(n *Node) *herald {
	h := &herald{watch: watch{clock: n.cfg.Clock}, node: n, lanes: map[string]*lane{}, erased: map[string]uint64{}, cursor: n.tidings.start, next: n.tidings.start.saved.At}
	now := n.cfg.Clock.Now()
	for _, k := range h.cursor.saved.Held {
		at := min(k.At, now+longest(k.Tries)) // the clock may have gone back since
		l := &lane{stream: k.Stream, back: &heldBack{from: k.From, since: k.Since, tries: k.Tries, at: at}}
		h.lanes[k.Stream] = l
		h.held = append(h.held, l)
	}
	return h
}

// Receive implements actor.Actor.
func (h *herald) Receive(ctx actor.Context) {
	if back := h.look(); back > 0 { // before anything is set by the clock of now
		h.putBack(back)
	}
	switch m := ctx.Message().(type) {
	case *actor.Started:
		h.self = ctx.Self()
		h.alarm = h.node.cfg.Clock.NewAlarm(func() { h.node.send(h.self, tick{}) })
		return // begin tells when
	case *actor.Stopped:
		h.alarm.Stop()
		return
	case flushed:
		h.node.tidings.poked.Store(false) // before it reads, so that nothing behind the read is missed
	case tidingsRead:
		h.takeIn(m)
	case laneRead:
		h.takeLane(m)
	case looked:
		h.looked(m)
	case heard:
		h.heard(m)
	case cursorSaved:
		h.cursor.saving = false
	case erase:
		h.erased[m.id] = m.seq
	case drainNotices:
		h.hold = true
		h.drainAsked = append(h.drainAsked, m.done)
	}
	h.work(h.now)
}

// work begins what may begin now, and sets the alarm for what may later.
func (h *herald) work(now engine.Millis) {
	if h.node.dead.Load() != nil {
		return
	}
	h.undelay(now)
	h.readHeld(now)
	for !h.hold && len(h.ready) > 0 && h.road.open(now, h.running, h.node.cfg.MaxNotices) {
		l := h.ready[0]
		h.ready = h.ready[1:]
		l.ready = false
		h.tell(l, now)
	}
	h.read(now)
	h.save(now)
	h.alarm.Set(h.wakeAt(now))
	h.show(now)
	if h.hold && h.running+h.loading == 0 && !h.reading && !h.cursor.saving && !h.cursor.behind {
		for _, done := range h.drainAsked {
			done()
		}
		h.drainAsked = nil
	}
}

// putBack is for a clock that has gone back: nothing waits longer than it was to.
func (h *herald) putBack(by engine.Millis) {
	sooner(by, &h.road.resumeAt, &h.readAt, &h.cursor.savedAt, &h.shownAt)
	for _, l := range h.delayed {
		sooner(by, &l.again)
	}
	for _, l := range h.held {
		sooner(by, &l.back.at)
	}
}

// wakeAt is when there is something to do that no message will tell.
func (h *herald) wakeAt(now engine.Millis) (at engine.Millis) {
	sooner := func(t engine.Millis) {
		if t > now && (at == 0 || t < at) {
			at = t
		}
	}
	sooner(h.road.resumeAt)
	sooner(h.readAt)
	for _, l := range h.delayed {
		sooner(l.again)
	}
	if !h.road.away {
		for _, l := range h.held {
			sooner(l.back.at)
		}
	}
	if h.cursor.behind {
		sooner(h.cursor.savedAt + saveEvery)
	}
	return at
}

// tell has the first notice of a lane told, unless it is too old to be of use.
// The user shows what it is about; nobody has to for the node's own.
func (h *herald) tell(l *lane, now engine.Millis) {
	t := &l.queue[0]
	n := h.node
	if t.at < now-n.cfg.NoticeKeep.Milliseconds() {
		h.drop(l, "expired")
		return
	}
	l.busy = true
	h.running++
	if l.own() {
		h.notify(l, nil)
		return
	}
	n.toUser(t.user, &request{
		cmd:     engine.ReadNotice{ReminderID: t.notice.ReminderID},
		deliver: func(reply engine.Reply, err error) { n.send(h.self, looked{l, reply, err}) },
	})
}

// looked tells the receiver. Nothing is told of who was erased meanwhile, whoever
// has the id now (N6).
func (h *herald) looked(m looked) {
	reply, there := m.reply.(engine.NoticeReply)
	if t := &m.lane.queue[0]; m.err == nil && !there || t.Seq <= h.erased[t.user] {
		h.idle(m.lane)
		h.drop(m.lane, "erased")
		return
	}
	if h.hold { // the next start tells it
		h.idle(m.lane)
		h.enqueue(m.lane)
		return
	}
	h.notify(m.lane, reply.Reminder)
}

func (h *herald) notify(l *lane, about *engine.ReminderView) {
	n, t := h.node, l.queue[0]
	note := provider.Notification{ID: t.id, At: t.at, UserID: t.user, Notice: t.notice, Reminder: about}
	n.cfg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.NotifyTimeout)
		defer cancel()
		took := stopwatch()
		hearing := n.notify(ctx, note)
		n.send(h.self, heard{l, hearing, took()})
	})
}

// notify calls the receiver; a panic there is no yes.
func (n *Node) notify(ctx context.Context, note provider.Notification) (out provider.Hearing) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("notifier panicked", slog.String("webhook_id", note.ID))
			out = provider.Hearing{Kind: provider.Declined, Cause: "the notifier panicked"}
		}
	}()
	return n.cfg.Notifier.Notify(ctx, note)
}

// heard learns from the receiver's answer for the lane and for the road.
func (h *herald) heard(m heard) {
	h.idle(m.lane)
	n, l, now := h.node, m.lane, h.node.cfg.Clock.Now()
	n.metrics.notices.WithLabelValues(hearingName(m.hearing.Kind)).Inc()
	n.metrics.noticeTime.Observe(m.took.Seconds())
	switch m.hearing.Kind {
	case provider.Heard:
		if h.road.works() {
			n.log.Info("the webhook receiver takes notices again")
			h.retryHeld(now)
		}
		h.advance(l)
		return
	case provider.Declined:
		if h.declined(l, now) {
			return
		}
	case provider.Gone:
		h.road.gone = true
	case provider.Busy, provider.Unheard:
	}
	if h.road.fail(now, m.hearing, n.draw(l.queue[0].id, uint64(h.road.failures))) {
		n.log.Error("the webhook receiver takes nothing; notices wait in the journal", slog.String("cause", m.hearing.Cause), slog.Bool("gone", h.road.gone))
	}
	h.enqueue(l) // at the end: another one is the next probe
}

// declined deals with an answer that was no yes, and reports whether it was
// about this notice: the road is at fault if it meets many streams in a row,
// or one while the road is known to be bad.
func (h *herald) declined(l *lane, now engine.Millis) bool {
	if h.road.away {
		return false
	}
	if first := l.back == nil && l.tries == 0; first && h.road.strike() {
		return false
	}
	switch {
	case l.own():
		h.delay(l, now)
	case l.back == nil && len(h.held) >= maxHeld:
		return false
	default:
		h.holdBack(l, now)
	}
	return true
}

func (h *herald) idle(l *lane) {
	l.busy = false
	h.running--
}

// drop leaves the first notice of a lane untold.
func (h *herald) drop(l *lane, why string) {
	h.node.metrics.noticesDropped.WithLabelValues(why).Inc()
	h.advance(l)
}

// show makes what the gauges read. The oldest notice is looked for once a
// second: it costs a walk over the lanes.
func (h *herald) show(now engine.Millis) {
	v := &h.node.tidings
	v.waiting.Store(int64(h.waiting))
	v.held.Store(int64(len(h.held)))
	v.away.Store(h.road.away)
	if len(h.lanes) > 0 && now < h.shownAt+1000 {
		return
	}
	h.shownAt = now
	var oldest engine.Millis
	older := func(at engine.Millis) {
		if oldest == 0 || at < oldest {
			oldest = at
		}
	}
	for _, l := range h.lanes {
		if l.back != nil {
			older(l.back.since)
		} else if len(l.queue) > 0 {
			older(l.queue[0].at)
		}
	}
	v.oldest.Store(oldest)
}

func hearingName(k provider.HearingKind) string {
	switch k {
	case provider.Heard:
		return "heard"
	case provider.Declined:
		return "declined"
	case provider.Busy:
		return "busy"
	case provider.Gone:
		return "gone"
	case provider.Unheard:
	}
	return "unheard"
}

func without(lanes []*lane, l *lane) []*lane {
	return slices.DeleteFunc(lanes, func(o *lane) bool { return o == l })
}
