package bench

import (
	"fmt"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// OnTime has one reminder after another due on an idle engine, and measures
// how late each hand-over begins: the record that it was begun is flushed by
// then.
func OnTime(o Options) (Result, error) {
	n := or(o.N, 100)
	r, err := newRig(o, nil)
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	if err := r.populate(n, "UTC"); err != nil {
		return Result{}, err
	}
	const apart = 50 * time.Millisecond
	first := time.Now().Add(time.Second + time.Duration(n/1000)*time.Second)
	due := func(i int) time.Time { return first.Add(time.Duration(i) * apart).Truncate(time.Millisecond) }
	late := make(Latencies, n)
	r.sent.told = func(m provider.Message) {
		now, i := time.Now(), 0
		if _, err := fmt.Sscanf(m.Text, "Reminder %d", &i); err == nil && i < n {
			late.Set(i, now.Sub(due(i)))
		}
	}
	for i := range n {
		if err := r.do(userID(i), engine.CreateReminder{Text: fmt.Sprintf("Reminder %d", i), SendAt: due(i).UnixMilli(), Priority: engine.PriorityNormal}); err != nil {
			return Result{}, err
		}
	}
	m := Measure()
	if err := r.awaitSent(n, time.Until(due(n))+time.Minute); err != nil {
		return Result{}, err
	}
	res := Result{Workload: "ontime", N: n}
	res.Finish(m.End(), late, r.dir)
	return res, r.stop()
}
