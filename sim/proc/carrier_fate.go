//go:build linux

package proc

import (
	"net/http"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// createFault is what can go wrong with a create, and how often.
type createFault struct {
	class string
	p     float64
	fault twiliotest.Fault
}

var createFaults = []createFault{
	{"answer_lost", 0.03, twiliotest.Drop().Accepted()},
	{"answer_reset", 0.02, twiliotest.Reset().Accepted()},
	{"answer_held", 0.01, twiliotest.Hang().Accepted()},
	{"answer_cut", 0.02, twiliotest.Cut().Accepted()},
	{"answer_garbage", 0.01, twiliotest.Garbage("{").Accepted()},
	{"request_lost", 0.02, twiliotest.Drop()},
	{"request_held", 0.01, twiliotest.Hang()},
	{"server_error", 0.02, twiliotest.Page(http.StatusServiceUnavailable)},
	{"server_error_accepted", 0.02, twiliotest.Refuse(http.StatusInternalServerError, 20500).Accepted()},
	{"rate_limited", 0.02, twiliotest.Throttle("1")},
	{"refused", 0.01, twiliotest.Refuse(http.StatusBadRequest, 21614)},
	{"answer_late", 0.15, twiliotest.Fault{Delay: 400 * time.Millisecond}},
	{"answer_too_late", 0.01, twiliotest.Fault{Delay: 3 * time.Second}},
}

// draw picks what goes wrong with a create.
func (c *carrierProcess) draw() twiliotest.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drawn++
	switch {
	case c.mode == slow:
		return twiliotest.Fault{Delay: 500*time.Millisecond + time.Duration(c.rng.Int64N(int64(500*time.Millisecond)))}
	case c.mode == calm:
		return twiliotest.Fault{}
	case c.opt.LoseEvery > 0:
		if c.drawn%c.opt.LoseEvery != 0 {
			return twiliotest.Fault{}
		}
		c.stats.Faults["answer_lost"]++
		return twiliotest.Drop().Accepted()
	}
	x := c.rng.Float64()
	for _, f := range createFaults {
		if x -= f.p; x < 0 {
			c.stats.Faults[f.class]++
			return f.fault
		}
	}
	return twiliotest.Fault{}
}

// live is what becomes of a message that was accepted: it is sent, and then
// delivered or not. Some of the callbacks are lost, repeated, or come in the
// wrong order.
func (c *carrierProcess) live(m twiliotest.Message) {
	if c.chance(0.05) {
		c.note("find_down")
		c.server.FaultReads(twiliotest.Page(http.StatusServiceUnavailable))
	}
	first := c.between(20*time.Millisecond, 300*time.Millisecond)
	if c.is(slow) {
		first += 2 * time.Second // the answer, not a callback, is to tell of it
	}
	if !c.pause(first) {
		return
	}
	c.move(m.SID, "sent", 0)
	reorder := c.chance(0.1)
	if reorder {
		c.note("callback_reordered")
	} else {
		c.tell(m.SID, "sent", 0)
	}
	if !c.pause(c.between(20*time.Millisecond, 500*time.Millisecond)) {
		return
	}
	status, code := "delivered", 0
	switch {
	case c.chance(0.08):
		status, code = "undelivered", 30003
		c.note("undelivered")
	case c.chance(0.04):
		status, code = "failed", 30008
		c.note("failed")
	}
	c.move(m.SID, status, code)
	c.tell(m.SID, status, code)
	if reorder {
		c.tell(m.SID, "sent", 0)
	}
}

// move writes down what became of a message, and then lets it be seen.
func (c *carrierProcess) move(sid, status string, code int) {
	c.book.note(entry{Kind: moved, SID: sid, Status: status, Code: code})
	c.server.Move(sid, status, code)
}

// callbackTries is how often a callback is brought that gets no 2xx.
const callbackTries = 4

func (c *carrierProcess) tell(sid, status string, code int) {
	if c.chance(0.08) {
		c.note("callback_lost")
		return
	}
	times := 1
	if c.chance(0.1) {
		c.note("callback_twice")
		times = 2
	}
	for range times {
		for range callbackTries {
			req, err := c.server.Callback(c.ctx, sid, status, code)
			if err != nil {
				return
			}
			if got, err := c.bring(req); err == nil && got < 300 {
				break
			}
			if !c.pause(300 * time.Millisecond) {
				return
			}
		}
	}
}
