//go:build linux

package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Options of a campaign.
type Options struct {
	Binary  string // carillon
	Seed    uint64
	Seconds int // until everything heals
	Clients int // people at a time; 0 is 10
	// Rounds are the faults of the process that may come; empty: all.
	Rounds []string
	// OnUncertain is the service's setting; empty: reconcile. resend is the
	// control, since it may text twice.
	OnUncertain string
	// LoseEvery has the carrier lose every so many answers and nothing else;
	// 0 is every fault of it.
	LoseEvery int
	// Calm leaves the lines alone.
	Calm bool
	// Keep keeps the folder, when something was wrong, under this one.
	Keep string
	Log  io.Writer // what happens, a line each; nil: nobody listens

	env    []string // control: settings that are wrong
	forget bool     // control: the store is swapped for an older one
}

// The campaign's disk and its reserve, below which writes are refused (W3).
const (
	diskBytes      = 192 << 20
	diskBytesEach  = 1 << 20 // a second more
	reserveBytes   = 8 << 20
	defaultClients = 10
)

// harness is one campaign.
type harness struct {
	opt    Options
	began  time.Time
	rng    *rand.Rand
	result *Result
	tally  tally
	ledger *ledger

	dir, store, listen string
	disk               *disk // nil: not permitted
	carrier            *carrier
	service            *child
	toCarrier          *line
	lines              []*line
	door, back         *api // over a line, and straight

	mu        sync.Mutex
	calmLines context.CancelFunc // ends the storm on the lines
	storms    sync.WaitGroup
}

// Run plays a campaign. Its error means that the harness itself did not work;
// what carillon did wrong is in the result.
func Run(ctx context.Context, opt Options) (res Result, err error) {
	if opt.Clients == 0 {
		opt.Clients = defaultClients
	}
	if opt.OnUncertain == "" {
		opt.OnUncertain = "reconcile"
	}
	h := &harness{opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 0)), ledger: newLedger(), result: newResult(opt)}
	h.tally.codes = map[string]int64{}
	h.began = time.Now()
	defer func() {
		h.close()
		h.result.Took = time.Since(h.began).Seconds()
		res = *h.result
	}()
	err = h.open(ctx)
	if err == nil {
		err = h.campaign(ctx)
	}
	if err != nil && !errors.Is(err, errNotReady) {
		return res, err
	}
	return res, h.audit()
}

// mark is in the name of everything that a campaign of this process leaves on
// the machine while it runs.
func mark() string { return fmt.Sprintf("carillon-proc-%d-", os.Getpid()) }

// open makes everything that the campaign needs, and starts the service.
func (h *harness) open(ctx context.Context) (err error) {
	if h.dir, err = os.MkdirTemp("", mark()); err != nil {
		return err
	}
	small := filepath.Join(h.dir, "disk")
	if err := os.Mkdir(small, 0o700); err != nil {
		return err
	}
	if h.disk, err = mountDisk(small, diskBytes+int64(h.opt.Seconds)*diskBytesEach); err != nil {
		h.result.missing(err, roundFull, roundLow)
	}
	if m, err := newMemory(); err != nil {
		h.result.missing(err, roundStarve)
	} else {
		m.remove()
	}
	h.store = filepath.Join(small, "store")
	if h.listen, err = freeAddr(); err != nil {
		return err
	}
	if err := h.openLines(ctx); err != nil {
		return err
	}
	h.back = newAPI("http://"+h.listen, &tally{codes: map[string]int64{}})
	h.door = newAPI(h.lines[0].url(), &h.tally)
	return h.start(ctx)
}

