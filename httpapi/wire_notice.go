package httpapi

import "carillon/engine"

// noticeJSON is the body of an outgoing webhook (SPEC 9), in the shape of
// Standard Webhooks. openapi.yaml describes it under webhooks.
type noticeJSON struct {
	Type      engine.NoticeType `json:"type"`
	Timestamp string            `json:"timestamp"`
	Data      noticeDataJSON    `json:"data"`
}

// noticeDataJSON says what happened and to whom. Reminder is as it stands when
// the webhook leaves, which may be later than what it tells of.
type noticeDataJSON struct {
	UserID       string        `json:"user_id,omitempty"`
	ReminderID   string        `json:"reminder_id,omitempty"`
	MessageID    string        `json:"message_id,omitempty"`
	SnoozeID     string        `json:"snooze_reminder_id,omitempty"`
	ScheduledFor *string       `json:"scheduled_for,omitempty"`
	Reason       string        `json:"reason,omitempty"`
	Sender       string        `json:"sender,omitempty"`
	By           string        `json:"by,omitempty"`
	Text         string        `json:"text,omitempty"`
	Reminder     *reminderJSON `json:"reminder,omitempty"`
}

// EncodeNotice writes what happened at an instant, as the API would show it.
// userID is empty for what is nobody's, about nil for what has no reminder.
func EncodeNotice(n engine.Notice, userID string, at engine.Millis, about *engine.ReminderView) ([]byte, error) {
	out := noticeJSON{Type: n.Type, Timestamp: showInstant(at), Data: noticeDataJSON{
		UserID: userID, ReminderID: n.ReminderID, MessageID: n.MessageID, SnoozeID: n.SnoozeID,
		ScheduledFor: instantOrNull(n.Due), Reason: n.Reason.String(), Sender: n.Sender, By: n.By, Text: n.Text,
	}}
	if about != nil {
		r := showReminder(*about)
		out.Data.Reminder = &r
	}
	return encode(out)
}
