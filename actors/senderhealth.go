package actors

import (
	"context"
	"log/slog"
	"strings"

	"carillon/actors/provider"
	"carillon/engine"
)

type (
	// accountFault: a report said that the carrier gave a message of a sender up
	// for a fault of our account or of that sender.
	accountFault struct {
		sender  string
		failure engine.Failure
	}
	// probed: the carrier was asked whether the fault of a sender is over.
	probed struct {
		by      *sender
		verdict provider.Verdict
	}
)

const (
	// probeAfter is how long a stopped sender waits before it looks whether the
	// fault is over; it doubles up to probeMost.
	probeAfter = engine.Millis(60_000)
	probeMost  = engine.Millis(10 * 60_000)
	// slowDown is the pause after a rate limit that names no time.
	slowDown = engine.Millis(1000)
	// atOnce is the retry of a reminder that met a fault of its sender: it waits
	// for the sender, not for a time, so that it goes when the sender does.
	atOnce = engine.Millis(1)
)

// learn adapts pace and state of a sender to an answer: a 429 slows the sender,
// not the users (S6); a fault of the account stops it (S5), and the reminder
// that met it waits for the sender instead of being lost.
func (o *outbox) learn(s *sender, out *provider.Outcome) {
	o.reached(out.Cause)
	now := o.now
	switch {
	case out.Kind == provider.Refused && out.Failure.Category == engine.CategoryRateLimit:
		s.window.shrink()
		s.notBefore = max(s.notBefore, now+max(out.Failure.RetryAfter, slowDown))
	case out.Kind == provider.Refused && o.node.stops(out.Failure):
		o.stop(s, out.Failure, false)
		out.Failure.Retry, out.Failure.RetryAfter = engine.RetryYes, atOnce
		return
	case out.Kind == provider.Accepted:
		s.window.grow()
		s.believed, s.doubted = false, false
		switch {
		case s.trial && s.reported: // what was accepted before was given up later
			s.trial, s.proving, s.resumeAt = false, true, now+probeAfter
		case s.trial:
			o.resume(s, "a hand-over was accepted")
		}
	case out.Kind == provider.Uncertain: // it told nothing
		s.unheard(now + s.pause)
	}
	s.wary, s.waryUntil = false, 0
	if s.trial { // refused for another reason: the account is let in, and the next one tells the rest
		o.resume(s, "the carrier answers otherwise now")
		s.wary = true
	}
}

// unheard ends a trial that told nothing of the carrier; the next may begin then.
func (s *sender) unheard(next engine.Millis) {
	if s.trial {
		s.trial, s.resumeAt = false, next
	}
}

// stop stops a sender for a while, longer each time, and says so once in one
// line: what the carrier said, and which setting to look at. reported: not in its
// answer, but of a message that it had accepted.
func (o *outbox) stop(s *sender, f engine.Failure, reported bool) {
	now := o.node.cfg.Clock.Now()
	first := s.stopped == ""
	if !first && !s.trial && !s.proving {
		return // it was under way when the sender stopped, or is told twice
	}
	if first && now-s.resumedAt >= probeMost {
		s.pause = 0
	}
	s.fault, s.reported, s.doubted = f, reported, s.doubted || s.believed
	o.putOff(s)
	if !first {
		return
	}
	s.stopped = "the carrier refuses the account: " + f.Message
	if a, ok := o.node.cfg.Sender.(provider.Adviser); ok {
		if advice := a.Advice(f); advice != "" {
			s.stopped += "; " + advice
		}
	}
	why := s.stopped
	s.shown.stopped.Store(&why)
	o.node.senderStopped(s.name, f, why)
}

// senderStopped is told once when a sender stops. The gauge, /v1/stats and
// /readyz read it from the sender's view; whoever else has to hear of it hears
// of it here.
func (n *Node) senderStopped(name string, f engine.Failure, why string) {
	n.log.Error("sender stopped; no reminder is lost before its deadline, and the carrier is tried every few minutes",
		slog.String("sender", name), slog.Int("error_code", f.Code), slog.String("why", why))
	n.tellSender(engine.NoticeSenderStopped, name, why)
}

// putOff sets when the carrier is tried next: after twice the time of before.
func (o *outbox) putOff(s *sender) {
	s.pause = min(max(2*s.pause, probeAfter), probeMost)
	s.resumeAt = o.node.cfg.Clock.Now() + s.pause
	s.trial, s.proving, s.wary, s.waryUntil = false, false, false, 0
}

// resume lets a stopped sender go on.
func (o *outbox) resume(s *sender, because string) {
	s.stopped, s.trial, s.proving, s.wary = "", false, false, false
	s.resumedAt = o.node.cfg.Clock.Now()
	s.shown.stopped.Store(nil)
	o.node.log.Info("sender resumed", slog.String("sender", s.name), slog.String("because", because))
	o.node.tellSender(engine.NoticeSenderResumed, s.name, because)
}

