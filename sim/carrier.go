package sim

import (
	"context"
	"fmt"
	"slices"

	"carillon/actors/provider"
	"carillon/engine"
)

// carrier is the fake that keeps the truth: what it accepted, what became of
// it, and who has said STOP.
type carrier struct {
	w         *world
	n         int
	sent      []*delivery
	byNumber  map[string][]*delivery
	bySID     map[string]*delivery
	blocked   map[string]bool
	numbers   map[string]*number // that texts come from; the only one has no name
	downUntil engine.Millis      // true time: the account is refused
	triedAt   engine.Millis      // true time of the last hand-over
	twice     bool               // a sabotaged one accepts everything twice
}

// delivery is a message that the carrier accepted.
type delivery struct {
	msg        provider.Message
	sid        string
	at         engine.Millis // true time of the acceptance
	calledAt   engine.Millis // true time of the call
	calledWall engine.Millis
	wallAt     engine.Millis
	life       int
	answered   bool
	listedAt   engine.Millis        // true time from which Find shows it
	told       engine.MessageStatus // the last report that the engine took
	status     engine.MessageStatus
	failure    engine.Failure
	endedAt    engine.Millis // true time of its last state
	gaveUp     engine.Millis // when it was lost first; 0: it was not
	dark       bool          // no callback of it gets through
}

func (d *delivery) lost() bool { return d.gaveUp != 0 }

func (d *delivery) lostAt(t engine.Millis) bool { return d.gaveUp != 0 && d.gaveUp <= t }

func newCarrier(w *world) *carrier {
	return &carrier{w: w, byNumber: map[string][]*delivery{}, bySID: map[string]*delivery{}, blocked: map[string]bool{}, numbers: map[string]*number{}}
}

// sender is the carrier as one process sees it.
type sender struct {
	c *carrier
	p *process
}

var (
	_ provider.Sender  = (*sender)(nil)
	_ provider.Fetcher = (*sender)(nil)
	_ provider.Stopper = (*sender)(nil)
)

// plan is what a hand-over meets.
type plan struct {
	accept   bool
	refusal  engine.Failure
	arrives  engine.Millis // from the call
	answers  engine.Millis
	lost     string // why the answer is
	panics   bool
	delivery *delivery
}

// Send implements provider.Sender. The carrier goes on with what it got,
// whatever becomes of the process.
func (s *sender) Send(_ context.Context, m provider.Message) provider.Outcome {
	c, w := s.c, s.c.w
	w.digest.add("send", m.MessageID, m.To, m.Text)
	if m.Sender != "" {
		w.digest.add(m.Sender)
	}
	w.digest.number("at", w.now, m.ValidUntil)
	if m.ValidUntil <= w.wall() {
		return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{
			Category: engine.CategoryExpired, Message: "its deadline passed before it was handed over",
		}}
	}
	in := w.audit.called(m)
	from := c.number(m.Sender)
	c.triedAt, from.triedAt = w.now, w.now
	pl := c.plan(m)
	if pl.panics && !pl.accept {
		panic("sim: the vendor's client panics")
	}
	if w.faults.hit(CrashAnywhere, w.pace.crashes*0.01) { // the worst moment of all
		p := s.p
		w.after(w.d.between(0, pl.answers), func() {
			if !p.dead {
				w.dying = "in a hand-over"
			}
		})
	}
	called, wall := w.now, w.wall()
	switch {
	case w.pace.leaps == 0:
	case w.faults.hit(ClockBack, w.pace.leaps):
		w.after(w.d.between(0, pl.arrives), func() { w.jump(-w.d.between(1, 2*maxSkew)) })
	case pl.lost != "" && w.faults.hit(ClockForward, w.pace.leaps): // so that the carrier is asked at once
		w.after(pl.answers+w.d.between(0, 20*second), func() { w.jump(w.d.between(10*second, 20*minute)) })
	}
	w.after(pl.arrives, func() {
		if pl.accept {
			pl.delivery = c.accept(m, in, called, wall)
			if c.twice {
				c.accept(m, in, called, wall)
			}
		}
	})
	if !s.wait(pl.answers) {
		return provider.Outcome{Cause: "the process is dead"}
	}
	c.learned(from, pl)
	switch {
	case pl.panics:
		panic("sim: the vendor's client panics")
	case pl.lost != "":
		return provider.Outcome{Cause: pl.lost}
	case !pl.accept:
		return provider.Outcome{Kind: provider.Refused, Failure: pl.refusal}
	}
	pl.delivery.answered = true
	return provider.Outcome{Kind: provider.Accepted, SID: pl.delivery.sid, Status: engine.MessageQueued}
}

func (s *sender) wait(d engine.Millis) bool { return wait(s.c.w, s.p, d) }

