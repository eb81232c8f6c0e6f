package sandbox

import (
	"context"
	"crypto/subtle"
	"fmt"

	"carillon/actors/provider"
	"carillon/engine"
)

// A code is good for ten minutes and five checks, and a number gets five codes
// in ten minutes: as Twilio Verify has it.
const (
	codeLifeMillis = 10 * 60 * 1000
	maxChecks      = 5
	maxStarts      = 5
	leastSweep     = 1024
)

// verification waits for its code.
type verification struct {
	code   string
	until  engine.Millis
	checks int
	starts int
}

// Start puts a code of six digits into the outbox. As with Verify, another
// start while one is waiting sends the same code again.
func (c *Carrier) Start(ctx context.Context, phone string) error {
	if err := ctx.Err(); err != nil {
		return &provider.VerifyError{Cause: "canceled"}
	}
	if err := c.startRefusal(phone); err != nil {
		return err
	}
	now := c.conf.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(now)
	v := c.waiting[phone]
	if v == nil || v.until <= now {
		v = &verification{code: fmt.Sprintf("%06d", c.rand.IntN(1_000_000)), until: now + codeLifeMillis}
		c.waiting[phone] = v
	}
	if v.starts++; v.starts > maxStarts {
		return provider.ErrVerifyRateLimited
	}
	c.outbox.add(Entry{
		At: now, Kind: KindCode, To: phone, Text: "Your carillon code is " + v.code, Status: engine.MessageDelivered,
		SID: c.sid("VE"),
	})
	return nil
}

// startRefusal is what a magic number does with a code. Numbers that only
// lose texts on the way get theirs.
func (c *Carrier) startRefusal(phone string) error {
	n := magicByPhone[phone]
	if n == nil || n.how != refuses || n.Once {
		return nil
	}
	switch n.failure.Category { //nolint:exhaustive // the others are ours
	case engine.CategoryInvalidNumber, engine.CategoryOptedOut, engine.CategoryCarrierIssue:
		return provider.ErrNumberRefused
	case engine.CategoryRateLimit:
		return provider.ErrVerifyRateLimited
	}
	return &provider.VerifyError{Failure: n.failure}
}

// Check compares a code with the one that waits.
func (c *Carrier) Check(ctx context.Context, phone, code string) (bool, error) {
	if ctx.Err() != nil {
		return false, &provider.VerifyError{Cause: "canceled"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.waiting[phone]
	if v == nil || v.until <= c.conf.Now() {
		delete(c.waiting, phone)
		return false, provider.ErrVerifyExpired
	}
	if v.checks++; v.checks > maxChecks {
		return false, provider.ErrVerifyRateLimited
	}
	if subtle.ConstantTimeCompare([]byte(v.code), []byte(code)) != 1 {
		return false, nil
	}
	delete(c.waiting, phone)
	return true, nil
}

// sweep drops what ran out, each time that twice as many wait as after the last
// time. The lock is held.
func (c *Carrier) sweep(now engine.Millis) {
	if len(c.waiting) < c.sweepAt {
		return
	}
	for phone, v := range c.waiting {
		if v.until <= now {
			delete(c.waiting, phone)
		}
	}
	c.sweepAt = max(leastSweep, 2*len(c.waiting))
}
