package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is a lean actor.Mailbox: room for one message, and a queue that is
// there only while more than one waits. A million of them are idle most of the
// time. With the run queue it carries 2.4 times what the library's default does.
type mailbox struct {
	mu        sync.Mutex
	first     any        // the message that has waited longest, nil: none
	more      *mailQueue // what came behind it, and system messages; nil: nothing
	scheduled bool
	suspended bool

	// taker takes requests itself, so that what the library has of an actor, which is
	// for other messages, need not come from the memory for each. nil: nobody does.
	taker *user

	dispatcher actor.Dispatcher
	invoker    actor.MessageInvoker
}

var _ actor.Mailbox = (*mailbox)(nil)

// mailQueue is what does not fit into a mailbox.
type mailQueue struct {
	user   []any
	head   int // of user
	system []any
}

var mailQueues = sync.Pool{New: func() any { return new(mailQueue) }}

func (m *mailbox) queue() *mailQueue {
	if m.more == nil {
		m.more = mailQueues.Get().(*mailQueue) //nolint:forcetypeassert // nothing else is put there
	}
	return m.more
}

// RegisterHandlers implements actor.Mailbox.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
}

// pid is the actor's: the library knows it.
func (m *mailbox) pid() *actor.PID {
	return m.invoker.(actor.Context).Self() //nolint:forcetypeassert // an actor's context is both
}

// Start implements actor.Mailbox.
func (m *mailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	if m.first != nil {
		n++
	}
	if m.more != nil {
		n += len(m.more.user) - m.more.head
	}
	return n
}

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(message any) {
	m.mu.Lock()
	if m.first == nil && (m.more == nil || len(m.more.user) == 0) {
		m.first = message
	} else {
		q := m.queue()
		q.user, q.head = pushed(q.user, q.head, message)
	}
	wake := !m.scheduled && !m.suspended
	m.scheduled = m.scheduled || wake
	m.mu.Unlock()
	if wake {
		m.schedule()
	}
}

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	q := m.queue()
	q.system = append(q.system, message)
	wake := !m.scheduled
	m.scheduled = true
	m.mu.Unlock()
	if wake {
		m.schedule()
	}
}

// schedule has a worker process the mailbox. Our own queue takes it as it is:
// another dispatcher needs a function made of it.
func (m *mailbox) schedule() {
	if q, ok := m.dispatcher.(*runQueue); ok {
		q.put(m)
		return
	}
	m.dispatcher.Schedule(m.process)
}

// process handles messages up to the dispatcher's throughput, then lets
// others have the worker.
func (m *mailbox) process() {
	for range m.dispatcher.Throughput() {
		message, system, ok := m.next()
		if !ok {
			return
		}
		m.invoke(message, system)
	}
	if !m.idle() {
		m.schedule()
	}
}

// idle reports that there is nothing to do. The mailbox is then no longer
// scheduled: to look for that would be another turn.
func (m *mailbox) idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	system := m.more != nil && len(m.more.system) > 0
	user := !m.suspended && (m.first != nil || m.more != nil)
	m.scheduled = system || user
	return !m.scheduled
}

// next takes a message, system ones first. When there is none the mailbox is
// no longer scheduled.
func (m *mailbox) next() (message any, system, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q := m.more; q != nil && len(q.system) > 0 {
		message, q.system[0] = q.system[0], nil
		q.system = q.system[1:]
		m.spare()
		return message, true, true
	}
	if m.suspended || m.first == nil && m.more == nil {
		m.scheduled = false
		return nil, false, false
	}
	if m.first != nil {
		message, m.first = m.first, nil
		return message, false, true
	}
	q := m.more
	message, q.user[q.head] = q.user[q.head], nil
	q.head++
	m.spare()
	return message, false, true
}

// spare gives an empty queue back.
func (m *mailbox) spare() {
	q := m.more
	if q.head < len(q.user) || len(q.system) > 0 {
		return
	}
	m.more = nil
	if cap(q.user) <= keepCap {
		q.user, q.head, q.system = q.user[:0], 0, nil
		mailQueues.Put(q)
	}
}

// keepCap is how long a queue may have grown to be used again: that of a burst,
// which the journal and the outbox have in their mailboxes (256 KiB).
const keepCap = 16 << 10

func (m *mailbox) invoke(message any, system bool) {
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
		}
	}()
	if !system {
		if _, ok := message.(*request); ok && m.taker != nil {
			m.taker.take(message)
			return
		}
		m.invoker.InvokeUserMessage(message)
		return
	}
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspend(true)
	case *actor.ResumeMailbox:
		m.suspend(false)
	default:
		m.invoker.InvokeSystemMessage(message)
	}
}

func (m *mailbox) suspend(on bool) {
	m.mu.Lock()
	m.suspended = on
	m.mu.Unlock()
}
