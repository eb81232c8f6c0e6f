package bench

import (
	"fmt"
	"sync"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// Steady has so many reminders per second due for a while, with many more
// pending behind them, while snapshots and a backup run. The latencies are how
// late the hand-overs begin.
func Steady(parent string, pending, perSecond, seconds int) (Result, error) {
	r, err := newRig(parent, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	users := max(pending, perSecond*seconds)
	if err := r.populate(users, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	later := time.Now().Add(100 * time.Hour)
	err = each(pending, 1024, func(i int) error { return r.do(userID(i), event("later", later)) })
	if err != nil {
		return Result{}, err
	}
	n := perSecond * seconds
	first := time.Now().Add(time.Duration(n/20_000+3) * time.Second).Truncate(time.Millisecond)
	err = each(n, 1024, func(i int) error {
		at := first.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		return r.do(userID(i), engine.CreateReminder{Text: fmt.Sprintf("Reminder %d", i), SendAt: at.UnixMilli(), Priority: engine.PriorityNormal})
	})
	if err != nil {
		return Result{}, err
	}
	res := Result{Workload: "steady", N: n, Details: map[string]float64{"pending": float64(pending)}}
	var mu sync.Mutex
	r.sent.told = func(m provider.Message) {
		now := time.Now()
		var i int
		_, _ = fmt.Sscanf(m.Text, "Reminder %d", &i)
		due := first.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		mu.Lock()
		defer mu.Unlock()
		res.durations = append(res.durations, max(now.Sub(due.Truncate(time.Millisecond)), 0))
	}
	var backup sync.WaitGroup
	backup.Go(func() {
		<-time.After(time.Until(first))
		r.node.SnapshotNow()
		_, _ = r.store.Backup(discard{})
	})
	if err := r.awaitSent(n, first.Add(time.Duration(seconds)*time.Second)); err != nil {
		return res, err
	}
	backup.Wait()
	mu.Lock()
	defer mu.Unlock()
	res.finish(time.Since(first), r.dir)
	return res, r.stop()
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
