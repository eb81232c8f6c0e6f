package bench

import (
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.etcd.io/bbolt"

	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
)

// bare is the shortest way that a command can have through the parts that are
// prescribed: an actor for each person, with a lean mailbox, on a few workers, and
// a journal that writes what has gathered in one transaction and answers behind
// its flush. It decides nothing, keeps nothing that it need not, and could not be
// started again on what it wrote: it is what the floors are measured with.
type bare struct {
	system  *actor.ActorSystem
	people  map[string]*barePerson
	handle  func(p *barePerson, r *bareTurn)
	journal *bareMail
	log     bareLog
	workers *bareQueue
	writer  *bareQueue

	props    *actor.Props
	spawning *barePerson
}

// barePerson is one of them.
type barePerson struct {
	of   *bare
	id   string
	mail bareMail
	head uint64       // of their records
	st   *engine.User // nil: the floor has nothing to do with it
}

// bareTurn is a command on its way, and its record. Its caller has it again when
// then is called, and uses it for the next one.
type bareTurn struct {
	of    *barePerson
	stage int
	cmd   engine.PutEvent
	data  []byte
	then  func(r *bareTurn) // behind the flush, or at once if nothing is written
	done  chan struct{}     // the caller's, if one waits
}

func (r *bareTurn) tell() { r.done <- struct{}{} }

// record appends what the floors' logs write of it: as many bytes as ours has.
func (r *bareTurn) record(b []byte) []byte {
	var frame [boltFrame]byte
	return append(append(append(b, frame[:]...), r.of.id...), r.data...)
}

// newBare has actors for so many people. log nil: nothing is written.
func newBare(people int, log bareLog, handle func(p *barePerson, r *bareTurn)) *bare {
	n := &bare{people: make(map[string]*barePerson, people), log: log, handle: handle}
	n.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	n.workers, n.writer = newBareQueue(2), newBareQueue(1)
	n.props = actor.PropsFromProducer(func() actor.Actor { return n.spawning },
		actor.WithMailbox(func() actor.Mailbox { return &n.spawning.mail }), actor.WithDispatcher(n.workers))
	for i := range people {
		p := &barePerson{of: n, id: userID(i)}
		n.people[p.id], n.spawning = p, p
		n.spawn(n.props, p.id)
	}
	n.journal = n.actor("!journal", &bareJournal{node: n}, n.writer)
	return n
}

// actor brings one of the node's own to life.
func (n *bare) actor(name string, a actor.Actor, on *bareQueue) *bareMail {
	mail := &bareMail{}
	n.spawn(actor.PropsFromProducer(func() actor.Actor { return a },
		actor.WithMailbox(func() actor.Mailbox { return mail }), actor.WithDispatcher(on)), name)
	return mail
}

func (n *bare) spawn(props *actor.Props, name string) {
	if _, err := n.system.Root.SpawnNamed(props, name); err != nil {
		panic(err) // nobody has that name
	}
}

func (n *bare) stop() error {
	n.workers.close()
	n.writer.close()
	if n.log == nil {
		return nil
	}
	return n.log.Close()
}

// Receive implements actor.Actor.
func (p *barePerson) Receive(ctx actor.Context) {
	if r, ok := ctx.Message().(*bareTurn); ok {
		p.of.handle(p, r)
	}
}

// ask gives somebody a turn.
func (n *bare) ask(id string, r *bareTurn) {
	r.of = n.people[id]
	r.of.mail.PostUserMessage(r)
}

// bareAnswer is a handle that writes nothing.
func bareAnswer(_ *barePerson, r *bareTurn) { r.then(r) }

// bareWrite is one that writes the turn's data.
func bareWrite(p *barePerson, r *bareTurn) { p.of.journal.PostUserMessage(r) }

// bareJournal gathers what comes while a batch is being flushed.
type bareJournal struct {
	node  *bare
	batch []*bareTurn
}

type bareFlush struct{}

// Receive implements actor.Actor.
func (j *bareJournal) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *bareTurn:
		if len(j.batch) == 0 {
			j.node.journal.PostUserMessage(bareFlush{})
		}
		j.batch = append(j.batch, m)
	case bareFlush:
		if err := j.node.log.append(j.batch); err != nil {
			panic(err) // a floor whose disk fails has no figure
		}
		for i, r := range j.batch {
			j.batch[i] = nil
			r.then(r)
		}
		j.batch = j.batch[:0]
	}
}

// bareLog writes a batch and flushes it.
type bareLog interface {
	append(batch []*bareTurn) error
	Close() error
}

// boltLog is a log on bbolt of which nothing is asked but that it is durable:
// records one behind the other, in values of 2,000 bytes.
type boltLog struct {
	*bbolt.DB
	next uint64
	buf  []byte
	ends []int
}

const (
	boltValue = 2000
	boltFrame = 24 // bytes of a record besides name and data: what ours has
)

var boltBucket = []byte("log")

func newBoltLog(dir string) (*boltLog, error) {
	db, err := bbolt.Open(filepath.Join(dir, "log.db"), 0o600, &bbolt.Options{
		FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, InitialMmapSize: 16 << 30, NoStatistics: true,
	})
	if err != nil {
		return nil, err
	}
	return &boltLog{DB: db}, db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(boltBucket); return err })
}

func (l *boltLog) append(batch []*bareTurn) error {
	l.buf, l.ends = l.buf[:0], l.ends[:0]
	from := 0
	for _, r := range batch {
		if len(l.buf)-from+boltFrame+len(r.of.id)+len(r.data) > boltValue && len(l.buf) > from {
			from = len(l.buf)
			l.ends = append(l.ends, from)
		}
		l.buf = r.record(l.buf)
	}
	l.ends = append(l.ends, len(l.buf))
	return l.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(boltBucket)
		b.FillPercent = 1
		from := 0
		for _, end := range l.ends {
			var key [8]byte
			l.next++
			binary.BigEndian.PutUint64(key[:], l.next)
			if err := b.Put(key[:], l.buf[from:end:end]); err != nil {
				return err
			}
			from = end
		}
		return nil
	})
}

// fileLog is the least that is durable: a batch is one write at the end of a file,
// and an fdatasync.
type fileLog struct {
	*os.File
	buf []byte
}

func newFileLog(dir string) (*fileLog, error) {
	f, err := os.Create(filepath.Join(dir, "log"))
	return &fileLog{File: f}, err
}

func (l *fileLog) append(batch []*bareTurn) error {
	l.buf = l.buf[:0]
	for _, r := range batch {
		l.buf = r.record(l.buf)
	}
	if _, err := l.Write(l.buf); err != nil {
		return err
	}
	return dataSync(l.File)
}

// walLog is the production log.
type walLog struct {
	*wal.DB
	entries []wal.Entry
}

func newWalLog(dir string) (*walLog, error) {
	db, err := wal.Open(dir, wal.Options{})
	return &walLog{DB: db}, err
}

func (l *walLog) append(batch []*bareTurn) error {
	l.entries = l.entries[:0]
	next, now := l.NextSeq(), time.Now().UnixMilli()
	for i, r := range batch {
		l.entries = append(l.entries, wal.Entry{
			Stream: r.of.id, Prev: r.of.head, Kind: 1, Version: codec.Version, At: now, Wake: now + 3_600_000, Data: r.data,
		})
		r.of.head = next + uint64(i)
	}
	_, err := l.Append(l.entries)
	return err
}
