package sim

import (
	"context"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// receiver is the fake service that our webhooks tell what happens, and the
// auditor's book of what it is to be told. Not every world has one, and whether
// there is one is not drawn from the world's stream: those without are as they
// were. A nil receiver is none.
type receiver struct {
	w       *world
	atOnce  int
	keep    engine.Millis
	down    engine.Millis            // true time: it can't be reached until then
	leaves  bool                     // the next notice is answered 410
	leftIn  *process                 // that was told so
	shuns   map[string]engine.Millis // streams that are declined, until when
	shunned float64                  // of declined notices, those whose stream is declined for long
	taken   int64

	book noticeBook
	road noticeRoad
}

// receiverStream sets these draws apart from those of the world.
const receiverStream = 0x6e6f74696365

const notifyTimeout = 15 * second

// newReceiver draws whether there is one: in one of seven worlds that are no
// corner.
func newReceiver(w *world) *receiver {
	d := newDraw(w.opt.Seed ^ receiverStream)
	if on := d.chance(1. / 7); w.pace.name != CornerNotices && (!on || isCorner(w.pace.name)) {
		return nil
	}
	r := &receiver{
		w: w, atOnce: pick(d, 1, 2, 8, 8), keep: pick(d, 30*hour, 72*hour, 72*hour), shuns: map[string]engine.Millis{}, shunned: pick(d, 0, 0.1, 0.3),
	}
	r.book = noticeBook{streams: map[string]*noticeStream{}, byID: map[string]*tiding{}}
	return r
}

// join gives a life of the engine somebody to tell.
func (r *receiver) join(conf *actors.Config, p *process) {
	if r == nil {
		return
	}
	conf.Notifier, conf.MaxNotices = &notifier{r, p}, r.atOnce
	conf.NotifyTimeout, conf.NoticeKeep = time.Duration(notifyTimeout)*time.Millisecond, time.Duration(r.keep)*time.Millisecond
	r.road = noticeRoad{p: p}
	for _, s := range r.book.streams {
		s.under, s.waits = 0, nil
		if s.took != 0 && s.took < r.w.died-30*second && r.w.fullUntil < s.took {
			s.refused = false // that it was taken is on the disk
		}
		if s.held = s.held || s.refused; s.held { // that it was taken since may be lost
			s.again = r.book.last
		}
		s.refused = s.held
	}
}

// operators sets the receiver's troubles going.
func (r *receiver) operators() {
	if r == nil {
		return
	}
	w := r.w
	w.every(w.pace.stops, ReceiverDown, func() {
		r.down = w.now + w.d.about(pick(w.d, 10*minute, 2*hour, 6*hour))
		if w.d.chance(0.05) {
			r.down = w.now + w.d.between(20, 90)*hour
		}
	})
	w.every(2*w.pace.stops, ReceiverGone, func() { r.leaves = true })
}

// heal takes everything from now on.
func (r *receiver) heal() {
	if r != nil {
		r.down, r.leaves = 0, false
		clear(r.shuns)
	}
}

// gone reports whether the process is not to post any more until the next start.
func (r *receiver) gone() bool { return r != nil && r.leftIn != nil && r.leftIn == r.w.proc }

// notifier is the receiver as one process sees it.
type notifier struct {
	r *receiver
	p *process
}

var _ provider.Notifier = (*notifier)(nil)

// answer is what a post meets.
type answer struct {
	provider.Hearing
	taken  bool
	panics bool
	after  engine.Millis
}

// Notify implements provider.Notifier. What was taken stays taken, whatever
// becomes of the process.
func (n *notifier) Notify(_ context.Context, note provider.Notification) provider.Hearing {
	r, w := n.r, n.r.w
	w.digest.add("notice", note.ID, note.UserID, string(note.Notice.Type))
	w.digest.number("at", w.now, note.At)
	p := r.posted(n.p, &note)
	a := r.answer(p.stream)
	if a.taken {
		r.taken++
	}
	if a.panics && a.after == 0 {
		r.answered(p, a)
		panic("sim: the receiver's client panics")
	}
	if !wait(w, n.p, a.after) {
		return provider.Hearing{Cause: "the process is dead"}
	}
	r.answered(p, a)
	if a.panics {
		panic("sim: the receiver's client panics")
	}
	return a.Hearing
}

// answer draws what a post meets.
func (r *receiver) answer(s *noticeStream) answer {
	w, f, d := r.w, &r.w.faults, r.w.d
	a := answer{Hearing: provider.Hearing{Kind: provider.Heard}, taken: true, after: d.between(5, 200)}
	if d.chance(0.01) {
		a.after = d.between(1, 14) * second
	}
	no := func(kind provider.HearingKind, cause string) {
		a.Hearing, a.taken = provider.Hearing{Kind: kind, Cause: cause}, false
	}
	switch {
	case w.now < r.down:
		no(provider.Unheard, pick(d, "connection refused", "http 502"))
	case r.leaves:
		r.leaves = false
		no(provider.Gone, "http 410")
	case w.now < r.shuns[s.name]:
		no(provider.Declined, "http 500")
	case f.hit(NoticeLost, 0.02):
		a.Hearing = provider.Hearing{Cause: "EOF"}
	case f.hit(NoticeHangs, 0.005):
		no(provider.Declined, "timeout")
		a.taken, a.after = d.chance(0.5), notifyTimeout
	case f.hit(ReceiverBusy, 0.005):
		no(provider.Busy, "http 429")
		a.RetryAfter = pick(d, 0, 30*second, 10*minute, 2*hour)
	case f.hit(NoticeDeclined, 0.03):
		no(provider.Declined, "http 500")
		switch {
		case d.chance(r.shunned):
			r.shuns[s.name] = w.now + d.about(hour)
		case d.chance(0.1):
			a.panics, a.taken, a.after = true, d.chance(0.5), pick(d, 0, a.after)
		}
	}
	return a
}
