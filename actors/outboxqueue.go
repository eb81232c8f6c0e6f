package actors

import (
	"carillon/actors/provider"
	"carillon/engine"
)

// offerQueue orders offers by their deadlines, then by when they were due (S6),
// then by when they came. Whoever comes behind the last of the line stands in it,
// as most do whose texts are due together; the others are in a binary heap.
type offerQueue struct {
	line []waiting // in order from head on
	head int
	heap []waiting
	came uint64
}

// waiting is what the queue has of an offer: there may be very many, and one of
// them is as long as a cache line.
type waiting struct {
	reminder      string
	deadline, due engine.Millis
	turn          uint64 // in the order of coming
	to            *entry // whose it is
	key           uint64 // hash of its key
	attempts      int32  // hand-overs that it has had
}

func (q *offerQueue) len() int { return len(q.line) - q.head + len(q.heap) }

func (q *offerQueue) push(w waiting) {
	q.came++
	w.turn = q.came
	if last := len(q.line) - 1; last < q.head || !before(&w, &q.line[last]) {
		q.line, q.head = pushed(q.line, q.head, w)
		return
	}
	q.heap = append(q.heap, w)
	q.settle(len(q.heap)-1, &w)
}

// first returns the place of the offer whose turn it is. Places are those of the
// line, then those of the heap.
func (q *offerQueue) first() int {
	line := len(q.line) - q.head
	if line == 0 || len(q.heap) > 0 && before(&q.heap[0], &q.line[q.head]) {
		return line
	}
	return 0
}

// at returns the offer at a place.
func (q *offerQueue) at(place int) *waiting {
	if line := len(q.line) - q.head; place >= line {
		return &q.heap[place-line]
	}
	return &q.line[q.head+place]
}

func (q *offerQueue) pop() waiting { return q.take(q.first()) }

// take removes the offer at a place.
func (q *offerQueue) take(place int) waiting {
	taken := *q.at(place)
	if line := len(q.line) - q.head; place >= line {
		q.remove(place - line)
		return taken
	}
	copy(q.line[q.head+1:], q.line[q.head:q.head+place])
	q.line[q.head] = waiting{}
	if q.head++; q.head == len(q.line) {
		q.line, q.head = q.line[:0], 0
	}
	return taken
}

// remove takes the offer at place i out of the heap.
func (q *offerQueue) remove(i int) {
	last := len(q.heap) - 1
	w := q.heap[last]
	q.heap[last] = waiting{}
	q.heap = q.heap[:last]
	if i < last {
		q.settle(i, &w)
	}
}

// leastTried returns the place of the offer that was handed over least; of
// equals the one whose turn is first.
func (q *offerQueue) leastTried() int {
	best := 0
	for i := range q.len() {
		a, b := q.at(i), q.at(best)
		if a.attempts < b.attempts || (a.attempts == b.attempts && before(a, b)) {
			best = i
		}
	}
	return best
}

// settle puts o into the free place i of the heap, and lets it rise or sink to its
// own.
func (q *offerQueue) settle(i int, o *waiting) {
	for i > 0 && before(o, &q.heap[(i-1)/2]) {
		q.heap[i] = q.heap[(i-1)/2]
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child >= len(q.heap) {
			break
		}
		if child+1 < len(q.heap) && before(&q.heap[child+1], &q.heap[child]) {
			child++
		}
		if !before(&q.heap[child], o) {
			break
		}
		q.heap[i] = q.heap[child]
		i = child
	}
	q.heap[i] = *o
}

func before(a, b *waiting) bool {
	switch {
	case a.deadline != b.deadline:
		return a.deadline < b.deadline
	case a.due != b.due:
		return a.due < b.due
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
