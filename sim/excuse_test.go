package sim

import (
	"context"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// TestTextsOfTheSameWordsAreCountedAtCalls: one that the carrier takes late was
// under way when another of the same words was lost, and the retry of that one
// is no third text. A call while the others may arrive is one too many.
func TestTextsOfTheSameWordsAreCountedAtCalls(t *testing.T) {
	type text struct {
		reminder         string
		called, at, lost engine.Millis // seconds; lost 0: it was not
	}
	for name, c := range map[string]struct {
		texts []text // in the order in which the carrier took them
		bad   bool
	}{
		"one each": {texts: []text{{"r_1", 0, 1, 0}, {"r_2", 2, 3, 0}}},
		"the first was lost when the second was under way":  {texts: []text{{"r_1", 0, 2, 5}, {"r_1", 10, 11, 0}, {"r_2", 2, 16, 0}}},
		"the first was lost behind the retry":               {texts: []text{{"r_1", 0, 2, 12}, {"r_1", 10, 11, 0}, {"r_2", 2, 16, 0}}, bad: true},
		"the retry left when the first was under way":       {texts: []text{{"r_1", 10, 11, 0}, {"r_1", 0, 16, 0}}, bad: true},
		"the first was never lost":                          {texts: []text{{"r_1", 0, 2, 0}, {"r_1", 10, 11, 0}, {"r_2", 2, 16, 0}}, bad: true},
		"both were lost, and both were tried again":         {texts: []text{{"r_1", 0, 2, 5}, {"r_2", 2, 3, 6}, {"r_1", 10, 11, 0}, {"r_2", 12, 13, 0}}},
		"one of two was lost, and both were tried again":    {texts: []text{{"r_1", 0, 2, 5}, {"r_2", 2, 3, 0}, {"r_1", 10, 11, 0}, {"r_2", 12, 13, 0}}, bad: true},
		"it was taken twice, and the carrier lost it later": {texts: []text{{"r_1", 0, 2, 5}, {"r_1", 0, 2, 0}}, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			in.text, d.msg.Text = "pills take your pills", "pills take your pills"
			p.intents = nil
			begun := map[string]bool{}
			for _, x := range c.texts {
				begun[x.reminder] = true
			}
			for r := range begun {
				i := *in
				i.reminder = r
				p.intents = append(p.intents, &i)
			}
			start := w.now
			for _, x := range c.texts {
				b := *d
				b.msg.ReminderID, b.calledAt, b.at = x.reminder, start+x.called*second, start+x.at*second
				if x.lost != 0 {
					b.gaveUp = start + x.lost*second
				}
				w.carrier.byNumber[b.msg.To] = append(w.carrier.byNumber[b.msg.To], &b)
				w.audit.conserved(&b, in)
			}
			judged(t, w, c.bad, "once")
		})
	}
}

