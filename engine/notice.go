package engine

// NoticeType names a fact that is told outside (SPEC 9, outgoing webhooks).
type NoticeType string

// The closed set of notices: stable, on the wire as a webhook's type.
const (
	NoticeScheduled NoticeType = "reminder.scheduled"
	NoticeSent      NoticeType = "reminder.sent"
	NoticeDelivered NoticeType = "reminder.delivered"
	NoticeFailed    NoticeType = "reminder.failed"
	NoticeCanceled  NoticeType = "reminder.cancelled"
	NoticeConfirmed NoticeType = "reminder.confirmed" // C or CONFIRM (N4)
	NoticeSnoozed   NoticeType = "reminder.snoozed"   // SNOOZE that was in time (N4)

	NoticeAgenda   NoticeType = "user.agenda_requested" // AGENDA (N4)
	NoticeOptedOut NoticeType = "user.opted_out"
	NoticeOptedIn  NoticeType = "user.opted_in"
	NoticeErased   NoticeType = "user.erased" // the shell's: the person's own record is blanked (N6)

	NoticeSenderStopped NoticeType = "sender.stopped" // the shell's: nobody's record
	NoticeSenderResumed NoticeType = "sender.resumed"
)

// NoticeTypes lists them all.
func NoticeTypes() []NoticeType {
	return []NoticeType{
		NoticeScheduled, NoticeSent, NoticeDelivered, NoticeFailed, NoticeCanceled, NoticeConfirmed, NoticeSnoozed,
		NoticeAgenda, NoticeOptedOut, NoticeOptedIn, NoticeErased, NoticeSenderStopped, NoticeSenderResumed,
	}
}

// Notice is one fact as it is told outside. It holds what the event says; the
// reminder as it stands is added when it leaves (ReadNotice).
type Notice struct {
	Type       NoticeType
	ReminderID string
	MessageID  string
	SnoozeID   string // snoozed only: the reminder that comes of it
	Due        Millis // scheduled, snoozed: when it shall leave
	Reason     Reason
	Sender     string // a sender's: the number or service; empty is the carrier's only one
	By         string // consent: api, sms, carrier; sent: answer, callback, lookup
	Text       string // consent: what was typed; a sender: why
}

// AppendNotices adds what an event tells the outside; most tell nothing.
func AppendNotices(to []Notice, e Event) []Notice {
	switch e := e.(type) { //nolint:gochecksumtype // the others are nobody's business
	case ReminderPlanned:
		r := e.Reminder
		if r.SnoozeOf != "" {
			to = append(to, Notice{Type: NoticeSnoozed, ReminderID: r.SnoozeOf, SnoozeID: r.ID, Due: r.Due, By: bySMS})
		}
		return append(to, Notice{Type: NoticeScheduled, ReminderID: r.ID, Due: r.Due})
	case MessageAccepted:
		to = append(to, Notice{Type: NoticeSent, ReminderID: e.ID, MessageID: e.MessageID, Reason: ReasonAccepted, By: e.By})
		if e.Status == MessageDelivered { // a look-up found it there already
			to = append(to, Notice{Type: NoticeDelivered, ReminderID: e.ID, MessageID: e.MessageID, Reason: ReasonDelivered})
		}
		return to
	case MessageReported:
		if e.Status == MessageDelivered {
			return append(to, Notice{Type: NoticeDelivered, ReminderID: e.ID, MessageID: e.MessageID, Reason: ReasonDelivered})
		}
	case MessageRecorded:
		return append(to, Notice{Type: NoticeCanceled, ReminderID: e.ID, MessageID: e.MessageID, Reason: ReasonDryRun})
	case ReminderFailed:
		return append(to, Notice{Type: NoticeFailed, ReminderID: e.ID, Reason: e.Reason})
	case ReminderCanceled:
		return append(to, Notice{Type: NoticeCanceled, ReminderID: e.ID, Reason: e.Reason})
	case ReminderConfirmed:
		return append(to, Notice{Type: NoticeConfirmed, ReminderID: e.ID, By: e.By})
	case InboundReceived:
		if e.Keyword == KeywordAgenda {
			return append(to, Notice{Type: NoticeAgenda, By: bySMS})
		}
	case ConsentChanged:
		kind := NoticeOptedIn
		if e.OptedOut {
			kind = NoticeOptedOut
		}
		return append(to, Notice{Type: kind, By: e.By, Text: e.Text})
	}
	return to
}

// readNotice shows what a notice is about. A reminder that the state has forgotten
// is nil.
func (t *turn) readNotice(c ReadNotice) Reply {
	if !t.u.Exists {
		return notFound(CodeUserNotFound, "no such user")
	}
	out := NoticeReply{}
	if r := t.u.reminder(c.ReminderID); r != nil {
		v := t.view(r)
		out.Reminder = &v
	}
	return out
}
