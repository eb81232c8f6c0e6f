package sim

import "carillon/engine"

// entry is something that happens at an instant of true time. Among those of
// one instant a draw decides.
type entry struct {
	at  engine.Millis
	tie uint64
	p   *process // whose it is; nil: the world's
	fn  func()
}

// queue holds what is to come. Most of it comes at once or in a moment and has
// a heap of its own, which is small; the other one has what waits for hours.
type queue struct{ near, far heap }

// near is how far ahead the small heap looks.
const near = 3

func (a *entry) before(b *entry) bool { return a.at < b.at || (a.at == b.at && a.tie < b.tie) }

func (q *queue) push(now engine.Millis, e entry) {
	if e.at <= now+near {
		q.near.push(e)
	} else {
		q.far.push(e)
	}
}

// next is the instant of the first entry; false: there is none.
func (q *queue) next() (engine.Millis, bool) {
	if h := q.first(); len(h.entries) > 0 {
		return h.entries[0].at, true
	}
	return 0, false
}

func (q *queue) pop() entry { return q.first().pop() }

// first is the heap whose entry comes first, an empty one if both are.
func (q *queue) first() *heap {
	n, f := q.near.entries, q.far.entries
	if len(f) == 0 || len(n) > 0 && n[0].before(&f[0]) {
		return &q.near
	}
	return &q.far
}

// heap is a binary heap of entries.
type heap struct{ entries []entry }

func (q *heap) push(e entry) {
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

func (q *heap) pop() entry {
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
