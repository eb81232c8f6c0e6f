package sim

import (
	"carillon/engine"
)

// retry is what the journal says of a reminder's last failure, and from when
// on S4 lets it be handed over again.
type retry struct {
	unsure    bool          // a message has no known end
	message   string        // the one that failed
	since     engine.Millis // when the failure was recorded
	notBefore engine.Millis
	notAfter  engine.Millis
}

// failed follows the failures of messages as they were recorded.
func (a *audit) failed(user string, at engine.Millis, e engine.Event) {
	switch e := e.(type) { //nolint:gochecksumtype // the others are no failures
	case engine.AttemptUncertain:
		a.retry(e.ID).unsure = true
	case engine.MessageAccepted:
		r := a.retry(e.ID)
		r.unsure = false
		if r.message == e.MessageID {
			r.message = "" // the carrier names what was refused: what it says of that is another failure
		}
	case engine.MessageRefused:
		if e.Failure.Category == engine.CategoryUnknown && e.Failure.Code == 0 {
			return // it was looked for and is not there: again at once
		}
		a.notMade(user, e)
		*a.retry(e.ID) = a.backoff(user, e.ID, at, e.Failure)
		a.retry(e.ID).message = e.MessageID
	case engine.RetryPlanned:
		a.planned(user, at, e)
	case engine.ReminderFailed:
		if e.Reason == engine.ReasonAttemptsUsed && a.made(user, e.ID) < engine.MaxAttempts {
			a.fail("attempts", a.w.person(user), "reminder %s ends for its hand-overs are used up, and it had %d (S4)", e.ID, a.made(user, e.ID))
		}
	case engine.ReminderMoved:
		if r := a.retries[e.ID]; r != nil && e.Reason == engine.ReasonQuietHours && at >= r.notBefore {
			r.notBefore = 0 // its turn came, in quiet hours: a clock that goes back then does not make it wait again
		}
	case engine.MessageReported:
		if a.retry(e.ID).message == e.MessageID {
			return // the carrier says so once more: the wait has begun
		}
		if a.isLast(user, e.ID, e.MessageID) && (e.Status == engine.MessageUndelivered || e.Status == engine.MessageFailed) {
			*a.retry(e.ID) = a.backoff(user, e.ID, at, e.Failure)
			a.retry(e.ID).message = e.MessageID
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

// planned is S4 for the instant that the journal has for the next attempt: not
// too late either, and the carrier's own word wins. (When it is begun, pace,
// quiet hours and a stopped sender may hold it back.)
func (a *audit) planned(user string, at engine.Millis, e engine.RetryPlanned) {
	r := a.retry(e.ID)
	if r.since == at && (e.At < r.notBefore || e.At > r.notAfter) {
		a.fail("backoff", a.w.person(user), "reminder %s is to be tried again at %s, and by S4 between %s and %s", e.ID, rfc3339(e.At), rfc3339(r.notBefore), rfc3339(r.notAfter))
	}
}

// backoff is how long to wait behind a failure (S4): 2^n of the base, three
// times that for carrier trouble, five times for rate limits, give or take a
// tenth; or what the carrier says.
func (a *audit) backoff(user, reminder string, at engine.Millis, f engine.Failure) retry {
	if f.RetryAfter > 0 {
		return retry{since: at, notBefore: at + f.RetryAfter, notAfter: at + f.RetryAfter}
	}
	n := a.made(user, reminder)
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
	return retry{since: at, notBefore: at + wait - wait/10, notAfter: at + wait + wait/10}
}

// notMade notes a hand-over whose last check was too old when its turn came: the
// carrier was not called, and it is none.
func (a *audit) notMade(user string, e engine.MessageRefused) {
	in := a.intents[e.MessageID]
	switch {
	case in != nil && !in.called && e.Failure.Category == engine.CategoryExpired && e.Failure.Retry != engine.RetryNever:
		a.unmade[e.MessageID] = true
	case e.NotMade:
		a.fail("intent", a.w.person(user), "message %s is said not to have been handed over, and it was (S2)", e.MessageID)
	}
}

// made counts the hand-overs of a reminder, by the journal and by what the carrier
// was called for.
func (a *audit) made(user, reminder string) (n int) {
	for _, m := range a.messages(user, reminder) {
		if !a.unmade[m.ID] {
			n++
		}
	}
	return n
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
	if r != nil {
		r.notBefore = 0 // it has waited: a clock that goes back does not make it wait again
	}
}

// messages are those of a reminder, as the journal has them.
func (a *audit) messages(user, reminder string) []engine.Message {
	if r := a.reminder(user, reminder); r != nil {
		return r.Messages
	}
	return nil
}

// reminder is one as the journal has it; nil: it has none of that id.
func (a *audit) reminder(user, id string) *engine.Reminder {
	if u := a.shadow[user]; u != nil {
		for i := range u.Reminders {
			if u.Reminders[i].ID == id {
				return u.Reminders[i]
			}
		}
	}
	return nil
}

func (a *audit) isLast(user, reminder, message string) bool {
	m := a.messages(user, reminder)
	return len(m) > 0 && m[len(m)-1].ID == message
}
