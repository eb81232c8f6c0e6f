package httpapi

import (
	"carillon/engine"
)

// maxText is the longest text that a carrier takes (Twilio: 1,600 characters).
const maxText = 1600

// reminderJSON is a reminder as shown.
type reminderJSON struct {
	ReminderID      string        `json:"reminder_id"`
	UserID          string        `json:"user_id"`
	EventID         *string       `json:"event_id"`
	MessageType     string        `json:"message_type"`
	Status          string        `json:"status"`
	Reason          *string       `json:"reason"`
	Priority        string        `json:"priority"`
	LeadMinutes     *int32        `json:"lead_minutes"`
	EventTitle      *string       `json:"event_title"`
	EventStart      *string       `json:"event_start"`
	EventEnd        *string       `json:"event_end"`
	ScheduledFor    string        `json:"scheduled_for"`
	ExpiresAt       string        `json:"expires_at"`
	Timezone        string        `json:"timezone"`
	Text            string        `json:"text"`
	Encoding        string        `json:"encoding"`
	Segments        int32         `json:"segments"`
	GeneratedVia    string        `json:"generated_via"`
	LLM             *llmJSON      `json:"llm"`
	SendAttempts    int32         `json:"send_attempts"`
	MaxSendAttempts int32         `json:"max_send_attempts"`
	LastError       *failureJSON  `json:"last_error"`
	CreatedAt       string        `json:"created_at"`
	UpdatedAt       string        `json:"updated_at"`
	SentAt          *string       `json:"sent_at"`
	DeliveredAt     *string       `json:"delivered_at"`
	CanceledAt      *string       `json:"cancelled_at"`
	ConfirmedAt     *string       `json:"confirmed_at"`
	SnoozeOf        *string       `json:"snooze_of"`
	Messages        []messageJSON `json:"messages"`
}

// llmJSON tells what a language model did for a reminder, used or not; null
// where none was asked. Tokens and cost are of all that it was asked.
type llmJSON struct {
	Model            *string `json:"model"` // null: the endpoint was not reached
	Outcome          string  `json:"outcome"`
	CostUSD          float64 `json:"cost_usd"`
	PromptTokens     int32   `json:"prompt_tokens"`
	CachedTokens     int32   `json:"cached_tokens"`
	CompletionTokens int32   `json:"completion_tokens"`
}

type failureJSON struct {
	Code     *int    `json:"code"`
	Category string  `json:"category"`
	Message  *string `json:"message"`
}

// messageJSON is one hand-over to the carrier.
type messageJSON struct {
	MessageID     string  `json:"message_id"`
	SID           *string `json:"sid"`
	Status        string  `json:"status"`
	ErrorCode     *int    `json:"error_code"`
	ErrorCategory *string `json:"error_category"`
	ErrorMessage  *string `json:"error_message"`
	To            string  `json:"to"`
	Sender        *string `json:"sender"`
	Text          string  `json:"text"`
	Segments      int32   `json:"segments"`
	Encoding      string  `json:"encoding"`
	GeneratedVia  string  `json:"generated_via"`
	CreatedAt     string  `json:"created_at"`
	UpdatedAt     string  `json:"updated_at"`
	SentAt        *string `json:"sent_at"`
	DeliveredAt   *string `json:"delivered_at"`
	ValidUntil    *string `json:"valid_until"`
}

var (
	typeWords     = []string{"event_reminder", "custom"}
	viaWords      = []string{"template", "llm", "caller"}
	priorityWords = []string{"low", "normal", "high", "urgent"}
	priorities    = []engine.Priority{engine.PriorityLow, engine.PriorityNormal, engine.PriorityHigh, engine.PriorityUrgent}
)

func showReminder(r engine.ReminderView) reminderJSON {
	out := reminderJSON{
		ReminderID: r.ID, UserID: r.UserID, EventID: textOrNull(r.EventID), MessageType: word(typeWords, r.Type),
		Status: r.Status.String(), Reason: textOrNull(r.Reason.String()), Priority: word(priorityWords, r.Priority),
		LeadMinutes: leadOrNull(r.Lead), ScheduledFor: showInstant(r.Due), ExpiresAt: showInstant(r.Deadline),
		Timezone: r.Zone, Text: r.Preview, Encoding: r.Encoding.String(), Segments: r.Segments, GeneratedVia: word(viaWords, r.Via),
		SendAttempts: r.Attempts, MaxSendAttempts: engine.MaxAttempts, LastError: showFailure(r.LastError),
		CreatedAt: showInstant(r.CreatedAt), UpdatedAt: showInstant(r.UpdatedAt), SentAt: instantOrNull(r.SentAt),
		DeliveredAt: instantOrNull(r.DeliveredAt), CanceledAt: instantOrNull(r.CanceledAt),
		ConfirmedAt: instantOrNull(r.ConfirmedAt), SnoozeOf: textOrNull(r.SnoozeOf),
		Messages: make([]messageJSON, 0, len(r.Messages)), LLM: showComposition(r.Composed),
	}
	if r.Type == engine.EventReminder {
		title := r.Title
		out.EventTitle, out.EventStart, out.EventEnd = &title, instantOrNull(r.Start), instantOrNull(r.End)
	}
	for _, m := range r.Messages {
		out.Messages = append(out.Messages, showMessage(m))
	}
	return out
}

func showComposition(c *engine.Composition) *llmJSON {
	if c == nil {
		return nil
	}
	return &llmJSON{
		Model: textOrNull(c.Model), Outcome: c.Outcome.String(), CostUSD: float64(c.CostMicros) / 1e6,
		PromptTokens: c.PromptTokens, CachedTokens: c.CachedTokens, CompletionTokens: c.CompletionTokens,
	}
}

func showMessage(m engine.Message) messageJSON {
	return messageJSON{
		MessageID: m.ID, SID: textOrNull(m.SID), Status: m.Status.String(),
		ErrorCode: codeOrNull(m.Error.Code), ErrorCategory: textOrNull(m.Error.Category.String()), ErrorMessage: textOrNull(m.Error.Message),
		To: m.To, Sender: textOrNull(m.Sender), Text: m.Text, Segments: m.Segments, Encoding: m.Encoding.String(), GeneratedVia: word(viaWords, m.Via),
		CreatedAt: showInstant(m.CreatedAt), UpdatedAt: showInstant(m.UpdatedAt), SentAt: instantOrNull(m.SentAt),
		DeliveredAt: instantOrNull(m.DeliveredAt), ValidUntil: instantOrNull(m.ValidUntil),
	}
}

func showFailure(f *engine.Failure) *failureJSON {
	if f == nil || f.Category == engine.CategoryNone && f.Code == 0 {
		return nil
	}
	return &failureJSON{Code: codeOrNull(f.Code), Category: f.Category.String(), Message: textOrNull(f.Message)}
}

func codeOrNull(code int) *int {
	if code == 0 {
		return nil
	}
	return &code
}

// leadOrNull: an all-day or custom reminder has no lead time.
func leadOrNull(lead int32) *int32 {
	if lead == 0 {
		return nil
	}
	return &lead
}

// readReminder reads the body of a custom reminder (P10).
func readReminder(f *fields) engine.CreateReminder {
	c := engine.CreateReminder{Priority: engine.PriorityNormal}
	c.Text, _ = f.text("text", maxText)
	f.need("text", "the text to send is needed")
	c.SendAt, _ = f.instant("send_at")
	f.need("send_at", "the instant to send it at is needed")
	c.ExpiresAt, _ = f.instant("expires_at")
	if p, ok := choice(f, "priority", priorityWords, priorities); ok {
		c.Priority = p
	}
	f.done()
	return c
}