// openLines starts the carrier and opens the three lines.
func (h *harness) openLines(ctx context.Context) error {
	client, err := newLine(clientLine, h.listen, h.tally.requests.Load)
	if err != nil {
		return err
	}
	h.lines = append(h.lines, client)
	var c *carrier
	callback, err := newLine(callbackLine, h.listen, func() int64 { return c.stats(ctx).Callbacks })
	if err != nil {
		return err
	}
	h.lines = append(h.lines, callback)
	c, err = startCarrier(carrierOptions{Book: h.bookPath(), Reach: callback.url(), Seed: h.opt.Seed, LoseEvery: h.opt.LoseEvery})
	if err != nil {
		return err
	}
	h.carrier = c
	h.toCarrier, err = newLine(carrierLine, c.hello.Twilio[len("http://"):], func() int64 {
		s := c.stats(ctx)
		return int64(s.Creates + s.Lists)
	})
	if err == nil {
		h.lines = append(h.lines, h.toCarrier)
	}
	return err
}

func (h *harness) bookPath() string { return filepath.Join(h.dir, "book.ndjson") }

// campaign has clients write and texts leave while rounds break things; then
// it heals, and demands an end.
func (h *harness) campaign(ctx context.Context) error {
	until, stop := context.WithTimeout(ctx, time.Duration(h.opt.Seconds)*time.Second)
	defer stop()
	playing, enough := context.WithCancel(ctx)
	defer enough()
	h.storm(ctx)
	var clients sync.WaitGroup
	for i := range h.opt.Clients {
		a := &actor{h: h, rng: rand.New(rand.NewPCG(h.opt.Seed, uint64(100+i)))}
		clients.Go(func() { a.play(ctx, playing, kind(i%int(kindCount))) })
	}
	err := h.rounds(ctx, until)
	enough()
	h.calm()
	if err2 := h.carrier.become(ctx, calm); err == nil {
		err = err2
	}
	if err != nil {
		h.service.end() // or clients would go on asking
	}
	clients.Wait()
	if err != nil {
		return err
	}
	return h.heal(ctx)
}

// storm lets the lines suffer.
func (h *harness) storm(ctx context.Context) {
	if h.opt.Calm {
		return
	}
	ctx, h.calmLines = context.WithCancel(ctx)
	for i, l := range h.lines {
		rng := rand.New(rand.NewPCG(h.opt.Seed, h.rng.Uint64()+uint64(i)))
		h.storms.Go(func() { l.storm(ctx, rng) })
	}
}

// calm ends that.
func (h *harness) calm() {
	if h.calmLines != nil {
		h.calmLines()
	}
	h.storms.Wait()
}

// close takes everything away again.
func (h *harness) close() {
	h.calm()
	if h.service != nil {
		h.service.signal(syscall.SIGCONT)
		h.service.end()
	}
	if h.carrier != nil {
		_ = h.carrier.stdin.Close()
		if !h.carrier.over(5 * time.Second) {
			h.carrier.end()
		}
	}
	for _, l := range h.lines {
		l.close()
	}
	if len(h.result.Violations) > 0 && h.opt.Keep != "" {
		h.keep()
	}
	if h.disk != nil {
		h.disk.unmount()
	}
	if h.dir != "" {
		_ = os.RemoveAll(h.dir)
	}
}

// keep copies what tells of a violation: the book and the store.
func (h *harness) keep() {
	to := filepath.Join(h.opt.Keep, fmt.Sprintf("proc-seed-%d", h.opt.Seed))
	_ = os.RemoveAll(to)
	if h.disk != nil {
		h.disk.empty()
	}
	if err := os.CopyFS(to, os.DirFS(h.dir)); err != nil {
		h.logf("what was wrong is not kept: %v", err)
		return
	}
	h.result.Kept = to
}

func (h *harness) logf(format string, args ...any) {
	if h.opt.Log != nil {
		_, _ = fmt.Fprintf(h.opt.Log, "%7.2f s  "+format+"\n", append([]any{time.Since(h.began).Seconds()}, args...)...)
	}
}

// maxViolations bounds the report: the first few say it all.
const maxViolations = 30

func (h *harness) fail(checker, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logf("VIOLATION %s: "+format, append([]any{checker}, args...)...)
	if len(h.result.Violations) < maxViolations {
		h.result.Violations = append(h.result.Violations, Violation{checker, fmt.Sprintf(format, args...)})
	}
}
