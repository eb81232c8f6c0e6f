package sim

import (
	"carillon/engine"
)

// live draws what becomes of an accepted message, and when. Nothing arrives
// after its validity (S7).
func (c *carrier) live(d *delivery) {
	f, r := &c.w.faults, c.w.d
	if f.hit(NoNews, 0.1) {
		return
	}
	queued := r.between(0, 3000)
	if f.hit(SlowCarrier, c.w.pace.slowCarrier) {
		queued = r.between(1, c.w.pace.slowest) * minute
	}
	c.w.after(queued, func() {
		if c.w.wall() >= d.msg.ValidUntil {
			c.becomes(d, engine.MessageUndelivered, engine.Failure{Code: 30036, Category: engine.CategoryExpired, Retry: engine.RetryNever})
			return
		}
		c.becomes(d, engine.MessageSent, engine.Failure{})
		c.w.after(r.between(200, 30_000), func() {
			if c.number(d.msg.Sender).loses(c.w.now) {
				c.becomes(d, engine.MessageUndelivered, numberUnknown)
				return
			}
			if f.hit(Undelivered, c.w.pace.undelivered) {
				c.becomes(d, pick(r, engine.MessageUndelivered, engine.MessageFailed), pick(r, losses...))
				c.reconsider(d)
				return
			}
			c.becomes(d, engine.MessageDelivered, engine.Failure{})
		})
	})
}

// reconsider has a carrier that gave a message up say so under another name,
// or take it back: of a message that has a successor by then, often (D1, D2).
func (c *carrier) reconsider(d *delivery) {
	r := c.w.d
	if !c.w.pace.takenBack || r.chance(0.5) {
		return
	}
	c.w.after(r.about(10*minute), func() {
		switch {
		case r.chance(0.3):
			c.becomes(d, engine.MessageDelivered, engine.Failure{})
		case d.status == engine.MessageFailed:
			c.becomes(d, engine.MessageUndelivered, pick(r, losses...))
		}
	})
}

var losses = []engine.Failure{
	{Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes},
	{Code: 30005, Category: engine.CategoryInvalidNumber, Retry: engine.RetryNever},
	{Code: 30008, Category: engine.CategoryUnknown, Retry: engine.RetryOnce},
	{Code: 30010, Category: engine.CategoryCarrierIssue, Retry: engine.RetryYes},
}

// becomes moves the truth on and tells the engine.
func (c *carrier) becomes(d *delivery, status engine.MessageStatus, f engine.Failure) {
	d.status, d.failure, d.endedAt = status, f, c.w.now
	if status != engine.MessageSent && status != engine.MessageDelivered && d.gaveUp == 0 {
		d.gaveUp = c.w.now
	}
	c.callback(d, status, f)
}

// callback sends a status report, with what the network does to it.
func (c *carrier) callback(d *delivery, status engine.MessageStatus, f engine.Failure) {
	w := c.w
	if d.dark && !w.faults.healed {
		w.faults.note(CallbackLost)
		return
	}
	if w.faults.hit(CallbackLost, w.pace.callbackLost) {
		return
	}
	late := w.d.between(0, 500)
	if w.faults.hit(CallbackLate, w.pace.callbackLate) {
		late = w.d.about(30 * minute)
	}
	cmd := engine.ReportDelivery{MessageID: d.msg.MessageID, SID: d.sid, Status: status, Failure: f}
	send := func() {
		if !d.answered && w.now-d.calledAt < sendTimeout && w.faults.on[StatusFirst] && !w.faults.healed {
			w.faults.note(StatusFirst)
		}
		c.report(d, cmd, 5)
	}
	if w.faults.on[StatusFirst] && !w.faults.healed && w.d.chance(0.3) {
		late = 0
	}
	w.after(late, send)
	if w.faults.hit(CallbackTwice, w.pace.callbackTwice) {
		w.after(late+w.d.about(20*minute), send)
	}
	if w.faults.hit(CallbackForged, 0.05) {
		w.after(w.d.about(10*minute), func() { c.forge(d) })
	}
}

// report hands a callback in; a carrier tries again when nobody takes it.
func (c *carrier) report(d *delivery, cmd engine.ReportDelivery, tries int) {
	user := d.msg.UserID
	c.told(d.msg.Sender, cmd.Failure)
	c.w.ask(user, cmd, "", 0, func(reply engine.Reply, err error) {
		c.told(d.msg.Sender, cmd.Failure)
		c.w.digest.reply(user, reply, err)
		if _, done := reply.(engine.Done); done && err == nil {
			d.told = max(d.told, cmd.Status)
		}
		if err != nil && tries > 1 {
			c.w.after(c.w.d.about(2*minute), func() { c.report(d, cmd, tries-1) })
		}
	})
}

// forge sends a report that the carrier never made: of another message, with
// another sid, or about somebody else's message.
func (c *carrier) forge(d *delivery) {
	w := c.w
	p := w.person(d.msg.UserID)
	if p == nil || p.life != d.life {
		return
	}
	user := d.msg.UserID
	cmd := engine.ReportDelivery{MessageID: d.msg.MessageID, SID: "SMforged", Status: engine.MessageUndelivered, Failure: losses[0]}
	switch w.d.intn(3) {
	case 0:
		cmd.MessageID = "m_forged_1"
	case 1:
		user = w.people[w.d.intn(len(w.people))].id
		if user == d.msg.UserID {
			return
		}
		cmd.SID = d.sid
	case 2:
		if !w.audit.knowsSID(d) {
			return // the engine can't tell yet: the signature keeps this one out
		}
	}
	w.ask(user, cmd, "", 0, func(reply engine.Reply, err error) {
		w.digest.reply(user, reply, err)
		if _, refused := reply.(engine.Refusal); err == nil && !refused {
			w.audit.fail("forged", p, "a forged report %+v is taken (I20)", cmd)
		}
	})
}

// knowsSID reports whether the sid is in the journal.
func (a *audit) knowsSID(d *delivery) bool {
	u := a.shadow[d.msg.UserID]
	if u == nil {
		return false
	}
	for i := range u.Reminders {
		for _, m := range u.Reminders[i].Messages {
			if m.ID == d.msg.MessageID {
				return m.SID == d.sid
			}
		}
	}
	return false
}
