package provider

import (
	"errors"
	"fmt"

	"carillon/engine"
)

// Errors of a Verifier that say something about the number or its codes.
// Anything else is the provider's trouble, never the user's mistake: a
// VerifyError, as far as the provider is reached at all.
var (
	ErrNumberRefused      = errors.New("provider: number can't receive codes")
	ErrVerifyRateLimited  = errors.New("provider: too many codes for this number")
	ErrVerifyUnconfigured = errors.New("provider: no verification service is configured")
	ErrVerifyExpired      = errors.New("provider: no verification is waiting for this number")
)

// VerifyError is the provider's trouble with a verification: our credentials,
// our settings, its servers. Failure is set if it gave a code, else Cause.
type VerifyError struct {
	Failure engine.Failure
	Cause   string // one line, without number or code
}

// Error names the vendor's code or the cause.
func (e *VerifyError) Error() string {
	if e.Failure.Code != 0 {
		return fmt.Sprintf("provider: verification failed: %s (code %d)", e.Failure.Message, e.Failure.Code)
	}
	return "provider: verification failed: " + e.Cause
}
