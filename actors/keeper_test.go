package actors_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
	"carillon/wal/waltest"
)

// A user whom nobody needs leaves memory and is back when something is due.
func TestIdleUsersArePassivatedAndComeBack(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.Idle = time.Minute }, func(w *world) {
		for i := range 20 {
			w.person(fmt.Sprint("u", i), fmt.Sprintf("+1555010%04d", i))
			w.event(fmt.Sprint("u", i), "e1", 2*time.Hour)
		}
		w.pass(10 * time.Minute)
		if s := w.node.Stats(); s.ActorsAlive != 0 || s.Users != 20 {
			t.Fatalf("%d of %d users are in memory", s.ActorsAlive, s.Users)
		}
		w.pass(2 * time.Hour)
		if got := len(w.carrier.texts()); got != 20 {
			t.Errorf("%d of 20 texts left", got)
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
	})
}

// A name that nobody has must not stay in memory for having been asked for.
func TestUnknownUsersLeaveNoTrace(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.Idle = time.Minute }, func(w *world) {
		for i := range 50 {
			reply, err := w.try(fmt.Sprint("ghost", i), engine.GetUser{})
			if r, ok := reply.(engine.Refusal); err != nil || !ok || r.Code != engine.CodeUserNotFound {
				t.Fatalf("%v %v", reply, err)
			}
		}
		if s := w.node.Stats(); s.Users != 0 || s.ActorsAlive != 0 {
			t.Errorf("%d users and %d actors for having been asked for", s.Users, s.ActorsAlive)
		}
		w.pass(10 * time.Minute)
		if s := w.node.Stats(); s.Users != 0 || s.Journal.LastSeq != 0 {
			t.Errorf("%d users, %d records", s.Users, s.Journal.LastSeq)
		}
	})
}

// W4: rounds of snapshots let a start begin near the end of the log, with the
// same state.
func TestSnapshotRoundsShortenTheReplay(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.SnapshotEvery, c.Idle = 10*time.Second, 30*time.Second }, func(w *world) {
		for i := range 700 { // more than one chunk
			w.person(fmt.Sprint("u", i), fmt.Sprintf("+1555010%04d", i))
		}
		w.pass(5 * time.Second)
		w.event("u7", "e1", time.Hour)
		w.pass(20 * time.Second)
		if s := w.log.Stats(); s.ReplayFrom != s.LastSeq+1 {
			t.Fatalf("replay from %d, the log ends at %d", s.ReplayFrom, s.LastSeq)
		}
		w.event("u8", "e1", time.Hour)
		w.pass(3 * time.Minute) // all are passivated, with snapshots of every age
		w.event("u7", "e2", time.Hour)
		w.crash()
		if got := w.statuses("u7") + w.statuses("u8"); got != "[scheduled scheduled][scheduled]" {
			t.Errorf("after a crash: %s", got)
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
		w.pass(2 * time.Hour)
		if got := len(w.carrier.texts()); got != 3 {
			t.Errorf("%d of 3 texts left", got)
		}
	})
}

// A flood is paced: few are awake at a time, and all get their turn (P9).
func TestManyDueAtOnceArePaced(t *testing.T) {
	inWorld(t, func(c *actors.Config) { c.MaxWakes = 4 }, func(w *world) {
		for i := range 100 {
			w.person(fmt.Sprint("u", i), fmt.Sprintf("+1555010%04d", i))
		}
		w.pass(24 * time.Hour)
		for i := range 100 {
			if r := w.do(fmt.Sprint("u", i), engine.GetUser{}).(engine.UserReply); r.User.Date.String() != time.Now().UTC().Format(time.DateOnly) {
				t.Fatalf("u%d is still on %s", i, r.User.Date)
			}
		}
	})
}

// S3: after a restore everything that came due since the backup is uncertain
// and asked for at the carrier; what it has is not sent again, the rest is.
func TestRestoreTakesWhatWasDueAsUncertain(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.person("bob", "+15550100002")
		w.event("ada", "e1", 30*time.Minute)
		w.event("bob", "e1", 30*time.Minute)
		w.pass(time.Minute)
		var backup bytes.Buffer
		if _, err := w.log.Backup(&backup); err != nil {
			t.Fatal(err)
		}
		w.pass(20 * time.Minute) // both were sent; then the machine burns
		if got := len(w.carrier.texts()); got != 2 {
			t.Fatalf("%d texts", got)
		}
		w.stop()
		restored, err := waltest.RestoreMem(&backup, waltest.MemOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.log = restored
		w.carrier = &carrier{find: func(m provider.Message) provider.Sighting {
			if m.UserID == "ada" {
				return provider.Sighting{Result: provider.Found, SID: "SM1", Status: engine.MessageDelivered}
			}
			return provider.Sighting{Result: provider.Absent}
		}}
		w.start()
		synctest.Wait()
		if got := w.statuses("ada") + w.statuses("bob"); got != "[uncertain][uncertain]" {
			t.Fatalf("after the restore: %s", got)
		}
		if _, pending := w.log.Restored(); pending {
			t.Error("the restore is not accounted for")
		}
		w.pass(5 * time.Minute)
		if got := w.statuses("ada") + w.statuses("bob"); got != "[delivered][sent]" {
			t.Errorf("after the look-ups: %s", got)
		}
		if len(w.carrier.accepted) != 1 || w.carrier.accepted[0].UserID != "bob" {
			t.Errorf("sent again: %v", w.carrier.texts())
		}
	})
}

