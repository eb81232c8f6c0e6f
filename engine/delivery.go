package engine

import "slices"

// rank orders the states of a message; merging keeps the higher one, so that
// late, repeated and reordered callbacks end in the same state in whatever
// order they come (D1). Delivered is highest: a carrier that takes back an
// "undelivered" is believed, one that takes back "delivered" is not.
func (s MessageStatus) rank() int {
	switch s {
	case MessageNone:
		return 0
	case MessageScheduled:
		return 1
	case MessageQueued:
		return 2
	case MessageSending, MessageUncertain:
		return 3
	case MessageSent:
		return 4
	case MessageCanceled:
		return 5
	case MessageFailed:
		return 6
	case MessageUndelivered:
		return 7
	case MessageDelivered:
		return 8
	}
	return 0
}

// lost reports whether the carrier gave the message up.
func (s MessageStatus) lost() bool {
	return s == MessageFailed || s == MessageUndelivered || s == MessageCanceled
}

// final reports whether the carrier has nothing more to say.
func (s MessageStatus) final() bool { return s == MessageDelivered || s.lost() }

// isSID reports whether the carrier's id can be this message's. One that has
// its own id there was accepted by a carrier that gave none.
func (m *Message) isSID(sid string) bool {
	return sid == "" || m.SID == "" || m.SID == m.ID || m.SID == sid
}

// applyToMessage changes message and reminder in one step (D4).
func (u *User) applyToMessage(at Millis, e Event) {
	switch e := e.(type) { //nolint:gochecksumtype // Apply sends only these here
	case AttemptStarted:
		if r := u.touch(e.ID, at); r != nil {
			r.startAttempt(at, e)
		}
		if e.Sender != "" {
			u.Sender = e.Sender
		}
	case MessageAccepted:
		if r, m := u.message(e.ID, e.MessageID, at); m != nil {
			u.applyAccepted(at, r, m, e)
		}
	case MessageRefused:
		if r, m := u.message(e.ID, e.MessageID, at); m != nil {
			m.Status, m.Error, m.LookupAt = MessageFailed, e.Failure, 0
			if e.NotMade {
				m.NotMade = true
				r.Attempts--
			}
			u.lost(at, r, m, e.Failure)
		}
	case MessageRecorded:
		if r, m := u.message(e.ID, e.MessageID, at); m != nil {
			m.Status = MessageCanceled
			r.Status, r.Reason, r.CanceledAt = StatusCanceled, ReasonDryRun, at
			u.spend(r)
		}
	case AttemptUncertain:
		if r, m := u.message(e.ID, e.MessageID, at); m != nil {
			m.Status, m.LookupAt = MessageUncertain, e.LookupAt
			r.Status, r.Reason = StatusUncertain, e.Reason
			r.LastError = &Failure{Category: CategoryUnknown, Message: e.Cause}
		}
	case LookupDone: // the message is as it was: UpdatedAt says since when
		if _, m := u.touched(e.ID, e.MessageID, at); m != nil {
			m.LookupAt = e.LookupAt
			if e.Absent {
				m.Absent++
			}
		}
	case MessageReported:
		if r, m := u.message(e.ID, e.MessageID, at); m != nil {
			u.applyReported(at, r, m, e)
		}
	}
}

func (r *Reminder) startAttempt(at Millis, e AttemptStarted) {
	r.Attempts++
	r.Status, r.Reason, r.RetryAt = StatusSending, ReasonNone, 0
	if r.On != e.On {
		r.anotherPlan().On = e.On
	}
	if !r.Spent {
		r.Reserved = true
	}
	born := at
	if e.Assumed && e.Since != 0 {
		born = e.Since
	}
	r.Messages = append(r.Messages, Message{
		ID: e.MessageID, To: e.To, Sender: e.Sender, Text: e.Text, Via: e.Via, Encoding: e.Encoding, Segments: e.Segments,
		Status: MessageSending, ValidUntil: e.ValidUntil, CreatedAt: born, UpdatedAt: at,
	})
}

