package sim

import (
	"fmt"

	"carillon/engine"
)

// world is one run.
type world struct {
	opt    Options
	d      draw
	faults faults
	shape  shape
	pace   pace

	now   engine.Millis // true time
	skew  engine.Millis // what the machine's wall clock is ahead of it
	queue queue
	tick  uint64 // orders what was acknowledged and what was begun

	proc     *process
	askID    uint64
	strand   *strand // the coroutine whose turn it is
	disk     *disk
	carrier  *carrier
	pool     *pool
	receiver *receiver // nil: nobody is told what happens
	people   []*person
	byID     map[string]*person
	audit    *audit
	digest   *digest
	sources  *sources // nil: nobody connects a calendar

	healedAt    engine.Millis // wall and true time are one from then on
	ended       bool          // nobody asks for anything new
	over        bool
	dying       string // the step under way is the process' last
	paused      pauseState
	pauseWanted bool
	died        engine.Millis // when a process did last
	fullSince   engine.Millis
	fullUntil   engine.Millis
	frozen      engine.Millis // the machine sleeps until then
	slept       engine.Millis // as long as it has, when it will have woken up
	upSince     engine.Millis
	disturbed   engine.Millis // when something last was not as it should be
	jumped      engine.Millis // when the wall clock did last
	restored    engine.Millis
	backups     []*backup
	codes       map[string][]code // that were sent to a number
	steps       uint64
	events      []*calEvent // room for a choice
}

// pauseState is what the operators know of the pause for everybody.
type pauseState struct {
	known bool          // acknowledged, and no resume asked for since
	since engine.Millis // of the time awake
}

func newWorld(opt Options) *world {
	w := &world{opt: opt, d: newDraw(opt.Seed), digest: newDigest(), byID: map[string]*person{}, codes: map[string][]code{}}
	w.faults.d = w.d
	w.faults.last = func() { w.disturb(w.now) }
	switch opt.Faults {
	case FaultsAll:
		for c := range w.faults.on {
			w.faults.on[c] = true
		}
	case FaultsNone:
	default:
		w.faults.swarm()
		w.faults.swarmOf(newDraw(opt.Seed^poolStream^1), NumberDown, NumberLimited, PoolChanged)
		w.faults.swarmOf(newDraw(opt.Seed^receiverStream^1), NoticeDeclined, NoticeLost, NoticeHangs, ReceiverDown, ReceiverBusy, ReceiverGone)
	}
	for _, c := range opt.Without {
		w.faults.on[c] = false
	}
	w.pace = drawPace(w.d, &w.opt)
	for _, c := range w.pace.without() {
		w.faults.on[c] = false
	}
	w.pool = newPool(w)
	w.receiver = newReceiver(w)
	w.shape = drawShape(w.d)
	w.shape.corner(w.pace.name)
	w.faults.bearable = w.pace.watched
	if w.pace.name == PaceEveryday {
		w.shape.everyday(w.d)
	}
	if opt.Policy != nil {
		opt.Policy(&w.shape.policy)
	}
	if w.now = startOf(w.d); !opt.at.IsZero() {
		w.now = opt.at.UnixMilli()
	}
	w.audit = newAudit(w)
	w.carrier = newCarrier(w)
	w.sources = drawSources(w)
	return w
}

// wall is the clock that the engine sees.
func (w *world) wall() engine.Millis { return w.now + w.skew }

// awake is how long the machine has not slept.
func (w *world) awake() engine.Millis { return max(w.now, w.frozen) - w.slept }

func (w *world) after(d engine.Millis, fn func()) { w.plan(nil, d, fn) }

// plan has something happen in so long: to a process, when it is awake then, or
// (nil) to the world.
func (w *world) plan(p *process, d engine.Millis, fn func()) {
	w.queue.push(w.now, entry{at: w.now + max(d, 0), tie: w.d.bits(), p: p, fn: fn})
}

// run lets the world go on until that instant.
func (w *world) run(until engine.Millis) {
	for !w.over {
		at := until + 1
		if first, ok := w.queue.next(); ok {
			at = first
		}
		if w.proc != nil {
			if a, rings := w.proc.nextAlarm(); a != nil && rings <= at {
				if rings > until {
					break
				}
				w.now = max(w.now, rings)
				a.at = 0
				a.fn()
				w.die()
				continue
			}
		}
		if at > until {
			break
		}
		e := w.queue.pop()
		w.now = max(w.now, e.at)
		w.steps++
		if e.p == nil {
			e.fn()
		} else {
			e.p.turn(e.fn)
		}
		if w.proc != nil && w.faults.hit(CrashAnywhere, w.pace.crashes*0.000_07) {
			w.dying = "between two steps"
		}
		w.die()
	}
	w.now = max(w.now, until)
}

// die ends the process if this step was its last.
func (w *world) die() {
	if w.dying != "" {
		why := w.dying
		w.dying = ""
		w.crash(why)
	}
}

// disturb notes that something is not as it should be, or was until then.
func (w *world) disturb(at engine.Millis) { w.disturbed = max(w.disturbed, at) }

// calm reports that nothing out of the ordinary has happened for so long.
func (w *world) calm(d engine.Millis) bool {
	return w.proc != nil && w.now-w.disturbed > d && w.now-w.upSince > d
}

func (w *world) stamp() string {
	return fmt.Sprintf("%s (wall %+d s)", rfc3339(w.now), w.skew/1000)
}
