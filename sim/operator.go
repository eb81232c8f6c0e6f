package sim

import (
	"errors"

	"carillon/actors"
	"carillon/engine"
)

// operators sets the machine's troubles and its operators going.
func (w *world) operators() {
	w.every(w.pace.stops, Pause, w.pause)
	w.every(9*hour, DiskFull, w.fill)
	w.every(w.pace.stops*7/10, AccountDown, func() {
		w.carrier.downUntil = w.now + w.d.between(1, 60)*minute
		w.disturb(w.carrier.downUntil)
	})
	w.every(6*hour, ActorPanic, w.panicActor)
	w.every(w.pace.jumps, ClockForward, func() { w.jump(w.d.between(1, 2*maxSkew)) })
	w.every(w.pace.jumps, ClockBack, func() { w.jump(-w.d.between(1, 2*maxSkew)) })
	w.every(w.pace.stops, Suspend, w.suspend)
	w.after(w.d.about(w.pace.backups), w.backUp)
	w.every(w.pace.restores, Restore, w.restore)
	w.pool.operators()
	w.receiver.operators()
}

// fill has the disk be full for a while.
func (w *world) fill() {
	if w.now >= w.fullUntil {
		w.fullSince = w.now
	}
	w.fullUntil = w.now + w.d.between(1, 90)*minute
}

// suspend has the machine fall asleep.
func (w *world) suspend() { w.sleep(w.d.about(2 * hour)) }

func (w *world) sleep(d engine.Millis) {
	until := max(w.now+d, w.frozen) // who sleeps is not woken by falling asleep
	w.slept += until - max(w.now, w.frozen)
	w.frozen = until
	w.disturb(w.frozen)
}

// every lets a trouble come again and again, with that mean.
func (w *world) every(mean engine.Millis, c Class, fn func()) {
	w.repeat(w.d, mean, func() {
		if w.faults.hit(c, 1) {
			fn()
		}
	})
}

// repeat calls fn again and again until the world heals, with that mean between.
func (w *world) repeat(d draw, mean engine.Millis, fn func()) {
	var again func()
	again = func() {
		if w.ended {
			return
		}
		fn()
		w.after(d.about(mean), again)
	}
	w.after(d.about(mean), again)
}

// maxSkew is how wrong the wall clock may be. From one end to the other is less
// than an Idempotency-Key lives.
const maxSkew = 7 * hour

// jump moves the wall clock; true time goes on as ever. While a restored store
// is accounted for it stands: what was due since the backup is told by it.
func (w *world) jump(by engine.Millis) {
	if !w.fence() || w.pace.leaps > 0 && by > 0 && w.audit.madeSince(w.wall()-15*minute) {
		return
	}
	by = min(max(w.skew+by, -maxSkew), maxSkew) - w.skew
	if by == 0 {
		return // what is at the end already, or was never wrong
	}
	for _, p := range w.people {
		for _, q := range p.prof.possible() {
			p.limits.doubt(q, w.wall())
			p.limits.doubt(q, w.wall()+by)
		}
		p.unheardBy(w.wall())
	}
	w.receiver.jumped()
	w.skew += by
	w.jumped = w.now
	if by < 0 && w.proc != nil {
		w.proc.wentBack()
	}
}

// madeSince reports whether somebody was made then or later, by the wall clock. What
// the carrier took before that by a clock that has gone back is not looked for once it
// is ahead again: it may be somebody's who had the number before.
func (a *audit) madeSince(at engine.Millis) bool {
	for _, p := range a.w.people {
		if u := a.shadow[p.id]; u != nil && u.Exists && u.CreatedAt > at {
			return true
		}
	}
	return false
}

// pause stops sending for everybody, for a while (S8).
func (w *world) pause() {
	w.setPaused(true)
	w.after(w.d.about(hour), func() { w.setPaused(false) })
}

func (w *world) setPaused(on bool) {
	w.pauseWanted = on
	w.paused.known = false
	w.disturb(w.now)
	w.call(func(n *actors.Node, deliver func(engine.Reply, error)) error { return n.AskPaused(on, deliver) },
		func(_ engine.Reply, err error) {
			w.disturb(w.now)
			switch {
			case w.pauseWanted != on:
			case err != nil:
				w.after(w.d.between(1000, 60_000), func() {
					if w.pauseWanted == on {
						w.setPaused(on)
					}
				})
			case on:
				w.paused = pauseState{known: true, since: w.awake()}
			}
		})
}

// panicActor gives somebody a command that the engine does not know: it is put
// aside, and nothing else happens.
func (w *world) panicActor() {
	p := w.people[w.d.intn(len(w.people))]
	if !p.exists() {
		return
	}
	w.ask(p.id, nil, "", 0, func(_ engine.Reply, err error) {
		if err == nil {
			w.audit.fail("quarantine", p, "a command that panics is answered")
		}
		if err != nil && !errors.Is(err, actors.ErrQuarantined) && errors.Is(err, actors.ErrInternal) {
			w.audit.fail("quarantine", p, "a command that panics: %v", err)
		}
	})
}

