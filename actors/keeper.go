package actors

import (
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/engine"
	"carillon/wal"
)

// keeper is the actor that looks after the store: rounds of snapshots, what
// erasures leave in the log, compaction, room on the disk, and users that
// nobody needs in memory. It has a worker of its own, since it waits for the
// disk.
type keeper struct {
	watch // when the message that is handled was taken up

	node  *Node
	self  *actor.PID
	alarm Alarm
	round *round
	shard int      // the sweep's place
	idle  []*entry // the sweep's room

	roundAt, compactAt engine.Millis
}

// round writes a snapshot of every user with records below through; then the
// log need not be replayed from before it (W4).
type round struct {
	through uint64
	streams []string // still to be asked, in order
	waiting map[string]bool
	ready   []*snapshot
	began   engine.Millis
	asked   engine.Millis
	spoiled int // users that can't be loaded: their records must stay
}

// The keeper's messages, besides tick and []*snapshot.
type (
	// erase has what the log holds of a person blanked, up to the record that
	// erased them (N6).
	erase struct {
		id  string
		seq uint64
	}
	// roundBegins: what is dirty below through.
	roundBegins struct {
		through uint64
		users   []*entry
	}
	// beginRound asks for a round now.
	beginRound struct{}
)

func newKeeper(n *Node) *keeper { return &keeper{watch: watch{clock: n.cfg.Clock}, node: n} }

const (
	compactEvery   = engine.Millis(10 * 60_000)
	askAgain       = engine.Millis(30_000)
	snapshotChunk  = 512
	compactAtATime = 8 // segments
)

// Receive implements actor.Actor.
func (k *keeper) Receive(ctx actor.Context) {
	if back := k.look(); back > 0 {
		k.wentBack(back)
	}
	switch m := ctx.Message().(type) {
	case *actor.Started:
		k.self = ctx.Self()
		k.alarm = k.node.cfg.Clock.NewAlarm(func() { k.node.send(k.self, tick{}) })
		k.roundAt = k.now
	case *actor.Stopped:
		k.alarm.Stop()
	case tick:
		k.tick()
	case beginRound:
		k.ask()
	case roundBegins:
		k.begin(m)
	case []*snapshot:
		k.take(m)
	case erase:
		k.erase(m)
	}
}

// wentBack is for a clock that has gone back: nothing waits longer than it was to.
func (k *keeper) wentBack(by engine.Millis) {
	sooner(by, &k.roundAt, &k.compactAt)
	if k.round != nil {
		sooner(by, &k.round.began, &k.round.asked)
	}
	if v := &k.node.view.uncovered; v.Load() != 0 {
		v.Add(-by)
	}
}

func (k *keeper) tick() {
	now := k.now
	k.alarm.Set(now + k.node.cfg.KeeperEvery.Milliseconds())
	if k.node.dead.Load() != nil {
		return
	}
	k.node.checkSpace()
	k.sweep(now)
	if k.round != nil && now-k.round.asked > askAgain {
		k.askWaiting(now)
	}
	streams, records := k.node.dirty.count()
	if v := &k.node.view.uncovered; v.Load() == 0 && (streams > 0 || k.round != nil) {
		v.Store(now)
	}
	if streams == 0 {
		k.roundAt = now // a round begins so long after the first record that it is for, not in the midst of a midnight
	}
	due := now-k.roundAt >= k.node.cfg.SnapshotEvery.Milliseconds() || k.worth(streams, records)
	if k.round == nil && streams > 0 && due && !k.node.lowSpace.Load() { // a round needs room itself
		k.roundAt = now
		k.ask()
	}
	if now-k.compactAt >= compactEvery {
		k.compactAt = now
		k.compact(now)
	}
}

// worth reports whether a round pays before its time: it costs what there are
// users to write, and spares a start the records. When each user has few of
// them it waits until a start would have many, and while reminders wait for their
// turn until they have left: it would make them later, and what each of them is
// about to write would have to be written again.
func (k *keeper) worth(users int, records uint64) bool {
	few := k.node.cfg.SnapshotRecords
	if records >= mostRounds*few {
		return true
	}
	return records >= few && records >= recordsPerSnapshot*uint64(users) && k.node.view.queued.Load() == 0
}

