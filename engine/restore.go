package engine

import (
	"cmp"
	"slices"
)

// recover follows a load from the journal: what was begun and has no outcome
// is uncertain (S3). After a restore from backup, so is everything that was
// due since (fence).
func (t *turn) recover() Reply {
	var begun []string
	for i := range t.u.Reminders {
		if m := t.u.Reminders[i].last(); m != nil && m.Status == MessageSending && m.SID == "" {
			begun = append(begun, m.ID)
		}
	}
	for _, id := range begun {
		r, m := t.u.byMessage(id, "")
		t.uncertain(r, m, ReasonCrash, "the process ended during the hand-over")
	}
	t.expire()
	return Done{}
}

// fence treats what was due before now as handed over with an unknown end, at
// its time or when the backup was made: the engine that ran on after the
// backup may have sent it. What was with the carrier before gets no further
// hand-over (again). It comes before anything is called stale or given up by a
// plan that was missed, and again behind each of those plans.
//
// Somebody for whom nothing was due is loaded later. Of theirs what was with
// the carrier at the backup is marked then: the engine that ran on may have
// heard that it was lost, and have tried again. Which load is the first behind
// the restore is told by the log and not by times: clocks go back.
func (t *turn) fence(c Recover) {
	switch {
	case c.BackupAt == 0 || c.Ahead:
	case !c.Settled:
		t.fenced = c.BackupAt
		t.emit(Fenced{BackupAt: c.BackupAt})
		t.assume()
	case t.u.open():
		t.emit(Fenced{BackupAt: c.BackupAt})
	}
}

// applyFenced marks what the backup has.
func (u *User) applyFenced(e Fenced) {
	u.Fence = e.BackupAt
	for i := range u.Reminders {
		for j := range u.Reminders[i].Messages {
			u.Reminders[i].Messages[j].Restored = true
		}
	}
}

// open reports whether a message may still be lost.
func (u *User) open() bool {
	for _, r := range u.Reminders {
		if r.last() != nil && (r.inFlight() || r.Status == StatusSent) {
			return true
		}
	}
	return false
}

// assume begins the attempts that the engine that ran on may have made. Of leads
// that were due together it made one, the last (P9): the others are over, or a
// look-up would find that one's text for them, and it would be sent again. One
// whose retry was due behind the later lead had its turn by itself.
func (t *turn) assume() {
	var due, outrun []string
	for _, r := range t.u.Reminders {
		switch {
		case !r.pending() || r.Attempts >= MaxAttempts || r.nextAt() > t.env.Now:
		case t.outrunAlready(r):
			outrun = append(outrun, r.ID)
		default:
			due = append(due, r.ID)
		}
	}
	for _, id := range outrun {
		t.emit(ReminderCanceled{ID: id, Reason: ReasonStale})
	}
	slices.SortStableFunc(due, func(a, b string) int { // the fuse counts in the order that they left in
		return cmp.Compare(t.turnOf(t.u.reminder(a)), t.turnOf(t.u.reminder(b)))
	})
	for _, id := range due {
		r := t.u.reminder(id)
		since := t.turnOf(r)
		text := t.compose(r, since) // as it would have been sent then, for the look-up compares texts
		if told, ok := t.tellApart(r, text, since); ok {
			text = told // the third of these words left with its time
		}
		mid := t.messageBehind(r, max(t.env.Restores, 1)-1) // as the engine called it that ran on: a callback may tell
		t.emit(AttemptStarted{
			ID: id, MessageID: mid, To: t.u.Phone, Text: text.body, Via: text.via,
			Encoding: text.size.Encoding, Segments: int32(text.size.Segments), On: r.On,
			ValidUntil: r.Deadline, Assumed: true, Since: since,
		})
		r, m := t.u.byMessage(mid, "")
		t.uncertain(r, m, ReasonRestored, "due since the backup that was restored")
	}
}

// turnOf is when the engine that ran on could hand a reminder over.
func (t *turn) turnOf(r *Reminder) Millis { return max(r.nextAt(), t.fenced+1) }

// outrunAlready reports whether a later lead had its turn with this one, or
// before it and in the same words: the engine that ran on has sent one of them,
// and looked for by the same words the one would be taken for the other.
func (t *turn) outrunAlready(r *Reminder) bool {
	at := t.turnOf(r)
	return t.outruns(r, func(o *Reminder) bool {
		its := t.turnOf(o)
		return its == at || its < at && t.compose(o, its).body == t.compose(r, at).body
	})
}
