package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// runQueue is an actor.Dispatcher: an unbounded queue with a few workers. A
// bounded one can deadlock, since handlers schedule others.
type runQueue struct {
	throughput int

	mu     sync.Mutex
	filled sync.Cond
	queue  []turn
	head   int
	closed bool
	done   sync.WaitGroup
}

var _ actor.Dispatcher = (*runQueue)(nil)

// turn is what a worker does next: a mailbox, mostly, which needs no function
// made of it.
type turn interface{ process() }

type call func()

func (c call) process() { c() }

// newRunQueue starts the workers. throughput is how many messages of one
// mailbox are handled in a row.
func newRunQueue(workers, throughput int) *runQueue {
	q := &runQueue{throughput: throughput}
	q.filled.L = &q.mu
	for range workers {
		q.done.Go(q.work)
	}
	return q
}

// Schedule implements actor.Dispatcher.
func (q *runQueue) Schedule(fn func()) { q.put(call(fn)) }

func (q *runQueue) put(t turn) {
	q.mu.Lock()
	q.queue = append(q.queue, t)
	q.mu.Unlock()
	q.filled.Signal()
}

// Throughput implements actor.Dispatcher.
func (q *runQueue) Throughput() int { return q.throughput }

func (q *runQueue) work() {
	for {
		q.mu.Lock()
		for q.head == len(q.queue) && !q.closed {
			q.filled.Wait()
		}
		if q.head == len(q.queue) {
			q.mu.Unlock()
			return
		}
		next := q.queue[q.head]
		q.queue[q.head] = nil
		q.head++
		if q.head == len(q.queue) {
			q.queue, q.head = q.queue[:0], 0
		} else if q.head >= compactAt && 2*q.head >= len(q.queue) {
			q.queue, q.head = movedUp(q.queue, q.head), 0
		}
		q.mu.Unlock()
		next.process()
	}
}

// compactAt is how long the used-up front of the queue may grow.
const compactAt = 1024

// close lets the workers finish what is queued and waits for them.
func (q *runQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.filled.Broadcast()
	q.done.Wait()
}
