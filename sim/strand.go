package sim

import (
	"iter"

	"carillon/engine"
)

// strand is a closure of Config.Go as a coroutine: it runs until it parks, and
// goes on when it is resumed. Never do two run at a time.
type strand struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// spawn begins a strand soon.
func (p *process) spawn(fn func()) {
	if p.w.pace.naps > 0 && p.w.faults.hit(Suspend, p.w.pace.naps) {
		p.w.sleep(p.w.d.about(pick(p.w.d, 5*minute, 2*hour)))
	}
	p.w.plan(p, p.w.d.between(0, 2), func() {
		s := &strand{}
		s.next, s.stop = iter.Pull(func(yield func(struct{}) bool) {
			s.yield = yield
			fn()
		})
		p.resume(s)
	})
}

// resume lets a strand run until it parks or ends.
func (p *process) resume(s *strand) {
	if p.dead {
		return // it was abandoned
	}
	delete(p.parked, s)
	before := p.w.strand
	p.w.strand = s
	_, _ = s.next()
	p.w.strand = before
}

// park gives up the turn until resume; false means that the process is dead.
func (p *process) park() bool {
	s := p.w.strand
	p.parked[s] = struct{}{}
	return s.yield(struct{}{})
}

// abandon ends all parked strands of a dead process. What they do on their way
// out reaches nobody, so their order does not matter.
func (p *process) abandon() {
	for s := range p.parked {
		s.stop()
	}
	p.parked = nil
}

// wait parks the strand for so long; false: the process is dead.
func wait(w *world, p *process, d engine.Millis) bool {
	strand := w.strand
	w.plan(p, d, func() { p.resume(strand) })
	return p.park()
}
