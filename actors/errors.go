package actors

import (
	"fmt"
	"time"
)

// Fault is an error of the machine, not of the caller. Its code is stable and
// goes on the wire; see the variables below.
type Fault struct { //nolint:errname // it is what the wire and httpapi call it
	code       string
	detail     string
	retryAfter time.Duration
	cause      error
}

// The faults. They are compared by code: errors.Is(err, ErrOverloaded).
var (
	// ErrOverloaded: as many requests are in flight as are taken at a time.
	ErrOverloaded = &Fault{code: "overloaded", detail: "too many requests are in flight", retryAfter: time.Second}
	// ErrDraining: the engine is stopping.
	ErrDraining = &Fault{code: "draining", detail: "the engine is stopping", retryAfter: 5 * time.Second}
	// ErrRecovering: the engine is not ready yet.
	ErrRecovering = &Fault{code: "recovering", detail: "the engine is starting", retryAfter: time.Second}
	// ErrUnknownOutcome: the write may or may not be on the disk (W3).
	ErrUnknownOutcome = &Fault{code: "unknown_outcome", detail: "the write may or may not be stored; repeat it with the same Idempotency-Key", retryAfter: 5 * time.Second}
	// ErrNoSpace: the disk runs low, writes are refused (W3).
	ErrNoSpace = &Fault{code: "insufficient_storage", detail: "the disk is nearly full; writes are refused until there is room", retryAfter: time.Minute}
	// ErrQuarantined: the command failed twice and was put aside.
	ErrQuarantined = &Fault{code: "quarantined", detail: "the command failed twice and was put aside; nothing has changed"}
	// ErrVerifier: the verification service could not be asked.
	ErrVerifier = &Fault{code: "verifier_unavailable", detail: "the verification service did not answer as it should", retryAfter: 30 * time.Second}
	// ErrInternal: a part of the engine failed in a way that has no other name.
	ErrInternal = &Fault{code: "internal", detail: "internal error"}
)

// Error implements error.
func (f *Fault) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("actors: %s: %v", f.detail, f.cause)
	}
	return "actors: " + f.detail
}

// Fault returns the code, and when to try again; 0 for "no idea".
func (f *Fault) Fault() (code string, retryAfter time.Duration) { return f.code, f.retryAfter }

// Is compares by code.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.code == f.code
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.cause }

func (f *Fault) because(cause error) *Fault {
	g := *f
	g.cause = cause
	return &g
}
