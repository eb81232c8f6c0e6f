package actors

import "carillon/engine"

// wakeHeap orders users by their next wake: a 4-ary heap with one slot per
// user, whatever the number of reminders. Entries know their slot, so moving
// and removing one costs what its depth does. A slot has the wake beside its
// entry: the four that are compared lie together, and the entries of a million
// are not looked at for it.
type wakeHeap struct{ slots []wakeSlot }

type wakeSlot struct {
	wake engine.Millis
	e    *entry
}

const fanOut = 4

func (h *wakeHeap) len() int { return len(h.slots) }

// next returns the earliest wake, 0 if there is none.
func (h *wakeHeap) next() engine.Millis {
	if len(h.slots) == 0 {
		return 0
	}
	return h.slots[0].wake
}

// set puts, moves or (at 0) removes an entry.
func (h *wakeHeap) set(e *entry, at engine.Millis) {
	switch {
	case at == 0 && e.slot < 0:
	case at == 0:
		h.remove(e)
	case e.slot < 0:
		h.slots = append(h.slots, wakeSlot{})
		h.up(len(h.slots)-1, wakeSlot{at, e})
	default:
		h.settle(int(e.slot), wakeSlot{at, e})
	}
}

// pop removes and returns the earliest entry.
func (h *wakeHeap) pop() *entry {
	e := h.slots[0].e
	h.remove(e)
	return e
}

func (h *wakeHeap) remove(e *entry) {
	i, last := int(e.slot), len(h.slots)-1
	moved := h.slots[last]
	h.slots[last] = wakeSlot{}
	h.slots = h.slots[:last]
	e.slot = -1
	if i < last {
		h.settle(i, moved)
	}
}

// settle puts s into the free place i, and lets it rise or sink to its own.
func (h *wakeHeap) settle(i int, s wakeSlot) {
	if i > 0 && s.wake < h.slots[(i-1)/fanOut].wake {
		h.up(i, s)
		return
	}
	h.down(i, s)
}

func (h *wakeHeap) up(i int, s wakeSlot) {
	for i > 0 {
		parent := (i - 1) / fanOut
		if h.slots[parent].wake <= s.wake {
			break
		}
		h.place(i, h.slots[parent])
		i = parent
	}
	h.place(i, s)
}

func (h *wakeHeap) down(i int, s wakeSlot) {
	for {
		first := i*fanOut + 1
		if first >= len(h.slots) {
			break
		}
		least := first
		for c := first + 1; c < min(first+fanOut, len(h.slots)); c++ {
			if h.slots[c].wake < h.slots[least].wake {
				least = c
			}
		}
		if h.slots[least].wake >= s.wake {
			break
		}
		h.place(i, h.slots[least])
		i = least
	}
	h.place(i, s)
}

func (h *wakeHeap) place(i int, s wakeSlot) {
	h.slots[i] = s
	s.e.slot = int32(i)
}