// plan draws what a hand-over meets.
func (c *carrier) plan(m provider.Message) *plan {
	f, d := &c.w.faults, c.w.d
	pl := &plan{accept: true, answers: d.between(20, 400)}
	if f.hit(SlowAnswer, c.w.pace.slowAnswer) {
		pl.answers = d.between(1, 18) * second
	}
	pl.arrives = pl.answers / 2
	from := c.number(m.Sender)
	switch {
	case from.limits(c.w.now):
		c.disturb(from)
		pl.refuse(engine.Failure{Code: 20429, Category: engine.CategoryRateLimit, Retry: engine.RetryYes})
	case from.refuses(c.w.now):
		c.disturb(from)
		pl.refuse(numberRefused)
	case c.w.now < c.downUntil:
		c.w.disturb(c.w.now)
		pl.refuse(engine.Failure{Code: accountRefused, Category: engine.CategoryAccountIssue, Retry: engine.RetryNever, Message: "authenticate"})
	case c.blocked[m.To]:
		if p := c.w.person(m.UserID); p != nil {
			p.bar = bar{called: c.w.now, heard: max(p.bar.heard, c.w.now+pl.answers)}
			if p.out == optedIn {
				p.out = perhapsOut
				c.w.disturb(c.w.now)
			}
		}
		pl.refuse(engine.Failure{Code: 21610, Category: engine.CategoryOptedOut, Retry: engine.RetryNever, Message: "unsubscribed"})
	case f.hit(AnswerLost, c.w.pace.answerLost):
		pl.lost = "connection reset"
	case f.hit(RequestLost, c.w.pace.requestLost):
		pl.accept, pl.lost = false, "connection refused"
	case f.hit(Hang, 0.03):
		pl.accept, pl.arrives, pl.answers, pl.lost = d.chance(0.5), d.between(0, sendTimeout), sendTimeout, "timeout"
	case f.hit(ServerError, 0.05):
		pl.accept, pl.lost = d.chance(0.5), "http 503"
	case f.hit(RateLimited, c.w.pace.rateLimited):
		c.disturb(from)
		pl.refuse(engine.Failure{Code: 20429, Category: engine.CategoryRateLimit, Retry: engine.RetryYes, RetryAfter: pick(d, 0, 0, 2*second, 5*minute)})
	case c.w.pace.unreachable > 0 && f.hit(Refused, c.w.pace.unreachable):
		pl.refuse(unreachable)
	case f.hit(Refused, c.w.pace.refused):
		pl.refuse(pick(d, refusals...))
	case f.hit(SenderPanic, 0.02):
		pl.panics, pl.accept = true, d.chance(0.5)
	}
	return pl
}

func (pl *plan) refuse(f engine.Failure) { pl.accept, pl.refusal = false, f }

// unreachable is that of a phone that is off, and is tried again.
var unreachable = engine.Failure{Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes}

// refusals are those that a carrier gives for one message, of every category
// (S5) but those that have a class of their own.
var refusals = []engine.Failure{
	{Code: 21211, Category: engine.CategoryInvalidNumber, Retry: engine.RetryNever},
	{Code: 30008, Category: engine.CategoryUnknown, Retry: engine.RetryOnce},
	unreachable,
	{Code: 30005, Category: engine.CategoryInvalidNumber, Retry: engine.RetryNever},
	{Code: 30007, Category: engine.CategoryFiltered, Retry: engine.RetryNever},
	{Code: 30010, Category: engine.CategoryCarrierIssue, Retry: engine.RetryYes},
	{Code: 21617, Category: engine.CategoryContent, Retry: engine.RetryNever},
	{Code: 21603, Category: engine.CategoryInvalidRequest, Retry: engine.RetryNever},
	{Code: 21408, Category: engine.CategoryAccountIssue, Retry: engine.RetryNever}, // a region that is not enabled
}

// Stops implements provider.Stopper.
func (s *sender) Stops(f engine.Failure) bool { return stops(f) }

// accept takes a message into the book.
func (c *carrier) accept(m provider.Message, in *intent, called, wall engine.Millis) *delivery {
	c.n++
	d := &delivery{
		msg: m, sid: fmt.Sprintf("SM%032d", c.n), at: c.w.now, wallAt: c.w.wall(), calledAt: called, calledWall: wall,
		status: engine.MessageQueued,
	}
	if in != nil {
		d.life = in.life
	}
	if c.w.faults.hit(FindLags, c.w.pace.findLags) {
		d.listedAt = called + c.w.d.between(0, 45*second)
		if c.w.pace.longLags { // two look-ups apart, and not a word meanwhile
			d.listedAt = called + c.w.d.between(0, c.w.shape.policy.ReconcileAfter*19/10)
			d.dark = c.w.faults.on[CallbackLost]
		}
	}
	c.sent = append(c.sent, d)
	c.byNumber[m.To] = append(c.byNumber[m.To], d)
	c.bySID[d.sid] = d
	c.w.audit.accepted(d, in)
	c.live(d)
	return d
}

// Find implements provider.Sender: it is honest, if it can be asked. Of a message
// of another number it knows nothing.
func (s *sender) Find(_ context.Context, m provider.Message, since int64) provider.Sighting {
	s.c.w.pool.asked(m)
	if !s.wait(s.c.w.d.between(20, 400)) || s.c.w.faults.hit(FindDown, 0.3) {
		return provider.Sighting{Cause: "http 503"}
	}
	var best *delivery
	for _, d := range s.c.byNumber[m.To] {
		if d.listedAt > s.c.w.now || d.msg.Text != m.Text || d.wallAt < since-5*minute || slices.Contains(m.Others, d.sid) ||
			m.Sender != "" && d.msg.Sender != m.Sender {
			continue
		}
		if best == nil || abs(d.wallAt-m.CreatedAt) < abs(best.wallAt-m.CreatedAt) {
			best = d
		}
	}
	if best == nil {
		return provider.Sighting{Result: provider.Absent}
	}
	return s.c.sighting(best)
}

// Fetch implements provider.Fetcher.
func (s *sender) Fetch(_ context.Context, sid string) provider.Sighting {
	if !s.wait(s.c.w.d.between(20, 400)) || s.c.w.faults.hit(FindDown, 0.3) {
		return provider.Sighting{Cause: "http 503"}
	}
	if d := s.c.bySID[sid]; d != nil {
		return s.c.sighting(d)
	}
	return provider.Sighting{Result: provider.Absent}
}

func (c *carrier) sighting(d *delivery) provider.Sighting {
	c.told(d.msg.Sender, d.failure)
	return provider.Sighting{Result: provider.Found, SID: d.sid, Status: d.status, Failure: d.failure}
}

func abs(n int64) int64 { return max(n, -n) }
