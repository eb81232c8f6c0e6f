package engine_test

import (
	"reflect"
	"testing"
	"time"

	"carillon/engine"
)

// TestKeyOfAnotherRequest: an Idempotency-Key that comes with another body is
// refused and changes nothing; a day later it is forgotten.
func TestKeyOfAnotherRequest(t *testing.T) {
	u := &engine.User{ID: "ada"}
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
	decide := func(hash uint64, cmd engine.Command) engine.Decision {
		return engine.Decide(u, engine.Env{
			Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy(), Key: "k1", KeyHash: hash,
		}, cmd)
	}
	engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()},
		engine.UpdateUser{Create: true, Zone: engine.Some("Europe/Berlin")})
	first := decide(1, engine.CreateReminder{Text: "One", SendAt: now + 1000}).Reply.(engine.ReminderReply)
	again := decide(1, engine.CreateReminder{Text: "One", SendAt: now + 1000})
	if r, ok := again.Reply.(engine.ReminderReply); !ok || r.Reminder.ID != first.Reminder.ID || len(again.Events) != 0 {
		t.Errorf("the same request again: %#v, %#v", again.Reply, again.Events)
	}
	other := decide(2, engine.CreateReminder{Text: "Two", SendAt: now + 1000})
	if r, ok := other.Reply.(engine.Refusal); !ok || r.Code != engine.CodeIdempotencyReused || len(other.Events) != 0 {
		t.Errorf("another request: %#v, %#v", other.Reply, other.Events)
	}
	now += 24*3_600_000 + 1
	late := decide(2, engine.CreateReminder{Text: "Two", SendAt: now + 1000})
	if r, ok := late.Reply.(engine.ReminderReply); !ok || !r.Created {
		t.Errorf("a day later: %#v", late.Reply)
	}
}

// TestErasedIsErased: nothing of the person is left in the state (N6).
func TestErasedIsErased(t *testing.T) {
	u, env := largeUser(t)
	engine.Decide(u, env, largeSync(env.Now, 3))
	engine.Decide(u, env, engine.ReceiveText{SID: "SM1", Text: "STOP"})
	d := engine.Decide(u, env, engine.EraseUser{})
	if want := (engine.User{ID: "large", EventSeq: u.EventSeq}); !reflect.DeepEqual(*u, want) {
		t.Errorf("left: %+v", u)
	}
	if u.NextWake(env.Now, &env.Policy) != 0 || u.EarliestWake(&env.Policy) != 0 || len(d.Effects) != 0 {
		t.Errorf("an erased user has work: %+v", d.Effects)
	}
	had, ok := d.Events[0].(engine.PhoneSet)
	if !ok || had.Had != "+4915112345678" {
		t.Errorf("the number is not given back: %+v", d.Events)
	}
}