// TestACallbackNamesALostMessage: behind a restore a text of other words is not
// recognized, and a late callback that names it is believed. What was refused stays
// refused: no other has its id. It is the first restore behind a text that looks
// for it.
func TestACallbackNamesALostMessage(t *testing.T) {
	refused := engine.Failure{Code: 30003, Category: engine.CategoryUnreachable}
	absent := engine.Failure{Category: engine.CategoryUnknown}
	for name, c := range map[string]struct {
		failure  engine.Failure
		sid      string // what the message had before
		words    string // of the one that was looked for; empty: none was
		second   string // of the one that a second restore looked for, two hours later
		restored engine.Millis
		bad      bool
	}{
		"not known":                    {failure: absent, words: "e0x1 Lunch begins soon", restored: hour},
		"refused":                      {failure: refused, words: "e0x1 Lunch begins soon", restored: hour, bad: true},
		"accepted before":              {failure: absent, sid: "SM1", words: "e0x1 Lunch begins soon", restored: hour, bad: true},
		"of the same words":            {failure: absent, words: "e0x1 Lunch in 15 mins", restored: hour, bad: true},
		"it left behind the restore":   {failure: absent, words: "e0x1 Lunch begins soon", restored: -hour, bad: true},
		"not known, and was not due":   {failure: absent, restored: hour, bad: true},
		"other words, then the same":   {failure: absent, words: "e0x1 Lunch begins soon", second: "e0x1 Lunch in 15 mins", restored: hour},
		"the same words, then others":  {failure: absent, words: "e0x1 Lunch in 15 mins", second: "e0x1 Lunch begins soon", restored: hour, bad: true},
		"it left between two restores": {failure: absent, words: "e0x1 Lunch begins soon", second: "e0x1 Lunch in 15 mins", restored: -hour, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, _ := oneText()
			d.sid = "SM1"
			w.carrier.bySID[d.sid] = d
			w.restored, w.audit.known = d.calledAt+c.restored, map[string]bool{"r_1": true}
			look := func(words string) {
				if words != "" {
					s := engine.AttemptStarted{ID: "r_1", Text: words, To: d.msg.To}
					w.audit.assumed["r_1"] = append(w.audit.assumed["r_1"], assumption{s, w.restored + second})
				}
			}
			look(c.words)
			if c.second != "" {
				w.restored += 2 * hour
				look(c.second)
			}
			before := engine.ReminderView{Reminder: engine.Reminder{PlannedReminder: named("r_1"), Messages: []engine.Message{
				{ID: "m_1", SID: c.sid, Status: engine.MessageFailed, Error: c.failure},
			}}}
			now := engine.ReminderView{Reminder: engine.Reminder{PlannedReminder: named("r_1"), Messages: []engine.Message{
				{ID: "m_1", SID: "SM1", Status: engine.MessageSent, Error: c.failure},
			}}}
			p.forward(&before, &now)
			judged(t, w, c.bad, "forward")
		})
	}
}

// TestAnUrgentOneIsBackAtItsInstant: quiet hours had put an urgent reminder off
// to tomorrow, where a lower one waits now. Since urgent ones may come in quiet
// hours it stands today, where the limit is reached.
func TestAnUrgentOneIsBackAtItsInstant(t *testing.T) {
	for name, c := range map[string]struct {
		urgent   bool
		priority engine.Priority
		own      engine.Millis // its own instant, from 08:30 on
		bad      bool
	}{
		"allowed since":               {urgent: true, priority: engine.PriorityUrgent, own: 15 * hour},
		"not allowed":                 {priority: engine.PriorityUrgent, own: 15 * hour, bad: true},
		"not urgent":                  {urgent: true, priority: engine.PriorityHigh, own: 15 * hour, bad: true},
		"it never was in quiet hours": {urgent: true, priority: engine.PriorityUrgent, own: 24 * hour, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _, _ := oneText()
			p.prof.now.urgent = c.urgent
			p.prof.now.quiet = engine.Quiet{Set: true, Start: 22 * 60, End: 8 * 60}
			p.quieted = w.now - 48*hour
			w.audit.shares(p, []engine.ReminderView{
				{Reminder: engine.Reminder{
					PlannedReminder: &engine.PlannedReminder{
						ID: "r_1", Type: engine.CustomReminder, Priority: c.priority, Occ: w.now + c.own, Due: w.now + 24*hour,
					},
					Status: engine.StatusCanceled, Reason: engine.ReasonDailyLimit,
				}},
				waitsFor(w.now + 30*hour),
			})
			judged(t, w, c.bad, "priority")
		})
	}
}

