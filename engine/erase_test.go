package engine_test

import (
	"testing"
	"time"

	"carillon/engine"
)

// TestErasedIDsNeverComeAgain holds N6 for a user id that is given to somebody
// else: the store has forgotten the first person, so counting begins anew, and
// a late callback for the first must not move the second one's message.
func TestErasedIDsNeverComeAgain(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
	life := func(born engine.Millis) (u *engine.User, custom, message string) {
		u = &engine.User{ID: "u1"}
		decide := func(now engine.Millis, cmd engine.Command) engine.Decision {
			return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}, cmd)
		}
		decide(born, engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true)})
		decide(born, engine.AttestPhone{Phone: "+4915112345678"})
		custom = decide(born, engine.CreateReminder{Text: "Hi", SendAt: at + 3_600_000}).Reply.(engine.ReminderReply).Reminder.ID
		decide(born, engine.Put(engine.CalendarEvent{ID: "e1", Title: "A", Start: at + 900_000, End: at + 1_800_000}))
		offer := decide(at, engine.Wake{}).Effects[0].(engine.Offer)
		message = decide(at, engine.HandOver{ReminderID: offer.ReminderID}).Reply.(engine.HandOverReply).Message.MessageID
		return u, custom, message
	}
	_, firstCustom, firstMessage := life(at - 7_200_000)
	second, secondCustom, secondMessage := life(at - 3_600_000)
	if firstCustom == secondCustom || firstMessage == secondMessage {
		t.Fatalf("custom reminders %s and %s, messages %s and %s", firstCustom, secondCustom, firstMessage, secondMessage)
	}
	d := engine.Decide(second, engine.Env{Now: at, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()},
		engine.ReportDelivery{MessageID: firstMessage, SID: "SM1", Status: engine.MessageDelivered})
	if r, ok := d.Reply.(engine.Refusal); !ok || r.Code != engine.CodeMessageNotFound || len(d.Events) != 0 {
		t.Errorf("a callback for the first person led to %#v, %#v", d.Reply, d.Events)
	}
}

// TestSameLifeSameNames: after a restore from backup an attempt has the name
// that it had before, so that its callback finds it (S3).
func TestSameLifeSameNames(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
	u := &engine.User{ID: "u1"}
	env := engine.Env{Now: at, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}
	var backup []engine.Event
	for _, cmd := range []engine.Command{
		engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true)},
		engine.AttestPhone{Phone: "+4915112345678"},
		engine.Put(engine.CalendarEvent{ID: "e1", Title: "A", Start: at + 960_000, End: at + 1_800_000}),
	} {
		backup = append(backup, engine.Decide(u, env, cmd).Events...)
	}
	restored := &engine.User{ID: "u1"}
	for _, e := range backup {
		restored.Apply(at, e)
	}
	env.Now = at + 60_000
	id := u.Reminders[0].ID
	sent := engine.Decide(u, env, engine.HandOver{ReminderID: id}).Reply.(engine.HandOverReply).Message.MessageID
	env.Now = at + 120_000
	engine.Decide(restored, env, engine.Recover{BackupAt: at})
	engine.Decide(restored, env, engine.ReportDelivery{MessageID: sent, SID: "SM1", Status: engine.MessageDelivered})
	if got := restored.Reminders[0].Status; got != engine.StatusDelivered {
		t.Errorf("the callback of the message from before the restore leaves the reminder %s", got)
	}
}
