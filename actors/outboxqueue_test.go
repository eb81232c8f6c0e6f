package actors

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"carillon/engine"
)

// S6: whatever order offers come in, they leave by deadline, then by when they
// were due.
func TestOfferQueueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q offerQueue
		var model []waiting
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(t, "pop") == 0 {
				slices.SortFunc(model, func(a, b waiting) int {
					if before(&a, &b) {
						return -1
					}
					return 1
				})
				if got := q.pop(); got.Offer != model[0].Offer || got.to != model[0].to {
					t.Fatalf("got %+v, want %+v", got, model[0])
				}
				model = model[1:]
				continue
			}
			o := engine.Offer{
				ReminderID: strconv.Itoa(i), Due: int64(rapid.IntRange(0, 5).Draw(t, "due")), Deadline: int64(rapid.IntRange(0, 5).Draw(t, "deadline")),
			}
			w := waiting{Offer: o, to: &entry{}, key: uint64(i)}
			q.push(w)
			w.turn = uint64(i) + 1
			model = append(model, w)
		}
		if q.len() != len(model) {
			t.Fatalf("%d, want %d", q.len(), len(model))
		}
	})
}

// The timer's heap gives wakes in order, whatever was moved and removed.
func TestWakeHeapOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h wakeHeap
		entries := make([]*entry, 20)
		for i := range entries {
			entries[i] = &entry{id: strconv.Itoa(i), slot: -1}
		}
		at := map[*entry]engine.Millis{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			e := entries[rapid.IntRange(0, len(entries)-1).Draw(t, "entry")]
			wake := int64(rapid.IntRange(0, 9).Draw(t, "wake"))
			h.set(e, wake)
			if wake == 0 {
				delete(at, e)
			} else {
				at[e] = wake
			}
		}
		if h.len() != len(at) {
			t.Fatalf("%d entries, want %d", h.len(), len(at))
		}
		var last engine.Millis
		for h.len() > 0 {
			if h.next() < last {
				t.Fatalf("%d after %d", h.next(), last)
			}
			last = h.next()
			e := h.pop()
			if at[e] != last || e.slot != -1 {
				t.Fatalf("entry %s at %d, want %d", e.id, last, at[e])
			}
			delete(at, e)
		}
	})
}

// What the outbox has is not taken twice, and is taken again when it is done,
// whether the person's entry has room for it or not.
func TestOutboxKnowsWhatItHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &outbox{known: map[uint64]struct{}{}}
		people := make([]*entry, 3)
		for i := range people {
			people[i] = &entry{}
		}
		has := map[uint64]bool{}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			who := rapid.IntRange(0, len(people)-1).Draw(t, "who")
			key := uint64(who)<<40 | uint64(rapid.IntRange(1, 4).Draw(t, "key"))<<1
			if has[key] && rapid.Bool().Draw(t, "done") {
				o.forget(people[who], key)
				delete(has, key)
				continue
			}
			if got := o.takes(people[who], key); got == has[key] {
				t.Fatalf("taken: %v, and it was there: %v", got, has[key])
			}
			has[key] = true
		}
	})
}

func BenchmarkOfferQueue(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var q offerQueue
	for i := range 100_000 {
		q.push(waiting{Offer: engine.Offer{ReminderID: strconv.Itoa(i), Deadline: r.Int64N(1e9)}})
	}
	for b.Loop() {
		o := q.pop()
		o.Deadline = r.Int64N(1e9)
		q.push(o)
	}
}

func BenchmarkWakeHeap(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var h wakeHeap
	for i := range 1_000_000 {
		h.set(&entry{id: strconv.Itoa(i), slot: -1}, 1+r.Int64N(1e9))
	}
	for b.Loop() {
		h.set(h.pop(), 1+r.Int64N(1e9))
	}
}
