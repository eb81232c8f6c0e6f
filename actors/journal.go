package actors

import (
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/engine"
	"carillon/wal"
)

// Kinds of records in the log.
const (
	kindUser   uint8 = 1 // codec record of one user's events
	kindSystem uint8 = 2 // JSON; streams that begin with "!"
)

// release is what a decision owes once it is durable, with the record that
// makes it so. Without a record it waits for those before it.
type release struct {
	entry wal.Entry // Stream empty: no record
	seq   uint64    // of the record; the journal fills it in

	events  []engine.Event // for the metrics
	told    []report       // what carriers reported among them
	at      engine.Millis
	reply   engine.Reply
	request *request                  // who is answered
	deliver func(engine.Reply, error) // or what is told
	effects []engine.Effect
	arm     *entry
	wake    engine.Millis

	snapshot  *snapshot
	rest      *resting // who has lain down behind the record; nil: nobody
	after     func()
	unflushed *atomic.Int32

	of     *entry // whose it is; nil: the node's own
	data   []byte // of the record
	pooled bool
}

// releases that were let go are used again: there is one for every decision.
var releases = sync.Pool{New: func() any { return &release{pooled: true} }}

func newRelease() *release { return releases.Get().(*release) } //nolint:forcetypeassert // nothing else is put there

// free gives a release back. Nobody may hold it any more.
func (r *release) free() {
	if !r.pooled {
		return
	}
	data := r.data
	if cap(data) > keepData {
		data = nil
	}
	*r = release{pooled: true, data: data}
	releases.Put(r)
}

// keepData is the most that a release keeps for the next record, in bytes.
const keepData = 4096

// snapshot is a user's state on its way to the keeper. seq is filled in by the
// journal.
type snapshot struct {
	stream string
	seq    uint64
	wake   engine.Millis
	data   []byte
	gone   bool     // nobody there: nothing is to be kept
	lost   bool     // the user can't be loaded: its records must stay
	rest   *resting // whose state it is; nil: nobody lay down for it
}

// journal is the actor that writes the log: what comes while a batch is being
// flushed makes the next one (group commit). It waits for no time to pass.
type journal struct {
	node    *Node
	batch   []*release
	entries []wal.Entry
	heads   map[string]uint64 // of the node's own streams in the batch
	failed  error

	shared   bool // others run on the processors meanwhile
	gathered bool // they were let run before the flush that comes
	last     int  // how many the flush before it let go
}

func newJournal(n *Node) *journal {
	_, own := n.cfg.Journal.(*runQueue)
	return &journal{node: n, heads: map[string]uint64{}, shared: own}
}

// flush is the journal's message to itself, behind everything that is in its
// mailbox now.
type flush struct{}

// Receive implements actor.Actor.
func (j *journal) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *release:
		if len(j.batch) == 0 {
			ctx.Send(ctx.Self(), flush{})
		}
		j.batch = append(j.batch, m)
	case flush:
		if j.gather() {
			ctx.Send(ctx.Self(), flush{})
			return
		}
		j.flush()
	}
}

// crowd is from how many records, or callers, on it is the processors that all of
// them wait for. Up to there two halves take turns, of which one decides while the
// other is being flushed, and a batch that waited would leave the processors idle.
const crowd = 64

// gather has those decide first who are about to, when they are a crowd: a flush
// costs the processors as much for one record as for a hundred. It reports whether
// there may be more in the mailbox than there was.
func (j *journal) gather() bool {
	about := max(int64(max(len(j.batch), j.last)), j.node.inFlight.Load()) // who were just answered have nothing in flight yet
	if j.gathered || !j.shared || about <= crowd {
		j.gathered = false
		return false
	}
	j.gathered = true
	runtime.Gosched()
	return true
}

func (j *journal) flush() {
	batch := j.batch
	j.batch, j.last = nil, len(batch)
	if j.failed == nil {
		j.failed = j.append(batch)
		if j.failed != nil {
			j.node.fatal(j.failed)
		}
	}
	if j.failed != nil {
		for _, r := range batch {
			r.tell(nil, ErrUnknownOutcome.because(j.failed))
		}
		return
	}
	j.node.releaseAll(batch)
	for _, r := range batch {
		r.free()
	}
	clear(batch)
	j.batch = batch[:0]
}

// append writes the batch's records in one transaction and flushes. A
// snapshot gets the sequence of its stream's last record before it.
func (j *journal) append(batch []*release) error {
	log := j.node.cfg.Log
	next := log.NextSeq()
	defer clear(j.heads)
	j.entries = j.entries[:0]
	for _, r := range batch {
		if r.snapshot != nil {
			r.snapshot.seq = j.headOf(r.of)
		}
		if r.entry.Stream == "" {
			continue
		}
		r.seq = next + uint64(len(j.entries))
		if r.of != nil {
			r.entry.Prev = j.headOf(r.of)
			r.of.head = r.seq
		} else {
			r.entry.Prev = j.head(r.entry.Stream)
			j.heads[r.entry.Stream] = r.seq
		}
		j.entries = append(j.entries, r.entry)
	}
	if len(j.entries) == 0 {
		return nil
	}
	took := stopwatch()
	first, err := log.Append(j.entries)
	if err != nil {
		return err
	}
	if first != next {
		return errors.New("actors: the log gave other sequences than it announced; somebody else writes to it")
	}
	j.node.metrics.committed(j.entries, took())
	j.node.checkSpace() // between two looks of the keeper a fast writer fills any reserve
	clear(j.entries)
	return nil
}

// headOf is the last sequence of a user, with those of the batch.
func (j *journal) headOf(e *entry) uint64 {
	if !e.headKnown {
		e.head, e.headKnown = j.node.cfg.Log.Head(e.id), true
	}
	return e.head
}

// head is the last sequence of a stream of the node's own, likewise.
func (j *journal) head(stream string) uint64 {
	if seq, ok := j.heads[stream]; ok {
		return seq
	}
	return j.node.cfg.Log.Head(stream)
}

// fatal ends the node: memory is ahead of a disk that nobody knows (W3). It
// is told once.
func (n *Node) fatal(err error) {
	if !n.dead.CompareAndSwap(nil, &err) {
		return
	}
	n.log.Error("the node can't go on", slog.String("cause", err.Error()))
	close(n.died)
	n.cfg.Go(func() { n.cfg.Fatal(err) })
}
