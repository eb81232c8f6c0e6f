package engine

// expire settles what time has made useless, before anything is offered: what
// can't be in time is stale, an uncertain message that nobody could resolve
// has failed, and of several overdue leads of one event only the last goes
// out (P9). A place that comes free is given to the next in line.
func (t *turn) expire() {
	if t.endStale() {
		t.replan()
	}
}

// endStale ends them and reports whether places came free.
func (t *turn) endStale() bool {
	freed := false
	for _, r := range t.u.Reminders {
		switch {
		case r.pending() && t.env.Now >= r.Deadline:
			t.emit(ReminderCanceled{ID: r.ID, Reason: t.staleReason()})
			freed = true
		case r.pending() && t.outrun(r):
			t.emit(ReminderCanceled{ID: r.ID, Reason: ReasonStale})
			freed = true
		case r.Status == StatusUncertain && t.env.Now >= r.Deadline, r.Status == StatusSending && t.env.Now >= r.unanswered():
			t.emit(ReminderFailed{ID: r.ID, Reason: ReasonUncertainExpired, KeepPlace: true})
		}
	}
	return freed
}

// answerTime is how long a hand-over may be without an outcome before the
// engine stops to wait for it. No call takes as long; this is for an outcome
// that got lost on its way here.
const answerTime = 5 * minute

// unanswered is when a hand-over that has no outcome ends as uncertain.
func (r *Reminder) unanswered() Millis { return max(r.Deadline, r.last().CreatedAt+answerTime) }

// staleReason tells apart what a pause held back.
func (t *turn) staleReason() Reason {
	if t.u.Paused {
		return ReasonPaused
	}
	return ReasonStale
}

// outrun reports whether a later lead of the same event is due as well. One that
// waits for a retry is not: quiet hours may begin before it, and then the person
// would get neither.
func (t *turn) outrun(r *Reminder) bool {
	return r.nextAt() <= t.env.Now && (t.told(r) || t.outruns(r, func(o *Reminder) bool { return o.nextAt() <= t.env.Now }))
}

// told reports whether the person has, or may have, a later lead's text: a retry
// of the earlier one would say the same again. A later lead that quiet hours
// had moved before the earlier one says another thing.
func (t *turn) told(r *Reminder) bool {
	return r.Attempts > 0 && t.laterLead(r, func(o *Reminder) bool {
		return (o.inFlight() || o.Status == StatusSent || o.Status == StatusDelivered) && o.Due >= r.Due
	})
}

// outruns reports whether a later lead of the same event, of which due holds,
// is still to be sent.
func (t *turn) outruns(r *Reminder, due func(*Reminder) bool) bool {
	return t.laterLead(r, func(o *Reminder) bool { return o.pending() && due(o) })
}

// laterLead reports whether any later lead of the same event is such a one.
func (t *turn) laterLead(r *Reminder, such func(*Reminder) bool) bool {
	if r.Type != EventReminder || r.AllDay {
		return false
	}
	for _, o := range t.u.Reminders {
		if o.EventID == r.EventID && o.Occ == r.Occ && o.Lead < r.Lead && o.Type == EventReminder && such(o) {
			return true
		}
	}
	return false
}

// handOver makes the last check before a reminder leaves, in S1's order, and
// starts the attempt. What it refuses is an outcome with a reason.
func (t *turn) handOver(id string) Reply {
	t.expire()
	r := t.u.reminder(id)
	switch {
	case r == nil:
		return HandOverReply{Reason: ReasonStale}
	case !r.pending():
		return HandOverReply{Reason: r.Reason}
	case t.u.Paused:
		return HandOverReply{Reason: ReasonPaused}
	case r.nextAt() > t.env.Now:
		return HandOverReply{Reason: ReasonRetry} // moved while it waited; it will be offered again
	}
	if why := t.preSend(r); why != ReasonNone {
		t.emit(ReminderCanceled{ID: id, Reason: why})
		t.replan()
		return HandOverReply{Reason: why}
	}
	if t.postponed(r) {
		t.replan()
		return HandOverReply{Reason: t.u.reminder(id).Reason}
	}
	today := t.u.accountDate(t.env.Now, t.zone())
	if !t.hasRoom(r, today) {
		t.emit(ReminderCanceled{ID: id, Reason: ReasonDailyLimit})
		return HandOverReply{Reason: ReasonDailyLimit}
	}
	text, ok := t.tellApart(r, t.compose(r, t.env.Now), t.env.Now)
	if !ok {
		t.blow(r)
		return HandOverReply{Reason: ReasonDuplicateText}
	}
	return HandOverReply{Message: t.startAttempt(r, today, text)}
}