// TestWhatIsPastDoesNotComeBack: quiet hours had put a reminder off to the morning,
// and the limit had cancelled it there. Once its own instant is past, a place that
// comes free is another one's; so it is if the person wants all-day ones at another
// time since.
func TestWhatIsPastDoesNotComeBack(t *testing.T) {
	date := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	morning := date + 32*hour // quiet hours end
	for name, c := range map[string]struct {
		now      engine.Millis // of the day
		start    engine.Millis // of the event, of the day; 0: it is tomorrow, all day
		due      engine.Millis
		allDayAt int16
		bad      bool
	}{
		"its instant is past":                     {now: 24 * hour, start: 33*hour + 15*minute, due: date + 33*hour, bad: true},
		"it is tonight's, and put off":            {now: 22 * hour, start: 34 * hour, due: morning, bad: true},
		"it was tonight's, and is past":           {now: 24 * hour, start: 32*hour + 14*minute, due: morning},
		"all day, at its time":                    {now: 24 * hour, due: date + 33*hour, allDayAt: 9 * 60, bad: true},
		"all day, at a time that was another one": {now: 24 * hour, due: date + 33*hour, allDayAt: 10 * 60},
		"all day, and that time is past":          {now: 32 * hour, due: date + 33*hour, allDayAt: 0},
		"all day, put off for quiet hours":        {now: 24 * hour, due: morning, allDayAt: 60, bad: true},
		"all day, and they are not wanted":        {now: 24 * hour, due: date + 33*hour, allDayAt: engine.NoAllDay},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _, _ := oneText()
			w.now = date + c.now
			p.quieted = w.now - 48*hour
			p.prof.now.quiet = engine.Quiet{Set: true, Start: 22 * 60, End: 8 * 60}
			p.prof.now.leads, p.prof.now.allDayAt = []int32{15, 600}, c.allDayAt
			e := (*p.cal.now)["a"]
			r := engine.Reminder{
				PlannedReminder: &engine.PlannedReminder{
					ID: "r_1", EventID: "a", Type: engine.EventReminder, Priority: engine.PriorityNormal, Lead: 15, Due: c.due,
				},
				Status: engine.StatusCanceled, Reason: engine.ReasonDailyLimit,
			}
			e.Start, r.Occ = date+c.start, date+c.start
			if c.due == morning {
				r.Lead = 600
			}
			if c.start == 0 {
				e.AllDay, e.Date = true, engine.Date(date/day+1)
				r.Occ, r.Lead, r.AllDay = date+day, 0, true
			}
			w.audit.shares(p, []engine.ReminderView{
				{Reminder: r},
				waitsFor(date + 40*hour),
			})
			judged(t, w, c.bad, "priority")
		})
	}
}

// TestTheLimitOfWhoComesAgainBehindARestore: who was made in what a restore has
// lost, and comes again, has a day of their own; of whom the backup has, the
// texts that were lost with the store still count.
func TestTheLimitOfWhoComesAgainBehindARestore(t *testing.T) {
	for _, inBackup := range []bool{true, false} {
		w, p, d, in := oneText()
		w.audit.accepted(d, in)
		if len(p.limits.pages) != 1 {
			t.Fatalf("%d pages behind a text", len(p.limits.pages))
		}
		prof := *p.prof.now
		prof.exists = inBackup
		w.now += second
		p.restored(personModel{prof: prof})
		if kept := len(p.limits.pages) == 1; kept != inBackup {
			t.Errorf("in the backup %t, the page is kept: %t", inBackup, kept)
		}
		late := *d // was under way, and is the same people's
		late.msg.ReminderID = "r_2"
		w.audit.accepted(&late, in)
		if counted := p.limits.known["r_2"]; counted != inBackup {
			t.Errorf("in the backup %t, what was under way counts: %t", inBackup, counted)
		}
	}
}

