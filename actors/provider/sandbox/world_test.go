package sandbox_test

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/sandbox"
	"carillon/engine"
)

const start = engine.Millis(1_796_000_000_000)

// world is a clock and a scheduler that move by hand, and what was reported.
// Delays up to soon are a latency's: they pass at once, or never while held.
type world struct {
	mu      sync.Mutex
	now     engine.Millis
	serial  int
	queue   timers
	held    bool
	reports []reported
}

type reported struct {
	userID string
	engine.ReportDelivery
}

const soon = 9

type timer struct {
	at     engine.Millis
	serial int
	f      func()
}

type timers []timer

func (q timers) Len() int { return len(q) }
func (q timers) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].serial < q[j].serial
}
func (q timers) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *timers) Push(x any)   { *q = append(*q, x.(timer)) }
func (q *timers) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (w *world) Now() engine.Millis {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) After(d engine.Millis, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d > soon {
		w.serial++
		heap.Push(&w.queue, timer{w.now + d, w.serial, f})
		return
	}
	if !w.held {
		go f()
	}
}

// Advance lets time pass, and what it makes due happen in order.
func (w *world) Advance(d engine.Millis) {
	w.mu.Lock()
	end := w.now + d
	for len(w.queue) > 0 && w.queue[0].at <= end {
		next := heap.Pop(&w.queue).(timer)
		w.now = next.at
		w.mu.Unlock()
		next.f()
		w.mu.Lock()
	}
	w.now = end
	w.mu.Unlock()
}

func (w *world) report(userID string, d engine.ReportDelivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, reported{userID, d})
}

func (w *world) reported() []reported {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]reported(nil), w.reports...)
}

func open(t *testing.T, change func(*sandbox.Config)) (*world, *sandbox.Carrier) {
	t.Helper()
	w := &world{now: start}
	conf := sandbox.Config{
		Now: w.Now, After: w.After, Rand: rand.NewPCG(1, 2), Report: w.report,
		MinLatency: 2, MaxLatency: soon, MinNews: 100, MaxNews: 2000,
	}
	if change != nil {
		change(&conf)
	}
	c, err := sandbox.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return w, c
}

func message(to, id string) provider.Message {
	return provider.Message{
		UserID: "ann", ReminderID: "r_" + id, MessageID: "m_" + id, To: to, Text: "text " + id, Segments: 1,
		CreatedAt: start, ValidUntil: start + 60*60*1000,
	}
}
