package actors_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
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

// receiver is a Notifier that keeps what it was told. answer decides; nil
// takes everything.
type receiver struct {
	mu     sync.Mutex
	answer func(n provider.Notification) provider.Hearing
	hold   chan struct{} // Notify waits for it, if there is one
	tries  []provider.Notification
	at     []time.Time // of the tries
	taken  []provider.Notification
	atOnce int
	most   int // tries at the same time
}

func (r *receiver) Notify(ctx context.Context, n provider.Notification) provider.Hearing {
	r.mu.Lock()
	r.tries, r.at = append(r.tries, n), append(r.at, time.Now())
	r.atOnce++
	r.most = max(r.most, r.atOnce)
	hold, answer := r.hold, r.answer
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.atOnce--
		r.mu.Unlock()
	}()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return provider.Hearing{Kind: provider.Declined, Cause: "timeout"}
		}
	}
	out := provider.Hearing{Kind: provider.Heard}
	if answer != nil {
		out = answer(n)
	}
	if out.Kind == provider.Heard {
		r.mu.Lock()
		r.taken = append(r.taken, n)
		r.mu.Unlock()
	}
	return out
}

// holdOn lets Notify wait until r.hold is closed.
func (r *receiver) holdOn() {
	r.mu.Lock()
	r.hold = make(chan struct{})
	r.mu.Unlock()
}

func (r *receiver) set(answer func(n provider.Notification) provider.Hearing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) holdNoMore() {
	r.mu.Lock()
	r.hold = nil
	r.mu.Unlock()
}

// heard lists what was taken about a user, in order: the types' last words.
func (r *receiver) heard(user string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, n := range r.taken {
		if n.UserID == user {
			_, word, _ := strings.Cut(string(n.Notice.Type), ".")
			out = append(out, word)
		}
	}
	return strings.Join(out, " ")
}

func (r *receiver) tried() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.tries)
}

func answers(k provider.HearingKind) func(provider.Notification) provider.Hearing {
	return func(provider.Notification) provider.Hearing { return provider.Hearing{Kind: k, Cause: "test"} }
}

// telling runs fn in a bubble with a receiver.
func telling(t *testing.T, config func(*actors.Config), fn func(w *world, r *receiver)) {
	t.Helper()
	r := &receiver{}
	inWorld(t, func(c *actors.Config) {
		c.Notifier = r
		if config != nil {
			config(c)
		}
	}, func(w *world) { fn(w, r) })
}

// SPEC 9: each of the facts is told, in the order of a person's life, with the
// reminder as the API shows it.
func TestEachFactIsTold(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		w.pass(6 * time.Minute)
		m := w.reminders("ada")[0].Messages[0]
		w.do("ada", engine.ReportDelivery{MessageID: m.ID, SID: m.SID, Status: engine.MessageDelivered})
		for _, text := range []string{"C", "SNOOZE 5", "AGENDA", "STOP", "START"} {
			w.do("ada", engine.ReceiveText{SID: "SM" + text, Text: text})
		}
		w.carrier.set(func(provider.Message) provider.Outcome {
			return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{Code: 21211, Category: engine.CategoryInvalidNumber}}
		})
		w.do("ada", engine.CreateReminder{Text: "Now", SendAt: time.Now().UnixMilli()})
		w.pass(time.Minute)
		w.do("ada", engine.EraseUser{})
		w.pass(5 * time.Second)
		const want = "scheduled sent delivered confirmed snoozed scheduled agenda_requested opted_out cancelled opted_in scheduled failed erased"
		if got := r.heard("ada"); got != want {
			t.Errorf("told\n%s\nwant\n%s", got, want)
		}
		sent := r.taken[1]
		if sent.Reminder == nil || sent.Reminder.ID != sent.Notice.ReminderID || sent.Reminder.Messages[0].ID != m.ID || sent.Notice.MessageID != m.ID {
			t.Errorf("sent is about %+v", sent)
		}
		ids := map[string]bool{}
		for _, n := range r.taken {
			ids[n.ID] = true
		}
		if len(ids) != len(r.taken) {
			t.Errorf("%d ids for %d facts", len(ids), len(r.taken))
		}
	})
}

