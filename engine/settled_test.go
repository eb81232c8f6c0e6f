package engine_test

import (
	"fmt"
	"reflect"
	"slices"
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
	w.decide(t, engine.Put(e))
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
		engine.Decide(u, *env, engine.Put(lifeEvent("a", day)))
		wake, _ := env.Settled.Wakes(u, env.Now, &env.Policy)
		u.Reminders[0].Due++
		d := engine.Decide(u, *env, engine.Put(lifeEvent("b", day+3_600_000)))
		if moved := len(d.Events) == 3; moved == used {
			t.Errorf("settled %v: %#v", used, d.Events)
		}
		if after, _ := env.Settled.Wakes(u, env.Now, &env.Policy); used && after != wake {
			t.Errorf("the next wake was %d, and is %d with a later event", wake, after)
		}
	}
}

// twins are one user with what is settled, and the same without.
type twins struct {
	t       *testing.T
	env     engine.Env
	u, full *engine.User
	settled engine.Settled
}

// at decides for both at a time of the day, "15:04".
func (w *twins) at(clock string, cmd engine.Command) engine.Decision {
	w.t.Helper()
	w.env.Now = today(w.t, clock)
	w.env.Settled = nil
	full := engine.Decide(w.full, w.env, cmd)
	w.env.Settled = &w.settled
	d := engine.Decide(w.u, w.env, cmd)
	if !reflect.DeepEqual(d, full) {
		w.t.Errorf("%s: %#v\nled to   %#v\nin full  %#v", clock, cmd, d, full)
	}
	w.settled.Wakes(w.u, w.env.Now, &w.env.Policy)
	return d
}

func today(t *testing.T, clock string) engine.Millis {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", "2026-03-02 "+clock)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

// comesBack puts an event whose reminder is cancelled already: it is that one
// which is planned again.
func (w *twins) comesBack(id string, start engine.Millis, meanwhile engine.Command) {
	w.t.Helper()
	e := lifeEvent(id, start)
	w.at("10:00", engine.Put(e))
	w.at("10:01", engine.DeleteEvent{ID: id})
	for _, u := range []*engine.User{w.u, w.full} {
		u.Events = slices.DeleteFunc(u.Events, func(s engine.StoredEvent) bool { return s.ID == id })
	}
	w.at("10:02", meanwhile)
	w.at("10:03", engine.Put(e))
	if n := len(w.u.Reminders); n != 1 || !reflect.DeepEqual(w.u, w.full) {
		w.t.Errorf("%d reminders: %#v", n, w.u.Reminders)
	}
}

// TestNotSettled has what a plan of one event alone would get wrong, were it
// not known that it can't tell.
func TestNotSettled(t *testing.T) {
	day := engine.Millis(86_400_000)
	quiet := func(from, to uint16) engine.Opt[engine.Quiet] {
		return engine.Some(engine.Quiet{Set: true, Start: from, End: to})
	}
	for name, play := range map[string]func(w *twins, at func(string) engine.Millis){
		"places of tomorrow": func(w *twins, at func(string) engine.Millis) {
			w.at("14:00", engine.UpdateUser{Leads: engine.Some([]int32{1440}), DailyLimit: engine.Some[int32](1), Quiet: quiet(1320, 480)})
			for i, id := range []string{"a", "b"} {
				if d := w.at("14:01", engine.Put(lifeEvent(id, at("23:00")+day))); len(d.Events) != 2 {
					w.t.Errorf("event %d led to %#v", i, d.Events)
				}
				w.at("14:01", engine.UpdateUser{}) // plans all, and finds today's place free
			}
		},
		"a text that has to be composed again": func(w *twins, at func(string) engine.Millis) {
			e := lifeEvent("a", at("12:00"))
			w.at("10:00", engine.Put(e))
			c, ok := w.at("11:43", engine.Wake{}).Effects[0].(engine.Compose)
			if !ok {
				w.t.Fatal("nothing to compose")
			}
			w.at("11:43", engine.RecordComposition{
				ReminderID: c.ReminderID, Content: c.Content, Outcome: engine.ComposeOK, Text: "Quarterly review with Dana " + c.Brief.Phrase,
			})
			w.at("11:44", engine.Put(lifeEvent("b", at("15:00"))))
			e.Location = "Room 5"
			if d := w.at("11:44", engine.Put(e)); len(d.Effects) != 1 {
				w.t.Errorf("another place owes %#v", d.Effects)
			}
		},
		"overdue, and kept for quiet hours that end": func(w *twins, at func(string) engine.Millis) {
			w.at("10:00", engine.UpdateUser{Quiet: quiet(13*60, 14*60)})
			w.at("10:00", engine.CreateReminder{Text: "C", SendAt: at("13:30")})
			w.at("13:45", engine.UpdateUser{Quiet: quiet(13*60+40, 13*60+50)})
			w.at("13:46", engine.Put(lifeEvent("a", at("16:00"))))
			if d := w.at("13:52", engine.Put(lifeEvent("b", at("17:00")))); len(d.Events) != 3 {
				w.t.Errorf("when quiet is over: %#v", d.Events)
			}
		},
		"an event that comes back when a plan has let go of it, and not of its reminder": func(w *twins, at func(string) engine.Millis) {
			w.comesBack("a", at("12:00"), engine.GetUser{})
		},
		"… and everything was planned again meanwhile": func(w *twins, at func(string) engine.Millis) {
			w.comesBack("a", at("12:00"), engine.UpdateUser{DailyLimit: engine.Some[int32](9)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			u, env := lifeUser(0)
			full, _ := lifeUser(0)
			w := &twins{t: t, u: u, full: full, env: *env}
			w.env.Policy.Compose = true
			w.at("09:00", engine.DeleteEvent{ID: "e0"})
			play(w, func(clock string) engine.Millis { return today(t, clock) })
		})
	}
}
