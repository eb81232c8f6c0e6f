package actors

import "carillon/engine"

// wakeHeap orders users by their next wake: a 4-ary heap with one slot per
// user, whatever the number of reminders. Entries know their slot, so moving
// and removing one costs what its depth does.
type wakeHeap struct{ slots []*entry }

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
		e.wake, e.slot = at, int32(len(h.slots))
		h.slots = append(h.slots, e)
		h.up(int(e.slot))
	default:
		e.wake = at
		h.up(int(e.slot))
		h.down(int(e.slot))
	}
}

// pop removes and returns the earliest entry.
func (h *wakeHeap) pop() *entry {
	e := h.slots[0]
	h.remove(e)
	return e
}

func (h *wakeHeap) remove(e *entry) {
	i, last := int(e.slot), len(h.slots)-1
	h.slots[i] = h.slots[last]
	h.slots[i].slot = int32(i)
	h.slots[last] = nil
	h.slots = h.slots[:last]
	e.slot = -1
	if i < last {
		moved := h.slots[i]
		h.up(i)
		h.down(int(moved.slot))
	}
}

func (h *wakeHeap) up(i int) {
	e := h.slots[i]
	for i > 0 {
		parent := (i - 1) / fanOut
		if h.slots[parent].wake <= e.wake {
			break
		}
		h.place(i, h.slots[parent])
		i = parent
	}
	h.place(i, e)
}

func (h *wakeHeap) down(i int) {
	e := h.slots[i]
	for {
		least := -1
		for c := i*fanOut + 1; c <= i*fanOut+fanOut && c < len(h.slots); c++ {
			if least < 0 || h.slots[c].wake < h.slots[least].wake {
				least = c
			}
		}
		if least < 0 || h.slots[least].wake >= e.wake {
			break
		}
		h.place(i, h.slots[least])
		i = least
	}
	h.place(i, e)
}

func (h *wakeHeap) place(i int, e *entry) {
	h.slots[i] = e
	e.slot = int32(i)
}