// Nobody to tell costs nothing: no record, no read, no actor.
func TestNobodyToTellLeavesNoTrace(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		w.pass(10 * time.Minute)
		if _, ok, err := w.log.IndexGet("system", []byte("webhooks_told")); ok || err != nil {
			t.Errorf("a place is kept: %v, %v", ok, err)
		}
	})
}

// What was told and not noted before a crash is told again, with the same id;
// nothing is left out, and what was noted is not repeated.
func TestToldAgainAfterACrashWithTheSameID(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		w.pass(2 * time.Second) // noted
		r.holdOn()
		w.event("ada", "e2", 30*time.Minute)
		synctest.Wait() // with the receiver
		survivor := w.log.(*waltest.Mem).CrashClone()
		close(r.hold) // delivered; the place on the disk is before it
		w.stop()
		r.holdNoMore()
		w.log = survivor
		w.start()
		w.pass(time.Second)
		if got := r.heard("ada"); got != "scheduled scheduled scheduled" {
			t.Fatalf("told %s", got)
		}
		if a, b := r.taken[1], r.taken[2]; a.ID != b.ID || a.Notice != b.Notice || a.ID == r.taken[0].ID {
			t.Errorf("told %+v and again %+v", a, b)
		}
		w.pass(2 * time.Second)
		w.crash()
		w.pass(time.Minute)
		if got := len(r.taken); got != 3 {
			t.Errorf("%d told in all, after a crash with everything noted", got)
		}
	})
}

// One user's notices are told one after another, and a slow receiver is asked
// by no more at a time than may be; those of others don't wait.
func TestOrderPerUserAndBoundedConcurrency(t *testing.T) {
	telling(t, func(c *actors.Config) { c.MaxNotices = 3 }, func(w *world, r *receiver) {
		r.holdOn()
		for i := range 5 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010000%d", i))
			for j := range 4 {
				w.event(id, fmt.Sprint("e", j), time.Duration(j+2)*time.Hour)
			}
		}
		w.pass(time.Second)
		if got := r.tried(); got != 3 {
			t.Fatalf("%d tries at once, 3 may be", got)
		}
		close(r.hold)
		w.pass(time.Second)
		for i := range 5 {
			var order []string
			for _, n := range r.taken {
				if n.UserID == fmt.Sprint("u", i) {
					order = append(order, n.Reminder.EventID)
				}
			}
			if !slices.Equal(order, []string{"e0", "e1", "e2", "e3"}) {
				t.Errorf("u%d was told of %v", i, order)
			}
		}
		if r.most != 3 {
			t.Errorf("%d at the same time", r.most)
		}
	})
}

// A notice that the receiver declines waits by the schedule; those of others
// go on, those of the same user wait behind it, over a crash too.
func TestDeclinedNoticeHoldsItsUserBackOnly(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		w.person("ada", "+15550100001")
		w.person("bob", "+15550100002")
		r.set(func(n provider.Notification) provider.Hearing {
			if n.UserID == "ada" {
				return provider.Hearing{Kind: provider.Declined, Cause: "http 400"}
			}
			return provider.Hearing{Kind: provider.Heard}
		})
		w.event("ada", "e1", 20*time.Hour)
		w.event("bob", "e1", 20*time.Hour)
		w.pass(time.Second)
		w.event("ada", "e2", 21*time.Hour)
		w.event("bob", "e2", 21*time.Hour)
		w.pass(2 * time.Second)
		if a, b := r.heard("ada"), r.heard("bob"); a != "" || b != "scheduled scheduled" {
			t.Fatalf("ada %q, bob %q", a, b)
		}
		w.crash()
		w.pass(4*time.Hour + 30*time.Minute)
		var gaps []time.Duration
		var last time.Time
		for i, n := range r.tries {
			if n.UserID != "ada" {
				continue
			}
			if n.Reminder.EventID != "e1" {
				t.Fatalf("%s was tried before e1 was taken", n.Reminder.EventID)
			}
			if !last.IsZero() {
				gaps = append(gaps, r.at[i].Sub(last))
			}
			last = r.at[i]
		}
		for i, want := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour} {
			if len(gaps) != 4 || gaps[i] < want*8/10 || gaps[i] > want*12/10 {
				t.Fatalf("waited %v", gaps)
			}
		}
		r.set(nil)
		w.event("ada", "e3", 17*time.Hour)
		w.pass(6 * time.Hour)
		if got := r.heard("ada"); got != "scheduled scheduled scheduled" {
			t.Fatalf("ada %q", got)
		}
		w.pass(2 * time.Second)
		w.crash()
		w.event("ada", "e4", 10*time.Hour)
		w.pass(time.Second)
		if got := r.heard("ada"); got != "scheduled scheduled scheduled scheduled" {
			t.Errorf("ada %q after all was taken", got)
		}
		if got := r.heard("bob"); got != "scheduled scheduled" {
			t.Errorf("bob was told %q", got)
		}
	})
}