// TestATakerIsTriedAgain: a look-up took another reminder's text, which was lost,
// and the taker's retry is as good as the other one's. Before the loss it would be
// a text too many.
func TestATakerIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		lost, again engine.Millis // when the first text was, and the taker was called again
		bad         bool
	}{
		"behind the loss": {lost: minute, again: 2 * minute},
		"before the loss": {lost: 2 * minute, again: minute, bad: true},
		"without a loss":  {again: minute, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			a := w.audit
			d.sid = "SM1"
			w.carrier.bySID["SM1"] = d
			a.accepted(d, in)
			taker := *d
			taker.sid, taker.msg.ReminderID, taker.msg.MessageID, taker.calledAt = "SM2", "r_2", "m_4", d.calledAt+c.again
			a.trail("r_2").accepted = []*delivery{&taker}
			a.shadow[p.id] = &engine.User{ID: p.id, Reminders: []*engine.Reminder{
				{PlannedReminder: named("r_1"), Messages: []engine.Message{{ID: "m_1", Status: engine.MessageFailed}, {ID: "m_2", Status: engine.MessageSending}}},
				{PlannedReminder: named("r_2"), Messages: []engine.Message{
					{ID: "m_3", SID: "SM1", Status: engine.MessageFailed, Text: d.msg.Text, To: d.msg.To}, {ID: "m_4", SID: "SM2", Status: engine.MessageSent},
				}},
			}}
			if c.lost != 0 {
				d.gaveUp = d.calledAt + c.lost
			}
			again := *d
			again.sid, again.msg.MessageID, again.gaveUp = "SM3", "m_2", 0
			again.calledAt += 30 * second // its call was under way when the first was lost
			a.accepted(&again, in)
			judged(t, w, c.bad, "once")
		})
	}
}

// TestAFailureOfWhatWasRefused: the carrier names a message that was refused, and
// then says that it failed (behind a restore, one of that id that was lost with the
// store). Its wait begins then, by a clock that may have gone back, as long as any.
// Without the name it is the same failure told once more, which begins no wait.
func TestAFailureOfWhatWasRefused(t *testing.T) {
	for name, c := range map[string]struct {
		named bool
		again engine.Millis // behind the second failure
		bad   bool
	}{
		"named, and it has waited":              {named: true, again: 10 * minute},
		"named, and it has not":                 {named: true, again: 8 * minute, bad: true},
		"not named, and it has not":             {again: 10 * minute, bad: true},
		"not named, and it waited by the first": {again: 3*hour + 10*minute},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _, _ := oneText()
			w.byID[p.id] = p
			w.shape.policy.RetryBase = 10 * minute
			a, at := w.audit, w.now
			a.shadow[p.id] = &engine.User{ID: p.id, Reminders: []*engine.Reminder{{PlannedReminder: named("r_1"), Messages: []engine.Message{{ID: "m_1"}}}}}
			failure := engine.Failure{Code: 30003, Category: engine.CategoryUnreachable}
			a.failed(p.id, at+3*hour, engine.MessageRefused{ID: "r_1", MessageID: "m_1", Failure: failure})
			if c.named { // the clock has gone back meanwhile
				a.failed(p.id, at, engine.MessageAccepted{ID: "r_1", MessageID: "m_1", SID: "SM1"})
			}
			a.failed(p.id, at, engine.MessageReported{ID: "r_1", MessageID: "m_1", Status: engine.MessageUndelivered, Failure: failure})
			a.patient(p, at+c.again, engine.AttemptStarted{ID: "r_1", MessageID: "m_2"})
			judged(t, w, c.bad, "backoff")
		})
	}
}

// TestATextThatALostStoreKnew: the engine that a restore took back had the carrier's
// answer, which the store no longer has, and a look-up gave the text to another
// reminder of the same words. Its own is texted again then; with the answer in the
// store, or where the taker has a text of its own, that is one too many.
func TestATextThatALostStoreKnew(t *testing.T) {
	for name, c := range map[string]struct {
		restored engine.Millis // behind the first text
		own      bool          // the taker was texted too
		bad      bool
	}{
		"lost with the store":                     {restored: hour},
		"in the store":                            {restored: -hour, bad: true},
		"lost, and the taker has a text as well":  {restored: hour, own: true, bad: true},
		"in the store, and the taker has another": {restored: -hour, own: true, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			a := w.audit
			d.sid, d.answered = "SM1", true
			w.carrier.bySID["SM1"] = d
			w.restored, w.audit.known = d.calledAt+c.restored, map[string]bool{"r_1": true}
			a.accepted(d, in)
			if c.own {
				own := *d
				own.sid, own.msg.ReminderID, own.msg.MessageID = "SM2", "r_2", "m_2"
				a.trail("r_2").accepted = []*delivery{&own}
			}
			a.shadow[p.id] = &engine.User{ID: p.id, Reminders: []*engine.Reminder{
				{PlannedReminder: named("r_1"), Messages: []engine.Message{{ID: "m_1", Status: engine.MessageFailed}, {ID: "m_3", Status: engine.MessageSending}}},
				{PlannedReminder: named("r_2"), Messages: []engine.Message{{ID: "m_2", SID: "SM1", Status: engine.MessageSent, Text: d.msg.Text, To: d.msg.To}}},
			}}
			again := *d
			again.sid, again.msg.MessageID, again.answered = "SM3", "m_3", false
			again.calledAt += 2 * hour
			a.accepted(&again, in)
			judged(t, w, c.bad, "once")
		})
	}
}

