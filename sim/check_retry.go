package sim

import (
	"carillon/engine"
)

// retry is what the journal says of a reminder's last failure, and from when
// on S4 lets it be handed over again.
type retry struct {
	unsure    bool // a message has no known end
	notBefore engine.Millis
}

// failed follows the failures of messages as they were recorded.
func (a *audit) failed(user string, at engine.Millis, e engine.Event) {
	switch e := e.(type) { //nolint:gochecksumtype // the others are no failures
	case engine.AttemptUncertain:
		a.retry(e.ID).unsure = true
	case engine.MessageAccepted:
		a.retry(e.ID).unsure = false
	case engine.MessageRefused:
		if e.Failure.Category == engine.CategoryUnknown && e.Failure.Code == 0 {
			return // it was looked for and is not there: again at once
		}
		*a.retry(e.ID) = retry{notBefore: at + a.backoff(user, e.ID, e.Failure)}
	case engine.MessageReported:
		if a.isLast(user, e.ID, e.MessageID) && (e.Status == engine.MessageUndelivered || e.Status == engine.MessageFailed) {
			*a.retry(e.ID) = retry{notBefore: at + a.backoff(user, e.ID, e.Failure)}
		}
	}
}

func (a *audit) retry(reminder string) *retry {
	r := a.retries[reminder]
	if r == nil {
		r = &retry{}
		a.retries[reminder] = r
	}
	return r
}

// backoff is the least wait behind a failure (S4): 2^n of the base, three times
// that for carrier trouble, five times for rate limits, less a tenth; or what
// the carrier says.
func (a *audit) backoff(user, reminder string, f engine.Failure) engine.Millis {
	if f.RetryAfter > 0 {
		return f.RetryAfter
	}
	n := len(a.messages(user, reminder))
	wait := a.w.shape.policy.RetryBase
	for ; n > 1; n-- {
		wait *= 2
	}
	switch f.Category { //nolint:exhaustive // the others wait the plain time
	case engine.CategoryCarrierIssue:
		wait *= 3
	case engine.CategoryRateLimit:
		wait *= 5
	}
	return wait - wait/10
}

// patient is S4 and S3 at the beginning of an attempt.
func (a *audit) patient(p *person, at engine.Millis, s engine.AttemptStarted) {
	r := a.retries[s.ID]
	switch {
	case r == nil, p.touched[s.ID]: // a send-now waits for nothing
	case at < r.notBefore:
		a.fail("backoff", p, "reminder %s is begun again at %s, and not before %s may it be (S4)", s.ID, rfc3339(at), rfc3339(r.notBefore))
	case r.unsure && a.w.shape.policy.OnUncertain == engine.Hold:
		a.fail("hold", p, "reminder %s is begun again, its last message is uncertain, and on_uncertain is hold (S3)", s.ID)
	}
}

// messages are those of a reminder, as the journal has them.
func (a *audit) messages(user, reminder string) []engine.Message {
	if u := a.shadow[user]; u != nil {
		for i := range u.Reminders {
			if u.Reminders[i].ID == reminder {
				return u.Reminders[i].Messages
			}
		}
	}
	return nil
}

func (a *audit) isLast(user, reminder, message string) bool {
	m := a.messages(user, reminder)
	return len(m) > 0 && m[len(m)-1].ID == message
}
