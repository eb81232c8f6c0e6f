package load

import (
	"math"
	"sync"
	"time"
)

// book is what the carrier saw. It is safe for concurrent use.
type book struct {
	p *people

	mu       sync.Mutex
	late     []int32 // milliseconds between due and arrival; unseen: none came
	seconds  []int32 // arrivals by second since the first was due
	arrived  int
	doubled  int
	wrong    int // texts of ours to somebody else's number
	foreign  int // texts that are not of this run
	canaries int
}

// unseen marks a reminder that the carrier has not got.
const unseen = math.MinInt32

func newBook(p *people) *book {
	b := &book{p: p, late: make([]int32, p.reminders())}
	for i := range b.late {
		b.late[i] = unseen
	}
	return b
}

// arrive notes a text that the carrier got at an instant.
func (b *book) arrive(to, text string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if text == b.p.canary() {
		b.canaries++
		return
	}
	n, ours := b.p.reminderOf(text)
	switch {
	case !ours:
		b.foreign++
	case to != b.p.phone(n%b.p.users):
		b.wrong++
	case b.late[n] != unseen:
		b.doubled++
	default:
		late := at.UnixMilli() - b.p.due(n)
		b.late[n] = int32(min(max(late, math.MinInt32+1), math.MaxInt32))
		b.arrived++
		if second := (at.UnixMilli() - b.p.first) / 1000; second >= 0 && second < 1<<20 {
			for int64(len(b.seconds)) <= second {
				b.seconds = append(b.seconds, 0)
			}
			b.seconds[second]++
		}
	}
}

// canary is a text that is sent before anything else, to see that the
// engine's carrier is the one that is looked at.
func (p *people) canary() string { return "Rehearsal " + p.tag + " begins" }

func (b *book) canarySeen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.canaries > 0
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrived
}