// TestASnoozeIsCarriedOutByTheClockOfThen: a SNOOZE was carried out while the wall
// clock ran hours ahead, which jumped back before its answer came. What was asked
// for is of use for an hour from that clock's instant on, and no longer.
func TestASnoozeIsCarriedOutByTheClockOfThen(t *testing.T) {
	for name, c := range map[string]struct {
		heard bool          // before the clock went back
		at    engine.Millis // of the text, behind the SNOOZE by the clock that ran ahead
		bad   bool
	}{
		"in its hour":                  {at: 40 * minute},
		"behind its hour":              {at: 91 * minute, bad: true},
		"it was heard before the jump": {heard: true, at: 40 * minute, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			var err error
			if w.disk, err = newDisk(w, &memStore{}); err != nil {
				t.Fatal(err)
			}
			s := &snooze{minutes: 31, asked: w.now, until: w.now + 31*minute}
			p.snoozes = []*snooze{s}
			if c.heard {
				s.heard = w.now
			}
			w.skew = 7 * hour
			ahead := w.wall()
			w.jump(-7 * hour)
			s.heard = w.now
			in.text, d.msg.Text = "c0x1 water the plants", "c0x1 water the plants"
			p.cus.now = &customs{"c0x1": {token: "c0x1", expires: w.now - day}}
			in.cus = p.cus.possible()
			d.calledWall = ahead + c.at
			d.msg.ValidUntil = d.calledWall + minute
			w.audit.customWords(d, in, "c0x1")
			judged(t, w, c.bad, "words")
		})
	}
}

// TestACustomReminderIsSnoozedForDays: whoever puts it off again and again has its text
// days behind its expiry. One whose text has not come for days is not spoken of any more.
func TestACustomReminderIsSnoozedForDays(t *testing.T) {
	for name, c := range map[string]struct {
		texts []engine.Millis // by the wall, behind its expiry
		bad   bool
	}{
		"put off each day":                {texts: []engine.Millis{day, 2 * day, 3 * day, 4 * day, 5 * day}},
		"it came once, and again days on": {texts: []engine.Millis{day, 6 * day}, bad: true},
		"it never came before":            {texts: []engine.Millis{5 * day}, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			p.prof.now.limit = 100
			begun := w.now
			p.cus.now = &customs{"c0x1": {token: "c0x1", expires: begun}}
			in.text, d.msg.Text = "c0x1 water the plants", "c0x1 water the plants"
			for _, at := range c.texts {
				w.now = begun + at
				p.snoozes = []*snooze{{minutes: 60, asked: w.now - hour, heard: w.now - hour, until: w.now}}
				cus := p.cus.now.with(&custom{token: "c0x2", expires: w.now}, w.now, p.said)
				p.cus.now = &cus
				in.at, in.cus = w.now, p.cus.possible()
				d.calledWall, d.msg.ValidUntil = w.now, w.now+hour
				w.audit.customWords(d, in, "c0x1")
			}
			judged(t, w, c.bad, "words")
		})
	}
}

