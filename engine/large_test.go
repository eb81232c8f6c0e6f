package engine_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"carillon/engine"
)

// largeUser has a full day and as many leads as there can be.
func largeUser(tb testing.TB) (*engine.User, engine.Env) {
	tb.Helper()
	u := &engine.User{ID: "large"}
	env := engine.Env{
		Now:  time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC).UnixMilli(),
		Zone: time.LoadLocation, Policy: engine.DefaultPolicy(),
	}
	engine.Decide(u, env, engine.UpdateUser{
		Create: true, Zone: engine.Some("Europe/Berlin"), Reminders: engine.Some(true),
		DailyLimit: engine.Some(int32(100)), Leads: engine.Some([]int32{5, 15, 30, 60}),
	})
	engine.Decide(u, env, engine.AttestPhone{Phone: "+4915112345678"})
	return u, env
}

// largeSync names that many events, all on one day: the worst there is.
func largeSync(now engine.Millis, events int) engine.SyncEvents {
	s := engine.SyncEvents{Start: now, End: now + 86_400_000}
	for i := range events {
		start := now + 2*3_600_000 + int64(i%600)*60_000
		s.Events = append(s.Events, engine.CalendarEvent{ID: fmt.Sprintf("e%05d", i), Title: "T", Start: start, End: start + 60_000})
	}
	return s
}

// TestLargestCalendar plans as many events as a user may have. If planning
// were quadratic in them, this would take minutes. It counts the processor's
// time, which a busy machine leaves alone, and the bound leaves room for the
// race detector; BenchmarkSync has the numbers.
func TestLargestCalendar(t *testing.T) {
	u, env := largeUser(t)
	began := processorTime(t)
	d := engine.Decide(u, env, largeSync(env.Now, env.Policy.MaxEvents))
	if r, ok := d.Reply.(engine.SyncReply); !ok || r.Created != env.Policy.MaxEvents || len(u.Reminders) != 100 {
		t.Fatalf("%+v, %d reminders", d.Reply, len(u.Reminders))
	}
	if took := processorTime(t) - began; took > 8*time.Second {
		t.Errorf("a sync of %d events took %s", env.Policy.MaxEvents, took)
	}
	d = engine.Decide(u, env, engine.Put(engine.CalendarEvent{ID: "more", Title: "T", Start: env.Now, End: env.Now}))
	if r, ok := d.Reply.(engine.Refusal); !ok || r.Code != engine.CodeTooManyEvents {
		t.Errorf("one more: %+v", d.Reply)
	}
}

// processorTime is what the process has used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkSync(b *testing.B) {
	for _, n := range []int{50, 500, 2_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				u, env := largeUser(b)
				cmd := largeSync(env.Now, n)
				b.StartTimer()
				engine.Decide(u, env, cmd)
			}
		})
	}
}

func BenchmarkPutEvent(b *testing.B) {
	for _, n := range []int{5, 50, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			u, env := largeUser(b)
			cmd := largeSync(env.Now, n)
			engine.Decide(u, env, cmd)
			e := cmd.Events[0]
			for i := 0; b.Loop(); i++ {
				e.Title = []string{"A", "B"}[i%2]
				engine.Decide(u, env, engine.Put(e))
			}
		})
	}
}
