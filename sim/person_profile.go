package sim

import (
	"fmt"

	"carillon/engine"
)

// chooseProfile draws what is asked for next about the person.
func (p *person) chooseProfile() *op {
	w, d := p.w, p.w.d
	now := *p.prof.now
	switch {
	case !now.exists:
		return p.create()
	case p.hold:
		return p.erase()
	case p.verifying != "" && p.impatient && d.chance(0.85):
		return p.startVerification(now, p.verifying)
	case p.verifying != "" && d.chance(0.8):
		return p.confirmVerification(now)
	case now.phone == "" || !now.verified:
		return p.attest()
	}
	q := now
	if q.paused || !q.reminders || q.limit == 0 { // not for long, or nothing happens
		return p.backToLife(q)
	}
	switch x := d.intn(100); {
	case w.pace.limits > 0 && d.chance(w.pace.limits):
		q.limit = pick(d, int32(0), 2, 100, 100, 100)
	case x < w.pace.zones:
		p.quieted = w.now
		q.zone = pick(d, zones...)
		q.loc = mustLoad(q.zone)
	case x < 30:
		p.quieted = w.now
		q.quiet = drawQuiet(d)
	case x < 38:
		p.quieted = w.now
		q.policy = pick(d, engine.QuietLater, engine.QuietEarlier, engine.QuietSkip)
	case x < 50:
		q.limit = pick(d, int32(0), 1, 2, 3, 10, 100)
	case x < 60:
		q.leads = drawLeads(d)
	case x < 66:
		q.reminders = !q.reminders
	case x < 70:
		q.allDayAt = pick(d, engine.NoAllDay, 0, 540, 150, 1439)
	case x < 74:
		q.urgent = !q.urgent
	case x < 80:
		return p.attest()
	case x < 84:
		q.phone, q.verified = "", false
		return change(&p.prof, q, engine.UpdateUser{Phone: engine.Some("")})
	case x < 92:
		q.paused = !q.paused
		o := change(&p.prof, q, engine.PauseUser{Paused: q.paused})
		o.keyed = true
		return o
	case x < 95:
		p.hold = true
		return nil
	default:
		p.quieted = w.now
		fresh := p.drawProfile()
		fresh.phone, fresh.verified, fresh.paused = q.phone, q.verified, q.paused
		q = fresh
		cmd := update(q, true)
		cmd.Replace = true
		return p.zoneChange(now, change(&p.prof, q, cmd))
	}
	return p.zoneChange(now, change(&p.prof, q, update(q, false)))
}

// zoneChange turns the limit's book to the page that the old zone has reached.
// If that is another one when the answer comes, nobody knows which it was.
func (p *person) zoneChange(before profile, o *op) *op {
	w, settle := p.w, o.settle
	page := p.limits.reach(&before, w.wall())
	o.settle = func(reply engine.Reply, refused bool) {
		if before.date(w.wall()) > page {
			p.limits.doubt(&before, w.wall())
		}
		settle(reply, refused)
	}
	return o
}

// backToLife lets a silent person have reminders again.
func (p *person) backToLife(q profile) *op {
	if q.paused {
		q.paused = false
		o := change(&p.prof, q, engine.PauseUser{})
		o.keyed = true
		return o
	}
	q.reminders, q.limit = true, max(q.limit, 3)
	return change(&p.prof, q, update(q, false))
}

func (p *person) silent() bool {
	q := p.prof.now
	return q.exists && (q.paused || !q.reminders || q.limit == 0 || !q.verified)
}

func (p *person) create() *op {
	q := p.drawProfile()
	o := change(&p.prof, q, update(q, true))
	settle := o.settle
	o.settle = func(reply engine.Reply, refused bool) {
		settle(reply, refused)
		if refused {
			p.w.audit.fail("refusal", p, "a user is not created: %+v", reply)
		}
		p.writers[0].soon(p.w.d.between(0, 60_000)) // a number, next
	}
	return o
}

// attest makes a number the verified one; now and then it is somebody else's.
func (p *person) attest() *op {
	d := p.w.d
	phone := pick(d, p.numbers...)
	if d.chance(0.2) {
		phone = pick(d, p.w.people[d.intn(len(p.w.people))].numbers...)
	}
	q := *p.prof.now
	if d.chance(0.4) {
		return p.startVerification(q, phone)
	}
	q.phone, q.verified = phone, true
	return p.claims(change(&p.prof, q, engine.AttestPhone{Phone: phone}), phone)
}

