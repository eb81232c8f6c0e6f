package engine

// offerAgain is how long an overdue reminder or look-up is left to the outbox
// before it is offered once more, in case it was dropped there.
const offerAgain = minute

// owed lists the effects that the state owes now. They are derived, never
// stored: after a crash the same state owes the same (DESIGN 1).
func (t *turn) owed() []Effect {
	if !t.u.Exists {
		return nil
	}
	var out []Effect
	for _, r := range t.u.Reminders {
		if r.ended() && r.Status != StatusSent {
			continue // as most have, and owe nothing
		}
		if c, ok := t.composition(r); ok {
			out = append(out, c)
		}
		switch m := r.last(); {
		case r.pending() && r.nextAt() <= t.env.Now && t.env.Now < r.Deadline && !t.u.Paused:
			out = append(out, Offer{
				UserID: t.u.ID, ReminderID: r.ID, Due: r.nextAt(), Deadline: r.Deadline, Priority: r.Priority,
				Sender: t.sender(), Attempts: r.Attempts,
			})
		case m != nil && m.Status == MessageUncertain && m.LookupAt <= t.env.Now && r.Status == StatusUncertain:
			out = append(out, t.lookUp(r, m))
		case r.unconfirmed() && m.LookupAt <= t.env.Now:
			out = append(out, t.lookUp(r, m))
		}
	}
	for i := range t.u.Calendars {
		if k := &t.u.Calendars[i]; k.NextAt != 0 && k.NextAt <= t.env.Now {
			today := dateOf(t.env.Now, t.zone())
			out = append(out, ReadCalendar{
				UserID: t.u.ID, Zone: t.u.Zone, Calendar: *k,
				Start: dayStart(today, t.zone()), End: dayStart(today+Date(t.env.Policy.CalendarDays), t.zone()),
			})
		}
	}
	return out
}

// lookUp asks for a message where it can be by the carrier's clock.
func (t *turn) lookUp(r *Reminder, m *Message) LookUp {
	l := LookUp{SID: m.SID, Message: Outgoing{
		UserID: t.u.ID, ReminderID: r.ID, MessageID: m.ID, To: m.To, Sender: m.Sender, Text: m.Text, Segments: m.Segments,
		CreatedAt: m.CreatedAt, ValidUntil: m.ValidUntil, Due: r.Due,
	}, Since: min(m.CreatedAt, m.UpdatedAt)}
	if r.Reason == ReasonRestored { // somebody may have had it sent before it was due
		l.Since = min(l.Since, t.u.Fence)
		l.Since = min(l.Since, r.Due) // the backup's time is its last record's, and the clock may have gone back behind that
	}
	if back := t.u.sameWordsBack(m); back != 0 { // which may have been taken for this one, so that this one's is where it was
		l.Since = min(l.Since, back)
	}
	if m.SID == "" {
		l.Since = min(l.Since, max(l.Since-dayMillis, t.unknownUntil(r, m, l.Since)))
	}
	if r.Reason == ReasonCrash && m.UpdatedAt < m.CreatedAt { // the clock went back before nobody ran, and how long nobody did is not known
		l.Since = min(l.Since, m.UpdatedAt-dayMillis)
	}
	if m.SID == m.ID {
		l.SID = "" // the carrier gave none
	}
	if l.SID == "" {
		l.Message.Others = t.otherSIDs(m.ID)
	}
	return l
}

// A message whose answer was lost is looked for a day further back: nobody knows
// by how much our clock is ahead of the carrier's, or was when the carrier took
// it. One that goes back during a hand-over may be right again before its outcome
// is missed, or before the next process comes up. What the carrier has of the same
// words in that day is no other message's: those whose ids are known are left out
// by them, and it is not looked for where there may be others.
const (
	clockGrace = 5 * minute  // that carriers' look-ups allow for by themselves
	wordsApart = 10 * minute // from what may be another message: clockGrace, and the call
)

// unknownUntil is until when the carrier may have taken a message of the same words
// that a look-up from since on does not meet anyway, and whose id is not known: of
// somebody who had the id before (N6), of the engine that ran on behind a backup
// (S3), or one of ours. What that engine sent is what is looked for if the attempt
// is its own: its clock may have gone back behind the backup.
func (t *turn) unknownUntil(r *Reminder, m *Message, since Millis) Millis {
	until := t.u.CreatedAt
	if r.Reason != ReasonRestored {
		until = max(until, t.env.RanOn)
	}
	for o := range t.u.namesakes(m) {
		if o.CreatedAt < since-clockGrace && o.unnamed() {
			until = max(until, o.CreatedAt)
		}
	}
	return until + wordsApart
}

