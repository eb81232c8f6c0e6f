package sim

import "carillon/engine"

// entry is something that happens at an instant of true time. Among those of
// one instant a draw decides.
type entry struct {
	at  engine.Millis
	tie uint64
	fn  func()
}

// queue is a binary heap of entries.
type queue struct{ entries []entry }

func (a *entry) before(b *entry) bool { return a.at < b.at || (a.at == b.at && a.tie < b.tie) }

func (q *queue) push(e entry) {
	q.entries = append(q.entries, e)
	i := len(q.entries) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(&q.entries[parent]) {
			break
		}
		q.entries[i] = q.entries[parent]
		i = parent
	}
	q.entries[i] = e
}

func (q *queue) pop() entry {
	first, last := q.entries[0], len(q.entries)-1
	e := q.entries[last]
	q.entries[last] = entry{}
	q.entries = q.entries[:last]
	i := 0
	for last > 0 {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && q.entries[child+1].before(&q.entries[child]) {
			child++
		}
		if !q.entries[child].before(&e) {
			break
		}
		q.entries[i] = q.entries[child]
		i = child
	}
	if last > 0 {
		q.entries[i] = e
	}
	return first
}
