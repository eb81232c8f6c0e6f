package engine_test

import (
	"testing"
	"time"

	"carillon/engine"
)

// TestALookUpOfRestoredGoesADayBack: what is due since a restored backup may have
// been sent before it was due, by a send-now that the backup does not know of. And
// the backup's time is that of its last record: the clock may have gone back behind
// it, before the reminder left, whether it came due by that clock or was sent by hand
// (S3). What was sent before the person was there was sent to somebody else.
func TestALookUpOfRestoredGoesADayBack(t *testing.T) {
	const minute, hour = engine.Millis(60_000), engine.Millis(3_600_000)
	for name, c := range map[string]struct {
		born        engine.Millis // how long before the reminder the person was made
		due, backup engine.Millis // since then
		back        engine.Millis // before the earlier of the two
	}{
		"sent before it was due":         {born: 72 * hour, due: hour, backup: minute, back: 24 * hour},
		"due before the backup, it says": {born: 72 * hour, due: hour, backup: 3 * hour, back: 24 * hour},
		"they were made since":           {born: 2 * hour, due: 2 * hour, backup: hour, back: 3*hour - 10*minute},
		"they were made just before":     {born: minute, due: hour, backup: 5 * minute, back: 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := reached(t)
			s.now += c.born
			begun := s.now
			s.decide(engine.CreateReminder{Text: "Water the plants", SendAt: begun + c.due})
			s.now = begun + c.due + 2*minute
			s.ranOn = s.now
			s.decide(engine.Recover{BackupAt: begun + c.backup})
			s.now += minute / 2
			if back := begun + min(c.due, c.backup) - s.lookUp(t).Since; back != c.back {
				t.Errorf("it is looked for %d minutes back, want %d", back/minute, c.back/minute)
			}
		})
	}
}

// TestFenceIsNotToldByTheClock: a clock went back between a hand-over and the
// backup, so that the message looks younger than the backup which has it. It
// gets no further hand-over either (S3), nor does one of a second backup that
// seems older than the first.
func TestFenceIsNotToldByTheClock(t *testing.T) {
	for name, c := range map[string]engine.Recover{"due": {}, "loaded later": {Settled: true}} {
		t.Run(name, func(t *testing.T) {
			u := &engine.User{ID: "ada", Fence: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixMilli()}
			now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
			do := func(cmd engine.Command) engine.Decision {
				return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}, cmd)
			}
			do(engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Quiet: engine.Some(engine.Quiet{})})
			do(engine.AttestPhone{Phone: "+12025550123"})
			r := do(engine.CreateReminder{Text: "Water the plants", SendAt: now}).Reply.(engine.ReminderReply).Reminder.ID
			m := do(engine.HandOver{ReminderID: r}).Reply.(engine.HandOverReply).Message
			do(engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeAccepted, SID: "SM1", Status: engine.MessageQueued})
			now -= 1_800_000
			c.BackupAt = now
			do(c)
			do(engine.ReportDelivery{MessageID: m.MessageID, SID: "SM1", Status: engine.MessageUndelivered, Failure: engine.Failure{
				Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes,
			}})
			if got := u.Reminders[0].Status; got != engine.StatusFailed {
				t.Errorf("%s, and the engine that ran on may have tried again", got)
			}
		})
	}
}

// TestWhatCameBehindARestoreIsRetried: the clock went back behind a restore, so
// that a message looks older than the backup that does not know it. It is tried
// again when it is lost (S4).
func TestWhatCameBehindARestoreIsRetried(t *testing.T) {
	s := reached(t)
	s.decide(engine.Recover{BackupAt: s.now})
	s.now -= 1_800_000
	r := s.decide(engine.CreateReminder{Text: "Water the plants", SendAt: s.now}).Reply.(engine.ReminderReply).Reminder.ID
	m := s.decide(engine.HandOver{ReminderID: r}).Reply.(engine.HandOverReply).Message
	s.decide(engine.RecordOutcome{MessageID: m.MessageID, Kind: engine.OutcomeAccepted, SID: "SM1", Status: engine.MessageQueued})
	s.decide(engine.ReportDelivery{MessageID: m.MessageID, SID: "SM1", Status: engine.MessageUndelivered, Failure: engine.Failure{
		Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes,
	}})
	if got := s.u.Reminders[0].Status; got != engine.StatusScheduled {
		t.Errorf("%s, and nobody else has tried again", got)
	}
}

// TestWhatWasLostWithTheStoreHasNoNamesake: behind a restore a message has the id of
// none that was lost with the store, whose late callback must not speak for it. What
// is taken to have left since the backup has the id that the engine gave it that ran
// on, so that a callback may tell (S3).
func TestWhatWasLostWithTheStoreHasNoNamesake(t *testing.T) {
	for _, restores := range []uint64{0, 1, 7} {
		env := engine.Env{Now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli(), Zone: time.LoadLocation, Policy: engine.DefaultPolicy(), Restores: restores}
		backup, later, due := env.Now, env.Now+3_600_000, env.Now+60_000
		begin := func() (u *engine.User, soon, after string) { // as the backup has it
			u, env.Now, env.Restores = &engine.User{ID: "ada"}, backup, restores
			engine.Decide(u, env, engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Quiet: engine.Some(engine.Quiet{})})
			engine.Decide(u, env, engine.AttestPhone{Phone: "+12025550123"})
			create := func(text string, at engine.Millis) string {
				return engine.Decide(u, env, engine.CreateReminder{Text: text, SendAt: at}).Reply.(engine.ReminderReply).Reminder.ID
			}
			return u, create("Water the plants", due), create("Feed the cat", later)
		}
		hand := func(u *engine.User, id string) string {
			return engine.Decide(u, env, engine.HandOver{ReminderID: id}).Reply.(engine.HandOverReply).Message.MessageID
		}
		u, soon, after := begin()
		env.Now = due
		lost := hand(u, soon)
		engine.Decide(u, env, engine.SendNow{ID: after})
		hurried := hand(u, after)

		u, soon, after = begin()
		env.Restores++
		env.Now = due + 60_000
		engine.Decide(u, env, engine.Recover{BackupAt: backup})
		engine.Decide(u, env, engine.ReportDelivery{MessageID: lost, SID: "SM1", Status: engine.MessageDelivered})
		if got := u.Reminders[0]; got.ID != soon || got.Status != engine.StatusDelivered {
			t.Errorf("%d restores before: it is %s, and its callback came", restores, got.Status)
		}
		env.Now = later
		if id := hand(u, after); id == hurried {
			t.Errorf("%d restores before: two messages are %s", restores, id)
		}
		reply := engine.Decide(u, env, engine.ReportDelivery{MessageID: hurried, SID: "SM2", Status: engine.MessageDelivered}).Reply
		if r, ok := reply.(engine.Refusal); !ok || r.Code != engine.CodeMessageNotFound || u.Reminders[1].Status != engine.StatusSending {
			t.Errorf("%d restores before: %+v, %s", restores, reply, u.Reminders[1].Status)
		}
	}
}