// What comes while a user who was held back is being told again is told behind
// it.
func TestMoreComesWhileAHeldUserIsTold(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		w.person("ada", "+15550100001")
		r.set(answers(provider.Declined))
		w.event("ada", "e1", 20*time.Hour)
		w.pass(time.Second)
		r.set(nil)
		r.holdOn()
		w.pass(6 * time.Second) // e1 is with the receiver again
		w.event("ada", "e2", 21*time.Hour)
		w.pass(time.Second)
		if n := r.tried(); n != 2 {
			t.Fatalf("%d tries", n)
		}
		close(r.hold)
		w.pass(time.Second)
		if got := r.heard("ada"); got != "scheduled scheduled" || r.taken[1].Reminder.EventID != "e2" {
			t.Errorf("told %q", got)
		}
	})
}

// A receiver that is away is tried with one notice at a time, more and more
// rarely, while texts leave on time; when it is back it is told everything.
func TestReceiverThatIsAway(t *testing.T) {
	var reg *prometheus.Registry
	telling(t, func(c *actors.Config) { reg = prometheus.NewRegistry(); c.Metrics = reg }, func(w *world, r *receiver) {
		r.set(answers(provider.Unheard))
		start := time.Now().Add(20 * time.Minute)
		for i := range 100 {
			id := fmt.Sprint("u", i)
			w.person(id, fmt.Sprintf("+1555010%04d", i))
			w.do(id, engine.Put(engine.CalendarEvent{ID: "e1", Title: "Review", Start: start.UnixMilli(), End: start.Add(time.Hour).UnixMilli()}))
		}
		w.pass(10 * time.Minute)
		due := start.Add(-15 * time.Minute)
		if n := len(w.carrier.at); n != 100 {
			t.Fatalf("%d texts left", n)
		}
		for _, at := range w.carrier.at {
			if late := at.Sub(due); late > 50*time.Millisecond {
				t.Fatalf("a text left %v late", late)
			}
		}
		if n := r.tried(); n > 25 {
			t.Errorf("tried %d times in 10 minutes", n)
		}
		if away, lag := metric(t, reg, "carillon_webhook_receiver_away"), metric(t, reg, "carillon_webhook_lag_seconds"); away != 1 || lag < 9*60 {
			t.Errorf("away %v, lag %v", away, lag)
		}
		if n := metric(t, reg, "carillon_webhooks_pending"); n > 800 {
			t.Errorf("%v in memory", n)
		}
		w.crash()
		w.pass(time.Minute)
		r.set(nil)
		w.pass(6 * time.Minute)
		for i := range 100 {
			if got := r.heard(fmt.Sprint("u", i)); got != "scheduled sent" {
				t.Fatalf("u%d was told %q", i, got)
			}
		}
		if away, lag := metric(t, reg, "carillon_webhook_receiver_away"), metric(t, reg, "carillon_webhook_lag_seconds"); away != 0 || lag != 0 {
			t.Errorf("back: away %v, lag %v", away, lag)
		}
	})
}

