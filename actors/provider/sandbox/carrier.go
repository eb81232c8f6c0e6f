package sandbox

import (
	"errors"
	"math/rand/v2"
	"sync"

	"carillon/actors/provider"
	"carillon/engine"
)

// Defaults of Config.
const (
	DefaultKeep       = 20_000
	DefaultMinLatency = 20   // milliseconds
	DefaultMaxLatency = 120  // milliseconds
	DefaultMinNews    = 300  // milliseconds
	DefaultMaxNews    = 1500 // milliseconds
)

// Config of a Carrier. Now, After and Rand are needed.
type Config struct {
	// Now is the wall clock.
	Now func() engine.Millis
	// After calls f once, after a delay in milliseconds, on any goroutine but
	// the caller's own call.
	After func(delay engine.Millis, f func())
	// Rand is where latencies, sids and codes are drawn from. The carrier is
	// its only user.
	Rand rand.Source
	// Report takes delivery reports, as a status callback brings them. Nil: no
	// one listens.
	Report func(userID string, d engine.ReportDelivery)

	// Keep is how many texts, the newest, the outbox holds; older ones are
	// forgotten. Default: DefaultKeep.
	Keep int
	// Instant answers without latency, for tests that have no use for it.
	Instant bool
	// MinLatency and MaxLatency bound how long an answer takes, MinNews and
	// MaxNews how long each step of the delivery. Milliseconds.
	MinLatency, MaxLatency engine.Millis
	MinNews, MaxNews       engine.Millis
}

func (c *Config) setDefaults() {
	if c.Keep <= 0 {
		c.Keep = DefaultKeep
	}
	if c.MaxLatency <= 0 {
		c.MinLatency, c.MaxLatency = DefaultMinLatency, DefaultMaxLatency
	}
	if c.MaxNews <= 0 {
		c.MinNews, c.MaxNews = DefaultMinNews, DefaultMaxNews
	}
	if c.Report == nil {
		c.Report = func(string, engine.ReportDelivery) {}
	}
}

func (c *Config) check() error {
	switch {
	case c.Now == nil:
		return errors.New("sandbox: no clock was handed in")
	case c.After == nil:
		return errors.New("sandbox: no scheduler was handed in")
	case c.Rand == nil:
		return errors.New("sandbox: no source of draws was handed in")
	case c.MinLatency > c.MaxLatency || c.MinNews > c.MaxNews:
		return errors.New("sandbox: a least delay is longer than the longest")
	}
	return nil
}

// Carrier accepts texts and codes and keeps them in its outbox. It is safe for
// concurrent use.
type Carrier struct {
	conf Config

	mu      sync.Mutex
	rand    *rand.Rand
	outbox  outbox
	tries   map[string]int // texts to numbers whose first one misbehaves
	waiting map[string]*verification
	sweepAt int // verifications, before those that ran out are dropped
}

var (
	_ provider.Sender   = (*Carrier)(nil)
	_ provider.Fetcher  = (*Carrier)(nil)
	_ provider.Stopper  = (*Carrier)(nil)
	_ provider.Verifier = (*Carrier)(nil)
)

// New returns a carrier with an empty outbox.
func New(conf Config) (*Carrier, error) {
	conf.setDefaults()
	if err := conf.check(); err != nil {
		return nil, err
	}
	return &Carrier{
		conf: conf, rand: rand.New(conf.Rand), outbox: newOutbox(conf.Keep),
		tries: map[string]int{}, waiting: map[string]*verification{}, sweepAt: leastSweep,
	}, nil
}

// Stops reports whether a failure is one of our credentials.
func (c *Carrier) Stops(f engine.Failure) bool { return f.Code == codeAccount }

// draw is between least and most, both included. The lock is held.
func (c *Carrier) draw(least, most engine.Millis) engine.Millis {
	return least + c.rand.Int64N(most-least+1)
}
