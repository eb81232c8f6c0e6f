package actors

import "sync"

// crew runs what blocks, each on a goroutine of its own. Those that are done wait
// for the next, who is done last goes first: its stack has grown already, which a
// new one's has to while a request is made.
type crew struct {
	mu     sync.Mutex
	idle   []chan func()
	closed bool
}

// maxIdleCrew is how many wait at most.
const maxIdleCrew = 256

// run has fn run. It does not wait.
func (c *crew) run(fn func()) {
	c.mu.Lock()
	n := len(c.idle) - 1
	if n < 0 {
		c.mu.Unlock()
		go c.work(fn)
		return
	}
	next := c.idle[n]
	c.idle = c.idle[:n]
	c.mu.Unlock()
	next <- fn
}

func (c *crew) work(fn func()) {
	next := make(chan func(), 1) // who hands over does not wait
	for fn != nil {
		fn()
		if !c.rest(next) {
			return
		}
		fn = <-next
	}
}

// rest reports whether a goroutine is to wait for more.
func (c *crew) rest(next chan func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= maxIdleCrew {
		return false
	}
	c.idle = append(c.idle, next)
	return true
}

// close lets those go that wait; who is at work goes when it is done.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, next := range c.idle {
		close(next)
	}
	c.idle = nil
}
