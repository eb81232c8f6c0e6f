// Package provider holds the ports to the outside world: who sends, who
// verifies numbers, and what their answers mean. A vendor is a package below
// this one that implements them in both directions.
package provider

import (
	"context"

	"carillon/engine"
)

// Message is one hand-over to a carrier.
type Message struct {
	UserID     string
	ReminderID string
	MessageID  string // unique for ever; travels in the status callback's URL
	To         string // E.164
	Sender     string // the number or service it comes from (S6); empty: the carrier's only one. In Find also: nobody knows which
	Text       string
	Segments   int
	CreatedAt  int64 // Unix milliseconds, UTC: when the attempt was recorded
	ValidUntil int64 // Unix milliseconds, UTC: nothing may arrive after it (S7)
	// Others are sids that belong to other messages of this person. Find never
	// takes them for this one: a retry may carry the same text as the message
	// that failed a minute before.
	Others []string
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
// to Refused, Cause to Uncertain. Failure is set as well when a message was
// accepted and lost at once (Status failed, undelivered or canceled).
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

// Sighting is the answer to Find and Fetch; SID, Status and Failure belong to
// Found, Cause to FindUnknown.
type Sighting struct {
	Result  FindResult
	SID     string
	Status  engine.MessageStatus
	Failure engine.Failure // set when Status is failed, undelivered or canceled
	Cause   string         // one line: why it could not be asked
}

// Sender hands messages to a carrier.
//
// Send returns when the outcome is known or ctx ends; a ctx that ends before
// the outcome is known is Uncertain. Send never repeats a request: one call is
// at most one create at the carrier. A message whose ValidUntil has passed is
// refused as expired without one (S7). Neither Failure.Message nor Cause holds
// a number or a text. It is safe for concurrent use.
//
// Find asks for a message by number, text and time of creation not before
// since (Unix milliseconds, UTC; implementations allow for clock skew
// themselves). It changes nothing at the carrier.
type Sender interface {
	Send(ctx context.Context, m Message) Outcome
	Find(ctx context.Context, m Message, since int64) Sighting
}

// Fetcher is a Sender that can be asked for a message by its sid (D5). Absent
// means that the carrier knows no such sid. It changes nothing at the carrier.
type Fetcher interface {
	Fetch(ctx context.Context, sid string) Sighting
}

// Stopper is a Sender that tells a fault of the whole sender from one of a
// single destination: both are account_issue, but a region that is not
// enabled must not stop everybody's reminders (S5).
type Stopper interface {
	// Stops reports whether every other message would fail the same way.
	Stops(f engine.Failure) bool
}

// Verdict is what a carrier says of a fault that stopped a sender.
type Verdict uint8

// The verdicts. FaultUnknown: only a hand-over can tell.
const (
	FaultUnknown Verdict = iota
	FaultLasts           // or the carrier can't be asked at present
	FaultOver
)

// Prober is a Sender that can be asked whether a fault of a sender is over, so
// that no reminder is handed over to find out (S4, S5).
type Prober interface {
	// Probe asks. It changes nothing at the carrier.
	Probe(ctx context.Context, f engine.Failure) Verdict
}

// Adviser is a Sender that knows which setting is behind a fault of the whole
// sender.
type Adviser interface {
	// Advice is what to look at, in a few words; empty if it knows none.
	Advice(f engine.Failure) string
}

// Verifier sends one-time codes and checks them (SPEC N2). phone is E.164.
//
// Check reports whether the code was right. A wrong code is (false, nil). A
// code is right once.
type Verifier interface {
	Start(ctx context.Context, phone string) error
	Check(ctx context.Context, phone, code string) (bool, error)
}
