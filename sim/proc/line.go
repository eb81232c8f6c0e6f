//go:build linux

package proc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// The lines that can break.
const (
	clientLine   = "client"   // clients to carillon
	carrierLine  = "carrier"  // carillon to the carrier
	callbackLine = "callback" // the carrier's callbacks to carillon
)

// toxics are what a line can suffer: a name, and toxiproxy's type and
// attributes. Nothing holds bytes longer than holdMillis: the look-ups of a
// lost answer come later than that, as they do with the default settings.
var toxics = []struct{ class, kind, attributes string }{
	{"latency", "latency", `{"latency": 300}`},
	{"jitter", "latency", `{"latency": 200, "jitter": 200}`},
	{"reset_peer", "reset_peer", `{"timeout": 50}`},
	{"timeout", "timeout", `{"timeout": 200}`},
	{"slow_close", "slow_close", `{"delay": 300}`},
	{"limit_data", "limit_data", `{"bytes": 400}`},
	{"bandwidth", "bandwidth", `{"rate": 4}`},
	{"slicer", "slicer", `{"average_size": 64, "size_variation": 32, "delay": 2000}`},
	{down, "", ""},
}

const down = "down"

// line is one proxy of toxiproxy's, in this process.
type line struct {
	name  string
	proxy *toxiproxy.Proxy
	// traffic is how much has gone over the line, as its ends count it.
	traffic func() int64

	mu    sync.Mutex
	count map[string]int64
}

// quieten silences toxiproxy, which otherwise writes a line for each packet.
var quieten = sync.OnceFunc(func() { zerolog.SetGlobalLevel(zerolog.Disabled) })

// newLine opens a proxy on loopback.
func newLine(name, upstream string, traffic func() int64) (*line, error) {
	quieten()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	l := &line{name: name, proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", upstream), traffic: traffic, count: map[string]int64{}}
	if err := l.proxy.Start(); err != nil {
		return nil, fmt.Errorf("line %s: %w", name, err)
	}
	return l, nil
}

// url is where the line begins.
func (l *line) url() string { return "http://" + l.proxy.Listen }

// storm lets one toxic follow the other until ctx ends; then the line is good.
func (l *line) storm(ctx context.Context, rng *rand.Rand) {
	var deck []int
	before := int64(0)
	for {
		if len(deck) == 0 {
			deck = rng.Perm(len(toxics))
		}
		if !wait(ctx, between(rng, 50*time.Millisecond, 400*time.Millisecond)) {
			return
		}
		class := toxics[deck[0]].class
		l.suffer(ctx, toxics[deck[0]].kind, toxics[deck[0]].attributes, rng)
		// A line that nobody uses suffers nothing.
		if now := l.traffic(); now != before {
			before, deck = now, deck[1:]
			l.mu.Lock()
			l.count[class]++
			l.mu.Unlock()
		}
	}
}

// suffer is one toxic, in one direction, for a while.
func (l *line) suffer(ctx context.Context, kind, attributes string, rng *rand.Rand) {
	stream := []string{"upstream", "downstream"}[rng.IntN(2)]
	if kind == "" {
		l.proxy.Stop()
	} else {
		text := fmt.Sprintf(`{"type": %q, "stream": %q, "attributes": %s}`, kind, stream, attributes)
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			panic(err) // the table above is wrong
		}
	}
	wait(ctx, between(rng, 150*time.Millisecond, 700*time.Millisecond))
	if kind != "" {
		l.proxy.Toxics.ResetToxics(context.Background())
		return
	}
	for l.proxy.Start() != nil && wait(ctx, 10*time.Millisecond) { // the port was ours, and is again
	}
}

// counts are the toxics that the line suffered while it was used.
func (l *line) counts(into map[string]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for class, n := range l.count {
		into[l.name+"_"+class] += n
	}
}

func (l *line) close() { l.proxy.Stop() }

// wait pauses, or reports that ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}