// TestATextOnItsWayWhenTheStoreWasLost: the carrier takes it behind the restore, and by
// the backup it was cancelled, or not known yet. That it comes once more nobody can
// know; but of one that was due, or that left behind the restore, it is a text too many.
func TestATextOnItsWayWhenTheStoreWasLost(t *testing.T) {
	for name, c := range map[string]struct {
		restored engine.Millis // since the first call
		status   engine.ReminderStatus
		known    bool
		bad      bool
	}{
		"it was cancelled":        {restored: second, status: engine.StatusCanceled, known: true},
		"nobody knew of it":       {restored: second, status: engine.StatusCanceled},
		"it was due":              {restored: second, status: engine.StatusScheduled, known: true, bad: true},
		"it left behind the loss": {restored: -second, status: engine.StatusCanceled, known: true, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			a := w.audit
			if a.known = map[string]bool{"r_1": true}; !c.known {
				a.known = map[string]bool{}
			}
			w.restored = d.calledAt + c.restored
			if c.known {
				a.shadow[p.id] = &engine.User{ID: p.id, Reminders: []*engine.Reminder{
					{PlannedReminder: &engine.PlannedReminder{ID: "r_1", Due: w.wall() - minute}, Status: c.status},
				}}
			}
			a.forgetAhead()
			a.accepted(d, in)
			again := *d
			again.sid, again.msg.MessageID, again.calledAt = "SM2", "m_2", d.calledAt+hour
			a.accepted(&again, in)
			judged(t, w, c.bad, "once")
		})
	}
}

// TestATryThatPanicsIsATry: a stopped sender that tries the carrier and hears
// nothing, since the vendor's client panicked before the call, waits as long again.
func TestATryThatPanicsIsATry(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC).UnixMilli()
	world := func(seed uint64) (*world, *sender) {
		w := newWorld(Options{Seed: seed, Faults: FaultsNone})
		w.now, w.faults.on[SenderPanic] = at, true
		return w, &sender{c: w.carrier}
	}
	m := provider.Message{MessageID: "m_1", ValidUntil: at + hour}
	for seed := uint64(1); ; seed++ {
		if w, _ := world(seed); seed < 10_000 {
			if pl := w.carrier.plan(m); !pl.panics || pl.accept {
				continue
			}
		}
		w, s := world(seed)
		only := w.carrier.number("")
		only.doubted, only.triedAt = true, at-30*minute
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the client did not panic")
				}
			}()
			s.Send(context.Background(), m)
		}()
		if w.now += 10 * minute; !w.carrier.stopped(only) {
			t.Error("ten minutes behind a try that told nothing a stopped sender has to be at work")
		}
		if w.now += 2 * minute; w.carrier.stopped(only) {
			t.Error("twelve minutes behind its last try it need not be at work")
		}
		return
	}
}

// TestACustomOneThatCameBehindASTOP: it was carried out before a START, and its answer
// came behind it. Nobody who is opted out is texted, and it does not come back.
func TestACustomOneThatCameBehindASTOP(t *testing.T) {
	for name, c := range map[string]struct {
		swayed engine.Millis // when the START was acknowledged, behind the asking
		bad    bool
	}{
		"it was asked for before the START": {swayed: 30 * second},
		"it was asked for behind it":        {swayed: -hour, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _, _ := oneText()
			w.queue, w.proc, w.upSince = queue{}, &process{w: w}, w.now-hour
			p.prof.now.limit = 100
			asked := w.now
			p.swayed, p.quieted = asked+c.swayed, asked-48*hour
			w.now += minute
			x := custom{token: "c0x1", sendAt: w.now + hour, expires: w.now + 2*hour}
			p.cus.now = &customs{x.token: &x}
			p.expectCustom(&x, asked)
			w.run(w.now + 90*minute)
			judged(t, w, c.bad, "missed")
		})
	}
}