const (
	recordsPerSnapshot = 4
	mostRounds         = 5 // times SnapshotRecords
)

// checkSpace looks at the disk's room before it runs out (W3). It costs a
// system call.
func (n *Node) checkSpace() {
	low := n.cfg.LowOnSpace()
	if n.lowSpace.Swap(low) == low {
		return
	}
	n.metrics.lowSpace.Set(flag(low))
	if low {
		n.log.Error("the disk is nearly full: writes are refused")
	} else {
		n.log.Info("the disk has room again: writes are taken")
		if n.calendars != nil {
			n.send(n.calendars, diskHasRoom{})
		}
	}
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// ask goes through the journal: what it has flushed by then is in the dirty
// set, and nothing else is below the sequence that comes next.
func (k *keeper) ask() {
	n := k.node
	n.send(n.journal, &release{after: func() {
		through := n.cfg.Log.NextSeq()
		n.send(n.keeper, roundBegins{through, n.dirty.take()})
	}})
}

func (k *keeper) begin(m roundBegins) {
	if k.round != nil { // asked twice: put it back
		for _, e := range m.users {
			k.node.dirty.add(e)
		}
		return
	}
	k.round = &round{through: m.through, began: k.node.cfg.Clock.Now(), streams: inOrder(m.users), waiting: map[string]bool{}}
	k.nextChunk()
}

func (k *keeper) putBack(stream string) {
	if e := k.node.table.get(stream); e != nil {
		k.node.dirty.add(e)
	}
}

// nextChunk asks the next users for their state, or ends the round.
func (k *keeper) nextChunk() {
	r := k.round
	for len(r.waiting) == 0 {
		if len(r.streams) == 0 {
			k.end()
			return
		}
		n := min(len(r.streams), snapshotChunk)
		chunk := r.streams[:n]
		r.streams = r.streams[n:]
		r.asked = k.node.cfg.Clock.Now()
		for _, id := range chunk {
			k.askUser(id)
		}
		if len(r.waiting) == 0 {
			k.put()
		}
	}
}

// askUser has a live actor hand in its state; who is not in memory is read
// here.
func (k *keeper) askUser(id string) {
	s := k.node.table.home(id)
	s.mu.Lock()
	e := s.entry()
	alive := e != nil && e.seat != nil
	if alive {
		e.seat.mail.PostUserMessage(takeSnapshot{busy: e.busy(k.now)})
		k.round.waiting[id] = true
	}
	s.mu.Unlock()
	if !alive {
		k.round.ready = append(k.round.ready, k.read(id))
	}
}

// read makes a snapshot of a user who is not in memory.
func (k *keeper) read(id string) *snapshot {
	st, seq, err := readUser(k.node.cfg.Log, id)
	if err != nil {
		k.node.metrics.lost.Inc()
		k.node.log.Error("user can't be read for a snapshot", slog.String("user_id", id), slog.String("cause", err.Error()))
		return &snapshot{stream: id, lost: true}
	}
	return &snapshot{stream: id, seq: seq, wake: st.EarliestWake(&k.node.cfg.Policy), data: encodeUser(st), gone: !st.Exists}
}

// askWaiting repeats the question to those who have not answered.
func (k *keeper) askWaiting(now engine.Millis) {
	ids := k.round.waiting
	k.round.waiting, k.round.asked = map[string]bool{}, now
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		k.askUser(id)
	}
	if len(k.round.waiting) == 0 {
		k.put()
		k.nextChunk()
	}
}

func (k *keeper) take(snapshots []*snapshot) {
	if k.round == nil {
		return // the answer to a question that was asked twice
	}
	for _, s := range snapshots {
		if k.round.waiting[s.stream] {
			delete(k.round.waiting, s.stream)
			k.round.ready = append(k.round.ready, s)
		}
	}
	if len(k.round.waiting) == 0 {
		k.put()
		k.nextChunk()
	}
}