// claims has an op that needs a number for the person judged by what it is told of
// the number.
func (p *person) claims(o *op, phone string) *op {
	o.keyed, o.once = true, true // of two at a time one would be refused
	begin, settle, since := o.begin, o.settle, engine.Millis(0)
	o.begin = func() {
		begin()
		p.claim, since = phone, p.w.now
	}
	o.settle = func(reply engine.Reply, refused bool) {
		p.w.audit.number(p, phone, since, reply)
		settle(reply, refused)
		p.claim, p.w.audit.claimed[phone] = "", claimed{p, p.w.now}
	}
	return o
}

// startVerification asks for a code (N2). A verified number goes on working
// until the new one is confirmed; somebody without one shows the new one.
func (p *person) startVerification(q profile, phone string) *op {
	if !q.verified {
		q.phone = phone
	}
	o := p.claims(change(&p.prof, q, engine.StartVerification{Phone: phone}), phone)
	settle := o.settle
	o.settle = func(reply engine.Reply, refused bool) {
		settle(reply, refused)
		r, ok := reply.(engine.VerificationReply)
		if !ok || refused {
			return
		}
		p.verifying = phone
		p.writers[0].soon(p.w.d.about(5 * minute))
		if !r.Repeated {
			p.started(phone)
		}
	}
	return o
}

// started is N2: five codes an hour for a person, and for a number as long as
// the process remembers them.
func (p *person) started(phone string) {
	w := p.w
	p.starts = append(p.starts, w.now)
	w.codes[phone] = append(w.codes[phone], code{w.now, w.proc})
	if w.jumped != 0 || w.restored != 0 {
		return
	}
	if n := len(p.starts); n > 5 && w.now-p.starts[n-6] < hour-2*minute {
		w.audit.fail("starts", p, "the sixth code within an hour, for %s (N2)", phone)
	}
	of := w.codes[phone]
	if n := len(of); n > 5 && w.now-of[n-6].at < hour-2*minute && of[n-6].proc == w.proc {
		w.audit.fail("starts", p, "the sixth code within an hour to %s, for several people (N2)", phone)
	}
}

// code is when a code was sent to a number, and which process did it.
type code struct {
	at   engine.Millis // true time
	proc *process
}

func (p *person) confirmVerification(q profile) *op {
	phone := p.verifying
	q.phone, q.verified = phone, true
	o := p.claims(change(&p.prof, q, engine.ConfirmVerification{Phone: phone}), phone)
	settle := o.settle
	o.settle = func(reply engine.Reply, refused bool) {
		settle(reply, refused)
		p.verifying = ""
	}
	return o
}

// erase ends the person, when no other writer waits for an answer (N6).
func (p *person) erase() *op {
	for _, c := range p.writers {
		if c.cur != nil {
			return nil // its turn comes again
		}
	}
	gone := *p.prof.now
	gone.exists, gone.phone, gone.verified = false, "", false
	return &op{
		cmd:   engine.EraseUser{},
		begin: func() { p.prof.next = &gone },
		settle: func(engine.Reply, bool) { // not found: an earlier try has done it
			p.clear()
			p.life++
			p.starts = nil // who comes again is somebody new; the number's starts count on
			p.erased = p.w.audit.seen
			p.hold = false
			p.lookAt(func() {}) // while there is something left that could be shown
		},
	}
}

// chooseConsent draws a STOP or START, by text or by API.
func (p *person) chooseConsent() *op {
	if !p.exists() {
		return nil
	}
	d := p.w.d
	out := p.out == optedIn
	if !out && d.chance(0.2) {
		out = true // again
	}
	var cmd engine.Command = engine.SetConsent{OptOut: out, Reason: "asked"}
	keyed := true
	text := d.chance(0.6) && p.prof.now.verified
	if text {
		p.texts++
		word := pick(d, "START", "unstop", "Yes")
		if out {
			word = pick(d, "STOP", "stop.", "Unsubscribe", "QUIT", "cancel")
		}
		p.w.carrier.blocked[p.prof.now.phone] = out // the carrier keeps its own list
		cmd = engine.ReceiveText{SID: fmt.Sprintf("MM-%s-%d-%d", p.id, p.life, p.texts), Text: word, OptOut: pick(d, "", map[bool]string{true: "STOP", false: "START"}[out])}
		keyed = false
	}
	var began engine.Millis
	o := &op{
		cmd: cmd, keyed: keyed,
		begin: func() {
			began = p.w.now
			if !out || p.out != optedOut {
				p.out = perhapsOut
			}
		},
		settle: func(_ engine.Reply, refused bool) {
			switch {
			case refused:
			case out:
				p.out = optedOut
			case p.bar.behind(began, text):
				p.out = perhapsOut
			default:
				p.out = optedIn
			}
			if text && p.w.faults.hit(TextTwice, 0.3) {
				p.repeatLater(&op{cmd: cmd}, hour)
			}
		},
	}
	return o
}
