package actors

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"carillon/engine"
)

// Node is a running engine: all its actors on one log.
type Node struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	zones   *zones
	table   *table
	dirty   *dirtySet
	steps   *steps

	system *actor.ActorSystem
	root   *actor.RootContext
	queues []*runQueue // ours, to be closed
	crew   crew

	journal, timer, outbox, directory, keeper *actor.PID
	composer                                  *actor.PID // nil: the template writes
	herald                                    *actor.PID // nil: there is nobody to tell
	calendars                                 *actor.PID // nil: none are followed

	journalMail *mailbox

	userProps *actor.Props
	spawnMu   sync.Mutex
	spawning  *seat // of the actor that is being spawned

	keys     keyring
	erasures []erase  // that recovery found cut short
	untold   []erase  // that it found carried out, and not noted
	found    []*entry // by recovery, in the order of the log

	spend   ledger     // of the composer, as recovery found it
	tidings heraldView // what the herald shares

	waiters     sync.Pool // of callers
	inFlight    atomic.Int64
	backupAt    atomic.Int64  // of the restored backup that is being accounted for
	restoredAt  engine.Millis // of the last restored backup, accounted for or not
	restoredSeq uint64        // its last record
	restores    uint64        // so often the store came out of a backup
	ranOn       engine.Millis // until when the engine may have run on whose store was lost; 0: none was
	ready       atomic.Bool
	draining    atomic.Bool
	paused      atomic.Bool
	lowSpace    atomic.Bool
	dead        atomic.Pointer[error]
	died        chan struct{}
	view        view
}

// view is what actors show of themselves to Stats, without being asked.
type view struct {
	timers, due               atomic.Int64
	queued, sending, lookups  atomic.Int64
	senders                   []*senderView // as configured; what is in them changes
	unreachable               atomic.Pointer[string]
	lastPlan, lastRound       atomic.Int64
	snapshotRounds, compacted atomic.Int64
	uncovered                 atomic.Int64 // since when records wait for a whole round of snapshots; 0: none do
	composerSpent             atomic.Int64 // today, millionths of a US dollar
	calendarsQueued           atomic.Int64
}

// Start recovers the state from the log and starts the actors. It returns when
// requests are taken. The log stays the caller's to close, after Stop.
func Start(cfg Config) (*Node, error) {
	cfg = cfg.withDefaults()
	n := &Node{
		cfg: cfg, log: cfg.Logger, metrics: newMetrics(cfg.Metrics), zones: newZones(), table: newTable(cfg.Seed),
		dirty: &dirtySet{}, steps: newSteps(cfg.Clock), died: make(chan struct{}), waiters: sync.Pool{New: newWaiter},
	}
	n.view.senders = newSenderViews(cfg.Senders)
	n.dispatchers()
	n.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler) // what matters is logged by the supervisor
	}))
	n.root = n.system.Root.WithGuardian(&supervisor{n})
	n.userProps = actor.PropsFromProducer(
		func() actor.Actor { return &user{node: n} },
		actor.WithMailbox(func() actor.Mailbox { return &n.spawning.mail }),
		actor.WithDispatcher(n.cfg.Users),
	)
	took := stopwatch()
	if err := n.recover(); err != nil {
		n.closeQueues()
		return nil, err
	}
	if err := n.startActors(); err != nil {
		n.closeQueues()
		return nil, err
	}
	n.watch()
	n.metrics.recovery.Set(took().Seconds())
	n.begin()
	return n, nil
}

// dispatchers starts the workers that the configuration does not bring.
func (n *Node) dispatchers() {
	own := func(d *actor.Dispatcher, workers, throughput int) {
		if *d == nil {
			q := newRunQueue(workers, throughput)
			n.queues = append(n.queues, q)
			*d = q
		}
	}
	own(&n.cfg.Users, userWorkers(), userThroughput)
	own(&n.cfg.Journal, 1, journalThroughput)
	own(&n.cfg.Keeper, 1, userThroughput)
	if n.cfg.Go == nil {
		n.cfg.Go = n.crew.run
	}
}

func (n *Node) startActors() error {
	n.spawnMu.Lock()
	defer n.spawnMu.Unlock()
	for _, a := range []struct {
		name string
		pid  **actor.PID
		on   actor.Dispatcher
		make func() actor.Actor
	}{
		{"!journal", &n.journal, n.cfg.Journal, func() actor.Actor { return newJournal(n) }},
		{"!timer", &n.timer, n.cfg.Users, func() actor.Actor { return newTimer(n) }},
		{"!outbox", &n.outbox, n.cfg.Users, func() actor.Actor { return newOutbox(n) }},
		{"!directory", &n.directory, n.cfg.Users, func() actor.Actor { return newDirectory(n) }},
		{"!keeper", &n.keeper, n.cfg.Keeper, func() actor.Actor { return newKeeper(n) }},
		{"!composer", &n.composer, n.cfg.Users, func() actor.Actor { return newComposer(n) }},
		{"!calendars", &n.calendars, n.cfg.Users, func() actor.Actor { return newCalendars(n) }},
		{"!herald", &n.herald, n.cfg.Users, func() actor.Actor { return newHerald(n) }},
	} {
		if a.pid == &n.composer && n.cfg.Composer == nil || a.pid == &n.herald && !n.tells() || a.pid == &n.calendars && n.cfg.Calendars == nil {
			continue
		}
		mail := new(mailbox)
		if a.pid == &n.journal {
			n.journalMail = mail
		}
		props := actor.PropsFromProducer(a.make, actor.WithDispatcher(a.on), actor.WithMailbox(func() actor.Mailbox { return mail }))
		pid, err := n.root.SpawnNamed(props, a.name)
		if err != nil {
			return fmt.Errorf("actors: %s: %w", a.name, err)
		}
		*a.pid = pid
	}
	return nil
}

// spawn brings a user's actor to life. The caller holds the shard's lock.
func (n *Node) spawn(e *entry) {
	n.spawnMu.Lock()
	defer n.spawnMu.Unlock()
	n.spawning = &seat{e: e}
	_, err := n.root.SpawnNamed(n.userProps, e.actorName())
	if err != nil {
		panic(fmt.Sprintf("actors: spawning a user: %v", err)) // names are never used twice
	}
	e.seat, n.spawning = n.spawning, nil
}

func (n *Node) send(to *actor.PID, message any) { n.root.Send(to, message) }

// Ready says whether requests are taken and, if not, why. While they are, it
// says what keeps the sender from sending.
func (n *Node) Ready() (bool, string) {
	switch dead := n.dead.Load(); {
	case dead != nil:
		return false, (*dead).Error()
	case n.draining.Load():
		return false, "stopping"
	case !n.ready.Load():
		return false, "recovering"
	}
	return true, n.health()
}

// wakeUser has the user do what time has made due; done is called when that is
// durable.
func (n *Node) wakeUser(id string, done func()) {
	n.toUser(id, &request{cmd: engine.Wake{}, deliver: func(engine.Reply, error) { done() }})
}