// backUp keeps a copy of the store now and then, while no client waits.
func (w *world) backUp() {
	if w.ended {
		return
	}
	if w.proc != nil && w.faults.on[Restore] && w.fence() {
		if m := w.remember(); m != nil {
			if b := w.disk.backup(); b != nil {
				w.backups = append(w.backups, b)
			}
		}
		w.after(w.d.about(w.pace.backups), w.backUp)
		return
	}
	w.after(w.d.about(hour), w.backUp)
}

// fence reports that the store is not one that is being accounted for.
func (w *world) fence() bool {
	_, pending := w.disk.Restored()
	return !pending
}

// restore loses the store, and has the engine begin again on a backup. What
// clients were told since is gone with it; their calendars and wishes are as
// the backup has them.
func (w *world) restore() {
	if len(w.backups) == 0 || w.proc == nil {
		return
	}
	b := w.backups[len(w.backups)-1]
	if w.now-b.model.at > 2*day || w.jumped > b.model.at {
		return // by a clock that went back, what was sent since is due again: nobody can know
	}
	w.crash("the store is lost")
	log, err := b.restore()
	if err != nil {
		w.audit.fail("backup", nil, "a backup can't be restored: %v", err)
		w.over = true
		return
	}
	w.disk.Log = log
	w.restored = w.now
	w.paused = pauseState{}
	w.pauseWanted = false
	w.audit.restored(b)
	for i, p := range w.people {
		p.restored(b.model.people[i])
	}
	w.backups = nil
	w.after(minute, func() { w.setPaused(false) })
}

func (p *person) restored(m personModel) {
	w := p.w
	for _, c := range p.writers {
		c.cur = nil
		c.soon(w.d.about(c.every))
	}
	prof := m.prof
	p.prof = fact[profile]{now: &prof}
	p.cal = fact[calendar]{now: &m.cal}
	p.cus = fact[customs]{now: &m.cus}
	p.out, p.life, p.erased, p.hold = m.out, m.life, m.gone, false
	if p.out == optedIn {
		p.out = perhapsOut // the carrier may have said so since
	}
	p.asked++
	p.follows = m.follows.copied()
	p.verifying, p.claim = "", ""
	p.intents = nil
	if w.pace.compared {
		w.after(w.d.between(1, 10)*minute, func() { p.lookAt(func() {}) })
	}
	p.listed, p.buried = map[string]*engine.ReminderView{}, map[string]bool{}
	if prof.exists {
		p.limits.doubt(&prof, w.wall())
		p.limits.unsure += 3
	} else {
		p.limits = limitBook{begun: w.now} // the store has never heard of the texts to whoever was made since, and comes again
	}
	p.swayed = w.now
	for _, s := range p.snoozes {
		if s.heard == 0 {
			s.heard = w.now // nobody asks again
		}
	}
}

// restored takes back what nobody can know any more.
func (a *audit) restored(b *backup) {
	a.seen = a.w.disk.NextSeq() - 1
	a.rebuild()
	for id, t := range a.reminders {
		t.calls, t.canceled = 0, false
		if !b.model.known[id] {
			delete(a.reminders, id) // the store never heard of it
		}
	}
	a.intents, a.retries, a.known = map[string]*intent{}, map[string]*retry{}, b.model.known
	a.unmade = map[string]bool{}
	a.w.pool.of = b.model.senders
	a.w.receiver.restored(a.seen)
	a.forgetAhead()
}

// forgetAhead drops what was sent by the engine that ran on although, by the
// backup's lights, it is not due yet or is cancelled: somebody had it moved
// forward or brought back since. No store can know of that.
func (a *audit) forgetAhead() {
	a.ahead = map[string]bool{}
	for _, u := range a.shadow {
		for _, r := range u.Reminders {
			t := a.reminders[r.ID]
			waits := r.Status == engine.StatusScheduled && max(r.Due, r.RetryAt) > a.w.wall()
			if !waits && r.Status != engine.StatusCanceled {
				continue
			}
			if a.ahead[r.ID] = true; t == nil {
				continue
			}
			for _, d := range t.accepted {
				delete(a.texts, firstWord(d.msg.Text))
			}
			t.accepted = nil
			if len(r.Messages) == 0 {
				t.begun = 0 // else the store knows of the first hand-over, and of a SNOOZE of it
			}
		}
	}
}

// onItsWay reports whether a text that forgetAhead would have dropped was on its
// way to the carrier when the store was lost.
func (a *audit) onItsWay(d *delivery) bool {
	return d.calledAt < a.w.restored && (a.ahead[d.msg.ReminderID] || !a.known[d.msg.ReminderID])
}
