package engine

const (
	byAnswer   = "answer"
	byCallback = "callback"
	byLookup   = "lookup"
	byCarrier  = "carrier"
)

// absentProof is how many look-ups, reconcile_after apart, must find nothing
// before a message is taken as not sent (S3).
const absentProof = 2

// recordOutcome takes the carrier's answer to a hand-over (S3).
func (t *turn) recordOutcome(c RecordOutcome) Reply {
	r, m := t.u.byMessage(c.MessageID, "")
	if m == nil {
		return notFound(CodeMessageNotFound, "no such message")
	}
	if m.SID != "" || (m.Status != MessageSending && m.Status != MessageUncertain) {
		return Done{} // a callback or a look-up was first
	}
	switch c.Kind {
	case OutcomeAccepted:
		t.accept(r, m, c.SID, c.Status, c.Failure, byAnswer)
	case OutcomeRefused:
		t.refused(r, m, c.Failure)
	case OutcomeNotMade:
		t.notMade(r, m, c.Cause)
	case OutcomeRecorded:
		t.emit(MessageRecorded{ID: r.ID, MessageID: m.ID})
	case OutcomeUncertain:
		if m.Status == MessageSending {
			t.uncertain(r, m, ReasonNone, c.Cause)
		}
	}
	return Done{}
}

// accept notes that the carrier has the message, and what it says of it.
func (t *turn) accept(r *Reminder, m *Message, sid string, status MessageStatus, f Failure, by string) {
	first := status
	if status.lost() || status == MessageNone {
		first = MessageQueued
	}
	if sid == "" {
		sid = m.ID // a carrier without ids of its own: from here on the message is known to be there
	}
	e := MessageAccepted{ID: r.ID, MessageID: m.ID, SID: sid, Status: first, By: by}
	if !status.final() {
		e.ConfirmAt = t.confirmAt(t.env.Now)
	}
	t.emit(e)
	if status.lost() {
		t.report(r.ID, m.ID, sid, status, f)
	}
}

// refused notes that the carrier does not have the message.
func (t *turn) refused(r *Reminder, m *Message, f Failure) {
	t.emit(MessageRefused{ID: r.ID, MessageID: m.ID, Failure: f})
	t.afterFailure(r.ID, m.ID, f, ReasonRefused)
}

// notMade notes that the carrier was not called: the last check had become too
// old (S1). It is made again at once, and what is too late by then is stale like
// anything that waits.
func (t *turn) notMade(r *Reminder, m *Message, cause string) {
	f := Failure{Category: CategoryExpired, Retry: RetryYes, RetryAfter: 1, Message: cause}
	t.emit(MessageRefused{ID: r.ID, MessageID: m.ID, Failure: f, NotMade: true})
	if r.ended() || r.CancelAsked != ReasonNone {
		t.afterFailure(r.ID, m.ID, f, ReasonRefused)
		return
	}
	t.emit(RetryPlanned{ID: r.ID, At: t.env.Now + f.RetryAfter})
	t.expire()
	t.replan() // the limit may have changed meanwhile
}

// uncertain notes that nobody knows, and when to ask (S3).
func (t *turn) uncertain(r *Reminder, m *Message, why Reason, cause string) {
	t.emit(AttemptUncertain{
		ID: r.ID, MessageID: m.ID, Reason: why, Cause: cause,
		LookupAt: t.env.Now + t.env.Policy.ReconcileAfter,
	})
	if t.env.Policy.OnUncertain == Resend {
		f := Failure{Category: CategoryUnknown, Retry: RetryYes, Message: "not known to be sent; on_uncertain is resend"}
		t.emit(MessageRefused{ID: r.ID, MessageID: m.ID, Failure: f})
		t.again(t.u.reminder(r.ID), t.env.Now, ReasonUncertainExpired)
	}
}