// preSend is S1 up to staleness. Planning holds all of it already; this is
// the second lock on the door.
func (t *turn) preSend(r *Reminder) Reason {
	switch {
	case t.u.OptedOut:
		return ReasonOptedOut
	case t.u.Phone == "":
		return ReasonNoPhone
	case !t.u.Verified:
		return ReasonNotVerified
	case r.Type == EventReminder && !t.u.Prefs.Reminders:
		return ReasonRemindersOff
	}
	if r.Type == EventReminder {
		i, found := t.u.findEvent(r.EventID)
		switch {
		case !found || t.u.Events[i].Deleted || t.u.Events[i].Sync == SyncCanceled:
			return ReasonEventDeleted
		case !r.about(t.u.Events[i].CalendarEvent):
			return ReasonEventMoved
		}
	}
	if t.env.Now >= r.Deadline || r.Attempts >= MaxAttempts {
		return ReasonStale
	}
	return ReasonNone
}

// postponed moves a reminder that came due in quiet hours to their end, or
// ends it when that is too late (S1, P4).
func (t *turn) postponed(r *Reminder) bool {
	loc := t.zone()
	if !t.u.Prefs.Quiet.at(t.env.Now, loc) || (r.Priority == PriorityUrgent && t.u.Prefs.AllowUrgent) {
		return false
	}
	end := t.u.Prefs.Quiet.end(t.env.Now, loc)
	if end >= r.Deadline || t.u.Prefs.QuietPolicy == QuietSkip {
		t.emit(ReminderCanceled{ID: r.ID, Reason: ReasonStale})
		return true
	}
	m := ReminderMoved{
		ID: r.ID, Due: end, Deadline: r.Deadline, On: r.On, Title: r.Title, Start: r.Start, End: r.End,
		Reason: ReasonQuietHours,
	}
	if !r.Spent {
		m.On = t.u.accountDate(end, loc)
		if m.On != r.On && !t.hasRoom(r, m.On) {
			t.emit(ReminderCanceled{ID: r.ID, Reason: ReasonDailyLimit})
			return true
		}
	}
	t.emit(m)
	return true
}

// hasRoom reports whether the reminder may take a place on that date: the one
// it spent or holds there counts as room (S1).
func (t *turn) hasRoom(r *Reminder, on Date) bool {
	if r.Spent {
		return true
	}
	held := t.u.held(on)
	if r.Reserved && r.On == on {
		held--
	}
	return t.u.spentOn(on)+held < t.u.Prefs.DailyLimit
}

// nextMessage is the id of the reminder's next message.
func (t *turn) nextMessage(r *Reminder) string { return t.messageBehind(r, t.env.Restores) }

// messageBehind is the id that it has behind so many restores.
func (t *turn) messageBehind(r *Reminder, restores uint64) string {
	return messageID(r.ID, int32(len(r.Messages))+1, t.u.CreatedAt, restores)
}

// startAttempt records the attempt, with its text from the event as it is now
// (X1).
func (t *turn) startAttempt(r *Reminder, today Date, text composed) *Outgoing {
	e := AttemptStarted{
		ID: r.ID, MessageID: t.nextMessage(r), To: t.u.Phone,
		Text: text.body, Via: text.via, Encoding: text.size.Encoding, Segments: int32(text.size.Segments),
		On: today, ValidUntil: t.validUntil(r), Sender: t.sender(),
	}
	if r.Spent {
		e.On = r.On
	}
	out := &Outgoing{
		UserID: t.u.ID, ReminderID: r.ID, MessageID: e.MessageID, To: e.To, Sender: e.Sender, Text: e.Text, Segments: e.Segments,
		CreatedAt: t.env.Now, ValidUntil: e.ValidUntil, Due: r.nextAt(),
	}
	t.emit(e)
	return out
}

// validUntil is the instant after which the text must not arrive: the
// deadline (S7), or the next quiet minute if that is sooner.
func (t *turn) validUntil(r *Reminder) Millis {
	if r.Priority == PriorityUrgent && t.u.Prefs.AllowUrgent {
		return r.Deadline
	}
	return min(r.Deadline, t.u.Prefs.Quiet.next(t.env.Now, t.zone()))
}
