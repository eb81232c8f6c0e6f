package providertest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"carillon/actors/provider"
	"carillon/engine"
)

// Step is what the fake does with one hand-over. The zero value accepts.
type Step struct {
	// Drop does not accept the message; with neither Refusal nor LoseAnswer the
	// answer is lost as well.
	Drop bool
	// LoseAnswer makes the outcome Uncertain, whether it was accepted or not.
	LoseAnswer bool
	// Hang answers only when ctx ends.
	Hang bool
	// Refusal is the carrier's no.
	Refusal engine.Failure
}

// Steps that tests name.
var (
	Accept        = Step{}
	AcceptAndLose = Step{LoseAnswer: true}
	Lose          = Step{Drop: true, LoseAnswer: true}
	HangAccepted  = Step{Hang: true}
	HangDropped   = Step{Hang: true, Drop: true}
)

// Refuse returns a step that refuses.
func Refuse(f engine.Failure) Step { return Step{Drop: true, Refusal: f} }

// Sent is a message that the fake accepted.
type Sent struct {
	provider.Message
	SID     string
	Status  engine.MessageStatus
	Failure engine.Failure
	At      engine.Millis
}

// Sender is a carrier in memory that does as it is told. It is safe for
// concurrent use.
type Sender struct {
	now func() engine.Millis

	mu       sync.Mutex
	script   []Step
	byNumber map[string]Step
	creates  int
	handed   map[address]int
	sent     []*Sent
	blind    bool
}

type address struct{ to, text string }

var (
	_ provider.Sender  = (*Sender)(nil)
	_ provider.Fetcher = (*Sender)(nil)
	_ provider.Stopper = (*Sender)(nil)
)

// NewSender returns a fake that accepts everything.
func NewSender(now func() engine.Millis) *Sender {
	return &Sender{now: now, byNumber: map[string]Step{}, handed: map[address]int{}}
}

// Script sets what the next hand-overs meet, one step each, in this order.
func (s *Sender) Script(steps ...Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, steps...)
}

// ScriptFor sets what every hand-over to a number meets.
func (s *Sender) ScriptFor(to string, step Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byNumber[to] = step
}

// Blind makes Find and Fetch answer FindUnknown, until it is called with false.
func (s *Sender) Blind(blind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blind = blind
}

// Send does what the script says.
func (s *Sender) Send(ctx context.Context, m provider.Message) provider.Outcome {
	if m.ValidUntil <= s.now() {
		return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{
			Category: engine.CategoryExpired, Message: "its deadline passed before it was handed over",
		}}
	}
	if ctx.Err() != nil {
		return provider.Outcome{Cause: "canceled"}
	}
	step, sid := s.take(m)
	switch {
	case step.Hang:
		<-ctx.Done()
		return provider.Outcome{Cause: "canceled"}
	case step.LoseAnswer:
		return provider.Outcome{Cause: "connection reset"}
	case step.Drop && step.Refusal != (engine.Failure{}):
		return provider.Outcome{Kind: provider.Refused, Failure: step.Refusal}
	case step.Drop:
		return provider.Outcome{Cause: "connection reset"}
	}
	return provider.Outcome{Kind: provider.Accepted, SID: sid, Status: engine.MessageQueued}
}

func (s *Sender) take(m provider.Message) (Step, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.creates++
	s.handed[address{m.To, m.Text}]++
	step, ok := s.byNumber[m.To]
	if !ok && len(s.script) > 0 {
		step, s.script = s.script[0], s.script[1:]
	}
	if step.Drop {
		return step, ""
	}
	sid := fmt.Sprintf("FK%032x", s.creates)
	m.Others = nil
	s.sent = append(s.sent, &Sent{Message: m, SID: sid, Status: engine.MessageQueued, At: s.now()})
	return step, sid
}

// Find looks among what was accepted, newest first.
func (s *Sender) Find(ctx context.Context, m provider.Message, since int64) provider.Sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blind || ctx.Err() != nil {
		return provider.Sighting{Cause: "could not be asked"}
	}
	for _, x := range slices.Backward(s.sent) {
		if x.To == m.To && x.Text == m.Text && x.At >= since-SkewMillis && !slices.Contains(m.Others, x.SID) {
			return x.sighting()
		}
	}
	return provider.Sighting{Result: provider.Absent}
}

// Fetch looks among what was accepted.
func (s *Sender) Fetch(ctx context.Context, sid string) provider.Sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blind || ctx.Err() != nil {
		return provider.Sighting{Cause: "could not be asked"}
	}
	for _, x := range s.sent {
		if x.SID == sid {
			return x.sighting()
		}
	}
	return provider.Sighting{Result: provider.Absent}
}

// Stops reports whether a failure is an account_issue: the fake knows no
// regions.
func (s *Sender) Stops(f engine.Failure) bool { return f.Category == engine.CategoryAccountIssue }

func (x *Sent) sighting() provider.Sighting {
	return provider.Sighting{Result: provider.Found, SID: x.SID, Status: x.Status, Failure: x.Failure}
}

// Move sets the status of an accepted message, as delivery does. It reports
// whether there is such a message.
func (s *Sender) Move(sid string, status engine.MessageStatus, f engine.Failure) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sent {
		if x.SID == sid {
			x.Status, x.Failure = status, f
			return true
		}
	}
	return false
}

// Creates is how many hand-overs came, whatever became of them.
func (s *Sender) Creates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creates
}

// CreatesOf is how many of them were for one text to one number.
func (s *Sender) CreatesOf(to, text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handed[address{to, text}]
}

// Sent returns copies of what was accepted, in order.
func (s *Sender) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Sent, len(s.sent))
	for i, x := range s.sent {
		out[i] = *x
	}
	return out
}

// Accepted is how many messages of a reminder were accepted.
func (s *Sender) Accepted(reminderID string) int {
	n := 0
	for _, x := range s.Sent() {
		if x.ReminderID == reminderID {
			n++
		}
	}
	return n
}
