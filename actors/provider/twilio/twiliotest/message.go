package twiliotest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"carillon/engine"
	"carillon/engine/sms"
)

// Message is a message that the server accepted.
type Message struct {
	SID                 string
	To, From, Body      string
	MessagingServiceSID string
	StatusCallback      string // as it was asked for, fragment included
	ValidityPeriod      int    // seconds; 0 if none was asked for
	Status              string // Twilio's word
	ErrorCode           int
	CreatedAt           engine.Millis
	SentAt              engine.Millis
}

// resource is the message as the API shows it.
func (m *Message) resource(account string) json.RawMessage {
	uri := "/2010-04-01/Accounts/" + account + "/Messages/" + m.SID + ".json"
	segments := strconv.Itoa(sms.Measure(m.Body).Segments)
	if m.From == "" {
		segments = "0" // a service has not picked a sender yet
	}
	doc := map[string]any{
		"sid": m.SID, "account_sid": account, "messaging_service_sid": orNull(m.MessagingServiceSID),
		"from": orNull(m.From), "to": m.To, "body": m.Body, "status": m.Status, "direction": "outbound-api",
		"num_segments": segments, "num_media": "0", "error_code": nil, "error_message": nil, "price": nil,
		"price_unit": "USD", "api_version": "2010-04-01", "uri": uri,
		"subresource_uris": map[string]string{"media": uri[:len(uri)-len(".json")] + "/Media.json"},
		"date_created":     rfc2822(m.CreatedAt), "date_updated": rfc2822(m.CreatedAt), "date_sent": nil,
	}
	if m.SentAt != 0 {
		doc["date_sent"] = rfc2822(m.SentAt)
	}
	if m.ErrorCode != 0 {
		doc["error_code"], doc["error_message"] = m.ErrorCode, fmt.Sprintf("error %d", m.ErrorCode)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return body
}

// move sets a status and what comes with it.
func (m *Message) move(status string, code int, now engine.Millis, from string) {
	m.Status, m.ErrorCode = status, code
	if m.From == "" {
		m.From = from
	}
	if status == "sent" && m.SentAt == 0 {
		m.SentAt = now
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func rfc2822(at engine.Millis) string { return time.UnixMilli(at).UTC().Format(time.RFC1123Z) }

// Messages returns copies of all accepted messages, in order of creation.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, len(s.messages))
	for i, m := range s.messages {
		out[i] = *m
	}
	return out
}

// Accepted returns the accepted messages of one text to one number.
func (s *Server) Accepted(to, body string) []Message {
	var out []Message
	for _, m := range s.Messages() {
		if m.To == to && m.Body == body {
			out = append(out, m)
		}
	}
	return out
}

// Creates is how many requests for a create reached the server, whatever
// became of them.
func (s *Server) Creates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// CreatesOf is how many of them were for one text to one number.
func (s *Server) CreatesOf(to, body string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creates[sent{to, body}]
}

// Answering is how many creates have no answer yet.
func (s *Server) Answering() int { return int(s.answering.Load()) }

// IdempotencyKeys is how many creates carried an Idempotency-Key, which makes
// net/http repeat a POST: it must stay 0.
func (s *Server) IdempotencyKeys() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys
}

// Plant puts a message there that no create made; an empty SID is given one.
func (s *Server) Plant(m Message) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.SID == "" {
		m.SID = s.sid("SM")
	}
	s.messages = append(s.messages, &m)
	s.bySID[m.SID] = &m
	return m.SID
}
