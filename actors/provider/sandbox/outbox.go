package sandbox

import (
	"encoding/json"
	"time"

	"carillon/engine"
)

// Kinds of entries.
const (
	KindMessage = "message"
	KindCode    = "code"
)

// Entry is a text as it stands in the outbox.
type Entry struct {
	Seq        uint64
	At         engine.Millis // when it was accepted
	Kind       string        // message or code
	To         string
	Text       string
	Status     engine.MessageStatus
	SID        string
	UserID     string // the rest is empty for codes
	ReminderID string
	MessageID  string
	ErrorCode  int
	// Again is set when the same message had been accepted before: what must
	// never happen (S3).
	Again bool

	prev uint64 // the entry before it to the same number; 0 is none
}

// MarshalJSON shows an entry to people.
func (e Entry) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Seq        uint64 `json:"seq"`
		At         string `json:"at"`
		Kind       string `json:"kind"`
		To         string `json:"to"`
		Text       string `json:"text"`
		Status     string `json:"status"`
		SID        string `json:"sid"`
		UserID     string `json:"user_id,omitempty"`
		ReminderID string `json:"reminder_id,omitempty"`
		MessageID  string `json:"message_id,omitempty"`
		ErrorCode  int    `json:"error_code,omitempty"`
		Again      bool   `json:"again,omitempty"`
	}{
		e.Seq, time.UnixMilli(e.At).UTC().Format("2006-01-02T15:04:05.000Z07:00"), e.Kind, e.To, e.Text,
		e.Status.String(), e.SID, e.UserID, e.ReminderID, e.MessageID, e.ErrorCode, e.Again,
	})
}

// outbox is a ring of entries with the keys to find them. Sequence numbers
// begin at 1; entry n lies at n modulo the capacity, until n + capacity takes
// its place.
type outbox struct {
	ring []Entry
	keep uint64
	last uint64

	bySID      map[string]uint64
	byNumber   map[string]uint64 // newest entry to that number
	byMessage  map[string]uint64 // newest entry of that message
	byReminder map[string]int    // accepted messages of that reminder, of those kept
	again      []string          // messages accepted more than once
	total      uint64            // messages accepted, forgotten ones too
}

func newOutbox(keep int) outbox {
	return outbox{
		keep: uint64(keep), bySID: map[string]uint64{}, byNumber: map[string]uint64{},
		byMessage: map[string]uint64{}, byReminder: map[string]int{},
	}
}

// at returns entry n, or nil if it is not kept.
func (o *outbox) at(n uint64) *Entry {
	if n == 0 || n > o.last || n+o.keep <= o.last {
		return nil
	}
	return &o.ring[(n-1)%o.keep]
}

// add keeps an entry and, if the ring is full, forgets the oldest.
func (o *outbox) add(e Entry) *Entry {
	if o.last >= o.keep {
		o.forget(o.at(o.last + 1 - o.keep))
	}
	o.last++
	e.Seq, e.prev = o.last, o.byNumber[e.To]
	if e.Kind == KindMessage {
		o.total++
		o.byReminder[e.ReminderID]++
		if _, e.Again = o.byMessage[e.MessageID]; e.Again {
			o.again = append(o.again, e.MessageID)
		}
		o.byMessage[e.MessageID] = e.Seq
	}
	o.byNumber[e.To], o.bySID[e.SID] = e.Seq, e.Seq
	if uint64(len(o.ring)) < o.keep {
		o.ring = append(o.ring, e)
	} else {
		o.ring[(e.Seq-1)%o.keep] = e
	}
	return &o.ring[(e.Seq-1)%o.keep]
}

func (o *outbox) forget(e *Entry) {
	delete(o.bySID, e.SID)
	drop(o.byNumber, e.To, e.Seq)
	if e.Kind != KindMessage {
		return
	}
	drop(o.byMessage, e.MessageID, e.Seq)
	if o.byReminder[e.ReminderID]--; o.byReminder[e.ReminderID] == 0 {
		delete(o.byReminder, e.ReminderID)
	}
}

// drop removes a key unless it has moved on to a newer entry.
func drop(m map[string]uint64, key string, seq uint64) {
	if m[key] == seq {
		delete(m, key)
	}
}

// Outbox returns the newest texts, newest first; limit 0 means all that are
// kept.
func (c *Carrier) Outbox(limit int) []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.outbox.ring)
	if limit > 0 {
		n = min(n, limit)
	}
	out := make([]Entry, 0, n)
	for i := range uint64(n) {
		out = append(out, *c.outbox.at(c.outbox.last - i))
	}
	return out
}

// After returns the texts behind the one of that number, oldest first; limit 0
// means all. A reader that asks with the last number it saw misses none, unless
// so many came since that the outbox has forgotten some: then numbers are
// missing between its last one and the first.
func (c *Carrier) After(seq uint64, limit int) []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.outbox
	first := seq + 1
	if o.last >= o.keep {
		first = max(first, o.last-o.keep+1)
	}
	if seq >= o.last {
		return nil
	}
	n := o.last - first + 1
	if limit > 0 {
		n = min(n, uint64(limit))
	}
	out := make([]Entry, 0, n)
	for i := range n {
		out = append(out, *o.at(first + i))
	}
	return out
}

// Accepted returns how many messages of a reminder were accepted, as far as
// the outbox reaches back.
func (c *Carrier) Accepted(reminderID string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.byReminder[reminderID]
}

// Total returns how many messages were accepted since the start.
func (c *Carrier) Total() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.total
}

// Duplicates returns the ids of messages that were accepted more than once, one
// for each time too many. It is empty as long as S3 holds.
func (c *Carrier) Duplicates() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.outbox.again...)
}