// S3: a pause that the backup knows may have ended before what was due left,
// so that a paused person's reminders are looked up after a restore as well.
func TestRestoreFindsWhatAPauseHeldBack(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 30*time.Minute)
		w.do("ada", engine.PauseUser{Paused: true})
		w.pass(time.Minute)
		var backup bytes.Buffer
		if _, err := w.log.Backup(&backup); err != nil {
			t.Fatal(err)
		}
		w.do("ada", engine.PauseUser{Paused: false})
		w.pass(20 * time.Minute)
		if got := len(w.carrier.texts()); got != 1 {
			t.Fatalf("%d texts", got)
		}
		w.stop()
		restored, err := waltest.RestoreMem(&backup, waltest.MemOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.log = restored
		w.carrier = &carrier{find: func(provider.Message) provider.Sighting {
			return provider.Sighting{Result: provider.Found, SID: "SM1", Status: engine.MessageDelivered}
		}}
		w.start()
		w.pass(5 * time.Minute)
		if got := w.statuses("ada"); got != "[delivered]" {
			t.Errorf("after the restore: %s", got)
		}
	})
}

// S3, D3: the engine that ran on after a backup may have heard that a message
// was lost, and have tried again. Behind the restore the same news leads to no
// further hand-over, also for somebody who had nothing due.
func TestRestoreDoesNotRetryWhatWasWithTheCarrier(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 300*time.Minute)
		w.do("ada", engine.UpdateUser{Leads: engine.Some([]int32{299})})
		w.pass(2 * time.Minute)
		sent := w.carrier.accepted
		if len(sent) != 1 {
			t.Fatalf("%d texts", len(sent))
		}
		var backup bytes.Buffer
		if _, err := w.log.Backup(&backup); err != nil {
			t.Fatal(err)
		}
		w.stop()
		restored, err := waltest.RestoreMem(&backup, waltest.MemOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.log = restored
		w.start()
		w.pass(time.Minute)
		w.do("ada", engine.ReportDelivery{
			MessageID: sent[0].MessageID, Status: engine.MessageUndelivered,
			Failure: engine.Failure{Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes},
		})
		w.pass(30 * time.Minute)
		if got := len(w.carrier.accepted); got != 1 {
			t.Errorf("%d texts", got)
		}
		if got := w.statuses("ada"); got != "[cancelled failed]" { // the lead that was taken away
			t.Errorf("after the restore: %s", got)
		}
	})
}

// S3: what the engine sent that ran on behind a backup is not known. A message that
// is begun by the one that took over is not looked for before that, in whichever of
// its lives: a text of the same words would be taken for it.
func TestTakingOverIsKnown(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.pass(72 * time.Hour)
		var backup bytes.Buffer
		if _, err := w.log.Backup(&backup); err != nil {
			t.Fatal(err)
		}
		look := func(want time.Duration) {
			t.Helper()
			w.carrier.set(func(provider.Message) provider.Outcome { return provider.Outcome{Kind: provider.Uncertain} })
			at := time.Now()
			w.do("ada", engine.CreateReminder{Text: at.Format(time.TimeOnly), SendAt: at.UnixMilli()})
			w.pass(35 * time.Second)
			back := time.Duration(at.UnixMilli()-w.carrier.since()) * time.Millisecond
			if back < want-time.Second || back > want+time.Second {
				t.Errorf("it is looked for %s back, want %s", back, want)
			}
			w.pass(2 * time.Hour)
		}
		look(24 * time.Hour)
		w.stop()
		restored, err := waltest.RestoreMem(&backup, waltest.MemOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.log = restored
		w.pass(time.Hour) // between the two
		w.start()
		took := time.Now()
		look(0)
		look(time.Since(took) - 10*time.Minute)
		w.crash()
		look(time.Since(took) - 10*time.Minute)
		w.pass(48 * time.Hour)
		look(24 * time.Hour)
	})
}

