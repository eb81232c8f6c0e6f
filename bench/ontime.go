package bench

import (
	"fmt"
	"sync"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// OnTime has one reminder after another due on an idle engine, and measures
// how late each hand-over begins: the record that it was begun is flushed by
// then.
func OnTime(parent string, n int) (Result, error) {
	r, err := newRig(parent, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	if err := r.populate(n, 64, "UTC"); err != nil {
		return Result{}, err
	}
	const apart = 50 * time.Millisecond
	first := time.Now().Add(time.Second + time.Duration(n/1000)*time.Second)
	due := make(map[string]time.Time, n)
	for i := range n {
		at := first.Add(time.Duration(i) * apart).Truncate(time.Millisecond)
		text := fmt.Sprintf("Reminder %d", i)
		due[text] = at
		if err := r.do(userID(i), engine.CreateReminder{Text: text, SendAt: at.UnixMilli(), Priority: engine.PriorityNormal}); err != nil {
			return Result{}, err
		}
	}
	res := Result{Workload: "ontime", N: n}
	var mu sync.Mutex
	r.sent.told = func(m provider.Message) {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		res.durations = append(res.durations, max(now.Sub(due[m.Text]), 0))
	}
	if err := r.awaitSent(n, first); err != nil {
		return Result{}, err
	}
	mu.Lock()
	defer mu.Unlock()
	res.finish(time.Since(first), r.dir)
	return res, r.stop()
}