// unnamed reports whether the carrier may have the message under an id that is not
// known. It has not what it refused, and not what it did not know twice.
func (m *Message) unnamed() bool {
	switch {
	case m.SID == m.ID:
		return true
	case m.SID != "", m.NotMade, m.Absent >= absentProof:
		return false
	}
	return m.Status != MessageFailed || m.Error.Category == CategoryUnknown
}

// otherSIDs lists the ids that the carrier gave to other messages.
func (t *turn) otherSIDs(messageID string) []string {
	var out []string
	for i := range t.u.Reminders {
		for _, m := range t.u.Reminders[i].Messages {
			if m.SID != "" && m.SID != m.ID && m.ID != messageID {
				out = append(out, m.SID)
			}
		}
	}
	return out
}

// NextWake returns the earliest instant after now at which a Wake has work,
// 0 for none. What is overdue is offered again every minute until its
// deadline.
func (u *User) NextWake(now Millis, p *Policy) Millis {
	next, _ := u.Wakes(now, p)
	return next
}

// Wakes returns NextWake and EarliestWake in one look at the reminders: every
// decision needs both.
func (u *User) Wakes(now Millis, p *Policy) (next, earliest Millis) {
	next, earliest = never, never
	u.wakes(p, func(at, deadline Millis) {
		earliest = min(earliest, at)
		if at <= now {
			at = now + offerAgain
			if deadline > now {
				at = min(at, deadline)
			}
		}
		next = min(next, at)
	})
	if u.Paused {
		earliest = u.heldBack(earliest)
	}
	return orNone(next), orNone(earliest)
}

// orNone is 0 for never.
func orNone(at Millis) Millis {
	if at == never {
		return 0
	}
	return at
}

// EarliestWake returns the earliest instant at which a Wake has work, past
// ones included; 0 for none. Snapshots and records keep it in their header, so
// that start-up arms the timers without decoding anybody. What a pause holds back
// counts from when it is due: after a restore the engine that was lost may have
// been let go on and have sent it, so that the fence must find it (S3).
func (u *User) EarliestWake(p *Policy) Millis {
	_, earliest := u.Wakes(0, p)
	return earliest
}

// heldBack is the earliest of an instant and of what a pause holds back.
func (u *User) heldBack(at Millis) Millis {
	for _, r := range u.Reminders {
		if r.pending() {
			at = min(at, r.nextAt())
		}
	}
	return at
}

// wakes calls fn with every instant that has work, and until when the work is
// worth doing.
func (u *User) wakes(p *Policy, fn func(at, deadline Millis)) {
	if !u.Exists {
		return
	}
	fn(u.Day.End, u.Day.End)
	for i := range u.Calendars {
		if at := u.Calendars[i].NextAt; at != 0 {
			fn(at, at)
		}
	}
	for _, r := range u.Reminders {
		u.wakesOf(r, p, fn)
	}
}

func (u *User) wakesOf(r *Reminder, p *Policy, fn func(at, deadline Millis)) {
	switch m := r.last(); {
	case r.pending() && u.Paused:
		fn(r.Deadline, r.Deadline)
	case r.pending():
		fn(min(r.nextAt(), r.Deadline), r.Deadline)
		u.composeWake(r, p, fn)
	case r.Status == StatusUncertain:
		fn(min(m.LookupAt, r.Deadline), r.Deadline)
	case r.Status == StatusSending: // a restart finds it unanswered and must look at once
		fn(m.CreatedAt, r.Deadline)
	case r.unconfirmed():
		fn(m.LookupAt, m.LookupAt)
	}
}

// composeWake adds the beginning of the window in which the reminder's text is
// asked for. Of one that nobody has asked for yet it does not look at the
// event: there may be thousands, and the wake will.
func (u *User) composeWake(r *Reminder, p *Policy, fn func(at, deadline Millis)) {
	if !r.composable(p) {
		return
	}
	if r.Composition().Of != 0 {
		if _, ok := u.uncomposed(r, p); !ok {
			return
		}
	}
	fn(r.composeAt(p), r.nextAt())
}
