package actors_test

import (
	"testing"
	"time"

	"carillon/actors"
	"carillon/engine"
	"carillon/wal/waltest"
)

// W4: history is as long as it is to be kept, and the log no longer: the same
// work for as long again takes no more room.
func TestHistoryIsBounded(t *testing.T) {
	log := waltest.NewMem(waltest.MemOptions{SegmentRecords: 8})
	span := func(w *world) (records uint64) {
		for range 24 {
			w.event("ada", "e1", 20*time.Minute)
			w.pass(30 * time.Minute)
		}
		s := log.Stats()
		return s.LastSeq - s.FirstSeq + 1
	}
	inWorld(t, func(c *actors.Config) {
		c.Log, c.Retention, c.SnapshotEvery, c.Idle = log, time.Hour, 5*time.Minute, time.Minute
	}, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("ada", engine.UpdateUser{DailyLimit: engine.Some(int32(100))})
		first, second := span(w), span(w)
		if all := log.Stats().LastSeq; second > first+8 || all < 4*second {
			t.Errorf("%d records kept after half a day, %d after a day, of %d", first, second, all)
		}
		if u := w.do("ada", engine.GetUser{}).(engine.UserReply).User; u.Phone != "+15550100001" {
			t.Errorf("ada's number is %q", u.Phone)
		}
		if got := len(w.carrier.texts()); got != 48 {
			t.Errorf("%d of 48 texts left", got)
		}
	})
}
