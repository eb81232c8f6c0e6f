package actors

import (
	"log/slog"
	"reflect"
	"runtime"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

// Config of Start. Log, Clock, Sender and Verifier are needed; the rest has
// defaults.
type Config struct {
	Log      wal.Log
	Clock    Clock
	Sender   provider.Sender
	Verifier provider.Verifier
	Policy   engine.Policy // default: engine.DefaultPolicy
	// Composer writes texts ahead of the send (X4); nil: the template writes.
	// It decides about Policy.Compose.
	Composer provider.Composer
	Logger   *slog.Logger
	Metrics  prometheus.Registerer // nil: collectors that nobody reads

	// Seed of the draws (jitter). Equal seeds draw alike.
	Seed uint64
	// Fatal is called once, from another goroutine's turn, when the node can't
	// go on: a write or flush failed (W3). The process must end with it.
	Fatal func(error)
	// LowOnSpace says that writes are to be refused; nil: never.
	LowOnSpace func() bool

	// MaxInFlight is how many requests are taken at a time before callers are
	// refused with ErrOverloaded. Default: 20,000.
	MaxInFlight int
	// Senders are the numbers that texts come from, or the messaging service; a
	// person stays with one (S6). None: the carrier's only one has no name. It
	// decides about Policy.Senders.
	Senders []string
	// MaxSends is how many hand-overs of a sender are with the carrier at a time.
	// Default: 64.
	MaxSends int
	// MPS is the pace of a sender in message segments per second; 0: no limit.
	MPS float64
	// SendTimeout bounds one call to the carrier. Default: 20 s.
	SendTimeout time.Duration
	// MaxComposes is how many texts are asked of the composer at a time, and
	// ComposeTimeout bounds one of them. Defaults: 8, 8 s.
	MaxComposes    int
	ComposeTimeout time.Duration
	// ComposeBudget is what the composer may cost on a UTC day, in millionths
	// of a US dollar; 0: no limit.
	ComposeBudget int64
	// Calendars reads the calendars that people connect; nil: nobody does.
	// MaxCalendarReads is how many are read at a time, and CalendarTimeout bounds
	// one reading. Defaults: 16, 30 s.
	Calendars        provider.CalendarReader
	MaxCalendarReads int
	CalendarTimeout  time.Duration
	// Notifier tells our receiver what happens; nil: there is none, and it costs
	// nothing. MaxNotices is how many it is told at a time, NotifyTimeout bounds
	// one telling, and NoticeKeep how long a notice is of use: older ones are
	// dropped. Defaults: 8, 15 s, 72 h.
	Notifier      provider.Notifier
	MaxNotices    int
	NotifyTimeout time.Duration
	NoticeKeep    time.Duration
	// MaxWakes is how many users are woken at a time; the others wait, so that
	// a flood at midnight or after downtime is paced, and who asks meanwhile
	// does not wait for all of it (P9). Default: 2,048.
	MaxWakes int
	// Idle is how long a user actor may be unused before it is passivated.
	// Default: 10 min.
	Idle time.Duration
	// SnapshotEvery and SnapshotRecords begin a round of snapshots, whichever
	// comes first. Defaults: 5 min, 200,000 records.
	SnapshotEvery   time.Duration
	SnapshotRecords uint64
	// KeeperEvery is how often the keeper looks at disk, idle users and what is
	// to be snapshotted. Default: 1 s.
	KeeperEvery time.Duration
	// Retention is how long history is kept in the log; 0: for ever (W4).
	Retention time.Duration
	// MaxLogBytes bounds the log; 0: no bound (W4).
	MaxLogBytes int64

	// Still wakes nobody and hands nothing over: for a store that is only
	// written to, as an import does.
	Still bool

	// Users, Journal and Keeper run the actors. Default: a worker per core, and
	// one each for the two that block on the disk. The simulation puts its
	// seeded dispatcher here.
	Users, Journal, Keeper actor.Dispatcher
	// Go runs what blocks. Default: a goroutine of its own.
	Go func(func())
}

func (c Config) withDefaults() Config {
	if reflect.ValueOf(c.Policy).IsZero() {
		c.Policy = engine.DefaultPolicy()
	}
	c.Policy.Senders = c.Senders
	set(&c.MaxInFlight, 20_000)
	set(&c.MaxSends, 64)
	set(&c.SendTimeout, 20*time.Second)
	c.Policy.Compose = c.Composer != nil
	set(&c.MaxComposes, 8)
	set(&c.ComposeTimeout, 8*time.Second)
	set(&c.MaxCalendarReads, 16)
	set(&c.CalendarTimeout, 30*time.Second)
	set(&c.MaxNotices, 8)
	set(&c.NotifyTimeout, 15*time.Second)
	set(&c.NoticeKeep, 72*time.Hour)
	set(&c.MaxWakes, 2048)
	set(&c.Idle, 10*time.Minute)
	set(&c.SnapshotEvery, 5*time.Minute)
	set(&c.SnapshotRecords, 200_000)
	set(&c.KeeperEvery, time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Fatal == nil {
		c.Fatal = func(error) {}
	}
	if c.LowOnSpace == nil {
		c.LowOnSpace = func() bool { return false }
	}
	return c
}

// set gives a field its default.
func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Messages of one mailbox in a row: the journal takes all there are, so that
// a commit has many; users share the workers fairly.
const (
	userThroughput    = 64
	journalThroughput = 1 << 20
)

func userWorkers() int { return max(runtime.NumCPU(), 2) }
