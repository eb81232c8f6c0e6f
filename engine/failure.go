package engine

// Category sorts a carrier's refusal by what it means for the person and the
// sender (SPEC S5). The zero value means "no failure".
type Category uint8

// The failure categories of SPEC S5.
const (
	CategoryNone           Category = iota
	CategoryInvalidNumber           // the number can't take texts; nothing will change that
	CategoryAccountIssue            // our account, key or sender is at fault; every send would fail
	CategoryCarrierIssue            // a fault on the carrier's side that may pass
	CategoryUnreachable             // handset off or out of coverage; may pass
	CategoryRateLimit               // too fast; nothing wrong with message or number
	CategoryOptedOut                // the person said STOP to the carrier
	CategoryFiltered                // taken for spam; a retry hurts the sender's name
	CategoryContent                 // this text can't be sent
	CategoryInvalidRequest          // our request is malformed
	CategoryExpired                 // validity ran out in the carrier's queue
	CategoryUnknown                 // a code that the table does not know
	categoryCount
)

var categoryNames = [categoryCount]string{
	"", "invalid_number", "account_issue", "carrier_issue", "unreachable", "rate_limit",
	"opted_out", "filtered", "content", "invalid_request", "expired", "unknown",
}

// String returns the category's name on the wire; empty for CategoryNone.
func (c Category) String() string {
	if c < categoryCount {
		return categoryNames[c]
	}
	return "unknown"
}

// ParseCategory returns the category of that wire name.
func ParseCategory(name string) (Category, bool) {
	for i, n := range categoryNames {
		if n == name {
			return Category(i), true
		}
	}
	return CategoryUnknown, false
}

// RetryRule says whether a failed message may be followed by another one of
// the same reminder. The bound over all paths (S4) holds on top of it.
type RetryRule uint8

// The retry rules of the error table.
const (
	RetryNever RetryRule = iota
	RetryOnce            // one more message, then it has failed
	RetryYes             // while attempts and time are left
)

// Failure is what the border made of a carrier's error: engine never sees a
// vendor's table, only this.
type Failure struct {
	Code       int // vendor's code, 0 if it gave none
	Category   Category
	Retry      RetryRule
	Message    string // one line, without numbers or text of the person
	RetryAfter int64  // milliseconds the carrier asked us to wait; 0: it did not say
}

// MessageStatus is the delivery state of one message. Its order is not its
// rank: see Rank.
type MessageStatus uint8

// Message states (SPEC D1). Undelivered, Failed and Canceled are the three
// ways to end without delivery; Uncertain and Sending are ours, the rest the
// carrier's.
const (
	MessageNone MessageStatus = iota
	MessageScheduled
	MessageQueued
	MessageSending
	MessageUncertain
	MessageSent
	MessageDelivered
	MessageUndelivered
	MessageFailed
	MessageCanceled
	messageStatusCount
)

var messageStatusNames = [messageStatusCount]string{
	"", "scheduled", "queued", "sending", "uncertain", "sent", "delivered", "undelivered", "failed", "cancelled",
}

// String returns the status' name on the wire.
func (s MessageStatus) String() string {
	if s < messageStatusCount {
		return messageStatusNames[s]
	}
	return "unknown"
}
