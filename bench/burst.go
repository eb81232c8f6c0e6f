package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// Burst has reminders of as many users due in the same second, with a carrier
// that accepts at once; each is handed over with both of its records flushed.
// The time runs from the instant at which they are due, and so do the
// latencies of the hand-overs.
func Burst(o Options) (Result, error) {
	n := or(o.N, 100_000)
	var variant []string
	var c *clock
	var change func(*actors.Config)
	if o.Idle {
		variant = append(variant, nobodyInMemory)
		c = &clock{}
		change = func(conf *actors.Config) { conf.Clock = c }
	}
	if o.N > 0 && o.N != 100_000 {
		variant = append(variant, fmt.Sprint(n))
	}
	r, err := newRig(o, change)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	return r.burst(Result{Workload: "burst", N: n, Variant: strings.Join(variant, ", ")}, c)
}

// nobodyInMemory begins the variant of a burst of whom everybody has to be read
// first.
const nobodyInMemory = "nobody in memory"

// HTTPBurst is Burst with a carrier over HTTP in another process.
func HTTPBurst(o Options) (Result, error) {
	n := or(o.N, 100_000)
	stub, err := StartCarrier(o.Self, 0)
	if err != nil {
		return Result{}, err
	}
	defer stub.Stop()
	var sender *counting
	r, err := newRig(o, func(c *actors.Config) {
		sender = &counting{Sender: stub.sender(httpSends)}
		c.Sender, c.MaxSends = sender, httpSends
	})
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	sender.to = r.sent
	res, err := r.burst(Result{Workload: "http-burst", N: n}, nil, stub.pid())
	if err != nil {
		return res, err
	}
	seen, err := stub.Counts()
	if err != nil {
		return res, err
	}
	if seen.Reminders != n || seen.Twice != 0 {
		return res, fmt.Errorf("bench: the carrier has %d of %d reminders, %d twice", seen.Reminders, n, seen.Twice)
	}
	return res, nil
}

// httpSends are the hand-overs at a time to a carrier over HTTP (--max-sends,
// whose default is 64): the peers have 256 and more handlers.
const httpSends = 256

// counting counts what a sender has answered in the rig's counter.
type counting struct {
	provider.Sender
	to *counter
}

// Send implements provider.Sender.
func (c *counting) Send(ctx context.Context, m provider.Message) provider.Outcome {
	if c.to.told != nil {
		c.to.told(m)
	}
	out := c.Sender.Send(ctx, m)
	if out.Kind == provider.Accepted {
		c.to.n.Add(1)
	}
	return out
}

// burst is of people who are in memory, or by a clock of its own of people who have
// left it.
func (r *rig) burst(res Result, c *clock, children ...int) (Result, error) {
	n := res.N
	began := time.Now()
	if err := r.populate(n, "UTC"); err != nil {
		return res, err
	}
	due, now, gather := burstTime(time.Since(began)), time.Now, r.scheduleBurst
	if c != nil {
		due, now = due.Add(idleBefore), func() time.Time { return time.UnixMilli(c.Now()) }
		gather = func(n int, due time.Time) error { return r.idleBurst(n, due, c) }
	}
	late, begun := make(Latencies, n), atomic.Int64{}
	r.sent.told = func(provider.Message) {
		if i := begun.Add(1) - 1; i < int64(n) {
			late.Set(int(i), now().Sub(due))
		}
	}
	if err := gather(n, due); err != nil {
		return res, err
	}
	flushes, spent := r.counters.commits()
	m := Measure(children...)
	if err := r.awaitSent(n, 5*time.Minute); err != nil {
		return res, err
	}
	m.End()
	after, total := r.counters.commits()
	res.Detail("flushes", after-flushes)
	res.Detail("flush_ms", 1000*(total-spent)/max(after-flushes, 1))
	res.Finish(m, late, r.dir)
	return res, r.stop()
}

// burstTime is when a burst can be due, once it has been put in: creating the
// users took two commands each and that long, so it has twice the time it needs.
func burstTime(populating time.Duration) time.Time {
	return time.Now().Add(populating + 2*time.Second).Truncate(time.Second)
}

// scheduleBurst puts a reminder of each user in, and returns when it is time.
func (r *rig) scheduleBurst(n int, due time.Time) error {
	if err := r.putBurst(n, due); err != nil {
		return err
	}
	if time.Now().After(due) {
		return errors.New("bench: the reminders were due before all of them were there; the machine is too slow for this")
	}
	<-time.After(time.Until(due))
	return nil
}

// idleBurst puts a reminder of each user in, has everybody leave memory, and sets the
// clock to when they are due.
func (r *rig) idleBurst(n int, due time.Time, c *clock) error {
	if err := r.putBurst(n, due); err != nil {
		return err
	}
	if err := r.leaveMemory(c); err != nil {
		return err
	}
	settled()
	c.set(due)
	return nil
}

// idleBefore is by how much later than others such a burst is due.
const idleBefore = 3 * time.Hour

func (r *rig) putBurst(n int, due time.Time) error {
	return Each(n, loaders, func(_, i int) error {
		return r.do(userID(i), engine.CreateReminder{Text: burstText, SendAt: due.UnixMilli(), Priority: engine.PriorityNormal})
	})
}

const burstText = eventTitle + " in 15 mins @ " + eventLocation + ". " + eventLink
