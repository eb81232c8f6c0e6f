package providertest

import (
	"context"
	"fmt"
	"sync"

	"carillon/actors/provider"
	"carillon/engine"
)

const (
	codeLifeMillis = 10 * 60 * 1000
	maxChecks      = 5
	maxStarts      = 5
)

// Verifier is a verification service in memory that does as it is told. It is
// safe for concurrent use.
type Verifier struct {
	now func() engine.Millis

	mu       sync.Mutex
	byNumber map[string]error
	next     []error
	waiting  map[string]*waiting
	serial   int
	starts   int
}

type waiting struct {
	code   string
	until  engine.Millis
	starts int
	checks int
}

var _ provider.Verifier = (*Verifier)(nil)

// NewVerifier returns a fake that sends a code to every number.
func NewVerifier(now func() engine.Millis) *Verifier {
	return &Verifier{now: now, byNumber: map[string]error{}, waiting: map[string]*waiting{}}
}

// Fail makes the next calls, of either kind, end in these errors.
func (v *Verifier) Fail(errs ...error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next = append(v.next, errs...)
}

// FailFor makes every start for a number end in an error.
func (v *Verifier) FailFor(phone string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.byNumber[phone] = err
}

// Code is what was sent to a number; empty if nothing waits.
func (v *Verifier) Code(phone string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w := v.waiting[phone]; w != nil {
		return w.code
	}
	return ""
}

// Starts is how many codes were asked for.
func (v *Verifier) Starts() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.starts
}

// Start sends a code, or the same one again.
func (v *Verifier) Start(ctx context.Context, phone string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.starts++
	if err := v.trouble(ctx); err != nil {
		return err
	}
	if err := v.byNumber[phone]; err != nil {
		return err
	}
	w := v.waiting[phone]
	if w == nil || w.until <= v.now() {
		v.serial++
		w = &waiting{code: fmt.Sprintf("%06d", 100000+v.serial), until: v.now() + codeLifeMillis}
		v.waiting[phone] = w
	}
	if w.starts++; w.starts > maxStarts {
		return provider.ErrVerifyRateLimited
	}
	return nil
}

// Check compares.
func (v *Verifier) Check(ctx context.Context, phone, code string) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.trouble(ctx); err != nil {
		return false, err
	}
	w := v.waiting[phone]
	if w == nil || w.until <= v.now() {
		return false, provider.ErrVerifyExpired
	}
	if w.checks++; w.checks > maxChecks {
		return false, provider.ErrVerifyRateLimited
	}
	if w.code != code {
		return false, nil
	}
	delete(v.waiting, phone)
	return true, nil
}

func (v *Verifier) trouble(ctx context.Context) error {
	if ctx.Err() != nil {
		return &provider.VerifyError{Cause: "canceled"}
	}
	if len(v.next) == 0 {
		return nil
	}
	err := v.next[0]
	v.next = v.next[1:]
	return err
}
