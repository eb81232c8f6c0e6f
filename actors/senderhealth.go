package actors

import (
	"log/slog"

	"carillon/actors/provider"
	"carillon/engine"
)

// accountFault: a report said that the carrier gave a message up for a fault
// of our account or sender.
type accountFault struct{ failure engine.Failure }

// learn adapts pace and state of the sender to an answer: a 429 slows the
// sender, not the users (S6); a fault of the account stops it (S5), and the
// reminder that met it waits for the sender's next try instead of being lost.
func (o *outbox) learn(out *provider.Outcome) {
	o.reached(out.Cause)
	now := o.node.cfg.Clock.Now()
	o.probing = false // whatever the answer: a probe that meets a rate limit is over too
	switch {
	case out.Kind == provider.Refused && out.Failure.Category == engine.CategoryRateLimit:
		o.window.shrink()
		o.notBefore = max(o.notBefore, now+max(out.Failure.RetryAfter, slowDown))
	case out.Kind == provider.Refused && o.node.stops(out.Failure):
		o.stop(out.Failure)
		out.Failure.Retry, out.Failure.RetryAfter = engine.RetryYes, o.pause
	case out.Kind == provider.Accepted:
		o.window.grow()
		if o.stopped != "" {
			o.node.log.Info("sender resumed: a hand-over was accepted")
		}
		o.stopped = ""
	}
}

// stop stops the sender for a while, longer each time, and says so once in one
// line: what the carrier said, and which setting to look at.
func (o *outbox) stop(f engine.Failure) {
	first := o.stopped == ""
	if first {
		o.pause = 0
	}
	o.pause = min(max(2*o.pause, probeAfter), probeMost)
	o.stopped = "the carrier refuses the account: " + f.Message
	if a, ok := o.node.cfg.Sender.(provider.Adviser); ok {
		if advice := a.Advice(f); advice != "" {
			o.stopped += "; " + advice
		}
	}
	o.resumeAt, o.probing = o.node.cfg.Clock.Now()+o.pause, false
	if first {
		o.node.log.Error("sender stopped; no reminder is lost before its deadline, and one is tried every few minutes",
			slog.Int("error_code", f.Code), slog.String("why", o.stopped))
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
		o.unreachable = cause
	case o.unreachable != "":
		o.node.log.Info("the carrier can be reached again")
		o.unreachable = ""
	}
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
		f.Retry, f.RetryAfter = engine.RetryYes, max(f.RetryAfter, probeAfter)
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

// faults are the reports in durable events that stop the sender.
func (n *Node) faults(events []engine.Event) {
	for _, e := range events {
		if r, ok := e.(engine.MessageReported); ok && r.Failure.Category == engine.CategoryAccountIssue && n.stops(r.Failure) {
			n.send(n.outbox, accountFault{r.Failure})
		}
	}
}

// health says what keeps the sender from sending; empty if nothing does.
func (n *Node) health() string {
	if why := n.view.stopped.Load(); why != nil {
		return "sender stopped: " + *why
	}
	if why := n.view.unreachable.Load(); why != nil {
		return "carrier unreachable: " + *why
	}
	return ""
}
