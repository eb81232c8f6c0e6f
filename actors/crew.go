package actors

import "sync"

// crew runs what blocks, on as many goroutines as are blocked at a time and one
// more. Who is done takes what waits before it rests, so that calls that are
// answered at once need a few goroutines for thousands of them. Of those that rest
// who was done last goes first: its stack has grown already, which a new one's has
// to while a request is made.
type crew struct {
	mu      sync.Mutex
	waiting []func()
	head    int // of waiting
	idle    []chan struct{}
	coming  bool // a goroutine was called, and has not begun yet
	closed  bool
}

// maxIdleCrew is how many rest at most.
const maxIdleCrew = 256

// run has fn run. It does not wait.
func (c *crew) run(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting, c.head = pushed(c.waiting, c.head, fn)
	c.call()
}

// call has a goroutine come, if something waits and none is on its way. That one
// calls the next before it begins what may block, so that nothing waits for a call
// that blocks.
func (c *crew) call() {
	if c.coming || len(c.waiting) == 0 {
		return
	}
	c.coming = true
	n := len(c.idle) - 1
	if n < 0 {
		go c.work()
		return
	}
	c.idle[n] <- struct{}{} // there is room for it
	c.idle = c.idle[:n]
}

func (c *crew) work() {
	var wake chan struct{}
	for called := true; called; _, called = <-wake {
		for fn := c.next(true); fn != nil; fn = c.next(false) {
			fn()
		}
		if wake == nil {
			wake = make(chan struct{}, 1) // who calls does not wait
		}
		if !c.rest(wake) {
			return
		}
	}
}

// next takes what has waited longest, and has another goroutine come for what is
// behind it; nil: nothing waits. came is whether the goroutine was called for it.
func (c *crew) next(came bool) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if came {
		c.coming = false
	}
	if len(c.waiting) == 0 {
		return nil
	}
	fn := c.waiting[c.head]
	c.waiting[c.head] = nil
	if c.head++; c.head == len(c.waiting) {
		c.waiting, c.head = c.waiting[:0], 0
	}
	c.call()
	return fn
}

// rest reports whether a goroutine is to wait until it is called.
func (c *crew) rest(wake chan struct{}) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= maxIdleCrew {
		return false
	}
	c.idle = append(c.idle, wake)
	return true
}

// close lets those go that rest; who is at work goes when nothing waits.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, wake := range c.idle {
		close(wake)
	}
	c.idle = nil
}
