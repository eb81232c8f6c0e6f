package actors

import (
	"carillon/actors/provider"
	"carillon/engine"
)

// offerQueue is a binary heap that orders offers by their deadlines, then by
// when they were due (S6), then by when they came.
type offerQueue struct {
	offers []waiting
	came   uint64
}

// waiting is an offer in the queue.
type waiting struct {
	engine.Offer
	turn uint64 // in the order of coming
	to   *entry // whose it is
	key  uint64 // hash of its key
}

func (q *offerQueue) len() int { return len(q.offers) }

func (q *offerQueue) push(w waiting) {
	q.came++
	w.turn = q.came
	q.offers = append(q.offers, w)
	q.settle(len(q.offers)-1, &w)
}

func (q *offerQueue) pop() waiting { return q.take(0) }

// take removes the offer at place i of the heap.
func (q *offerQueue) take(i int) waiting {
	taken := q.offers[i]
	last := len(q.offers) - 1
	w := q.offers[last]
	q.offers[last] = waiting{}
	q.offers = q.offers[:last]
	if i < last {
		q.settle(i, &w)
	}
	return taken
}

// leastTried returns the place of the offer that was handed over least; of
// equals the one whose turn is first.
func (q *offerQueue) leastTried() int {
	best := 0
	for i := range q.offers {
		a, b := &q.offers[i], &q.offers[best]
		if a.Attempts < b.Attempts || (a.Attempts == b.Attempts && before(a, b)) {
			best = i
		}
	}
	return best
}

// settle puts o into the free place i, and lets it rise or sink to its own.
func (q *offerQueue) settle(i int, o *waiting) {
	for i > 0 && before(o, &q.offers[(i-1)/2]) {
		q.offers[i] = q.offers[(i-1)/2]
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child >= len(q.offers) {
			break
		}
		if child+1 < len(q.offers) && before(&q.offers[child+1], &q.offers[child]) {
			child++
		}
		if !before(&q.offers[child], o) {
			break
		}
		q.offers[i] = q.offers[child]
		i = child
	}
	q.offers[i] = *o
}

func before(a, b *waiting) bool {
	switch {
	case a.Deadline != b.Deadline:
		return a.Deadline < b.Deadline
	case a.Due != b.Due:
		return a.Due < b.Due
	}
	return a.turn < b.turn
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

func messageOf(o *engine.Outgoing) provider.Message {
	return provider.Message{
		UserID: o.UserID, ReminderID: o.ReminderID, MessageID: o.MessageID, To: o.To, Sender: o.Sender, Text: o.Text,
		Segments: int(o.Segments), CreatedAt: o.CreatedAt, ValidUntil: o.ValidUntil, Others: o.Others,
	}
}

func outcomeCommand(messageID string, out *provider.Outcome) engine.RecordOutcome {
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
