package httpapi

import (
	"context"
	"io"
	"time"

	"carillon/engine"
)

// Backend carries out what requests ask for. Instants are Unix milliseconds,
// UTC. Every method may be called from many goroutines.
//
// A nil error means that whatever the reply says is flushed to disk (W1). An
// error that is not a refusal of the engine implements Fault.
type Backend interface {
	// Do gives cmd to the user's actor. key is the caller's Idempotency-Key,
	// empty for none, and keyHash a hash of the request it came with. A no of
	// the engine is an engine.Refusal in the reply, not an error.
	Do(ctx context.Context, userID string, cmd engine.Command, key string, keyHash uint64) (engine.Reply, error)
	// DoAll is Do for many commands, and fills in their replies and errors. It
	// decides those of one user in their order, if none has a phone number.
	DoAll(ctx context.Context, calls []engine.Call)
	// StartVerification records that a code is wanted and has it sent. The
	// reply is an engine.VerificationReply or an engine.Refusal.
	StartVerification(ctx context.Context, userID, phone, key string, keyHash uint64) (engine.Reply, error)
	// CheckVerification checks a code for the number that is being verified.
	// The reply is an engine.UserReply or an engine.Refusal.
	CheckVerification(ctx context.Context, userID, code, key string, keyHash uint64) (engine.Reply, error)
	// Users lists users by id, after the given one; next is empty on the last
	// page.
	Users(ctx context.Context, after string, limit int) (users []engine.UserView, next string, err error)
	// Timeline lists a user's decisions after entry number after, oldest first.
	// next is 0 on the last page. known is false if there is no such user.
	Timeline(ctx context.Context, userID string, after uint64, limit int) (entries []engine.TimelineEntry, next uint64, known bool, err error)
	// UserByPhone returns whose verified number that is.
	UserByPhone(ctx context.Context, phone string) (userID string, ok bool, err error)
	// SetPaused stops and resumes sending for everybody (S8).
	SetPaused(ctx context.Context, paused bool) error
	// Stats is a picture of the engine that encodes to JSON.
	Stats(ctx context.Context) any
	// Backup writes a consistent copy of the store.
	Backup(ctx context.Context, w io.Writer) error
	// Role returns the role of an API key.
	Role(key string) (Role, bool)
	// Ready says whether requests are taken and, if not, why. While they are,
	// why is what keeps the sender from sending; empty if nothing does.
	Ready() (ready bool, why string)
}

// Fault is an error of the machine, not of the caller. Its code is stable and
// on the wire: overloaded, draining, recovering, unknown_outcome,
// insufficient_storage, quarantined, verifier_unavailable, internal.
type Fault interface {
	error
	// Fault returns the code, and when to try again; 0 for "no idea".
	Fault() (code string, retryAfter time.Duration)
}

// Role is what a key may do. Each includes the ones before it.
type Role uint8

// The roles of SPEC 9.
const (
	RoleNone Role = iota
	RoleRead
	RoleWrite
	RoleAdmin
)

// Seal checks webhooks in the form of Standard Webhooks. now is in Unix
// milliseconds.
type Seal interface {
	// Verify returns an error that says in a sentence what is wrong with them.
	Verify(id, timestamp, signature string, body []byte, now int64) error
}

// Hooks understands the webhooks of one carrier. body is the form as it came.
type Hooks interface {
	// Signed reports whether the signature holds over url, the public one with
	// its query in the original bytes, and the form.
	Signed(url string, body []byte, signature string) bool
	// Status reads a status callback; MessageID is left to the query. An error
	// names the field that is missing.
	Status(body []byte) (engine.ReportDelivery, error)
	// Inbound reads an inbound text and the E.164 number it came from.
	Inbound(body []byte) (from string, text engine.ReceiveText, err error)
	// Answer wraps a text for the carrier to send back; an empty text is an
	// answer that says nothing.
	Answer(text string) (contentType string, body []byte)
}
