package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Phases, in their order.
const (
	phaseUsers  = "users"
	phaseEvents = "events"
	phaseDue    = "reminders"
	phaseErase  = "erase"
)

// Run rehearses. The report is whole even if the run found faults, which
// Report.Verdict tells; an error means that there was no run.
func Run(ctx context.Context, conf Config) (*Report, error) {
	conf.setDefaults()
	if err := conf.check(); err != nil {
		return nil, err
	}
	r := &run{conf: &conf, c: newClient(&conf), people: newPeople(&conf), began: time.Now()}
	r.book = newBook(r.people)
	stop, err := r.watch(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := r.sendCanary(ctx); err != nil {
		return nil, err
	}
	r.users(ctx)
	r.events(ctx)
	r.await(ctx)
	stop()
	rep := r.report()
	if !conf.Keep {
		clean := ctx
		if ctx.Err() != nil { // who interrupts does not want to wait long
			var done context.CancelFunc
			clean, done = context.WithTimeout(context.WithoutCancel(ctx), interruptTime)
			defer done()
		}
		r.erase(clean)
		rep.take(r)
	}
	return rep, ctx.Err()
}

// interruptTime is how long an interrupted run goes on to erase its people.
const interruptTime = 20 * time.Second

// run is a rehearsal under way.
type run struct {
	conf   *Config
	c      *client
	people *people
	book   *book
	follow *follow
	began  time.Time
	phases []Phase
	late   atomic.Int64 // events that were put when their reminder was due already
	known  atomic.Int64 // events that the engine took
}

// watch begins to look at the carrier.
func (r *run) watch(ctx context.Context) (stop func(), err error) {
	if s := r.conf.Stub; s != nil {
		s.tell(r.book.arrive)
		return func() { s.tell(nil) }, nil
	}
	r.follow = &follow{c: r.c, book: r.book}
	if err := r.follow.begin(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { r.follow.run(ctx) })
	return func() { cancel(); reading.Wait() }, nil
}

// canaryTime is how long the first text may take.
const canaryTime = 20 * time.Second

// sendCanary sends one text before anything else. If it does not arrive where
// we look, nothing that follows could be measured, and might reach people.
func (r *run) sendCanary(ctx context.Context) error {
	for _, l := range r.people.userLines(0) {
		if err := r.one(l); err != nil {
			return err
		}
	}
	_, err := r.c.do("POST", "/v1/users/"+r.people.id(0)+"/reminders",
		fmt.Sprintf(`{"text":%q,"send_at":%q}`, r.people.canary(), stamp(time.Now().UTC())))
	if err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(canaryTime); !r.book.canarySeen(); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if time.Now().After(end) {
			return r.noCanary()
		}
	}
	return nil
}

func (r *run) noCanary() error {
	where := "the sandbox's outbox"
	if s := r.conf.Stub; s != nil {
		where = "the stub: the engine needs CARILLON_CARRIER=twilio CARILLON_TWILIO_BASE_URL=" + s.URL()
	}
	return fmt.Errorf("the first text did not come to %s within %s; nothing else was sent", where, canaryTime)
}

// one carries out a single line of a batch by itself.
func (r *run) one(line string) error {
	var l struct {
		Method, Path string
		Body         json.RawMessage
	}
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		return err
	}
	_, err := r.c.do(l.Method, l.Path, string(l.Body))
	return err
}

// users makes everybody.
func (r *run) users(ctx context.Context) {
	r.phase(ctx, phaseUsers, r.people.users, 2, func(i int) []string { return r.people.userLines(i) }, nil)
}

// events puts the events, so that the last of them is known before the first
// reminder is due.
func (r *run) events(ctx context.Context) {
	n := r.people.reminders()
	r.book.mu.Lock()
	r.people.first = time.Now().Add(r.leadIn(n)).UnixMilli()
	r.book.mu.Unlock()
	r.phase(ctx, phaseEvents, n, 1, func(i int) []string { return []string{r.people.eventLine(i)} }, func(from, to, taken int) {
		now := time.Now().UnixMilli()
		r.known.Add(int64(taken))
		for i := from; i < to; i++ {
			if r.people.due(i) <= now {
				r.late.Add(1)
			}
		}
	})
}

