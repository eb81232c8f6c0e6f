package actors

import "testing"

// A round begins before its time when there is much to spare a start, and not in
// the midst of a burst, unless there is very much.
func TestARoundWaitsForABurst(t *testing.T) {
	k := &keeper{node: &Node{cfg: Config{SnapshotRecords: 100}}}
	for _, c := range []struct {
		queued  int64
		users   int
		records uint64
		want    bool
	}{
		{0, 10, 99, false},
		{0, 10, 100, true},
		{0, 26, 100, false}, // few records of each
		{1, 10, 100, false},
		{1, 10, 499, false},
		{1, 10, 500, true},
		{0, 500, 500, true},
	} {
		k.node.view.queued.Store(c.queued)
		if got := k.worth(c.users, c.records); got != c.want {
			t.Errorf("%d records of %d users, %d reminders queued: %v", c.records, c.users, c.queued, got)
		}
	}
}
