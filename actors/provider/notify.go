package provider

import (
	"context"

	"carillon/engine"
)

// Notification is one fact on its way to a receiver of ours (SPEC 9).
type Notification struct {
	ID     string        // of the fact: the same however often it is told
	At     engine.Millis // when it happened
	UserID string        // empty: it is nobody's
	Notice engine.Notice
	// Reminder is the notice's as it stands now; nil if it has none, or none
	// any more.
	Reminder *engine.ReminderView
}

// HearingKind is what became of telling a receiver something.
type HearingKind uint8

// The kinds. Unheard is the zero value: nobody can say that it was taken.
const (
	Unheard  HearingKind = iota // the receiver could not be reached
	Heard                       // it has taken it
	Declined                    // it answered, and not with a yes; or not in time
	Busy                        // it asks to be left alone for a while
	Gone                        // it wants nothing any more
)

// Hearing is the receiver's answer. RetryAfter belongs to Busy, 0 for "no idea".
type Hearing struct {
	Kind       HearingKind
	RetryAfter engine.Millis
	Cause      string // one line, without address or content
}

// Notifier tells a receiver of ours what has happened.
//
// Notify tells it at most once and returns soon after ctx ends. Heard means
// that the receiver has acknowledged it; anything else may have reached it all
// the same, so a receiver knows facts by their ID. It is safe for concurrent
// use.
type Notifier interface {
	Notify(ctx context.Context, n Notification) Hearing
}
