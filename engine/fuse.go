package engine

// sameTexts is how often a number gets one text on one local day, whatever
// happens. Everything before this holds already that nobody is texted twice;
// the fuse is the second lock on the door, for the fault that nobody thought
// of.
const sameTexts = 2

// tellApart returns the text that a reminder leaves with at an instant, or false
// when the fuse blows: the number has that text from that day twice already.
//
// Three meetings called "1:1" in a day, or pills in the morning, at noon and at
// night, are no fault, and whoever gets the text needs the third of them as
// much as the first. What the person asked for at another time is therefore
// told apart by it: the third text of a day says what it is for, "20:00 Take
// your pills". A third one for the same minute is a repetition, and ends here.
func (t *turn) tellApart(r *Reminder, text composed, at Millis) (composed, bool) {
	n, same := t.had(r, text.body, at)
	if n < sameTexts {
		return text, true
	}
	if same || r.AllDay {
		return text, false
	}
	text = t.timed(r, text, at)
	if text.size.Segments > t.env.Policy.MaxSegments {
		return text, false
	}
	n, _ = t.had(r, text.body, at)
	return text, n < sameTexts
}

// blow ends a reminder at the fuse. One that was handed over before may have
// arrived, and is not shown as cancelled.
func (t *turn) blow(r *Reminder) {
	if r.Attempts > 0 {
		t.emit(ReminderFailed{ID: r.ID, Reason: ReasonDuplicateText, KeepPlace: true})
	} else {
		t.emit(ReminderCanceled{ID: r.ID, Reason: ReasonDuplicateText})
	}
	t.replan()
}

// timed puts the local time that the reminder is about before its words.
func (t *turn) timed(r *Reminder, text composed, at Millis) composed {
	clock := t.clockOf(r.Occ) + " "
	if r.Type == CustomReminder {
		text.body, text.size = encode(clock + text.body)
		return text
	}
	e := t.eventOf(r)
	e.Title = clock + e.Title
	body, size := Template(e, t.ahead(&e, at), t.env.Policy.MaxSegments)
	return composed{body: body, via: ViaTemplate, size: size}
}

// had counts the messages with that text that the number has, or may have,
// from the local day of an instant, and reports whether one of them was for the
// same minute.
func (t *turn) had(r *Reminder, text string, at Millis) (n int, same bool) {
	loc := t.zone()
	today := dateOf(at, loc)
	for _, o := range t.u.Reminders {
		for j := range o.Messages {
			m := &o.Messages[j]
			if m.Text != text || m.To != t.u.Phone || !m.mayBeThere() || dateOf(m.CreatedAt, loc) != today {
				continue
			}
			n++
			same = same || o.Occ/minute == r.Occ/minute
		}
	}
	return n, same
}

// mayBeThere reports whether the person may have the text. What was given up
// without a proof of its absence (on_uncertain: resend) may have arrived.
func (m *Message) mayBeThere() bool {
	if !m.Status.lost() {
		return true
	}
	return m.Status == MessageFailed && m.SID == "" && m.Absent < absentProof &&
		m.Error.Category == CategoryUnknown && m.Error.Code == 0 && m.Error.Retry == RetryYes
}
