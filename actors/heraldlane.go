package actors

import (
	"log/slog"

	"carillon/engine"
)

// lane is what a stream has to tell, in order.
type lane struct {
	stream string
	queue  []tiding
	busy   bool // the first is being told
	ready  bool // is in herald.ready

	back *heldBack // nil: the receiver takes what this stream has to tell

	// Of the node's own stream, which is not held back but waits in memory: its
	// records have no links that could be followed for ever.
	again engine.Millis
	tries int
}

// heldBack says that the receiver has declined a notice of a stream. What the
// stream has to tell is read again from there when its time comes, and the
// place in the log moves on meanwhile, for the others.
type heldBack struct {
	from    place
	since   engine.Millis // when the first that waits happened
	tries   int
	at      engine.Millis // when it is tried again
	loading bool
	skipped bool // the log was read on past notices of it
}

// own reports the node's own stream: nobody's notices.
func (l *lane) own() bool { return l.stream == streamHerald }

const (
	// maxHeld bounds the streams that are held back, and with them what is
	// stored of them: if there are more, something else is wrong.
	maxHeld = 64
	// maxOwnTries is how often a notice of the node's own is told at most.
	maxOwnTries = 4
	// laneReadMost is how many notices of a held stream are read at a time.
	laneReadMost = 64
)

// retryAfter is the schedule of Standard Webhooks ("Retries"). The last delay
// goes on until a notice is too old.
var retryAfter = [...]engine.Millis{
	5_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 5 * 3_600_000, 10 * 3_600_000, 14 * 3_600_000, 20 * 3_600_000, 24 * 3_600_000,
}

// delayOf is how long the nth failure (from 1) is waited for, give or take a
// tenth.
func delayOf(nth int, draw uint64) engine.Millis {
	d := waitAfter(nth)
	return d - d/10 + engine.Millis(draw%uint64(d/5))
}

// longest is what delayOf is at most.
func longest(nth int) engine.Millis { return waitAfter(nth) + waitAfter(nth)/10 }

func waitAfter(nth int) engine.Millis { return retryAfter[min(max(nth, 1), len(retryAfter))-1] }

// enqueue makes a lane ready that has something to tell.
func (h *herald) enqueue(l *lane) {
	if len(l.queue) > 0 && !l.ready && !l.busy {
		l.ready = true
		h.ready = append(h.ready, l)
	}
}

// advance leaves the first notice of a lane behind.
func (h *herald) advance(l *lane) {
	t := l.queue[0]
	l.queue = l.queue[1:]
	l.tries = 0
	h.waiting--
	h.cursor.behind = true
	if l.back != nil {
		l.back.tries = 0
		l.back.from = place{t.Seq, t.Nth + 1}
		if len(l.queue) > 0 {
			l.back.from, l.back.since = l.queue[0].place, l.queue[0].at
		}
	}
	switch {
	case len(l.queue) > 0:
		h.enqueue(l)
	case l.back == nil:
		delete(h.lanes, l.stream)
	case l.back.skipped:
		l.back.at = h.node.cfg.Clock.Now() // read what came since
	default:
		h.held = without(h.held, l)
		delete(h.lanes, l.stream)
	}
}

// holdBack puts a stream aside whose first notice was declined.
func (h *herald) holdBack(l *lane, now engine.Millis) {
	t := l.queue[0]
	if l.back == nil {
		l.back = &heldBack{}
		h.held = append(h.held, l)
	}
	k := l.back
	k.from, k.since = t.place, t.at
	k.tries++
	k.at = now + delayOf(k.tries, h.node.draw(t.id, uint64(k.tries)))
	k.skipped = true
	h.waiting -= len(l.queue)
	l.queue = nil
	h.cursor.behind = true
}

// delay waits with a notice of the node's own, or gives it up.
func (h *herald) delay(l *lane, now engine.Millis) {
	l.tries++
	if l.tries >= maxOwnTries {
		h.drop(l, "declined")
		return
	}
	l.again = now + delayOf(l.tries, h.node.draw(l.queue[0].id, uint64(l.tries)))
	h.delayed = append(h.delayed, l)
}

func (h *herald) undelay(now engine.Millis) {
	for _, l := range h.delayed {
		if l.again <= now {
			h.enqueue(l)
		}
	}
	h.delayed = deleteReady(h.delayed)
}

func deleteReady(lanes []*lane) []*lane {
	out := lanes[:0]
	for _, l := range lanes {
		if !l.ready && !l.busy {
			out = append(out, l)
		}
	}
	return out
}

// retryHeld has every held stream tried at once: the road was bad, not they.
func (h *herald) retryHeld(now engine.Millis) {
	for _, l := range h.held {
		if len(l.queue) == 0 {
			l.back.at = now
		}
	}
}

// readHeld reads what the held streams have to tell whose time has come. While
// the road is bad one of them is read if there is nobody else to try it with.
func (h *herald) readHeld(now engine.Millis) {
	if h.hold {
		return
	}
	for _, l := range h.held {
		k := l.back
		if k.loading || len(l.queue) > 0 {
			continue
		}
		probe := h.road.away && len(h.ready) == 0 && h.road.open(now, h.running, 1)
		if due := !h.road.away && k.at <= now; !due && !probe {
			continue
		}
		k.loading, k.skipped = true, false
		h.loading++
		n, upto, from := h.node, h.next, k.from
		n.cfg.Go(func() {
			tidings, more, err := n.readLane(l.stream, from, upto)
			n.send(h.self, laneRead{l, tidings, more, err})
		})
		if probe {
			return
		}
	}
}

func (h *herald) takeLane(m laneRead) {
	l, k := m.lane, m.lane.back
	k.loading = false
	h.loading--
	k.skipped = k.skipped || m.more
	if m.err != nil {
		h.node.log.Error("what a stream has to tell can't be read", slog.String("cause", m.err.Error()))
		k.at, k.skipped = h.node.cfg.Clock.Now()+retryAfter[1], true
		return
	}
	if len(m.tidings) == 0 && !k.skipped { // erased, or compacted away
		h.held = without(h.held, l)
		delete(h.lanes, l.stream)
		h.cursor.behind = true
		return
	}
	l.queue = m.tidings
	h.waiting += len(l.queue)
	h.enqueue(l)
}
