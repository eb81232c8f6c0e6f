package actors

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// The table has who was added and not dropped since, like a map: whoever shares a
// shard with whom, and however long its rows of places get.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, want := newTable(rapid.Uint64().Draw(t, "seed")), map[string]*entry{}
		if expected := rapid.IntRange(0, 5000).Draw(t, "expected"); expected > 0 {
			table.expect(expected)
		}
		shared := rapid.Bool().Draw(t, "one shard") // its places fill up, and hashes collide
		home := func(id string) home {
			h := table.home(id)
			if shared {
				h.shard, h.hash = &table.shards[7], h.hash%16
			}
			return h
		}
		for n, steps := 0, rapid.IntRange(1, 400).Draw(t, "steps"); n < steps; n++ {
			id := fmt.Sprint("user-", rapid.IntRange(0, 120).Draw(t, "id"))
			h := home(id)
			switch got := h.entry(); rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				if want[id] = h.ensure(); got != nil && got != want[id] {
					t.Fatalf("%s has another entry than before", id)
				}
			case 1:
				h.drop()
				delete(want, id)
			default:
				if got != want[id] || got != nil && got.id != id {
					t.Fatalf("%s has the entry %v, want %v", id, got, want[id])
				}
			}
		}
		if users, alive := table.len(); users != len(want) || alive != 0 || table.users() != users {
			t.Fatalf("%d users, %d in memory, want %d and none", users, alive, len(want))
		}
		for id, e := range want {
			if home(id).entry() != e {
				t.Fatalf("%s is not found in the end", id)
			}
		}
	})
}

// Ids that differ in one byte or a few, as most do, are not looked for side by side.
func TestTableSpreadsIds(t *testing.T) {
	for _, format := range []string{"user-%07d", "%d", "%d@calendar.example.com", "%c"} {
		const users = 100_000
		table := newTable(1)
		for i := range users {
			table.home(fmt.Sprintf(format, i)).ensure()
		}
		looked := users
		for i := range users {
			h := table.home(fmt.Sprintf(format, i))
			at := h.find()
			if at < h.begin(h.hash) {
				at += len(h.places)
			}
			looked += at - h.begin(h.hash)
		}
		// Linear probing takes 3 at four fifths full, and less before it (Knuth 3, 6.4).
		if looked > 3*users {
			t.Errorf("%q: %.1f places are looked at for each user", format, float64(looked)/users)
		}
	}
}