// put writes a chunk.
func (k *keeper) put() {
	r, log := k.round, k.node.cfg.Log
	batch := make([]wal.Snapshot, 0, len(r.ready))
	for _, s := range r.ready {
		switch {
		case s.lost:
			r.spoiled++
			k.putBack(s.stream)
		case s.gone:
			if err := log.DeleteSnapshot(s.stream); err != nil {
				k.node.fatal(err)
				return
			}
		case s.seq > 0:
			batch = append(batch, wal.Snapshot{Stream: s.stream, Seq: s.seq, Wake: s.wake, Data: s.data})
		}
	}
	if err := log.PutSnapshots(batch); err != nil {
		k.node.fatal(err)
		return
	}
	for _, s := range r.ready {
		if s.rest != nil && s.seq > 0 {
			s.rest.unwritten.Store(nil)
		}
	}
	k.node.metrics.snapshots.Add(float64(len(batch)))
	r.ready = r.ready[:0]
}

func (k *keeper) end() {
	r := k.round
	k.round = nil
	if k.node.dead.Load() != nil {
		return
	}
	if r.spoiled > 0 {
		k.node.log.Error("a round of snapshots lacks users: a start goes on reading the log from where it does now, and nothing of that is dropped", slog.Int("users", r.spoiled))
		return
	}
	if err := k.node.cfg.Log.SetReplayFrom(r.through); err != nil {
		k.node.fatal(err)
		return
	}
	k.node.view.uncovered.Store(0)
	if streams, _ := k.node.dirty.count(); streams > 0 {
		k.node.view.uncovered.Store(r.began)
	}
	k.node.view.snapshotRounds.Add(1)
	k.node.view.lastRound.Store(k.node.cfg.Clock.Now())
}

// erase blanks what the log holds of a person (N6). Repeating it is harmless,
// and a start repeats one that was cut short.
func (k *keeper) erase(m erase) {
	log := k.node.cfg.Log
	if _, err := log.Redact(m.id, m.seq); err != nil {
		k.node.log.Error("records of an erased user could not be blanked", slog.String("user_id", m.id), slog.String("cause", err.Error()))
		k.node.fatal(err)
		return
	}
	if err := log.DeleteSnapshot(m.id); err != nil {
		k.node.fatal(err)
		return
	}
	k.node.tellErased(m)
}

// compact drops whole old segments of the log (W4).
func (k *keeper) compact(now engine.Millis) {
	opts := wal.CompactOptions{MaxLogBytes: k.node.cfg.MaxLogBytes, MaxSegments: compactAtATime}
	if k.node.cfg.Retention > 0 {
		opts.KeepFrom = now - k.node.cfg.Retention.Milliseconds()
	}
	if opts.KeepFrom == 0 && opts.MaxLogBytes == 0 {
		return
	}
	res, err := k.node.cfg.Log.Compact(opts)
	if err != nil {
		k.node.fatal(err)
		return
	}
	if res.Segments > 0 {
		k.node.view.compacted.Add(int64(res.Segments))
		k.node.log.Info("log compacted", slog.Int("segments", res.Segments), slog.Uint64("records", res.Records))
	}
}

// sweep asks actors that were unused for long to leave memory, some shards at
// a time.
func (k *keeper) sweep(now engine.Millis) {
	before := max(now/1000-int64(k.node.cfg.Idle/time.Second), 0)
	for range sweepShards {
		s := &k.node.table.shards[k.shard]
		k.shard = (k.shard + 1) % tableShards
		s.mu.Lock()
		idle := k.idle[:0]
		for _, p := range s.places {
			e := p.e
			if e == nil || e.seat == nil {
				continue
			}
			switch last := int64(e.lastUsed); {
			case last < before:
				idle = append(idle, e)
			case last > now/1000: // by a clock that ran ahead
				e.lastUsed = uint32(now / 1000)
			}
		}
		slices.SortFunc(idle, func(a, b *entry) int { return strings.Compare(a.id, b.id) }) // by id, whoever came first
		for _, e := range idle {
			e.seat.mail.PostUserMessage(letGo{})
		}
		s.mu.Unlock()
		clear(idle)
		k.idle = idle
		runtime.Gosched() // a shard may have thousands
	}
}

// sweepShards of all 256 are looked at in each tick of a second.
const sweepShards = 16

// SnapshotNow begins a round of snapshots without waiting for its time.
func (n *Node) SnapshotNow() { n.send(n.keeper, beginRound{}) }