func (u *User) applyAccepted(at Millis, r *Reminder, m *Message, e MessageAccepted) {
	m.SID, m.LookupAt, m.Error = e.SID, e.ConfirmAt, Failure{}
	m.Status = e.Status
	m.stamp(at)
	if m != r.last() {
		return
	}
	m.Restored = m.Restored || r.Reason == ReasonRestored // it was the engine that ran on that sent it
	r.Status, r.Reason, r.RetryAt = StatusSent, ReasonAccepted, 0
	r.CanceledAt, r.LastError = 0, nil
	if r.SentAt == 0 {
		r.SentAt = at
	}
	u.spend(r)
	if m.Status == MessageDelivered {
		u.delivered(at, r)
	}
}

func (u *User) applyReported(at Millis, r *Reminder, m *Message, e MessageReported) {
	if e.SID != "" {
		m.SID = e.SID
	}
	m.Status = e.Status
	if m.Status.final() {
		m.LookupAt = 0
	}
	if e.Status.lost() {
		m.Error = e.Failure
	} else {
		m.Error = Failure{}
	}
	m.stamp(at)
	if m != r.last() {
		// D2: an older message speaks for itself only. But when the newer was lost
		// and a retry waits, the person has the text all the same: the retry would
		// be the second (S3), as in lost, where the news come the other way round.
		if m.Status == MessageDelivered && r.pending() && r.last().Status.lost() {
			u.delivered(at, r)
		}
		return
	}
	switch {
	case m.Status == MessageDelivered:
		u.delivered(at, r)
	case m.Status.lost():
		u.lost(at, r, m, e.Failure)
	}
}

// lost notes that a message did not get there. If it was the last and an
// older one has arrived after all, the person has the text: that ends the
// reminder, for another hand-over would be the second text.
func (u *User) lost(at Millis, r *Reminder, m *Message, f Failure) {
	r.LastError = nil
	if f != (Failure{}) {
		r.LastError = &f
	}
	if m != r.last() {
		return
	}
	for i := range r.Messages {
		if r.Messages[i].Status == MessageDelivered {
			u.delivered(at, r)
			return
		}
	}
}

// delivered ends the reminder well. A retry that was planned meanwhile is
// taken back with it: the person has the text. Its place is used up, though the
// message may have been taken for lost when the carrier accepted it (P5).
func (u *User) delivered(at Millis, r *Reminder) {
	u.spend(r)
	r.Status, r.Reason, r.RetryAt, r.LastError = StatusDelivered, ReasonDelivered, 0, nil
	if r.DeliveredAt == 0 {
		r.DeliveredAt = at
	}
}

// stamp fills in the time of what the status says; it never overwrites one.
func (m *Message) stamp(at Millis) {
	if m.Status.rank() >= MessageSent.rank() && !m.Status.lost() && m.SentAt == 0 {
		m.SentAt = at
	}
	if m.Status == MessageDelivered && m.DeliveredAt == 0 {
		m.DeliveredAt = at
	}
}

// message finds a reminder and one of its messages and notes the change.
func (u *User) message(reminderID, messageID string, at Millis) (*Reminder, *Message) {
	r, m := u.touched(reminderID, messageID, at)
	if m != nil {
		m.UpdatedAt = at
	}
	return r, m
}

// touched does the same for what changes the reminder only.
func (u *User) touched(reminderID, messageID string, at Millis) (*Reminder, *Message) {
	r := u.touch(reminderID, at)
	if r == nil {
		return nil, nil
	}
	for i := range r.Messages {
		if r.Messages[i].ID == messageID {
			return r, &r.Messages[i]
		}
	}
	return r, nil
}

// byMessage finds a message by its id or, failing that, by the carrier's.
func (u *User) byMessage(messageID, sid string) (*Reminder, *Message) {
	for _, r := range slices.Backward(u.Reminders) {
		for j := range r.Messages {
			m := &r.Messages[j]
			if m.ID == messageID || (messageID == "" && sid != "" && m.SID == sid) {
				return r, m
			}
		}
	}
	return nil, nil
}
