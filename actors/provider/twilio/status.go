package twilio

import "carillon/engine"

// statuses are Twilio's words for an outbound message. "accepted" waits for a
// sender of a messaging service, "read" is RCS and WhatsApp only. A message of
// which a part arrived counts as sent: nobody may be texted again.
var statuses = map[string]engine.MessageStatus{
	"scheduled":           engine.MessageScheduled,
	"accepted":            engine.MessageQueued,
	"queued":              engine.MessageQueued,
	"sending":             engine.MessageSending,
	"sent":                engine.MessageSent,
	"partially_delivered": engine.MessageSent,
	"delivered":           engine.MessageDelivered,
	"read":                engine.MessageDelivered,
	"undelivered":         engine.MessageUndelivered,
	"failed":              engine.MessageFailed,
	"canceled":            engine.MessageCanceled,
}

func statusOf(word string) (engine.MessageStatus, bool) {
	s, ok := statuses[word]
	return s, ok
}

// lossOf is why a message with that status was lost; the zero value if it was
// not.
func lossOf(s engine.MessageStatus, code *int) engine.Failure {
	n := 0
	if code != nil {
		n = *code
	}
	switch {
	case s != engine.MessageFailed && s != engine.MessageUndelivered && s != engine.MessageCanceled:
		return engine.Failure{}
	case s == engine.MessageCanceled && n == 0:
		return engine.Failure{Category: engine.CategoryCarrierIssue, Message: "canceled at the carrier"}
	}
	return failure(n)
}
