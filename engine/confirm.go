package engine

// A message that the carrier has accepted ends with its word: delivered,
// undelivered, failed. Where the word does not come, the carrier is asked
// (D5): after ConfirmAfter, then at twice the age each time, until ConfirmFor
// is over. Then the reminder stays sent: there is no further news.

// unconfirmed reports whether the carrier is to be asked what became of the
// reminder's last message.
func (r *Reminder) unconfirmed() bool {
	m := r.last()
	return r.Status == StatusSent && m != nil && m.LookupAt != 0 && !m.Status.final()
}

// confirmAt returns when to ask next about a message of that birth, 0 for
// never again.
func (t *turn) confirmAt(born Millis) Millis {
	p, now := t.env.Policy, t.env.Now
	if p.ConfirmAfter <= 0 || now >= born+p.ConfirmFor {
		return 0
	}
	return min(now+max(p.ConfirmAfter, now-born), born+p.ConfirmFor)
}

// confirm takes the answer. That the carrier does not find what it accepted
// proves nothing: it is asked again, and never takes an acceptance back.
func (t *turn) confirm(r *Reminder, m *Message, c RecordSighting) {
	id, mid := r.ID, m.ID
	if c.Kind == SightingFound && m.isSID(c.SID) {
		t.report(id, mid, c.SID, c.Status, c.Failure)
	}
	if r, m = t.u.byMessage(mid, ""); r.unconfirmed() && m.LookupAt <= t.env.Now {
		t.emit(LookupDone{ID: id, MessageID: mid, LookupAt: t.confirmAt(m.CreatedAt)})
	}
}
