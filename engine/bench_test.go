package engine_test

import (
	"fmt"
	"testing"
	"time"

	"carillon/engine"
)

// benchUsers are decided upon in one iteration: preparing them is not
// measured, and would be the most of it one by one.
const benchUsers = 256

// lifeSteps are the commands of a reminder's life, each on what the one before
// has left: five events for tomorrow, their day plan, the first one's turn.
var lifeSteps = []struct {
	name string
	cmd  func(u *engine.User, env *engine.Env) engine.Command
}{
	{"put_event", func(_ *engine.User, env *engine.Env) engine.Command {
		return engine.Put(lifeEvent("more", env.Now+20*3_600_000))
	}},
	{"midnight", func(u *engine.User, env *engine.Env) engine.Command {
		env.Now = u.NextWake(env.Now, &env.Policy)
		return engine.Wake{}
	}},
	{"wake", func(u *engine.User, env *engine.Env) engine.Command {
		env.Now = u.NextWake(env.Now, &env.Policy)
		return engine.Wake{}
	}},
	{"hand_over", func(u *engine.User, env *engine.Env) engine.Command {
		for i := range u.Reminders {
			if u.Reminders[i].Due <= env.Now {
				return engine.HandOver{ReminderID: u.Reminders[i].ID}
			}
		}
		return engine.HandOver{}
	}},
	{"outcome", func(u *engine.User, _ *engine.Env) engine.Command {
		return engine.RecordOutcome{MessageID: lifeMessage(u), Kind: engine.OutcomeAccepted, SID: "SM1", Status: engine.MessageQueued}
	}},
	{"delivery", func(u *engine.User, _ *engine.Env) engine.Command {
		return engine.ReportDelivery{MessageID: lifeMessage(u), SID: "SM1", Status: engine.MessageDelivered}
	}},
}

func lifeEvent(id string, start engine.Millis) engine.CalendarEvent {
	return engine.CalendarEvent{ID: id, Title: "Quarterly review with Dana", Location: "Room 4.12", Start: start, End: start + 3_600_000}
}

func lifeMessage(u *engine.User) string {
	for i := range u.Reminders {
		if m := u.Reminders[i].Messages; len(m) > 0 {
			return m[0].ID
		}
	}
	return ""
}

// lifeUser has five events for tomorrow.
func lifeUser(i int) (*engine.User, *engine.Env) {
	u := &engine.User{ID: fmt.Sprintf("user-%07d", i)}
	now := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	env := &engine.Env{Now: now.UnixMilli(), Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}
	engine.Decide(u, *env, engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Reminders: engine.Some(true), Quiet: engine.Some(engine.Quiet{})})
	engine.Decide(u, *env, engine.AttestPhone{Phone: "+4915112345678"})
	day := now.Truncate(24 * time.Hour).Add(24 * time.Hour).UnixMilli()
	s := engine.SyncEvents{Start: day, End: day + 86_400_000}
	for e := range 5 {
		s.Events = append(s.Events, lifeEvent(fmt.Sprintf("e%d", e), day+int64(9+e)*3_600_000))
	}
	engine.Decide(u, *env, s)
	return u, env
}

// BenchmarkDecide is one decision of each step; Decide applies its events too.
func BenchmarkDecide(b *testing.B) {
	for at, step := range lifeSteps {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				users, envs, cmds := lifeUntil(b, at)
				b.StartTimer()
				for i, u := range users {
					engine.Decide(u, *envs[i], cmds[i])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchUsers), "ns/decision")
		})
	}
}

// lifeUntil brings users to a step, and returns its command for each.
func lifeUntil(b *testing.B, at int) (users []*engine.User, envs []*engine.Env, cmds []engine.Command) {
	b.Helper()
	for i := range benchUsers {
		u, env := lifeUser(i)
		for _, before := range lifeSteps[:at] {
			if d := engine.Decide(u, *env, before.cmd(u, env)); len(d.Events)+len(d.Effects) == 0 {
				b.Fatalf("%s decided nothing: %+v", before.name, d)
			}
		}
		users, envs, cmds = append(users, u), append(envs, env), append(cmds, lifeSteps[at].cmd(u, env))
	}
	return users, envs, cmds
}

// BenchmarkApply replays the whole life: what a start does with the log.
func BenchmarkApply(b *testing.B) {
	u, env := lifeUser(0)
	type record struct {
		at     engine.Millis
		events []engine.Event
	}
	var all []record
	for _, step := range lifeSteps {
		cmd := step.cmd(u, env)
		all = append(all, record{env.Now, append([]engine.Event(nil), engine.Decide(u, *env, cmd).Events...)})
	}
	count := 0
	for _, r := range all {
		count += len(r.events)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		users := make([]*engine.User, benchUsers)
		for i := range users {
			users[i], _ = lifeUser(0)
		}
		b.StartTimer()
		for _, u := range users {
			for _, r := range all {
				for _, e := range r.events {
					u.Apply(r.at, e)
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchUsers*count), "ns/event")
}