// leadIn is how long putting the events will take, and some more.
func (r *run) leadIn(events int) time.Duration {
	if r.conf.LeadIn > 0 {
		return r.conf.LeadIn
	}
	rate := r.phases[len(r.phases)-1].PerSecond
	expected := time.Duration(float64(events) / max(rate, 1) * float64(time.Second))
	return expected*3/2 + time.Second
}

// phase sends the lines of n things in batches and measures.
func (r *run) phase(ctx context.Context, name string, n, linesEach int, lines func(i int) []string, taken func(from, to, taken int)) {
	began, per := time.Now(), max(r.conf.Lines/linesEach, 1)
	batches := (n + per - 1) / per
	took := make([]time.Duration, batches)
	var next, done atomic.Int64
	var callers sync.WaitGroup
	r.conf.Progress(name, 0, n)
	for range min(r.conf.Callers, batches) {
		callers.Go(func() {
			for ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= batches {
					return
				}
				from, to := k*per, min((k+1)*per, n)
				var all []string
				for i := from; i < to; i++ {
					all = append(all, lines(i)...)
				}
				sent := time.Now()
				ok := r.c.batch(ctx, all)
				took[k] = time.Since(sent)
				if taken != nil {
					taken(from, to, ok)
				}
				r.conf.Progress(name, int(done.Add(int64(to-from))), n)
			}
		})
	}
	callers.Wait()
	r.phases = append(r.phases, newPhase(name, n*linesEach, "requests", time.Since(began), took))
}

// await waits until every reminder has come or is missing, and then a while
// for second ones.
func (r *run) await(ctx context.Context) {
	n, began := r.people.reminders(), time.Now()
	end := time.UnixMilli(r.people.last()).Add(r.conf.Grace)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	r.conf.Progress(phaseDue, 0, n)
	for time.Now().Before(end) && r.book.count() < n {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.conf.Progress(phaseDue, r.book.count(), n)
		}
	}
	r.conf.Progress(phaseDue, r.book.count(), n)
	r.settle(ctx, tick.C)
	r.phases = append(r.phases, newPhase(phaseDue, r.book.count(), "texts", time.Since(began), nil))
}

// afterwards is how long second texts and the last callbacks are waited for.
const afterwards = time.Second

// settle waits for what may come after the last text.
func (r *run) settle(ctx context.Context, tick <-chan time.Time) {
	least, most := time.Now().Add(afterwards), time.Now().Add(r.conf.Grace)
	for time.Now().Before(least) || (r.conf.Stub != nil && r.conf.Stub.later.open() > 0 && time.Now().Before(most)) {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// erase takes everybody away again.
func (r *run) erase(ctx context.Context) {
	r.phase(ctx, phaseErase, r.people.users, 1, func(i int) []string { return []string{r.people.eraseLine(i)} }, nil)
}

// explainMissing asks the engine why the first few of the missing did not
// leave.
func (r *run) explainMissing(missing []int) {
	for _, n := range missing[:min(len(missing), maxSamples)] {
		why, err := r.reasonOf(n)
		if err != nil {
			why = err.Error()
		}
		r.c.fail("missing", 0, fmt.Sprintf("%s, due %s: %s", r.people.title(n), stamp(time.UnixMilli(r.people.due(n)).UTC()), why))
	}
}

// reasonOf is the engine's word on a reminder.
func (r *run) reasonOf(n int) (string, error) {
	answer, err := r.c.do("GET", "/v1/users/"+r.people.id(n%r.people.users)+"/reminders?limit=500", "")
	if err != nil {
		return "", err
	}
	var page struct {
		Items []struct {
			EventID string `json:"event_id"`
			Status  string `json:"status"`
			Reason  string `json:"reason"`
		} `json:"items"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return "", err
	}
	want := fmt.Sprintf("e%d", n/r.people.users)
	i := slices.IndexFunc(page.Items, func(it struct {
		EventID string `json:"event_id"`
		Status  string `json:"status"`
		Reason  string `json:"reason"`
	},
	) bool {
		return it.EventID == want
	})
	if i < 0 {
		return "", errors.New("the engine knows no reminder of that event")
	}
	return "the engine says " + page.Items[i].Status + " " + page.Items[i].Reason, nil
}
