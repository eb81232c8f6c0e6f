package provider

import (
	"context"
	"errors"

	"carillon/engine"
)

// Composition is what a composer wrote and what it cost. Tokens and cost may be
// set beside an error too: an answer that is no use is billed like any other.
type Composition struct {
	Text             string
	Model            string // as the endpoint calls it
	PromptTokens     int32
	CachedTokens     int32 // of the prompt's, those that cost less
	CompletionTokens int32
	CostMicros       int64  // millionths of a US dollar
	Priced           string // what the cost rests on: reported, estimated, or a window of the price table
}

// Composer writes the text of a reminder from a brief (SPEC X4).
//
// Compose asks at most once: it repeats no request, for that could be billed
// twice. It returns soon after ctx ends. An error is a *ComposeError; with one,
// Text is not to be used. Composition says what was spent either way, and at
// least so much when nobody knows. Nothing in it, and nothing in an error,
// holds the key or the brief. It is safe for concurrent use.
//
// What it writes is foreign all the same: the engine looks at every text
// (engine.Brief.Vet) before it can be sent.
type Composer interface {
	Compose(ctx context.Context, b engine.Brief) (Composition, error)
}

// Breaker is a Composer that stops asking an endpoint that fails, for a while.
type Breaker interface {
	// Open reports whether it does not ask at present.
	Open() bool
}

// ComposeError says why there is no text.
type ComposeError struct {
	Outcome engine.ComposeOutcome
	Cause   string // one line: http 503, no answer in 5s
}

// Error names outcome and cause.
func (e *ComposeError) Error() string {
	if e.Cause == "" {
		return "provider: no text: " + e.Outcome.String()
	}
	return "provider: no text: " + e.Outcome.String() + ": " + e.Cause
}

// ComposeOutcome sorts the error of a Composer; a foreign one is the
// composer's own trouble.
func ComposeOutcome(err error) (outcome engine.ComposeOutcome, cause string) {
	var e *ComposeError
	switch {
	case err == nil:
		return engine.ComposeOK, ""
	case errors.As(err, &e) && e.Outcome != engine.ComposeNone && e.Outcome != engine.ComposeOK:
		return e.Outcome, e.Cause
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return engine.ComposeTimeout, ""
	}
	return engine.ComposeUnavailable, "the composer failed"
}
