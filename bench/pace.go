package bench

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
)

// paceLatency is how long the carrier takes for an answer in pace: at ten a
// second hand-overs overlap.
const paceLatency = 150 * time.Millisecond

// Pace has n reminders of as many people due at one instant on a sender of that
// many segments per second, in real time, and looks at what left when: in the order of
// deadlines, as many as a model says can be in time, and the others cancelled
// before they are sent (S6).
//
// A third of the deadlines lie in the first quarter of the time that all take:
// more than the pace has room for.
func Pace(o Options) (Result, error) {
	n, perSecond := or(o.N, 1000), or(o.PerSecond, 10)
	r, err := newRig(o, func(c *actors.Config) { c.MPS, c.MaxSends = float64(perSecond), 64 })
	if err != nil {
		return Result{}, err
	}
	defer r.remove()
	if err := r.populate(n, "UTC"); err != nil {
		return Result{}, err
	}
	due := time.Now().Add(time.Duration(200+2*n) * time.Millisecond).Truncate(time.Millisecond)
	p := &paced{due: due.UnixMilli(), left: map[string]engine.Millis{}, deadline: paceDeadlines(n, perSecond, due)}
	r.sent.told = p.note
	err = Each(n, 64, func(_, i int) error {
		text := paceText(i)
		return r.do(userID(i), engine.CreateReminder{Text: text, SendAt: p.due, ExpiresAt: p.deadline[text], Priority: engine.PriorityNormal})
	})
	if err != nil {
		return Result{}, err
	}
	m := Measure()
	stale, err := p.await(r, n)
	if err != nil {
		return Result{}, err
	}
	res := Result{Workload: "pace", N: n, Details: p.judge(perSecond)}
	res.Details["stale"] = float64(stale)
	var waited Latencies
	for _, at := range p.left {
		waited = append(waited, micros(time.Duration(at-p.due)*time.Millisecond))
	}
	res.OpsPerS = 1000 * float64(len(p.left)-1) / float64(p.last()-p.due)
	res.Finish(m.End(), waited, r.dir)
	return res, r.stop()
}

func paceText(i int) string { return fmt.Sprintf("Reminder %d", i) }

// paceDeadlines draws them, from one seed.
func paceDeadlines(n, perSecond int, due time.Time) map[string]engine.Millis {
	draw := rand.New(rand.NewPCG(9, 0))
	whole := int64(n) * 1000 / int64(perSecond)
	out := make(map[string]engine.Millis, n)
	for i := range n {
		after := whole/4 + draw.Int64N(whole*5/4)
		if i%3 == 0 {
			after = 1 + draw.Int64N(whole/4)
		}
		out[paceText(i)] = due.UnixMilli() + after
	}
	return out
}

// paced is what left when.
type paced struct {
	due      engine.Millis
	deadline map[string]engine.Millis

	mu   sync.Mutex
	left map[string]engine.Millis // when its hand-over was decided
}

func (p *paced) note(m provider.Message) {
	p.mu.Lock()
	p.left[m.Text] = m.CreatedAt
	p.mu.Unlock()
	<-time.After(paceLatency)
}

func (p *paced) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.left)
}

func (p *paced) last() (at engine.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.left {
		at = max(at, t)
	}
	return at
}

// await waits until every reminder has left or is stale, and counts the latter.
func (p *paced) await(r *rig, n int) (stale int, err error) {
	for quiet, before := 0, -1; ; {
		select {
		case err := <-r.fatal:
			return 0, err
		case <-time.After(250 * time.Millisecond):
		}
		if now := p.count(); now != before || now == 0 {
			quiet, before = 0, now
			continue
		}
		if quiet++; quiet < 4 {
			continue
		}
		quiet = 0
		stale, open, err := endings(r, n)
		if err != nil || open == 0 {
			return stale, err
		}
	}
}

// endings counts the reminders that are stale, and those that have not ended.
func endings(r *rig, n int) (stale, open int, err error) {
	for i := range n {
		reply, err := r.node.Do(context.Background(), userID(i), engine.ListReminders{Limit: 1}, "", 0)
		list, ok := reply.(engine.RemindersReply)
		if err != nil || !ok || len(list.Items) != 1 {
			return 0, 0, fmt.Errorf("reminders of %s: %v, %w", userID(i), reply, err)
		}
		switch item := list.Items[0]; {
		case item.Reason == engine.ReasonStale:
			stale++
		case item.Status != engine.StatusSent:
			open++
		}
	}
	return stale, open, nil
}

// turn is a hand-over, and what it was for.
type turn struct{ at, deadline engine.Millis }

// judge holds what left when to S6. Turns are counted as displaced when they
// went to somebody who could have waited, before the deadline of somebody who
// got none: then one was late who could have been in time.
func (p *paced) judge(perSecond int) map[string]float64 {
	var left []turn
	late := 0
	for text, at := range p.left {
		left = append(left, turn{at, p.deadline[text]})
		if at >= p.deadline[text] {
			late++
		}
	}
	slices.SortFunc(left, func(a, b turn) int { return int(a.at - b.at) })
	unordered, displaced := 0, 0
	for i := 1; i < len(left); i++ {
		if left[i].deadline < left[i-1].deadline && left[i].at > left[i-1].at {
			unordered++
		}
	}
	for text, deadline := range p.deadline {
		if _, ok := p.left[text]; !ok && slices.ContainsFunc(left, func(t turn) bool { return t.at < deadline && t.deadline > deadline }) {
			displaced++
		}
	}
	return map[string]float64{
		"left": float64(len(left)), "left_late": float64(late), "out_of_order": float64(unordered),
		"displaced": float64(displaced), "model_in_time": float64(inTime(p.deadline, left[0].at, perSecond)),
	}
}

// inTime is the obvious model, of how many can be in time at all: whoever has the
// nearest deadline takes the next turn, whose deadline is over by then gets none.
// Turns come one by one from the first on; a tenth of a second may come at once.
func inTime(deadlines map[string]engine.Millis, first engine.Millis, perSecond int) (n int) {
	for _, deadline := range slices.Sorted(maps.Values(deadlines)) {
		before := max(n-perSecond/10, 0) // turns that must have come
		if first+int64(before)*1000/int64(perSecond) < deadline {
			n++
		}
	}
	return n
}
