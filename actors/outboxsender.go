package actors

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"carillon/engine"
)

// sender is one number or service of the pool with what is its own (S6): who
// waits for it, its pace, how many may be with the carrier, and whether it is
// stopped. What slows or stops one holds back nobody who is texted from
// another.
type sender struct {
	name   string
	shown  *senderView
	queue  offerQueue
	window window

	segments prometheus.Counter // handed over

	sending   int // hand-overs begun that the carrier has not answered
	asked     int // of them, those whose segments are not known yet
	recording int // answered, and the outcome is not durable yet
	pace      *rate.Limiter
	// notBefore is after the carrier asked us to slow down.
	notBefore engine.Millis

	stopped   string         // why it is stopped; empty: it is not
	fault     engine.Failure // the same, as the carrier said it
	pause     engine.Millis  // how long it waits between tries
	resumeAt  engine.Millis  // when it tries again
	resumedAt engine.Millis  // when the last stop ended
	asking    bool           // the carrier is being asked whether the fault is over
	trial     bool           // one reminder has to tell, since asking can't
	reported  bool           // the fault was told of a message that had been accepted
	proving   bool           // the trial was accepted, and the report on it is awaited
	wary      bool           // let go on without proof: one at a time until the carrier takes one
	// waryUntil bounds the first hand-over after a start, which goes alone: a token
	// that is refused costs one reminder one hand-over, not a windowful. 0: there is
	// no bound, or none has begun.
	waryUntil engine.Millis
	fresh     bool // none was begun since the start
	believed  bool // the carrier said that the fault is over, and has taken none since
	doubted   bool // it said so and was wrong: it is not asked about this fault again
}

// senderView is what a sender shows of itself without being asked.
type senderView struct {
	name                                string
	queued, sending, window, slowBefore atomic.Int64
	stopped                             atomic.Pointer[string]
}

// alone is how long the first hand-over after a start goes alone at most: an answer
// takes a carrier that is well a fifth of a second.
const alone = engine.Millis(250)

// gather is how long a paced sender that had nothing to do waits when a
// reminder comes: the others of that minute are on their way, and the first
// turn is for the nearest deadline.
const gather = engine.Millis(20)

func newSenderViews(names []string) []*senderView {
	if len(names) == 0 {
		names = []string{""}
	}
	views := make([]*senderView, len(names))
	for i, name := range names {
		views[i] = &senderView{name: name}
	}
	return views
}

func newSender(view *senderView, n *Node) *sender {
	s := &sender{
		name: view.name, shown: view, window: newWindow(n.cfg.MaxSends), segments: n.metrics.segments.WithLabelValues(view.name),
		wary: true, fresh: true,
	}
	if mps := n.cfg.MPS; mps > 0 {
		// A tenth of a second may leave at once: what is lost to an alarm that
		// rings late is made up for.
		s.pace = rate.NewLimiter(rate.Limit(mps), 1+int(mps/10))
	}
	return s
}

// take queues an offer.
func (s *sender) take(w waiting, now engine.Millis) {
	if s.pace != nil && s.queue.len() == 0 && s.sending+s.recording == 0 {
		s.notBefore = max(s.notBefore, now+gather)
	}
	s.queue.push(w)
}

// wait returns 0 if a hand-over may begin, the instant at which it may, or -1
// if another event will tell.
func (s *sender) wait(now engine.Millis) engine.Millis {
	if s.wary && s.waryUntil != 0 && now >= s.waryUntil {
		s.wary = false // a carrier that hangs holds the others back no longer
	}
	switch {
	case s.wary && s.sending > 0 && s.waryUntil != 0:
		return s.waryUntil
	case s.sending >= s.window.size(), (s.trial || s.wary) && s.sending > 0:
		return -1
	case now < s.notBefore:
		return s.notBefore
	case s.pace == nil:
		return 0
	}
	// One segment at least for each whose text is not made yet.
	free := s.pace.TokensAt(time.UnixMilli(now)) - float64(s.asked)
	if free >= 1 {
		return 0
	}
	return now + max(engine.Millis(math.Ceil((1-free)/float64(s.pace.Limit())*1000)), 1)
}

// putBack is for a clock that has gone back: the sender waits no longer than it was
// to. Its pace would give nothing before the clock has caught up.
func (s *sender) putBack(now, by engine.Millis) {
	sooner(by, &s.notBefore, &s.resumeAt, &s.resumedAt, &s.waryUntil)
	if s.pace != nil {
		s.pace.SetLimitAt(time.UnixMilli(now), s.pace.Limit())
	}
}

// weigh takes a message's segments from the pace, more than there are if need
// be: then the next one waits the longer (S6).
func (s *sender) weigh(segments int, now engine.Millis) {
	if s.pace == nil {
		return
	}
	at := time.UnixMilli(now)
	for segments > 0 {
		n := min(segments, s.pace.Burst())
		s.pace.ReserveN(at, n)
		segments -= n
	}
}

// next takes the reminder whose turn it is. While nobody knows whether the
// carrier takes any, it is the one that was handed over least: probes are
// spread, so that none is used up by them (S4). When only last hand-overs are
// left, retryAt says from when one of them is risked.
func (s *sender) next(now engine.Millis) (w waiting, retryAt engine.Millis) {
	if !s.trial && !s.wary {
		return s.queue.pop(), 0
	}
	i := s.queue.leastTried()
	if s.trial && s.queue.at(i).attempts >= engine.MaxAttempts-1 {
		i = s.queue.first() // the deadline that is nearest
		if risk := s.queue.at(i).deadline - lastChance; now < risk {
			return w, risk
		}
	}
	return s.queue.take(i), 0
}

// lastChance is how long before its deadline a stopped sender risks the last
// hand-over of a reminder: later it would be lost without any try.
const lastChance = engine.Millis(60_000)

// show tells what changed to whoever looks.
func (s *sender) show() {
	v := s.shown
	v.queued.Store(int64(s.queue.len()))
	v.sending.Store(int64(s.sending))
	v.window.Store(int64(s.window.size()))
	v.slowBefore.Store(s.notBefore)
}