// TestACallbackNamesAMistakenMessage: a look-up took a text for another reminder's of
// the same words, its own look-ups did not find it, and a late callback names it. What
// was refused stays refused, and so does what nobody else was taken for.
func TestACallbackNamesAMistakenMessage(t *testing.T) {
	absent := engine.Failure{Category: engine.CategoryUnknown}
	for name, c := range map[string]struct {
		failure engine.Failure
		mixed   string // the sid that the other reminder's look-up took
		store   bool   // it was lost since
		bad     bool
	}{
		"another one has it":           {failure: absent, mixed: "SM1"},
		"behind a restore as well":     {failure: absent, mixed: "SM1", store: true},
		"another one has another text": {failure: absent, mixed: "SM2", bad: true},
		"it was refused":               {failure: engine.Failure{Code: 30003, Category: engine.CategoryUnreachable}, mixed: "SM1", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, _ := oneText()
			d.sid = "SM1"
			w.carrier.bySID[d.sid] = d
			if w.audit.mixed["m_9"] = c.mixed; c.store {
				w.restored = d.calledAt + hour
			}
			message := func(sid string, status engine.MessageStatus) *engine.ReminderView {
				return &engine.ReminderView{Reminder: engine.Reminder{PlannedReminder: named("r_1"), Messages: []engine.Message{
					{ID: "m_1", SID: sid, Status: status, Error: c.failure},
				}}}
			}
			p.forward(message("", engine.MessageFailed), message("SM1", engine.MessageSent))
			judged(t, w, c.bad, "forward")
		})
	}
}

// TestARetryBehindALaterLead: by the backup a retry was due behind the later lead,
// which is looked for. In the same words one would be taken for the other, and the
// earlier lead is over; in others it is looked for by itself.
func TestARetryBehindALaterLead(t *testing.T) {
	for name, c := range map[string]struct {
		attempts int32
		text     string // of the later lead, as it is looked for
		lead     int32  // of it
		bad      bool
	}{
		"in the same words":                {attempts: 1, text: "e0x1 Lunch in 15 mins", lead: 1},
		"in other words":                   {attempts: 1, text: "e0x1 Lunch in 1 min", lead: 1, bad: true},
		"no retry: they were due together": {text: "e0x1 Lunch in 1 min", lead: 1},
		"the other one is no later lead":   {attempts: 1, text: "e0x1 Lunch in 15 mins", lead: 60, bad: true},
		"none is looked for":               {attempts: 1, lead: 1, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, d, in := oneText()
			w.audit.accepted(d, in)
			w.restored = d.calledAt + hour
			if c.text != "" {
				w.audit.assumed["r_2"] = []assumption{{engine.AttemptStarted{ID: "r_2", Text: c.text, To: d.msg.To}, w.restored}}
			}
			w.audit.shadow[p.id] = &engine.User{ID: p.id, Reminders: []*engine.Reminder{
				{
					PlannedReminder: &engine.PlannedReminder{ID: "r_1", EventID: "a", Lead: 15},
					Status:          engine.StatusCanceled, Reason: engine.ReasonStale, Attempts: c.attempts,
				},
				{PlannedReminder: &engine.PlannedReminder{ID: "r_2", EventID: "a", Lead: c.lead}},
			}}
			w.audit.canceled(p, "r_1")
			judged(t, w, c.bad, "cancel")
		})
	}
}

