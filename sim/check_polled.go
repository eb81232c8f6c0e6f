package sim

import (
	"carillon/engine"
)

// polling is when a connected calendar is to be read next, by what is
// documented of it (docs/calendars.md), in true time.
type polling struct {
	every     engine.Millis
	failures  int64         // in a row
	set       engine.Millis // when that was last decided
	read      engine.Millis // when the reading had begun by which it was
	before    engine.Millis // when the one before that had
	due       engine.Millis // at the latest
	notBefore engine.Millis // unless somebody asks for it
	alone     engine.Millis // until when its source has asked to be left alone
}

// A reading is a tenth sooner or later.
func (f *polling) after(now, wait engine.Millis) {
	f.set, f.due, f.notBefore = now, now+wait+wait/10, now+wait-wait/10
}

// connect: it is read at once.
func (f *polling) connect(now, every engine.Millis) {
	f.every, f.failures = every, 0
	f.after(now, 0)
}

// worked: the interval begins.
func (f *polling) worked(now, begun engine.Millis) {
	f.failures, f.before, f.read = 0, f.read, begun
	f.after(now, f.every)
}

// failed: after the interval, then twice that, up to a day; a Retry-After is kept to.
func (f *polling) failed(now, begun, retryAfter engine.Millis) {
	f.before, f.read = f.read, begun
	f.after(now, min(f.every<<min(f.failures, 10), day))
	f.failures++
	f.alone = now + retryAfter
	f.notBefore, f.due = max(f.notBefore, f.alone), max(f.due, f.alone)
}

// polled holds a source that is asked now against when it may be.
func (a *audit) polled(p *person, c *source) {
	w := a.w
	c.askedAt = w.now
	f := p.follows.of(c)
	if f == nil {
		return // it was disconnected a moment ago
	}
	switch {
	case f.stopped:
		a.fail("polled", p, "%s is read, and access to it was taken back (SPEC 9)", c.name)
	case w.jumped > f.set-pauseGrace, w.restored > f.set:
	case c.wanted != 0 && c.wanted <= w.jumped && f.before <= w.jumped: // by the clock that it was first asked by, that may not be answered yet
	case c.askedIn != p.follows.zone: // what was said last is not meant where the person is
	case w.now < f.notBefore-pauseGrace && c.hurried < f.read && c.told == 0 && p.asks.cur == nil:
		a.fail("polled", p, "%s is read at %s, was so at %s, and is not to be before %s (SPEC 9)", c.name, rfc3339(w.now), rfc3339(f.read), rfc3339(f.notBefore))
	}
	a.overdue(p, f)
}

// looksAtTheDisk is how long the engine may take to see that the disk is full, or has
// room again.
func (w *world) looksAtTheDisk() engine.Millis { return w.shape.keeper.Milliseconds() + minute }

// couldBeRecorded reports whether the disk has had room since then.
func (w *world) couldBeRecorded(since engine.Millis) bool {
	return w.fullUntil == 0 || w.fullUntil+w.looksAtTheDisk() < since
}

// recordedWhileFull is W3: what comes of a reading waits for room, like callers'
// writes.
func (a *audit) recordedWhileFull(p *person, calendar string) {
	w := a.w
	if known := w.now - w.fullSince; w.now < w.fullUntil && known > w.looksAtTheDisk() && w.calm(known) {
		a.fail("polled", p, "a reading of calendar %s is recorded, and the disk is full since %s (W3)", calendar, rfc3339(w.fullSince))
	}
}

// overdue holds against it that a calendar was not read when it had to be.
func (a *audit) overdue(p *person, f *following) {
	w := a.w
	late := w.now - f.due - w.sources.patience()
	if late > 0 && !f.stopped && w.jumped < f.set-pauseGrace && w.restored < f.set && w.calm(late+w.sources.patience()+5*minute) && w.couldBeRecorded(f.due) {
		a.fail("polled", p, "%s was to be read by %s, and was not before %s (SPEC 9)", f.of.name, rfc3339(f.due), rfc3339(w.now))
	}
}

// patience is how long a reading may wait for others that get no answer.
func (s *sources) patience() engine.Millis {
	return minute + int64(len(s.all)/s.reads+1)*(readTimeout+2*maxStall)
}

// expectRead: somebody has said that a calendar is to be read, or its source
// that it has changed; it has to be asked since.
func (p *person) expectRead(c *source, since engine.Millis) {
	w := p.w
	c.hurry()
	began := w.now
	p.unhindered(c, since, w.sources.patience()+10*second, func(f *following) {
		if c.askedAt < since && f.alone < w.now {
			w.audit.fail("polled", p, "%s was to be read at once, as was said at %s and acknowledged at %s, and was not asked since (SPEC 9)", c.name, rfc3339(since), rfc3339(began))
		}
	})
}

// expectReadIn: a feed is read where the person has moved to, since what it says
// without a zone is meant there. A reading may have waited for its turn while they
// did, and come to be there in between.
func (p *person) expectReadIn(c *source, zone string) {
	w, since := p.w, p.w.now
	p.unhindered(c, since, 2*(w.sources.patience()+10*second), func(f *following) {
		if f.failures == 0 && p.follows.zone == zone && c.askedIn != zone {
			w.audit.fail("polled", p, "%s was read last by the clocks of %s, and the person lives by those of %s since %s (SPEC 9)", c.name, c.askedIn, zone, rfc3339(since))
		}
	})
}

// unhindered has check look, a while from now, at a calendar that is connected still,
// if nothing has kept the engine from reading it since.
func (p *person) unhindered(c *source, since, wait engine.Millis, check func(f *following)) {
	w, f := p.w, p.follows.of(c)
	if f == nil || f.stopped {
		return
	}
	w.after(wait, func() {
		g := p.follows.of(c)
		if g == nil || g.id != f.id || g.stopped || w.ended || !w.calm(wait+5*minute) || w.jumped > since-pauseGrace || w.restored > since || !w.couldBeRecorded(since) {
			return
		}
		check(g)
	})
}
