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
	dir   string
	store *wal.DB
	node  *actors.Node
	sent  *counter
	fatal chan error
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

// newRig makes a folder under parent, or in the machine's place for such, and
// starts on it.
func newRig(parent string, change func(*actors.Config)) (*rig, error) {
	dir, err := os.MkdirTemp(parent, "carillon-bench-")
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir}
	return r, r.start(change)
}

func (r *rig) start(change func(*actors.Config)) (err error) {
	if r.store, err = wal.Open(r.dir, wal.Options{}); err != nil {
		return err
	}
	r.sent, r.fatal = &counter{}, make(chan error, 1)
	conf := actors.Config{
		Log: r.store, Clock: actors.SystemClock{}, Sender: r.sent, Verifier: provider.DryRun{}, Seed: 1,
		MaxInFlight: 1 << 20, MaxSends: 4096, Fatal: func(err error) { r.fatal <- err },
	}
	if change != nil {
		change(&conf)
	}
	r.node, err = actors.Start(conf)
	return err
}

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

func userID(i int) string { return fmt.Sprintf("user-%07d", i) }

// populate creates users with a verified number and reminders on.
func (r *rig) populate(users, callers int, zone string) error {
	return each(users, callers, func(i int) error {
		c := engine.UpdateUser{Create: true, Zone: engine.Some(zone), Reminders: engine.Some(true), Quiet: engine.Some(engine.Quiet{}), DailyLimit: engine.Some(int32(100))}
		if err := r.do(userID(i), c); err != nil {
			return err
		}
		return r.do(userID(i), engine.AttestPhone{Phone: fmt.Sprintf("+4915%09d", i)})
	})
}

// each calls fn for 0 to n-1 from so many callers at a time.
func each(n, callers int, fn func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := fn(i); err != nil {
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

// timed is each with the time that every call took.
func timed(n, callers int, fn func(i int) error) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	err := each(n, callers, func(i int) error {
		began := time.Now()
		err := fn(i)
		took[i] = time.Since(began)
		return err
	})
	return took, err
}

func event(id string, start time.Time) engine.PutEvent {
	return engine.PutEvent{Event: engine.CalendarEvent{
		ID: id, Title: "Quarterly review with Dana", Location: "Room 4.12", Start: start.UnixMilli(), End: start.Add(time.Hour).UnixMilli(),
	}}
}
