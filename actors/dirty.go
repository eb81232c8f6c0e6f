package actors

import (
	"runtime"
	"slices"
	"strings"
	"sync"
)

// dirtySet holds the users with records that no snapshot covers yet.
type dirtySet struct {
	mu      sync.Mutex
	users   []*entry
	records uint64
	taken   uint32 // how often: who was noted since has the next number
}

func (d *dirtySet) add(e *entry) {
	d.mu.Lock()
	d.note(e)
	d.mu.Unlock()
}

// addAll adds the users of a batch. The state of the node's own streams is in
// the index.
func (d *dirtySet) addAll(batch []*release) {
	d.mu.Lock()
	for _, r := range batch {
		if r.of != nil && r.entry.Stream != "" {
			d.note(r.of)
		}
	}
	d.mu.Unlock()
}

func (d *dirtySet) note(e *entry) {
	d.records++
	if e.dirtyIn != d.taken+1 {
		e.dirtyIn = d.taken + 1
		d.users = append(d.users, e)
	}
}

func (d *dirtySet) count() (users int, records uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.users), d.records
}

// take empties the set. It touches no user: the journal waits meanwhile.
func (d *dirtySet) take() []*entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	users := d.users
	d.users, d.records = nil, 0
	d.taken++
	return users
}

// inOrder returns the ids of users in order. One that was erased and made anew
// may be there twice.
func inOrder(users []*entry) []string {
	out := make([]string, len(users))
	for i, e := range users {
		out[i] = e.id
	}
	looks := 0
	slices.SortFunc(out, func(a, b string) int {
		if looks++; looks%giveWayEvery == 0 {
			runtime.Gosched()
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(out)
}

// giveWayEvery is after how many looks at a name a sort lets others have the
// processor. A million names are in order after a second, and the runtime lets
// others wait for ten milliseconds of it at a time.
const giveWayEvery = 2048
