package actors

import (
	"container/heap"

	"carillon/actors/provider"
	"carillon/engine"
)

// offerQueue orders offers by their deadlines, then by when they were due
// (S6).
type offerQueue struct{ offers offerHeap }

func (q *offerQueue) len() int            { return len(q.offers) }
func (q *offerQueue) push(o engine.Offer) { heap.Push(&q.offers, o) }

func (q *offerQueue) pop() engine.Offer {
	o, _ := heap.Pop(&q.offers).(engine.Offer)
	return o
}

type offerHeap []engine.Offer

// Len implements heap.Interface.
func (h offerHeap) Len() int { return len(h) }

// Less implements heap.Interface.
func (h offerHeap) Less(i, j int) bool {
	a, b := &h[i], &h[j]
	switch {
	case a.Deadline != b.Deadline:
		return a.Deadline < b.Deadline
	case a.Due != b.Due:
		return a.Due < b.Due
	}
	return a.ReminderID < b.ReminderID
}

// Swap implements heap.Interface.
func (h offerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *offerHeap) Push(x any) {
	if o, ok := x.(engine.Offer); ok {
		*h = append(*h, o)
	}
}

// Pop implements heap.Interface.
func (h *offerHeap) Pop() any {
	last := len(*h) - 1
	o := (*h)[last]
	(*h)[last] = engine.Offer{}
	*h = (*h)[:last]
	return o
}

// window is how many hand-overs may be under way: one more for each windowful
// of accepted ones, half as many after a rate limit.
type window struct {
	limit float64
	most  int
}

func newWindow(most int) window { return window{limit: float64(most), most: most} }

func (w *window) size() int { return max(int(w.limit), 1) }

func (w *window) grow() { w.limit = min(w.limit+1/max(w.limit, 1), float64(w.most)) }

func (w *window) shrink() { w.limit = max(w.limit/2, 1) }

func messageOf(o engine.Outgoing) provider.Message {
	return provider.Message{
		UserID: o.UserID, ReminderID: o.ReminderID, MessageID: o.MessageID, To: o.To, Text: o.Text,
		Segments: int(o.Segments), CreatedAt: o.CreatedAt, ValidUntil: o.ValidUntil, Others: o.Others,
	}
}

func outcomeCommand(messageID string, out provider.Outcome) engine.RecordOutcome {
	cmd := engine.RecordOutcome{
		MessageID: messageID, SID: out.SID, Status: out.Status, Failure: out.Failure, Cause: out.Cause,
	}
	switch out.Kind {
	case provider.Accepted:
		cmd.Kind = engine.OutcomeAccepted
	case provider.Refused:
		cmd.Kind = engine.OutcomeRefused
	case provider.Recorded:
		cmd.Kind = engine.OutcomeRecorded
	case provider.Uncertain:
		cmd.Kind = engine.OutcomeUncertain
	}
	return cmd
}

func sightingCommand(messageID string, s provider.Sighting) engine.RecordSighting {
	cmd := engine.RecordSighting{MessageID: messageID, SID: s.SID, Status: s.Status, Failure: s.Failure}
	switch s.Result {
	case provider.Found:
		cmd.Kind = engine.SightingFound
	case provider.Absent:
		cmd.Kind = engine.SightingAbsent
	case provider.FindUnknown:
		cmd.Kind = engine.SightingUnknown
	}
	return cmd
}

func findName(r provider.FindResult) string {
	switch r {
	case provider.Found:
		return "found"
	case provider.Absent:
		return "absent"
	case provider.FindUnknown:
	}
	return "unknown"
}
