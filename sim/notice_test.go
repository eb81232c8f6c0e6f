package sim

import (
	"testing"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
	"carillon/wal/waltest"
)

// telling is a world in which one life of the engine tells of person-00, whose
// records the test makes.
type telling struct {
	*testing.T
	w    *world
	r    *receiver
	last wal.Record
	seq  uint64
}

func newTelling(t *testing.T) *telling {
	t.Helper()
	w := newWorld(Options{Pace: CornerNotices, Faults: FaultsNone})
	var err error
	if w.disk, err = newDisk(w, &memStore{waltest.MemOptions{}}); err != nil {
		t.Fatal(err)
	}
	p := newPerson(w, 0)
	w.people, w.byID[p.id] = append(w.people, p), p
	l := &telling{T: t, w: w, r: w.receiver}
	l.r.keep, l.r.atOnce = 30*hour, 2
	l.start()
	w.now += 3 * hour // all is well for long
	return l
}

func (l *telling) start() {
	l.w.proc, l.w.queue = &process{w: l.w}, queue{} // nobody asks for anything
	l.r.join(&actors.Config{}, l.w.proc)
}

// flush has a record be on the disk, and returns what it has to tell.
func (l *telling) flush(events ...engine.Event) []provider.Notification {
	l.seq++
	l.last = wal.Record{Stream: "person-00", Seq: l.seq, At: l.w.wall()}
	l.r.happened(l.last, events)
	var out []provider.Notification
	for i, e := range events {
		for j, n := range engine.AppendNotices(nil, e) {
			out = append(out, provider.Notification{ID: "msg_" + itoa(int64(l.seq)) + itoa(int64(i)) + itoa(int64(j)), At: l.last.At, UserID: "person-00", Notice: n})
		}
	}
	return out
}

// canceled is a record that has one thing to tell.
func (l *telling) canceled(reminder string) provider.Notification {
	return l.flush(engine.ReminderCanceled{ID: reminder, Reason: engine.ReasonEventDeleted})[0]
}

func (l *telling) note(json string) {
	l.seq++
	l.last = wal.Record{Stream: ownStream, Seq: l.seq, At: l.w.wall(), Data: []byte(json)}
	l.r.noted(l.last)
}

func (l *telling) post(n provider.Notification) *post { return l.r.posted(l.w.proc, &n) }

// tell posts a notice, and a moment later has the answer.
func (l *telling) tell(n provider.Notification, kind provider.HearingKind) {
	x := l.post(n)
	l.w.now += 100
	l.r.answered(x, answer{Hearing: provider.Hearing{Kind: kind}})
}

func (l *telling) restart() {
	l.w.proc.dead, l.w.died = true, l.w.now
	l.start()
}

