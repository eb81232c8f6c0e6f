package actors

import (
	"slices"
	"strings"
	"sync"
)

// dirtySet holds the users with records that no snapshot covers yet.
type dirtySet struct {
	mu      sync.Mutex
	streams map[string]struct{}
	records uint64
}

func (d *dirtySet) add(stream string) {
	if strings.HasPrefix(stream, "!") {
		return // the node's own: its state is in the index
	}
	d.mu.Lock()
	d.streams[stream] = struct{}{}
	d.records++
	d.mu.Unlock()
}

func (d *dirtySet) count() (streams int, records uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.streams), d.records
}

// take empties the set and returns it in order.
func (d *dirtySet) take() []string {
	d.mu.Lock()
	streams := d.streams
	d.streams, d.records = map[string]struct{}{}, 0
	d.mu.Unlock()
	out := make([]string, 0, len(streams))
	for s := range streams {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
