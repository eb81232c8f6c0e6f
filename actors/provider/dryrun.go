package provider

import (
	"context"

	"carillon/engine"
)

// DryRun is the carrier "none" (S8): everything is composed and recorded, and
// nothing leaves. It has nothing to verify numbers with.
type DryRun struct{}

// Send records.
func (DryRun) Send(context.Context, Message) Outcome { return Outcome{Kind: Recorded} }

// Find knows no message, for none has ever left.
func (DryRun) Find(context.Context, Message, int64) Sighting { return Sighting{Result: Absent} }

// Fetch knows no message either.
func (DryRun) Fetch(context.Context, string) Sighting { return Sighting{Result: Absent} }

// Stops reports false: nothing can be wrong with it.
func (DryRun) Stops(engine.Failure) bool { return false }

// Start says that there is no verification service.
func (DryRun) Start(context.Context, string) error { return ErrVerifyUnconfigured }

// Check says that there is no verification service.
func (DryRun) Check(context.Context, string, string) (bool, error) {
	return false, ErrVerifyUnconfigured
}
