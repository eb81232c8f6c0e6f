package bench

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// bareMail is the least that an actor.Mailbox can be: room for one message, and
// a list for what comes meanwhile, which is taken out whole.
type bareMail struct {
	mu      sync.Mutex
	first   any
	more    []any
	spare   []any
	running bool
	invoker actor.MessageInvoker
	queue   *bareQueue
}

var _ actor.Mailbox = (*bareMail)(nil)

// bareSystem is a message of the library's own.
type bareSystem struct{ message any }

// RegisterHandlers implements actor.Mailbox.
func (m *bareMail) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker = invoker
	m.queue, _ = dispatcher.(*bareQueue)
}

// Start implements actor.Mailbox.
func (m *bareMail) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *bareMail) UserMessageCount() int { return len(m.more) }

// PostSystemMessage implements actor.Mailbox.
func (m *bareMail) PostSystemMessage(message any) { m.PostUserMessage(bareSystem{message}) }

// PostUserMessage implements actor.Mailbox.
func (m *bareMail) PostUserMessage(message any) {
	m.mu.Lock()
	if m.first == nil && len(m.more) == 0 {
		m.first = message
	} else {
		m.more = append(m.more, message)
	}
	wake := !m.running
	m.running = true
	m.mu.Unlock()
	if wake {
		m.queue.put(m)
	}
}

// process handles what there is.
func (m *bareMail) process() {
	for {
		m.mu.Lock()
		first, more := m.first, m.more
		m.first, m.more, m.spare = nil, m.spare[:0], nil
		if first == nil && len(more) == 0 {
			m.running = false
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		if first != nil {
			m.invoke(first)
		}
		for i, message := range more {
			more[i] = nil
			m.invoke(message)
		}
		m.spare = more
	}
}

func (m *bareMail) invoke(message any) {
	if s, ok := message.(bareSystem); ok {
		m.invoker.InvokeSystemMessage(s.message)
		return
	}
	m.invoker.InvokeUserMessage(message)
}

// bareQueue is an actor.Dispatcher: an unbounded queue with a few workers.
type bareQueue struct {
	mu      sync.Mutex
	filled  sync.Cond
	waiting []*bareMail
	head    int
	closed  bool
	done    sync.WaitGroup
}

func newBareQueue(workers int) *bareQueue {
	q := &bareQueue{}
	q.filled.L = &q.mu
	for range workers {
		q.done.Go(q.work)
	}
	return q
}

// Schedule implements actor.Dispatcher. Only the library's own mailboxes use it.
func (q *bareQueue) Schedule(fn func()) { fn() }

// Throughput implements actor.Dispatcher.
func (q *bareQueue) Throughput() int { return 1 << 20 }

func (q *bareQueue) put(m *bareMail) {
	q.mu.Lock()
	q.waiting = append(q.waiting, m)
	q.mu.Unlock()
	q.filled.Signal()
}

func (q *bareQueue) work() {
	for {
		q.mu.Lock()
		for q.head == len(q.waiting) && !q.closed {
			q.filled.Wait()
		}
		if q.head == len(q.waiting) {
			q.mu.Unlock()
			return
		}
		m := q.waiting[q.head]
		q.waiting[q.head] = nil
		q.head++
		switch {
		case q.head == len(q.waiting):
			q.waiting, q.head = q.waiting[:0], 0
		case q.head > 1024 && 2*q.head > len(q.waiting):
			n := copy(q.waiting, q.waiting[q.head:])
			clear(q.waiting[n:])
			q.waiting, q.head = q.waiting[:n], 0
		}
		q.mu.Unlock()
		m.process()
	}
}

func (q *bareQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.filled.Broadcast()
	q.done.Wait()
}