// TestWhatWasNotMadeIsNoHandOver: a last check was too old when its turn came. The
// reminder has its three hand-overs all the same, and waits behind a failure as if
// that one had not been begun; but what the carrier was called for counts.
func TestWhatWasNotMadeIsNoHandOver(t *testing.T) {
	for name, c := range map[string]struct {
		called, notMade bool          // of the first of three
		again           engine.Millis // behind the failure of the second
		over            bool          // it ends, for all are used up
		bad             string
	}{
		"it has waited as behind a first":    {notMade: true, again: 10 * minute},
		"as behind a second":                 {notMade: true, again: 20 * minute, bad: "backoff"},
		"a second was made":                  {called: true, again: 20 * minute},
		"two were made, and that is all":     {notMade: true, again: 10 * minute, over: true, bad: "attempts"},
		"three were made":                    {called: true, again: 20 * minute, over: true},
		"it was made, and is said not to be": {called: true, notMade: true, again: 20 * minute, bad: "intent"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _, _ := oneText()
			w.byID[p.id] = p
			w.shape.policy.RetryBase = 10 * minute
			a := w.audit
			all := []engine.Message{{ID: "m_1"}, {ID: "m_2"}, {ID: "m_3"}}
			u := &engine.User{ID: p.id, Reminders: []*engine.Reminder{{PlannedReminder: named("r_1"), Messages: all[:1]}}}
			a.shadow[p.id] = u
			for _, m := range all {
				a.intents[m.ID] = &intent{p: p, called: m.ID != "m_1" || c.called}
			}
			a.failed(p.id, w.now, engine.MessageRefused{
				ID: "r_1", MessageID: "m_1", NotMade: c.notMade,
				Failure: engine.Failure{Category: engine.CategoryExpired, Retry: engine.RetryYes, RetryAfter: 1},
			})
			u.Reminders[0].Messages = all[:2]
			a.failed(p.id, w.now, engine.MessageRefused{
				ID: "r_1", MessageID: "m_2", Failure: engine.Failure{Code: 30003, Category: engine.CategoryUnreachable, Retry: engine.RetryYes},
			})
			a.failed(p.id, w.now, engine.RetryPlanned{ID: "r_1", At: w.now + c.again})
			if u.Reminders[0].Messages = all; c.over {
				a.failed(p.id, w.now, engine.ReminderFailed{ID: "r_1", Reason: engine.ReasonAttemptsUsed})
			}
			judged(t, w, c.bad != "", c.bad)
		})
	}
}

// TestADueOneAtTheEdgeOfQuietHours: its turn may come as late as is borne, and in quiet
// hours nobody is texted. What is due sooner has to leave.
func TestADueOneAtTheEdgeOfQuietHours(t *testing.T) {
	for name, c := range map[string]struct {
		ahead engine.Millis // of quiet hours
		quiet engine.Quiet
		bad   bool
	}{
		"two seconds before":    {ahead: 2 * second, quiet: engine.Quiet{Set: true, Start: 10 * 60, End: 11 * 60}},
		"a minute of quiet":     {ahead: 2 * second, quiet: engine.Quiet{Set: true, Start: 10 * 60, End: 10*60 + 1}},
		"ten seconds before":    {ahead: 10 * second, quiet: engine.Quiet{Set: true, Start: 10 * 60, End: 11 * 60}, bad: true},
		"quiet hours were over": {ahead: 2 * second, quiet: engine.Quiet{Set: true, Start: 9 * 60, End: 9*60 + 59}, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, p, _, _ := oneText()
			w.queue, w.proc, w.upSince = queue{}, &process{w: w}, w.now-hour
			w.shape.maxSends, w.shape.mps = 64, 0 // five seconds are borne
			p.prof.now.limit, p.prof.now.quiet = 100, c.quiet
			p.swayed, p.quieted = w.now-48*hour, w.now-48*hour
			x := custom{token: "c0x1", sendAt: w.now + 90*minute - c.ahead, expires: w.now + 3*hour}
			p.cus.now = &customs{x.token: &x}
			p.expectCustom(&x, w.now)
			w.run(w.now + 2*hour)
			judged(t, w, c.bad, "missed")
		})
	}
}

// waitsFor is a low one of somebody's own that has its place and is due then.
func waitsFor(due engine.Millis) engine.ReminderView {
	return engine.ReminderView{Reminder: engine.Reminder{
		PlannedReminder: &engine.PlannedReminder{ID: "r_2", Type: engine.CustomReminder, Priority: engine.PriorityLow, Due: due},
		Status:          engine.StatusScheduled,
	}}
}

// named is a reminder's plan of which a test needs the id alone.
func named(id string) *engine.PlannedReminder { return &engine.PlannedReminder{ID: id} }