// recordSighting takes the carrier's answer to a look-up. Absence counts only
// when it is seen twice, reconcile_after apart.
func (t *turn) recordSighting(c RecordSighting) Reply {
	r, m := t.u.byMessage(c.MessageID, "")
	if m == nil {
		return notFound(CodeMessageNotFound, "no such message")
	}
	if m == r.last() && r.Status == StatusSent && m.LookupAt != 0 {
		t.confirm(r, m, c)
		return Done{}
	}
	if _, other := t.u.byMessage("", c.SID); c.Kind == SightingFound && other != nil && other != m {
		c.Kind = SightingUnknown // an older message with the same text
	}
	if c.Kind == SightingFound && t.u.underWay(m) {
		c.Kind = SightingUnknown // that one's, perhaps; its outcome will tell
	}
	if m.Status != MessageUncertain || (c.Kind != SightingFound && t.env.Now < m.LookupAt) {
		return Done{}
	}
	switch c.Kind {
	case SightingFound:
		t.accept(r, m, c.SID, c.Status, c.Failure, byLookup)
	case SightingUnknown:
		t.emit(LookupDone{ID: r.ID, MessageID: m.ID, LookupAt: t.env.Now + t.reconcileWait(r, m)})
	case SightingEarly:
		t.emit(LookupDone{ID: r.ID, MessageID: m.ID, LookupAt: t.env.Now + c.Wait})
	case SightingAbsent:
		t.absent(r, m)
	}
	return Done{}
}

// namesakes are the other messages of the same words to the same number.
func (u *User) namesakes(m *Message) func(yield func(*Message) bool) {
	return func(yield func(*Message) bool) {
		for i := range u.Reminders {
			for j := range u.Reminders[i].Messages {
				o := &u.Reminders[i].Messages[j]
				if o.ID != m.ID && o.Text == m.Text && o.To == m.To && !yield(o) {
					return
				}
			}
		}
	}
}

// underWay reports whether another message of the same words is being handed
// over: the carrier may have it before its sid is known here.
func (u *User) underWay(m *Message) bool {
	for o := range u.namesakes(m) {
		if o.Status == MessageSending && o.SID == "" {
			return true
		}
	}
	return false
}

// sameWordsBack is the earliest time of another message of the same words during
// whose hand-over the clock went back; 0: there is none.
func (u *User) sameWordsBack(m *Message) (at Millis) {
	for o := range u.namesakes(m) {
		if o.UpdatedAt < o.CreatedAt && (at == 0 || o.UpdatedAt < at) {
			at = o.UpdatedAt
		}
	}
	return at
}

// reconcileWait grows with the time that the carrier could not be asked, and
// shrinks towards the deadline: a message days before it is not looked for
// every 30 seconds.
func (t *turn) reconcileWait(r *Reminder, m *Message) Millis {
	age, left := t.env.Now-m.CreatedAt, r.Deadline-t.env.Now
	return max(t.env.Policy.ReconcileAfter, min(age/4, left/4, hour))
}

func (t *turn) absent(r *Reminder, m *Message) {
	wait := t.env.Policy.ReconcileAfter << min(m.Absent, 6)
	t.emit(LookupDone{ID: r.ID, MessageID: m.ID, Absent: true, LookupAt: t.env.Now + wait})
	if m.Absent < absentProof || t.env.Policy.OnUncertain != Reconcile || t.env.Now >= r.Deadline {
		return
	}
	f := Failure{Category: CategoryUnknown, Retry: RetryYes, Message: "the carrier does not know the message"}
	t.emit(MessageRefused{ID: r.ID, MessageID: m.ID, Failure: f})
	t.again(r, t.env.Now, ReasonUncertainExpired)
}

// reportDelivery takes a status callback. Whatever the order and number of
// callbacks, the state ends the same (D1, D2).
func (t *turn) reportDelivery(c ReportDelivery) Reply {
	r, m := t.u.byMessage(c.MessageID, c.SID)
	if m == nil {
		return notFound(CodeMessageNotFound, "no such message")
	}
	if !m.isSID(c.SID) {
		return notFound(CodeMessageNotFound, "the message has another sid")
	}
	if m.SID == "" {
		t.accept(r, m, c.SID, c.Status, c.Failure, byCallback)
		return Done{}
	}
	t.report(r.ID, m.ID, c.SID, c.Status, c.Failure)
	return Done{}
}