// Answers that are about the receiver, not about a notice: five streams
// declined in a row, a pause that it asks for, and "gone".
func TestAnswersAboutTheReceiver(t *testing.T) {
	for name, test := range map[string]struct {
		hearing provider.Hearing
		within  time.Duration // no try comes after the first ones within it
		tries   int           // in an hour
	}{
		"declines everybody": {provider.Hearing{Kind: provider.Declined, Cause: "http 500"}, 900 * time.Millisecond, 40},
		"asks for a pause":   {provider.Hearing{Kind: provider.Busy, RetryAfter: 600_000, Cause: "http 429"}, 599 * time.Second, 16},
		"is gone":            {provider.Hearing{Kind: provider.Gone, Cause: "http 410"}, time.Hour, 8},
	} {
		t.Run(name, func(t *testing.T) {
			telling(t, nil, func(w *world, r *receiver) {
				r.set(func(provider.Notification) provider.Hearing { return test.hearing })
				for i := range 20 {
					id := fmt.Sprint("u", i)
					w.person(id, fmt.Sprintf("+1555010%04d", i))
					w.event(id, "e1", 20*time.Hour)
				}
				synctest.Wait()
				first := r.tried()
				w.pass(test.within)
				if n := r.tried(); n != first || first > 13 {
					t.Errorf("%d tries at first, %d within %v", first, n, test.within)
				}
				w.pass(time.Hour - test.within)
				if n := r.tried(); n > test.tries+first {
					t.Errorf("%d tries in an hour", n)
				}
				r.set(nil)
				w.crash()
				w.pass(time.Hour)
				for i := range 20 {
					if got := r.heard(fmt.Sprint("u", i)); got != "scheduled" {
						t.Fatalf("u%d was told %q", i, got)
					}
				}
			})
		})
	}
}

// What is older than its use is dropped and counted, not told late.
func TestOldNoticesAreDropped(t *testing.T) {
	reg := prometheus.NewRegistry()
	telling(t, func(c *actors.Config) { c.Metrics, c.NoticeKeep = reg, 24*time.Hour }, func(w *world, r *receiver) {
		r.set(answers(provider.Unheard))
		w.person("ada", "+15550100001")
		w.event("ada", "e1", time.Hour)
		w.pass(25 * time.Hour)
		w.event("ada", "e2", 5*time.Hour)
		r.set(nil)
		w.pass(10 * time.Minute)
		if got := r.heard("ada"); got != "scheduled" || r.taken[0].Reminder.EventID != "e2" {
			t.Errorf("told %q", got)
		}
		if n := counted(t, reg, "carillon_webhooks_dropped_total", "expired"); n != 2 {
			t.Errorf("%v dropped", n)
		}
	})
}

// N6: nothing is told of a person after the erase but that, and nothing of a
// later person with that id by mistake.
func TestErasedPersonIsNotTold(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		r.set(answers(provider.Unheard))
		w.person("ada", "+15550100001")
		w.event("ada", "secret", time.Hour)
		w.pass(time.Second)
		w.do("ada", engine.EraseUser{})
		w.person("ada", "+15550100003") // before the receiver is tried again
		r.set(nil)
		w.pass(10 * time.Minute)
		if got := r.heard("ada"); got != "erased" {
			t.Errorf("told %q", got)
		}
		w.crash()
		w.pass(10 * time.Minute)
		if got := r.heard("ada"); got != "erased" {
			t.Errorf("told %q", got)
		}
	})
}

// dying is a log whose process dies behind the first blanking of somebody.
type dying struct {
	wal.Log
	mem      *waltest.Mem
	survivor *waltest.Mem
}

func (d *dying) Redact(stream string, last uint64) (int, error) {
	n, err := d.mem.Redact(stream, last)
	if d.survivor == nil {
		d.survivor = d.mem.CrashClone()
	}
	return n, err
}

// N6: a process that dies when a person is blanked, and not noted as erased yet,
// leaves it to the next one to tell. Once it is noted, none tells it again.
func TestErasureIsToldOverACrash(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		w.stop()
		mem := waltest.NewMem(waltest.MemOptions{})
		d := &dying{Log: mem, mem: mem}
		w.log = d
		w.start()
		w.person("ada", "+15550100001")
		w.event("ada", "secret", time.Hour)
		w.pass(2 * time.Second)
		if _, err := w.try("ada", engine.EraseUser{}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		_ = w.node.Stop(context.Background()) // its journal is closed
		if got := r.heard("ada"); got != "scheduled" || len(w.died) != 1 {
			t.Fatalf("told %q by the process that died", got)
		}
		w.log = d.survivor
		w.start()
		w.pass(2 * time.Second)
		if got := r.heard("ada"); got != "scheduled erased" {
			t.Fatalf("told %q", got)
		}
		w.crash()
		w.pass(2 * time.Second)
		if got := r.heard("ada"); got != "scheduled erased" {
			t.Errorf("told %q", got)
		}
	})
}

