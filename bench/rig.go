package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

// rig is a node on a journal in a folder of its own, with a carrier that
// accepts everything at once.
type rig struct {
	dir      string
	log      wal.Options
	store    *wal.DB
	node     *actors.Node
	sent     *counter
	counters *counters
	fatal    chan error
}

// counter is a carrier that takes everything and keeps count.
type counter struct {
	provider.DryRun
	n    atomic.Int64
	told func(m provider.Message)
}

// Send accepts.
func (c *counter) Send(_ context.Context, m provider.Message) provider.Outcome {
	c.n.Add(1)
	if c.told != nil {
		c.told(m)
	}
	return provider.Outcome{Kind: provider.Accepted, SID: sid(m.MessageID), Status: engine.MessageQueued}
}

// sid is the counter's name for a message.
func sid(messageID string) string { return "SM" + messageID }

// newRig makes a folder and starts on it.
func newRig(o Options, change func(*actors.Config)) (*rig, error) {
	dir, err := o.tempDir()
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir}
	if err := r.start(change); err != nil {
		r.remove()
		return nil, err
	}
	return r, nil
}

func (r *rig) start(change func(*actors.Config)) (err error) {
	if r.store, err = wal.Open(r.dir, r.log); err != nil {
		return err
	}
	r.sent, r.counters, r.fatal = &counter{}, &counters{}, make(chan error, 1)
	conf := actors.Config{
		Log: r.store, Clock: actors.SystemClock{}, Sender: r.sent, Verifier: provider.DryRun{}, Seed: 1, Metrics: r.counters,
		MaxInFlight: 1 << 20, MaxSends: maxSends, Fatal: func(err error) { r.fatal <- err },
	}
	if change != nil {
		change(&conf)
	}
	if r.node, err = actors.Start(conf); err != nil {
		return errors.Join(err, r.store.Close())
	}
	return nil
}

// maxSends are the hand-overs at a time to a carrier in the process: one that
// answers at once needs no fewer.
const maxSends = 4096

// stop closes the store, which stays.
func (r *rig) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(r.node.Stop(ctx), r.store.Close())
}

func (r *rig) remove() { _ = os.RemoveAll(r.dir) }

// do carries out a command that must not be refused.
func (r *rig) do(user string, cmd engine.Command) error {
	reply, err := r.node.Do(context.Background(), user, cmd, "", 0)
	if refusal, ok := reply.(engine.Refusal); ok && err == nil {
		err = fmt.Errorf("%T refused: %s %s", cmd, refusal.Code, refusal.Detail)
	}
	return err
}

// Each calls fn for 0 to n-1 from so many callers at a time.
func Each(n, callers int, fn func(caller, i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for c := range min(callers, n) {
		wg.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := fn(c, i); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// await polls until ok, for so long at most.
func (r *rig) await(patience time.Duration, what string, ok func() bool) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case err := <-r.fatal:
			return err
		case <-limit:
			return fmt.Errorf("bench: not in %s: %s", patience, what)
		case <-tick.C:
		}
	}
	return nil
}

// awaitSent waits until the outcomes of so many hand-overs are durable.
func (r *rig) awaitSent(n int, patience time.Duration) error {
	outcomes := r.counters.find("carillon_carrier_outcomes_total")
	return r.await(patience, fmt.Sprintf("%d hand-overs recorded", n), func() bool {
		return r.sent.n.Load() >= int64(n) && sum(outcomes, "outcome", "accepted") >= float64(n)
	})
}

// rest has everybody come to rest: a round leaves up who was written to within the
// last two seconds.
func (r *rig) rest() error {
	time.Sleep(3 * time.Second)
	return r.round()
}

// leaveMemory has everybody come to rest, and then not be asked for anything for so
// long that the keeper lets go of them, some more with each second that passes.
func (r *rig) leaveMemory(c *clock) error {
	if err := r.rest(); err != nil {
		return err
	}
	c.ahead.Add(time.Hour.Milliseconds())
	return r.await(5*time.Minute, "everybody left memory", func() bool {
		if r.node.Stats().ActorsAlive == 0 {
			return true
		}
		c.ahead.Add(time.Second.Milliseconds())
		time.Sleep(20 * time.Millisecond)
		return false
	})
}

// round has every user with new records snapshotted. A round that is under way
// already does not see them all, so it is asked for until one has ended behind
// the last record there is now.
func (r *rig) round() error {
	last := r.node.Stats().Journal.LastSeq
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for k := 0; ; k++ {
		s := r.node.Stats().Journal
		if s.ReplayFrom > last {
			return nil
		}
		if k%40 == 0 {
			r.node.SnapshotNow()
		}
		select {
		case err := <-r.fatal:
			return err
		case <-tick.C:
		}
	}
}