// TestWhatIsToldIsHeldAgainstTheRecords goes through what docs/webhooks.md promises:
// what keeps to it is not reported, and what does not is, by the one checker.
func TestWhatIsToldIsHeldAgainstTheRecords(t *testing.T) {
	heard, declined, unheard := provider.Heard, provider.Declined, provider.Unheard
	for name, c := range map[string]struct {
		bad string // the checker; empty: all is as it should be
		run func(l *telling)
	}{
		"in order": {run: func(l *telling) {
			l.tell(l.canceled("r_1"), heard)
			l.tell(l.canceled("r_2"), heard)
			l.r.ends()
		}},
		"nobody has flushed it": {"notice_true", func(l *telling) {
			n := l.canceled("r_1")
			n.Notice.ReminderID = "r_2"
			l.post(n)
		}},
		"of another time": {"notice_true", func(l *telling) {
			n := l.canceled("r_1")
			n.At++
			l.post(n)
		}},
		"lost with the store": {"notice_true", func(l *telling) {
			n := l.canceled("r_1")
			l.r.restored(0)
			l.restart()
			l.post(n)
		}},
		"lost with the store, and not told": {run: func(l *telling) {
			l.canceled("r_1")
			l.r.restored(0)
			l.r.ends()
		}},
		"of another reminder than it shows": {"notice_true", func(l *telling) {
			n := l.canceled("r_1")
			n.Reminder = &engine.ReminderView{Reminder: engine.Reminder{PlannedReminder: named("r_2")}}
			l.post(n)
		}},
		"the reminder as it was": {"notice_true", func(l *telling) {
			n := l.canceled("r_1")
			l.shadow(engine.Reminder{PlannedReminder: named("r_1"), Status: engine.StatusCanceled})
			l.w.now += minute
			n.Reminder = &engine.ReminderView{Reminder: engine.Reminder{PlannedReminder: named("r_1"), Status: engine.StatusScheduled}}
			l.post(n)
		}},
		"the reminder as it is": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.shadow(engine.Reminder{PlannedReminder: named("r_1"), Status: engine.StatusCanceled})
			l.w.now += minute
			n.Reminder = &engine.ReminderView{Reminder: engine.Reminder{PlannedReminder: named("r_1"), Status: engine.StatusCanceled}}
			l.post(n)
		}},
		"without the reminder": {"notice_true", func(l *telling) {
			n := l.canceled("r_1")
			l.shadow(engine.Reminder{PlannedReminder: named("r_1"), Status: engine.StatusCanceled})
			l.w.now += minute
			l.post(n)
		}},
		"what is not flushed": {"notice_true", func(l *telling) {
			n := l.canceled("r_1")
			l.shadow(engine.Reminder{PlannedReminder: named("r_1")})
			n.Reminder = &engine.ReminderView{Reminder: engine.Reminder{PlannedReminder: named("r_1"), UpdatedAt: l.w.now + 1}}
			l.post(n)
		}},
		"again, with its id": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, unheard)
			l.w.now += second
			l.tell(n, heard)
		}},
		"again, with another id": {"notice_id", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, heard)
			n.ID = "msg_x"
			l.post(n)
		}},
		"another one's id": {"notice_id", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, heard)
			o := l.canceled("r_2")
			o.ID = n.ID
			l.post(o)
		}},
		"before the one before": {"notice_order", func(l *telling) {
			l.canceled("r_1")
			l.post(l.canceled("r_2"))
		}},
		"before the answer about the one before": {"notice_order", func(l *telling) {
			l.post(l.canceled("r_1"))
			l.post(l.canceled("r_2"))
		}},
		"the answer about the one before was lost": {"notice_order", func(l *telling) {
			l.tell(l.canceled("r_1"), unheard)
			l.w.now += minute
			l.post(l.canceled("r_2"))
		}},
		"the process died, and it comes again": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.post(n)
			l.restart()
			l.tell(n, heard)
		}},
		"again, behind the place": {"notice_again", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, heard)
			l.w.now += minute
			l.canceled("r_2")
			l.restart()
			l.post(n)
		}},
		"again, before the place was kept": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, heard)
			l.w.now += second
			l.canceled("r_2")
			l.restart()
			l.post(n)
		}},
		"of who is erased": {"notice_erased", func(l *telling) {
			n := l.canceled("r_1")
			l.flush(engine.UserErased{})
			l.w.now += minute
			l.post(n)
		}},
		"of who is just being erased": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.flush(engine.UserErased{})
			l.w.now += 5 * second
			l.post(n)
		}},
		"the erasure": {run: func(l *telling) {
			l.canceled("r_1")
			l.flush(engine.UserErased{})
			l.note(`{"what":"user.erased","user_id":"person-00","of":2}`)
			l.tell(l.erased("msg_e"), heard)
			l.note(`{"what":"user.erased","user_id":"person-00","of":2}`) // a start has repeated it
			l.tell(l.erased("msg_e"), heard)
			l.r.ends()
		}},
		"the erasure, as two": {"notice_id", func(l *telling) {
			l.flush(engine.UserErased{})
			l.note(`{"what":"user.erased","user_id":"person-00","of":1}`)
			l.tell(l.erased("msg_e"), heard)
			l.w.now++
			l.note(`{"what":"user.erased","user_id":"person-00","of":1}`)
			l.tell(l.erased("msg_f"), heard)
		}},
		"an erasure that there was not": {"notice_true", func(l *telling) {
			l.note(`{"what":"user.erased","user_id":"person-00","of":1}`)
		}},
		"an erasure that is not told": {"notice_told", func(l *telling) {
			l.flush(engine.UserErased{})
			l.r.ends()
		}},
		"never told": {"notice_told", func(l *telling) {
			l.canceled("r_1")
			l.r.ends()
		}},
		"never told, and too old": {run: func(l *telling) {
			l.canceled("r_1")
			l.w.now += l.r.keep + minute
			l.tell(l.canceled("r_2"), heard)
			l.r.ends()
		}},
		"told, and too old": {"notice_told", func(l *telling) {
			n := l.canceled("r_1")
			l.w.now += l.r.keep + hour
			l.post(n)
		}},
		"not told within ten minutes": {"notice_told", func(l *telling) {
			l.canceled("r_1")
			l.w.now += 11 * minute
			l.flush()
		}},
		"not told within ten minutes by a receiver that is away": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, unheard)
			l.canceled("r_2")
			l.w.now += 11 * minute
			l.flush()
		}},
		"taken in a life that had it held back, and died before that was saved": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, declined)
			l.restart()
			l.tell(n, heard)
			l.restart()
			l.canceled("r_2")
			l.w.now += 11 * minute
			l.flush()
		}},
		"taken in a life that had it held back, long before it died": {"notice_told", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, declined)
			l.restart()
			l.tell(n, heard)
			l.w.now += minute
			l.restart()
			l.canceled("r_2")
			l.w.now += 11 * minute
			l.flush()
		}},
		"waits behind one that was declined until a moment ago": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, declined)
			l.canceled("r_2")
			l.w.now += 11 * minute
			l.tell(n, heard)
			l.flush()
		}},
		"not told within ten minutes behind one that is taken at last": {"notice_told", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, declined)
			l.w.now += minute
			l.tell(n, heard)
			l.canceled("r_2")
			l.w.now += 11 * minute
			l.flush()
		}},
		"waits behind one that is declined": {run: func(l *telling) {
			l.tell(l.canceled("r_1"), declined)
			l.canceled("r_2")
			l.w.now += 11 * minute
			l.flush()
		}},
		"an end that is not told": {"notice_told", func(l *telling) {
			l.tell(l.canceled("r_1"), heard)
			l.shadow(engine.Reminder{PlannedReminder: named("r_1"), Status: engine.StatusFailed})
			l.r.ends()
		}},
		"declined, and tried in five seconds": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, declined)
			l.w.now += 5 * second
			l.tell(n, declined)
			l.w.now += 5 * minute
			l.tell(n, heard)
		}},
		"declined twice, and tried in five seconds": {"notice_patience", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, declined)
			l.w.now += 5 * second
			l.tell(n, declined)
			l.w.now += 5 * second
			l.post(n)
		}},
		"away, and tried at once": {"notice_patience", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, unheard)
			l.w.now += second / 2
			l.post(n)
		}},
		"away twice, and tried in a second": {"notice_patience", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, unheard)
			l.w.now += second
			l.tell(n, unheard)
			l.w.now += second
			l.post(n)
		}},
		"away, and two at a time": {"notice_patience", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, unheard)
			l.note(`{"what":"sender.stopped"}`)
			l.w.now += 5 * second
			l.post(n)
			l.post(provider.Notification{ID: "msg_s", At: l.last.At, Notice: engine.Notice{Type: engine.NoticeSenderStopped}})
		}},
		"asks for a pause, and is tried before": {"notice_patience", func(l *telling) {
			n := l.canceled("r_1")
			x := l.post(n)
			l.r.answered(x, answer{Hearing: provider.Hearing{Kind: provider.Busy, RetryAfter: 10 * minute}})
			l.w.now += 9 * minute
			l.post(n)
		}},
		"asks for a day, and is tried in an hour": {run: func(l *telling) {
			n := l.canceled("r_1")
			x := l.post(n)
			l.r.answered(x, answer{Hearing: provider.Hearing{Kind: provider.Busy, RetryAfter: day}})
			l.w.now += hour
			l.tell(n, heard)
		}},
		"gone, and tried": {"notice_patience", func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, provider.Gone)
			l.w.now += hour
			l.post(n)
		}},
		"gone, and tried by the next process": {run: func(l *telling) {
			n := l.canceled("r_1")
			l.tell(n, provider.Gone)
			l.restart()
			l.tell(n, heard)
		}},
		"declined four times, and nobody's": {run: func(l *telling) {
			l.note(`{"what":"sender.stopped"}`)
			n := provider.Notification{ID: "msg_s", At: l.last.At, Notice: engine.Notice{Type: engine.NoticeSenderStopped}}
			for range 4 {
				l.tell(n, declined)
				l.w.now += hour
			}
			l.r.ends()
		}},
		"a sender that is stopped, and no word of it": {"notice_told", func(l *telling) {
			l.r.refused()
			l.w.run(l.w.now + 3*minute)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTelling(t)
			c.run(l)
			judged(t, l.w, c.bad != "", c.bad)
			for _, v := range l.w.audit.violations {
				if v.Checker != c.bad {
					t.Errorf("%s speaks up as well: %s", v.Checker, v.What)
				}
			}
		})
	}
}

