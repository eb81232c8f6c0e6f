// Package provider holds the ports to the outside world: who sends, who
// verifies numbers, and what their answers mean. A vendor is a package below
// this one that implements them in both directions.
package provider

import (
	"context"
	"errors"

	"carillon/engine"
)

// Message is one hand-over to a carrier.
type Message struct {
	UserID     string
	ReminderID string
	MessageID  string // unique for ever; travels in the status callback's URL
	To         string // E.164
	Text       string
	Segments   int
	CreatedAt  int64 // Unix milliseconds, UTC: when the attempt was recorded
	ValidUntil int64 // Unix milliseconds, UTC: nothing may arrive after it (S7)
}

// OutcomeKind is what is known of a hand-over when the call is over (S3).
type OutcomeKind uint8

// The outcomes of a hand-over. Recorded is the dry run's (S8): nothing left.
const (
	Uncertain OutcomeKind = iota // zero value: an outcome nobody filled in is not a no
	Accepted
	Refused
	Recorded
)

// Outcome is a carrier's answer. SID and Status belong to Accepted, Failure
// to Refused, Cause to Uncertain.
type Outcome struct {
	Kind    OutcomeKind
	SID     string
	Status  engine.MessageStatus
	Failure engine.Failure
	Cause   string // one line: timeout, connection reset, http 503, unreadable answer
}

// FindResult is what a carrier knows of a message whose answer was lost.
type FindResult uint8

// The answers of Find. FindUnknown is "could not be asked": it proves nothing.
const (
	FindUnknown FindResult = iota
	Found
	Absent
)

// Sighting is the answer to Find; SID, Status and Failure belong to Found.
type Sighting struct {
	Result  FindResult
	SID     string
	Status  engine.MessageStatus
	Failure engine.Failure // set when Status is failed or undelivered
}

// Sender hands messages to a carrier.
//
// Send returns when the outcome is known or ctx ends; a ctx that ends while
// the request may be on the wire is Uncertain. Send never repeats a request:
// one call is at most one create at the carrier. It is safe for concurrent
// use.
//
// Find asks for a message by number, text and time of creation not before
// since (Unix milliseconds, UTC; implementations allow for clock skew
// themselves). It changes nothing at the carrier.
type Sender interface {
	Send(ctx context.Context, m Message) Outcome
	Find(ctx context.Context, m Message, since int64) Sighting
}

// Errors of a Verifier. Anything else is the provider's trouble, never the
// user's mistake.
var (
	ErrNumberRefused      = errors.New("provider: number can't receive codes")
	ErrVerifyRateLimited  = errors.New("provider: too many codes for this number")
	ErrVerifyUnconfigured = errors.New("provider: no verification service is configured")
	ErrVerifyExpired      = errors.New("provider: no verification is waiting for this number")
)

// Verifier sends one-time codes and checks them (SPEC N2). phone is E.164.
//
// Check reports whether the code was right. A wrong code is (false, nil).
type Verifier interface {
	Start(ctx context.Context, phone string) error
	Check(ctx context.Context, phone, code string) (bool, error)
}
