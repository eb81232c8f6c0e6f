package sim

import (
	"errors"
	"slices"
	"time"

	cmap "github.com/orcaman/concurrent-map"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// init makes the library's registry of processes a small one: it is built anew
// with each life, and 32,768 maps were a fifth of a run's time.
func init() { cmap.SHARD_COUNT = 1 }

// process is one life of the engine: from a start on what the disk holds to
// the crash that ends it.
type process struct {
	w      *world
	node   *actors.Node
	dead   bool
	alarms []*alarm
	parked map[*strand]struct{}
	asks   map[uint64]func(engine.Reply, error)
}

var (
	errDown = errors.New("sim: no process listens")
	errLost = errors.New("sim: the connection broke before an answer came")
)

// start begins a life. The disk holds what the one before was told is flushed.
func (w *world) start() {
	p := &process{w: w, parked: map[*strand]struct{}{}, asks: map[uint64]func(engine.Reply, error){}}
	w.proc = p
	conf := w.shape.config()
	conf.Log, conf.Clock, conf.Sender, conf.Verifier = w.disk, p, w.pool.sender(&sender{w.carrier, p}), provider.DryRun{}
	conf.Senders = w.pool.begin()
	if w.shape.composes > 0 {
		conf.Composer, conf.MaxComposes = &composer{w, p}, w.shape.composes
	}
	w.receiver.join(&conf, p)
	if w.sources != nil {
		conf.Calendars, conf.MaxCalendarReads = &reader{w, p}, w.sources.reads
	}
	conf.Seed = w.opt.Seed
	conf.Users = lane{p, 1, p.stall}
	conf.Keeper = lane{p, 1, p.stall}
	conf.Journal = lane{p, w.shape.batch, p.flushTime}
	conf.Go = p.spawn
	conf.Fatal = func(err error) { w.dying = "fatal: " + err.Error() }
	conf.LowOnSpace = func() bool { return w.now < w.fullUntil }
	node, err := actors.Start(conf)
	if err != nil && w.dying != "" {
		w.die()
		return
	}
	if err != nil {
		w.audit.fail("start", nil, "the engine does not start on what a crash left: %v", err)
		w.over = true
		return
	}
	p.node, w.upSince = node, w.now
}

// crash ends the life: what was not flushed is gone, nobody gets an answer, and
// calls to the carrier go on without us.
func (w *world) crash(why string) {
	p := w.proc
	if p == nil || p.dead {
		return
	}
	p.dead, w.proc, w.died = true, nil, w.now
	w.digest.add("crash", why)
	w.disturb(w.now)
	p.abandon()
	asks := p.asks
	p.asks = nil
	for _, id := range sortedKeys(asks) {
		done := asks[id]
		w.after(w.d.between(0, 30_000), func() { done(nil, errLost) })
	}
	w.disk.reopen()
	down := w.d.between(100, 5000)
	if !w.faults.healed && w.d.chance(w.pace.longDown) {
		down = w.d.about(40 * minute)
	}
	w.after(down, func() {
		w.audit.recovered()
		w.disturb(w.now)
		w.start()
	})
}

// ask gives a command to the engine, if one runs. done is called once; with
// errLost nobody knows whether the command was carried out.
func (w *world) ask(user string, cmd engine.Command, key string, hash uint64, done func(engine.Reply, error)) {
	if p, id := w.asking(done); p != nil {
		p.asked(id, done, p.node.Ask(user, cmd, key, hash, p.deliver(id, done)))
	}
}

func (w *world) call(start func(*actors.Node, func(engine.Reply, error)) error, done func(engine.Reply, error)) {
	if p, id := w.asking(done); p != nil {
		p.asked(id, done, start(p.node, p.deliver(id, done)))
	}
}

// asking notes that somebody waits for an answer; without a process that is it.
func (w *world) asking(done func(engine.Reply, error)) (*process, uint64) {
	p := w.proc
	if p == nil {
		done(nil, errDown)
		return nil, 0
	}
	w.askID++
	p.asks[w.askID] = done
	return p, w.askID
}

// deliver takes an answer to who waits for it, if the process has lived to give it.
func (p *process) deliver(id uint64, done func(engine.Reply, error)) func(engine.Reply, error) {
	return func(reply engine.Reply, err error) {
		if p.dead {
			return
		}
		delete(p.asks, id)
		p.w.tick++
		done(reply, err)
	}
}

// asked tells of a command that was not taken.
func (p *process) asked(id uint64, done func(engine.Reply, error), err error) {
	if err != nil && !p.dead {
		delete(p.asks, id)
		done(nil, err)
	}
}

// lane is a dispatcher: what is scheduled on it goes into the world's queue.
type lane struct {
	p     *process
	batch int
	delay func() engine.Millis
}

// Schedule implements actor.Dispatcher.
func (l lane) Schedule(fn func()) {
	if l.p.dead {
		return
	}
	l.p.w.plan(l.p, l.delay(), fn)
}

// turn runs something of the process, when the machine is awake.
func (p *process) turn(fn func()) {
	switch {
	case p.dead:
	case p.w.now < p.w.frozen:
		p.w.disturb(p.w.now)
		p.w.plan(p, p.w.frozen-p.w.now, fn)
	default:
		fn()
	}
}

// Throughput implements actor.Dispatcher.
func (l lane) Throughput() int { return l.batch }

// stall is how long an actor waits for its turn.
func (p *process) stall() engine.Millis {
	if p.w.faults.hit(Stall, p.w.pace.stalls) {
		return p.w.d.between(1, p.w.pace.held)
	}
	return 0
}

// flushTime is how long the journal's next turn takes to come: what a flush
// takes, since nothing else is done there.
func (p *process) flushTime() engine.Millis {
	if p.w.faults.hit(SlowDisk, p.w.pace.slowDisk) {
		return p.w.d.between(100, p.w.pace.held)
	}
	return p.w.d.between(0, 2)
}

// maxStall is the longest that an actor or a flush is held up.
const maxStall = 8 * second

// Now implements actors.Clock: the wall clock of the machine, which jumps.
func (p *process) Now() engine.Millis { return p.w.wall() }

// Steady implements actors.Clock: nobody sets it, and it sleeps with the machine.
func (p *process) Steady() (now, steady engine.Millis) { return p.w.wall(), p.w.awake() }

// NewAlarm implements actors.Clock.
func (p *process) NewAlarm(fn func()) actors.Alarm {
	a := &alarm{fn: fn}
	p.alarms = append(p.alarms, a)
	return a
}

type alarm struct {
	fn func()
	at engine.Millis // on the wall clock; 0: none
}

// Set implements actors.Alarm.
func (a *alarm) Set(at engine.Millis) { a.at = at }

// Stop implements actors.Alarm.
func (a *alarm) Stop() { a.at = 0 }

// wentBack has alarms ring soon that the wall clock has gone back from.
func (p *process) wentBack() {
	for _, a := range p.alarms {
		if a.at != 0 {
			a.at = min(a.at, p.Now()+second)
		}
	}
}

// nextAlarm returns the alarm that rings first and when, in true time.
func (p *process) nextAlarm() (*alarm, engine.Millis) {
	var first *alarm
	for _, a := range p.alarms {
		if a.at != 0 && (first == nil || a.at < first.at) {
			first = a
		}
	}
	if first == nil {
		return nil, 0
	}
	return first, max(first.at-p.w.skew, p.w.now, p.w.frozen)
}

func sortedKeys[V any](m map[uint64]V) []uint64 {
	keys := make([]uint64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// shape is how the engine of a run is configured: drawn, so that its small
// limits are met.
type shape struct {
	policy    engine.Policy
	maxSends  int
	mps       float64
	maxWakes  int
	idle      time.Duration
	snapshots time.Duration
	keeper    time.Duration
	retention time.Duration
	records   uint64
	batch     int
	composes  int // at a time; 0: the template writes
}

func (s shape) config() actors.Config {
	return actors.Config{
		Policy: s.policy, MaxSends: s.maxSends, MPS: s.mps, MaxWakes: s.maxWakes, Idle: s.idle,
		SnapshotEvery: s.snapshots, SnapshotRecords: s.records, KeeperEvery: s.keeper, Retention: s.retention, SendTimeout: time.Duration(sendTimeout) * time.Millisecond,
		ComposeTimeout: time.Duration(composeTimeout) * time.Millisecond,
	}
}

const sendTimeout = 20 * second

func drawShape(d draw) shape {
	s := shape{
		policy: engine.DefaultPolicy(), maxSends: int(pick(d, int64(1), 2, 8, 64)), mps: pick(d, 0.0, 0, 0.5, 1, 10),
		maxWakes: int(pick(d, int64(2), 8, 4096)), idle: pick(d, time.Minute, 10*time.Minute, 3*time.Hour),
		snapshots: pick(d, 10*time.Minute, time.Hour, 8*time.Hour), keeper: pick(d, time.Minute, 10*time.Minute, 10*time.Minute),
		retention: pick(d, 0, 36*time.Hour, 36*time.Hour), records: pick(d, uint64(20), 500, 200_000),
		batch: pick(d, 1, 1, 4, 1<<20), composes: pick(d, 0, 0, 1, 8),
	}
	s.policy.RetryBase = pick(d, 5*second, 60*second, 10*minute)
	s.policy.ReconcileAfter = pick(d, 30*second, 30*second, 2*minute)
	s.policy.ConfirmFor = pick(d, 6*hour, 24*hour, 72*hour)
	if d.chance(0.2) {
		s.policy.OnUncertain = engine.Hold
	}
	return s
}

// everyday has what costs time come less often: people leave memory and are
// snapshotted after hours, as they do and are when a node holds many.
func (s *shape) everyday(d draw) {
	s.idle = pick(d, 10*time.Minute, 6*time.Hour, 30*time.Hour, 30*time.Hour)
	s.snapshots, s.records = pick(d, time.Hour, 12*time.Hour, 24*time.Hour), pick(d, uint64(500), 2000)
	s.keeper = 10 * time.Minute
}
