package engine_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carillon/engine"
)

// putAny puts one of a few events: timed or all-day, soon or in days, with one
// thing or another changed.
func (w *world) putAny(t *rapid.T) {
	e := engine.CalendarEvent{
		ID: fmt.Sprintf("e%d", rapid.IntRange(0, 6).Draw(t, "event")), Title: rapid.SampledFrom([]string{"T", "U"}).Draw(t, "title"),
		Location: rapid.SampledFrom([]string{"", "L"}).Draw(t, "location"),
	}
	if rapid.IntRange(0, 3).Draw(t, "all day") == 0 {
		e.AllDay, e.Date = true, engine.Date(w.now/86_400_000)+engine.Date(rapid.IntRange(-1, 2).Draw(t, "date"))
		e.EndDate = e.Date + engine.Date(rapid.IntRange(1, 2).Draw(t, "days"))
	} else {
		from := w.now / 3_600_000
		if rapid.IntRange(0, 2).Draw(t, "by the day") == 0 {
			from = w.now / 86_400_000 * 24
		}
		e.Start = (from + int64(rapid.SampledFrom([]int{-2, 1, 2, 3, 8, 20, 30, 45, 46}).Draw(t, "in"))) * 3_600_000
		e.End = e.Start + 60_000*int64(rapid.IntRange(0, 2).Draw(t, "minutes"))
	}
	e.Free = rapid.IntRange(0, 9).Draw(t, "free") == 0
	e.Sync = rapid.SampledFrom([]engine.SyncStatus{0, 0, 0, 0, 0, engine.SyncPending, engine.SyncCanceled}).Draw(t, "sync")
	e.Version, e.HasVersion = int64(rapid.IntRange(0, 3).Draw(t, "version")), rapid.Bool().Draw(t, "versioned")
	w.decide(t, engine.PutEvent{Event: e})
}

// handOverAny begins a hand-over that is owed, and may answer it.
func (w *world) handOverAny(t *rapid.T) {
	for _, key := range sortedKeys(w.owed) {
		if _, ok := w.owed[key].(engine.Offer); !ok {
			continue
		}
		delete(w.owed, key)
		h, ok := w.decide(t, engine.HandOver{ReminderID: key}).Reply.(engine.HandOverReply)
		if !ok || h.Message == nil || rapid.IntRange(0, 3).Draw(t, "no answer") == 0 {
			continue
		}
		o := engine.RecordOutcome{MessageID: h.Message.MessageID, SID: "SM" + h.Message.MessageID, Status: engine.MessageQueued}
		o.Kind = engine.OutcomeKind(rapid.IntRange(0, 2).Draw(t, "outcome"))
		o.Failure = engine.Failure{Category: engine.CategoryCarrierIssue, Retry: engine.RetryYes}
		w.truth[o.MessageID] = carried{accepted: o.Kind == engine.OutcomeAccepted}
		w.decide(t, o)
	}
}

// TestSettled holds that an event planned alone leads to what planning all of
// them does, whatever came before and however much time lies between: decide
// compares each decision with that of a twin of whom nothing is settled.
func TestSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.update(t)
		w.decide(t, engine.AttestPhone{Phone: "+4915112345678"})
		if rapid.Bool().Draw(t, "roomy") {
			w.decide(t, engine.UpdateUser{DailyLimit: engine.Some[int32](9), AllDayAt: engine.Some[int16](9 * 60), Reminders: engine.Some(true)})
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "events") {
					w.putAny(t)
				}
			},
			"delete": func(t *rapid.T) {
				w.decide(t, engine.DeleteEvent{ID: fmt.Sprintf("e%d", rapid.IntRange(0, 6).Draw(t, "event"))})
			},
			"hand over": w.handOverAny,
			"report":    w.report,
			"compose":   w.compose,
			"restart":   w.restart,
			"update": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "all") == 0 {
					w.update(t)
					return
				}
				from := uint16(w.now/60_000+int64(rapid.IntRange(-90, 120).Draw(t, "quiet from"))) % 1440
				q := engine.Quiet{Set: true, Start: from, End: (from + uint16(rapid.IntRange(1, 90).Draw(t, "for"))) % 1440}
				w.decide(t, engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Quiet: engine.Some(q)})
			},
			"custom": func(t *rapid.T) {
				at := w.now + int64(rapid.IntRange(-30, 600).Draw(t, "in"))*60_000
				w.decide(t, engine.CreateReminder{Text: "C", SendAt: at, Priority: engine.Priority(rapid.IntRange(0, 3).Draw(t, "priority"))})
			},
			"reply": func(t *rapid.T) {
				w.decide(t, engine.ReceiveText{Text: rapid.SampledFrom([]string{"SNOOZE 1", "SNOOZE 300", "STOP", "START"}).Draw(t, "reply")})
			},
			"send now or cancel": func(t *rapid.T) {
				if len(w.u.Reminders) == 0 {
					return
				}
				id := rapid.SampledFrom(w.u.Reminders).Draw(t, "reminder").ID
				if rapid.Bool().Draw(t, "send now") {
					w.decide(t, engine.SendNow{ID: id})
				} else {
					w.decide(t, engine.CancelReminder{ID: id})
				}
			},
			"pause": func(t *rapid.T) { w.decide(t, engine.PauseUser{Paused: rapid.Bool().Draw(t, "paused")}) },
			"time passes": func(t *rapid.T) { // and nobody wakes
				w.now += int64(rapid.IntRange(1, 240).Draw(t, "minutes")) * 60_000
			},
			"the clock goes back": func(t *rapid.T) {
				w.now -= int64(rapid.IntRange(1, 90).Draw(t, "minutes")) * 60_000
			},
			"until the next wake": func(t *rapid.T) {
				if at := w.u.NextWake(w.now, lawPolicy()); at > 0 {
					w.now = at
				}
				w.decide(t, engine.Wake{})
			},
		})
	})
}

// TestSettledIsUsed tampers with a reminder: a full plan would put it right,
// and the plan of another event alone does not look at it.
func TestSettledIsUsed(t *testing.T) {
	for _, used := range []bool{true, false} {
		u, env := lifeUser(0)
		if used {
			env.Settled = new(engine.Settled)
		}
		day := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixMilli()
		engine.Decide(u, *env, engine.PutEvent{Event: lifeEvent("a", day)})
		wake, _ := env.Settled.Wakes(u, env.Now, &env.Policy)
		u.Reminders[0].Due++
		d := engine.Decide(u, *env, engine.PutEvent{Event: lifeEvent("b", day+3_600_000)})
		if moved := len(d.Events) == 3; moved == used {
			t.Errorf("settled %v: %#v", used, d.Events)
		}
		if after, _ := env.Settled.Wakes(u, env.Now, &env.Policy); used && after != wake {
			t.Errorf("the next wake was %d, and is %d with a later event", wake, after)
		}
	}
}