// shadow has the journal's state know of a reminder.
func (l *telling) shadow(r engine.Reminder) {
	l.w.audit.shadow["person-00"] = &engine.User{ID: "person-00", Exists: true, Reminders: []*engine.Reminder{&r}}
	l.w.audit.shadowAt["person-00"] = l.w.now
}

func (l *telling) erased(id string) provider.Notification {
	return provider.Notification{ID: id, At: l.last.At, UserID: "person-00", Notice: engine.Notice{Type: engine.NoticeErased}}
}

// TestAReceiverIsInSomeWorlds: in no corner but its own.
func TestAReceiverIsInSomeWorlds(t *testing.T) {
	with := 0
	for seed := range uint64(140) {
		if w := newWorld(Options{Seed: seed, Pace: PaceDense}); w.receiver != nil {
			with++
		}
		if w := newWorld(Options{Seed: seed, Pace: CornerNotices}); w.receiver == nil {
			t.Fatal("no receiver in its own corner")
		}
		if w := newWorld(Options{Seed: seed, Pace: Corners[seed%uint64(len(Corners))]}); w.receiver != nil {
			t.Fatalf("a receiver in %s", w.pace.name)
		}
	}
	if with < 10 || with > 30 {
		t.Errorf("%d of 140 worlds have a receiver", with)
	}
}