// S4: what left behind a restore is tried again when it is lost, also by a
// process that starts later.
func TestWhatIsSentBehindARestoreIsRetried(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		var backup bytes.Buffer
		if _, err := w.log.Backup(&backup); err != nil {
			t.Fatal(err)
		}
		w.stop()
		restored, err := waltest.RestoreMem(&backup, waltest.MemOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.log = restored
		w.start()
		w.event("ada", "e1", 300*time.Minute)
		w.do("ada", engine.UpdateUser{Leads: engine.Some([]int32{299})})
		w.pass(2 * time.Minute)
		w.stop()
		w.start()
		sent := w.carrier.accepted
		if len(sent) != 1 {
			t.Fatalf("%d texts", len(sent))
		}
		w.do("ada", engine.ReportDelivery{
			MessageID: sent[0].MessageID, Status: engine.MessageUndelivered,
			Failure: engine.Failure{Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes},
		})
		w.pass(30 * time.Minute)
		if got := len(w.carrier.accepted); got != 2 {
			t.Errorf("%d texts: %s", got, w.statuses("ada"))
		}
	})
}

// unreadable is a log that can't give one user's snapshot while it is broken.
type unreadable struct {
	wal.Log
	user   string
	broken atomic.Bool
}

func (u *unreadable) Snapshot(stream string) (wal.Snapshot, bool, error) {
	if stream == u.user && u.broken.Load() {
		return wal.Snapshot{}, false, wal.ErrCorrupt
	}
	return u.Log.Snapshot(stream)
}

// Somebody who can't be read keeps a round from being whole: the log must stay,
// and it is told for as long as that lasts.
func TestARoundThatLacksSomebodyIsTold(t *testing.T) {
	reg := prometheus.NewRegistry()
	log := &unreadable{user: "u3"}
	inWorld(t, func(c *actors.Config) {
		log.Log, c.Log = c.Log, log
		c.Metrics, c.SnapshotEvery, c.Idle = reg, 10*time.Minute, 30*time.Second
	}, func(w *world) {
		behind := func() float64 { return metric(t, reg, "carillon_snapshots_behind_seconds") }
		if got := behind(); got != 0 {
			t.Errorf("behind by %v with an empty log", got)
		}
		for i := range 200 {
			w.person(fmt.Sprint("u", i), fmt.Sprintf("+1555010%04d", i))
		}
		w.pass(5 * time.Minute) // they leave memory
		if got := behind(); got < 290 || got > 300 {
			t.Errorf("behind by %v after five minutes without a round", got)
		}
		log.broken.Store(true)
		w.pass(time.Hour)
		if got := behind(); got < 3890 || got > 3900 {
			t.Errorf("behind by %v, rounds go on without u3", got)
		}
		if n := metric(t, reg, "carillon_users_unreadable_total"); n < 5 {
			t.Errorf("unreadable %v times in six rounds", n)
		}
		s := w.log.Stats()
		if s.ReplayFrom > 1 {
			t.Errorf("replay from %d without u3's records", s.ReplayFrom)
		}
		if _, ok, err := w.log.Snapshot("u4"); err != nil || !ok {
			t.Errorf("u4 has no snapshot because of u3: %v", err)
		}
		log.broken.Store(false)
		w.pass(15 * time.Minute)
		if got := behind(); got != 0 {
			t.Errorf("behind by %v after a round that had everybody", got)
		}
		if s := w.log.Stats(); s.ReplayFrom != s.LastSeq+1 {
			t.Errorf("replay from %d, the log ends at %d", s.ReplayFrom, s.LastSeq)
		}
	})
}

// W3, W4: a keeper does not stand still behind a clock that goes back: it sees that
// the disk is full, has rounds of snapshots made, and lets go of whom nobody needs.
func TestTheKeeperByAClockThatWentBack(t *testing.T) {
	var clk *wallClock // made in the bubble
	var low atomic.Bool
	config := func(c *actors.Config) {
		clk = &wallClock{}
		c.Clock, c.LowOnSpace, c.SnapshotEvery, c.Idle = clk, low.Load, 10*time.Second, time.Minute
	}
	inWorld(t, config, func(w *world) {
		w.person("ada", "+15550100001")
		w.pass(time.Hour)
		w.do("ada", engine.UpdateUser{DailyLimit: engine.Some[int32](7)})
		clk.jump(-3 * time.Hour)
		low.Store(true)
		w.pass(3 * time.Second)
		if _, err := w.try("ada", engine.UpdateUser{DailyLimit: engine.Some[int32](8)}); !errors.Is(err, actors.ErrNoSpace) {
			t.Errorf("the disk is full, and a write is answered %v", err)
		}
		low.Store(false)
		w.pass(15 * time.Second)
		if s := w.log.Stats(); s.ReplayFrom != s.LastSeq+1 {
			t.Errorf("replay from %d, the log ends at %d", s.ReplayFrom, s.LastSeq)
		}
		w.pass(2 * time.Minute)
		if s := w.node.Stats(); s.ActorsAlive != 0 {
			t.Error("she is in memory still")
		}
	})
}