// resumeAll lets stopped senders go on because somebody says so: reminders that
// wait leave at once, one by one until the carrier has taken one.
func (o *outbox) resumeAll() {
	for _, s := range o.senders {
		if s.stopped != "" {
			o.resume(s, "by request")
			s.wary, s.pause, s.resumedAt = true, 0, 0
			s.believed, s.doubted = false, false
		}
	}
}

// mend looks whether the fault of a stopped sender is over when it is time to:
// by asking the carrier if it can be asked, which costs no reminder anything,
// else by one hand-over. It returns when it will be time.
func (o *outbox) mend(s *sender, now engine.Millis) engine.Millis {
	switch {
	case s.asking:
		return 0
	case now < s.resumeAt:
		return s.resumeAt
	case s.proving:
		o.resume(s, "a hand-over was accepted and not given up within a minute")
		return 0
	}
	p, ok := o.node.cfg.Sender.(provider.Prober)
	if !ok || s.doubted {
		s.trial = true
		return 0
	}
	s.asking = true
	o.asking++
	n, fault := o.node, s.fault
	n.cfg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.SendTimeout)
		defer cancel()
		n.send(o.self, probed{s, n.probe(ctx, p, fault)})
	})
	return 0
}

func (n *Node) probe(ctx context.Context, p provider.Prober, f engine.Failure) (v provider.Verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			n.log.Error("sender panicked when it was asked whether a fault is over")
			v = provider.FaultUnknown
		}
	}()
	return p.Probe(ctx, f)
}

func (o *outbox) probed(m probed) {
	s := m.by
	s.asking = false
	o.asking--
	switch {
	case s.stopped == "": // resumed meanwhile
	case m.verdict == provider.FaultOver:
		o.resume(s, "the carrier says that the fault is over")
		s.wary, s.believed = true, true
	case m.verdict == provider.FaultLasts:
		o.putOff(s)
	default:
		s.trial = true
	}
}

// reached notes whether the carrier can be connected to at all, and says so
// once when it can't and once when it can again.
func (o *outbox) reached(cause string) {
	switch {
	case provider.NotConnected(cause):
		if o.unreachable == "" {
			o.node.log.Error("the carrier can't be reached; check its URL and the way there", slog.String("cause", cause))
		}
		o.setUnreachable(cause)
	case o.unreachable != "":
		o.node.log.Info("the carrier can be reached again")
		o.setUnreachable("")
	}
}

func (o *outbox) setUnreachable(cause string) {
	if o.unreachable == cause {
		return
	}
	o.unreachable = cause
	o.node.metrics.unreachable.Set(flag(cause != ""))
	if cause == "" {
		o.node.view.unreachable.Store(nil)
		return
	}
	o.node.view.unreachable.Store(&cause)
}

// stops tells a fault of the whole sender from one of a single destination,
// if the sender can.
func (n *Node) stops(f engine.Failure) bool {
	if s, ok := n.cfg.Sender.(provider.Stopper); ok {
		return s.Stops(f)
	}
	return f.Category == engine.CategoryAccountIssue
}

// spare keeps a reminder whose message the carrier took and then gave up for a
// fault of ours: it is tried again, in bounds, when the sender has been.
func (n *Node) spare(f *engine.Failure) {
	if f.Retry == engine.RetryNever && f.Category != engine.CategoryNone && n.stops(*f) {
		f.Retry, f.RetryAfter = engine.RetryYes, max(f.RetryAfter, atOnce)
	}
}

// spared is spare for a command that reports what became of a message.
func (n *Node) spared(cmd engine.Command) engine.Command {
	if r, ok := cmd.(engine.ReportDelivery); ok {
		n.spare(&r.Failure)
		return r
	}
	return cmd
}

// faults tells the outbox of durable reports that stop a sender.
func (n *Node) faults(told []report) {
	for _, r := range told {
		if r.failure.Category == engine.CategoryAccountIssue && n.stops(r.failure) {
			n.send(n.outbox, accountFault{r.sender, r.failure})
		}
	}
}

// stoppedWhy says which senders are stopped and why; empty if none is.
func (n *Node) stoppedWhy() string {
	var all []string
	for _, s := range n.view.senders {
		why := s.stopped.Load()
		switch {
		case why == nil:
		case s.name == "" || len(n.view.senders) == 1:
			all = append(all, *why)
		default:
			all = append(all, s.name+": "+*why)
		}
	}
	return strings.Join(all, "; ")
}

// health says what keeps the sender from sending; empty if nothing does.
func (n *Node) health() string {
	if why := n.stoppedWhy(); why != "" {
		return "sender stopped: " + why
	}
	if why := n.view.unreachable.Load(); why != nil {
		return "carrier unreachable: " + *why
	}
	return ""
}
