package sim

import (
	"fmt"
	"maps"
	"slices"

	"carillon/engine"
)

// chooseCustom draws what is asked for about single reminders.
func (p *person) chooseCustom() *op {
	if !p.exists() {
		return nil
	}
	d := p.w.d
	switch x := d.intn(10); {
	case x < 6:
		if d.chance(0.15) {
			return p.pills()
		}
		return p.createCustom()
	case x < 8:
		if id, token := p.pickReminder(); id != "" {
			return p.cancel(id, token)
		}
	default:
		if id, _ := p.pickReminder(); id != "" {
			p.touch(id)
			return &op{cmd: engine.SendNow{ID: id}, keyed: true, begin: func() {}, settle: func(engine.Reply, bool) {}}
		}
	}
	return nil
}

func (p *person) createCustom() *op {
	d, wall, asked := p.w.d, p.w.wall(), p.w.now
	p.tokens++
	c := custom{token: fmt.Sprintf("c%dx%d", p.n, p.tokens), priority: pick(d, engine.PriorityLow, engine.PriorityNormal, engine.PriorityHigh, engine.PriorityUrgent)}
	c.sendAt = wall + pick(d, d.between(-5, 30)*minute, d.between(0, p.w.pace.ahead)*hour)
	cmd := engine.CreateReminder{Text: c.token + " take your pills", SendAt: c.sendAt, Priority: c.priority}
	c.expires = c.sendAt + hour
	if d.chance(p.w.pace.expires) {
		c.expires = max(c.sendAt, wall) + d.between(10, 600)*minute
		cmd.ExpiresAt = c.expires
	}
	o := change(&p.cus, p.cus.now.with(&c, wall, p.said), cmd)
	o.keyed = true
	settle := o.settle
	o.settle = func(reply engine.Reply, refused bool) {
		if r, ok := reply.(engine.ReminderReply); ok {
			c.id = r.Reminder.ID
		}
		settle(reply, refused)
		if !refused && d.chance(0.15) { // and changes their mind when it is on its way
			p.w.after(c.sendAt-p.w.wall()+d.between(0, 40_000), func() { p.cancelNow(&c) })
		}
		if !refused && c.priority != engine.PriorityUrgent {
			p.expectCustom(&c, asked)
		}
	}
	return o
}

// pickReminder draws one that waits, of those that were shown last.
func (p *person) pickReminder() (id, token string) {
	var from []string
	for _, id := range slices.Sorted(maps.Keys(p.listed)) {
		if p.listed[id].Status == engine.StatusScheduled {
			from = append(from, id)
		}
	}
	now := *p.cus.now
	tokens := map[string]string{}
	for _, t := range slices.Sorted(maps.Keys(now)) {
		if c := now[t]; c.id != "" && !c.canceled && c.expires > p.w.wall() {
			tokens[c.id] = t
			if _, listed := p.listed[c.id]; !listed {
				from = append(from, c.id)
			}
		}
	}
	if len(from) == 0 {
		return "", ""
	}
	id = from[p.w.d.intn(len(from))]
	return id, tokens[id]
}

// cancel ends a reminder. A cancel that races a send ends either cancelled and
// not sent, or sent and shown sent (S3): the reply says which.
func (p *person) cancel(id, token string) *op {
	next := *p.cus.now
	if token != "" {
		c := *next[token]
		c.canceled = true
		next = next.with(&c, p.w.wall(), p.said)
	}
	o := change(&p.cus, next, engine.CancelReminder{ID: id})
	o.keyed = true
	settle, before := o.settle, p.cus.now
	o.settle = func(reply engine.Reply, refused bool) {
		settle(reply, refused)
		r, ok := reply.(engine.ReminderReply)
		if ok && r.Reminder.Status == engine.StatusCanceled {
			p.w.audit.canceled(p, id)
		} else if ok {
			p.cus.now = before // it is with the carrier
		}
	}
	p.touch(id)
	return o
}

// cancelNow cancels a reminder out of turn, if nothing else is under way.
func (p *person) cancelNow(c *custom) {
	if w := p.writers[2]; w.cur == nil && p.exists() && !p.w.ended && p.w.proc != nil && (*p.cus.now)[c.token] == c {
		w.run(p.cancel(c.id, c.token))
	}
}

// touch notes that what becomes of a reminder is not the calendar's alone.
func (p *person) touch(id string) {
	p.touched[id] = true
	if r, ok := p.listed[id]; ok {
		p.touched[r.EventID] = true
		p.touches[r.EventID]++
	}
}