// report moves a message forward and decides what its loss means (D3).
func (t *turn) report(reminderID, messageID, sid string, status MessageStatus, f Failure) {
	r, m := t.u.byMessage(messageID, "")
	if status.rank() <= m.Status.rank() {
		return
	}
	wasLost := m.Status.lost()
	t.emit(MessageReported{ID: reminderID, MessageID: messageID, SID: sid, Status: status, Failure: f})
	if status.lost() && !wasLost && r.Status != StatusDelivered && m == r.last() {
		t.afterFailure(reminderID, messageID, f, ReasonUndelivered)
	}
}

// afterFailure decides between another hand-over and the end (S4, S5). One
// count of attempts holds over all paths.
func (t *turn) afterFailure(reminderID, messageID string, f Failure, end Reason) {
	r := t.u.reminder(reminderID)
	if last := r.last(); last == nil || last.ID != messageID {
		return
	}
	if f.Category == CategoryOptedOut && r.last().CreatedAt <= t.u.StartedAt {
		// They texted START while it was under way: the refusal is from before (N3).
		f.Category, f.Retry = CategoryUnknown, RetryYes
	}
	keep := r.Spent
	// An older message may have arrived, or this be late word on what failed.
	over := r.ended() && r.Status != StatusSent
	switch {
	case f.Category == CategoryOptedOut:
		if !over {
			t.emit(ReminderFailed{ID: r.ID, Reason: ReasonOptedOut, KeepPlace: keep})
		}
		t.setOptOut(true, byCarrier, "the carrier refuses: opted out")
	case over:
	case r.CancelAsked != ReasonNone && !keep:
		t.emit(ReminderCanceled{ID: r.ID, Reason: r.CancelAsked})
		t.replan()
	case r.CancelAsked != ReasonNone:
		t.emit(ReminderFailed{ID: r.ID, Reason: end, KeepPlace: true})
	case !retryable(f, r.Attempts):
		t.emit(ReminderFailed{ID: r.ID, Reason: end, KeepPlace: keep})
		t.replan()
	default:
		t.again(r, t.env.Now+t.delay(f, r.Attempts-1), end)
	}
}

// again plans another hand-over at an instant, or ends the reminder when its
// attempts are used or it would come too late.
func (t *turn) again(r *Reminder, at Millis, end Reason) {
	switch {
	case r.Status == StatusDelivered: // by an older message
		return
	case r.last().Restored: // the engine that ran on after the backup may have tried again: it is not cancelled either
		t.emit(ReminderFailed{ID: r.ID, Reason: end, KeepPlace: true})
	case r.CancelAsked != ReasonNone:
		t.emit(ReminderCanceled{ID: r.ID, Reason: r.CancelAsked})
	case r.Attempts >= MaxAttempts:
		t.emit(ReminderFailed{ID: r.ID, Reason: ReasonAttemptsUsed, KeepPlace: r.Spent})
	case at >= r.Deadline:
		t.emit(ReminderFailed{ID: r.ID, Reason: end, KeepPlace: r.Spent})
	default:
		t.emit(RetryPlanned{ID: r.ID, At: at})
	}
	t.replan() // the limit may have changed meanwhile, or a place has come free
}

func retryable(f Failure, attempts int32) bool {
	switch f.Retry {
	case RetryYes:
		return true
	case RetryOnce:
		return attempts < 2
	case RetryNever:
	}
	return false
}

// delay is S4's: 2^n of the base, three times that for carrier trouble, five
// times for rate limits, give or take a tenth; a Retry-After wins.
func (t *turn) delay(f Failure, n int32) Millis {
	if f.RetryAfter > 0 {
		return f.RetryAfter
	}
	d := t.env.Policy.RetryBase << n
	switch f.Category { //nolint:exhaustive // the others wait the plain time
	case CategoryCarrierIssue:
		d *= 3
	case CategoryRateLimit:
		d *= 5
	}
	return t.jittered(d)
}

// jittered is a wait give or take a tenth, by this decision's draw.
func (t *turn) jittered(wait Millis) Millis {
	spread := wait / 10
	return wait - spread + int64(t.env.Draw%uint64(2*spread+1))
}
