package sandbox

import (
	"context"
	"encoding/hex"
	"slices"

	"carillon/actors/provider"
	"carillon/engine"
)

const skewMillis = 5 * 60 * 1000 // as much as the real ones allow for

// Send accepts a text half way through its latency, as a carrier does: who
// stops waiting does not know whether it was.
func (c *Carrier) Send(ctx context.Context, m provider.Message) provider.Outcome {
	if m.ValidUntil <= c.conf.Now() {
		return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{
			Category: engine.CategoryExpired, Message: "its deadline passed before it was handed over",
		}}
	}
	n := c.number(m.To)
	if !c.wait(ctx) {
		return provider.Outcome{Cause: "canceled"}
	}
	out := c.take(n, m)
	if !c.wait(ctx) {
		return provider.Outcome{Cause: "canceled"}
	}
	return out
}

// number returns the number's character for this text; nil is an ordinary one.
func (c *Carrier) number(phone string) *Number {
	n := magicByPhone[phone]
	if n == nil || !n.Once {
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tries[phone]++; c.tries[phone] > 1 {
		return nil
	}
	return n
}

// wait lets half of a drawn latency pass. It reports false when ctx ended.
func (c *Carrier) wait(ctx context.Context) bool {
	if c.conf.Instant {
		return ctx.Err() == nil
	}
	c.mu.Lock()
	d := c.draw(c.conf.MinLatency, c.conf.MaxLatency) / 2
	c.mu.Unlock()
	done := make(chan struct{})
	c.conf.After(d, func() { close(done) })
	select {
	case <-ctx.Done():
		return false
	case <-done:
		return ctx.Err() == nil
	}
}

// take accepts the text, or does what the number is known for.
func (c *Carrier) take(n *Number, m provider.Message) provider.Outcome {
	how := delivers
	if n != nil {
		how = n.how
	}
	switch how {
	case refuses:
		return provider.Outcome{Kind: provider.Refused, Failure: n.failure}
	case dropsRequest:
		return provider.Outcome{Cause: "connection reset"}
	case delivers, loses, forgetsReply, silentReply, silent:
	}
	sid := c.accept(m, how)
	if how != silent && how != silentReply {
		c.news(sid, m, n)
	}
	if how == forgetsReply || how == silentReply {
		return provider.Outcome{Cause: "timeout"}
	}
	return provider.Outcome{Kind: provider.Accepted, SID: sid, Status: engine.MessageQueued}
}

func (c *Carrier) accept(m provider.Message, how behavior) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := Entry{
		At: c.conf.Now(), Kind: KindMessage, To: m.To, Text: m.Text, Status: engine.MessageQueued, SID: c.sid("SM"),
		UserID: m.UserID, ReminderID: m.ReminderID, MessageID: m.MessageID,
	}
	if how == silentReply {
		e.Status = engine.MessageDelivered
	}
	return c.outbox.add(e).SID
}

// sid is 128 bits of the source, so that no two lives of the sandbox give the
// same. The lock is held.
func (c *Carrier) sid(kind string) string {
	var b [16]byte
	for i := 0; i < len(b); i += 8 {
		for j, v := 0, c.rand.Uint64(); j < 8; j, v = j+1, v>>8 {
			b[i+j] = byte(v)
		}
	}
	return kind + hex.EncodeToString(b[:])
}

// news reports sent, and then how it ended, each after a drawn delay.
func (c *Carrier) news(sid string, m provider.Message, n *Number) {
	end, f := engine.MessageDelivered, engine.Failure{}
	if n != nil && n.how == loses {
		end, f = n.status, n.failure
	}
	c.mu.Lock()
	first := c.draw(c.conf.MinNews, c.conf.MaxNews)
	second := c.draw(c.conf.MinNews, c.conf.MaxNews)
	c.mu.Unlock()
	c.conf.After(first, func() {
		c.report(sid, m, engine.MessageSent, engine.Failure{})
		c.conf.After(second, func() { c.report(sid, m, end, f) })
	})
}

func (c *Carrier) report(sid string, m provider.Message, s engine.MessageStatus, f engine.Failure) {
	c.mu.Lock()
	if e := c.outbox.at(c.outbox.bySID[sid]); e != nil {
		e.Status, e.ErrorCode = s, f.Code
	}
	c.mu.Unlock()
	c.conf.Report(m.UserID, engine.ReportDelivery{MessageID: m.MessageID, SID: sid, Status: s, Failure: f})
}

// Find looks for a text to a number, newest first.
func (c *Carrier) Find(ctx context.Context, m provider.Message, since int64) provider.Sighting {
	if ctx.Err() != nil {
		return provider.Sighting{Cause: "canceled"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.outbox.at(c.outbox.byNumber[m.To]); e != nil; e = c.outbox.at(e.prev) {
		if e.At < since-skewMillis {
			break
		}
		if e.Kind == KindMessage && e.Text == m.Text && !slices.Contains(m.Others, e.SID) {
			return sighting(e)
		}
	}
	return provider.Sighting{Result: provider.Absent}
}

// Fetch asks for a message by its sid.
func (c *Carrier) Fetch(ctx context.Context, sid string) provider.Sighting {
	if ctx.Err() != nil {
		return provider.Sighting{Cause: "canceled"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.outbox.at(c.outbox.bySID[sid]); e != nil && e.Kind == KindMessage {
		return sighting(e)
	}
	return provider.Sighting{Result: provider.Absent}
}

func sighting(e *Entry) provider.Sighting {
	s := provider.Sighting{Result: provider.Found, SID: e.SID, Status: e.Status}
	if e.ErrorCode != 0 {
		s.Failure = magicByPhone[e.To].failure
	}
	return s
}