// What happens to somebody by a clock that has gone back to before they were made
// is theirs all the same.
func TestNoticesByAClockThatWentBack(t *testing.T) {
	c := &wallClock{}
	telling(t, func(cfg *actors.Config) { cfg.Clock = c }, func(w *world, r *receiver) {
		w.person("ada", "+15550100001")
		c.jump(-time.Hour)
		w.event("ada", "e1", 20*time.Minute)
		w.pass(2 * time.Second)
		if got := r.heard("ada"); got != "scheduled" {
			t.Errorf("told %q", got)
		}
	})
}

// A receiver that is away when the clock goes back is tried when it was to be, as
// soon as anything happens: by the clock that would be hours later.
func TestAnAwayReceiverByAClockThatWentBack(t *testing.T) {
	c := &wallClock{}
	telling(t, func(cfg *actors.Config) { cfg.Clock = c }, func(w *world, r *receiver) {
		r.set(answers(provider.Unheard))
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 6*time.Hour)
		w.pass(time.Hour)
		r.set(nil)
		c.jump(-3 * time.Hour)
		w.event("ada", "e2", 6*time.Hour)
		w.pass(6 * time.Minute)
		if got := r.heard("ada"); got != "scheduled scheduled" {
			t.Errorf("told %q", got)
		}
	})
}

// Who was declined waits no longer for a clock that goes back while no process runs.
func TestADeclinedOneByAClockThatWentBackBetweenTwoLives(t *testing.T) {
	c := &wallClock{}
	telling(t, func(cfg *actors.Config) { cfg.Clock = c }, func(w *world, r *receiver) {
		w.person("ada", "+15550100001")
		r.set(answers(provider.Declined))
		w.event("ada", "e1", 20*time.Hour)
		w.pass(20 * time.Second)
		tried := r.tried()
		survivor := w.log.(*waltest.Mem).CrashClone()
		w.stop()
		c.jump(-3 * time.Hour)
		w.log = survivor
		w.start()
		w.pass(3 * time.Minute)
		if got := r.tried() - tried; tried != 2 || got != 0 {
			t.Errorf("%d tries, and %d more before it was time to", tried, got)
		}
		r.set(nil)
		w.pass(3 * time.Minute)
		if got := r.heard("ada"); got != "scheduled" {
			t.Errorf("told %q", got)
		}
	})
}

// S5: that a sender stops and goes on is told too, durably, and is nobody's.
func TestSenderIsTold(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		r.set(answers(provider.Unheard))
		w.person("ada", "+15550100001")
		w.carrier.set(func(provider.Message) provider.Outcome {
			return provider.Outcome{Kind: provider.Refused, Failure: engine.Failure{Code: 20003, Category: engine.CategoryAccountIssue, Message: "Authenticate"}}
		})
		w.do("ada", engine.CreateReminder{Text: "Now", SendAt: time.Now().UnixMilli()})
		w.pass(5 * time.Second)
		w.carrier.set(nil)
		w.pass(10 * time.Minute)
		w.crash()
		r.set(nil)
		w.pass(10 * time.Minute)
		if got := r.heard(""); got != "stopped resumed" {
			t.Errorf("told %q", got)
		}
		if why := r.taken[slices.IndexFunc(r.taken, func(n provider.Notification) bool { return n.UserID == "" })].Notice.Text; !strings.Contains(why, "Authenticate") {
			t.Errorf("stopped because %q", why)
		}
	})
}

// A stop waits for what is being told, and notes it.
func TestStopEndsWhatIsBeingTold(t *testing.T) {
	telling(t, nil, func(w *world, r *receiver) {
		w.person("ada", "+15550100001")
		r.holdOn()
		w.event("ada", "e1", 20*time.Minute)
		w.event("ada", "e2", 30*time.Minute)
		synctest.Wait()
		go func() {
			<-time.After(3 * time.Second)
			close(r.hold)
		}()
		w.stop()
		if got := r.heard("ada"); got != "scheduled" {
			t.Fatalf("told %q by the stop", got)
		}
		r.holdNoMore()
		w.start()
		w.pass(time.Second)
		if got := r.heard("ada"); got != "scheduled scheduled" || r.taken[0].ID == r.taken[1].ID {
			t.Errorf("told %q in all", got)
		}
	})
}
