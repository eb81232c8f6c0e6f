//go:build linux

package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// public is what callbacks are signed over; they go through a line.
const public = "http://carillon.example.com"

// mode is how the carrier behaves.
type mode string

const (
	stormy mode = "stormy" // every fault
	slow   mode = "slow"   // well, but it takes its time
	calm   mode = "calm"   // well
)

// carrierOptions are handed to the carrier's process.
type carrierOptions struct {
	Book  string `json:"book"`
	Reach string `json:"reach"` // where callbacks go
	Seed  uint64 `json:"seed"`
	// LoseEvery loses the answer of every so many creates, and nothing else
	// goes wrong; 0 is the storm.
	LoseEvery int `json:"lose_every,omitempty"`
}

// carrierHello is the first line that it prints.
type carrierHello struct {
	Twilio  string `json:"twilio"`
	Control string `json:"control"`
}

// carrierStats is what it counted.
type carrierStats struct {
	Creates   int              `json:"creates"`
	Lists     int              `json:"lists"`
	InFlight  int              `json:"in_flight"` // creates that are being answered
	Callbacks int64            `json:"callbacks"`
	Faults    map[string]int64 `json:"faults"`
}

// carrierProcess is a Twilio in a process of its own.
type carrierProcess struct {
	opt    carrierOptions
	book   *book
	server *twiliotest.Server
	client *http.Client
	ctx    context.Context //nolint:containedctx // the process' life

	mu    sync.Mutex
	rng   *rand.Rand
	mode  mode
	stats carrierStats
	drawn int
}

// runCarrier serves until in ends, which it does when whoever started it is no
// more.
func runCarrier(opt carrierOptions, in io.Reader, out io.Writer) error {
	b, err := openBook(opt.Book)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &carrierProcess{
		opt: opt, book: b, ctx: ctx, client: &http.Client{Timeout: 3 * time.Second}, mode: stormy,
		rng: rand.New(rand.NewPCG(opt.Seed, 1)), stats: carrierStats{Faults: map[string]int64{}},
	}
	var lives sync.WaitGroup
	c.server = twiliotest.New(twiliotest.Options{
		Reach: opt.Reach, Draw: c.draw,
		Accepted: func(m twiliotest.Message) {
			b.note(entry{Kind: accepted, SID: m.SID, To: m.To, Body: m.Body})
			lives.Go(func() { c.live(m) })
		},
	})
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(control, c.control()) }() //nolint:gosec // loopback, for the harness
	if err := json.NewEncoder(out).Encode(carrierHello{c.server.URL(), "http://" + control.Addr().String()}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in)
	cancel()
	lives.Wait()
	c.server.Close()
	return nil
}

// control is how the harness speaks with the carrier.
func (c *carrierProcess) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mode/{mode}", func(_ http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.mode = mode(r.PathValue("mode"))
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		// Not under our lock: the server calls draw under its own.
		creates, lists, flying := c.server.Creates(), c.server.Lists(), c.server.Answering()
		c.mu.Lock()
		defer c.mu.Unlock()
		s := c.stats
		s.Creates, s.Lists, s.InFlight = creates, lists, flying
		_ = json.NewEncoder(w).Encode(s)
	})
	mux.HandleFunc("POST /inbound", func(w http.ResponseWriter, r *http.Request) {
		status, err := c.inbound(r.Context(), r.FormValue("from"), r.FormValue("text"))
		if err != nil {
			status = http.StatusBadGateway
		}
		w.WriteHeader(status)
	})
	return mux
}

// inbound brings a person's text, and returns what the webhook answered.
func (c *carrierProcess) inbound(ctx context.Context, from, text string) (int, error) {
	req, err := c.server.Inbound(ctx, public+"/webhooks/twilio/inbound", from, text, "")
	if err != nil {
		return 0, err
	}
	return c.bring(req)
}

// bring sends what is signed. It counts what did not get there.
func (c *carrierProcess) bring(req *http.Request) (int, error) {
	resp, err := c.client.Do(req)
	c.mu.Lock()
	c.stats.Callbacks++
	if err != nil {
		c.stats.Faults["callback_cut_off"]++
	}
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func (c *carrierProcess) note(class string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Faults[class]++
}

func (c *carrierProcess) is(m mode) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode == m
}

// chance draws.
func (c *carrierProcess) chance(p float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode == stormy && c.rng.Float64() < p
}

// between draws a time.
func (c *carrierProcess) between(least, most time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return least + time.Duration(c.rng.Int64N(int64(most-least)))
}

// pause waits, or reports that the process ends.
func (c *carrierProcess) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-c.ctx.Done():
		return false
	}
}

// carrierFailed is how the process says why it ends.
func carrierFailed(err error) string { return fmt.Sprintf("carrier: %v", err) }
