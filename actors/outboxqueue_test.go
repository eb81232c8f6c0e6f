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
// were due, or who was handed over least where that is asked for.
func TestOfferQueueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q offerQueue
		var model []waiting
		came := uint64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(t, "take") == 0 {
				slices.SortFunc(model, func(a, b waiting) int {
					if before(&a, &b) {
						return -1
					}
					return 1
				})
				i, place := 0, q.first()
				if rapid.Bool().Draw(t, "least tried") {
					for j := range model {
						if model[j].attempts < model[i].attempts {
							i = j
						}
					}
					place = q.leastTried()
				}
				if got := q.take(place); got != model[i] {
					t.Fatalf("got %+v, want %+v", got, model[i])
				}
				model = slices.Delete(model, i, i+1)
				continue
			}
			came++
			w := waiting{
				reminder: strconv.FormatUint(came, 10), due: int64(rapid.IntRange(0, 5).Draw(t, "due")), deadline: int64(rapid.IntRange(0, 5).Draw(t, "deadline")),
				to: &entry{}, key: came, attempts: int32(rapid.IntRange(0, 2).Draw(t, "attempts")),
			}
			q.push(w)
			w.turn = came
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
	for _, c := range []struct {
		name string
		next func(r *rand.Rand) engine.Millis
	}{
		{"in_no_order", func(r *rand.Rand) engine.Millis { return r.Int64N(1e9) }},
		{"due_together", func(*rand.Rand) engine.Millis { return 1e9 }},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			var q offerQueue
			for i := range 100_000 {
				q.push(waiting{reminder: strconv.Itoa(i), deadline: c.next(r)})
			}
			for b.Loop() {
				w := q.pop()
				w.deadline = c.next(r)
				q.push(w)
			}
		})
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
