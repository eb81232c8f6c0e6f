package actors_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
	"carillon/wal/waltest"
)

// carrier is a Sender that keeps count. answer decides; nil accepts.
type carrier struct {
	mu         sync.Mutex
	answer     func(m provider.Message) provider.Outcome
	find       func(m provider.Message) provider.Sighting
	hold       chan struct{} // Send waits for it, if there is one
	accepted   []provider.Message
	at         []time.Time
	asked      int
	askedSince int64 // from when on it was last asked for a message
}

func (c *carrier) Send(ctx context.Context, m provider.Message) provider.Outcome {
	c.mu.Lock()
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return provider.Outcome{Kind: provider.Uncertain, Cause: "timeout"}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := provider.Outcome{Kind: provider.Accepted, SID: "SM" + m.MessageID, Status: engine.MessageQueued}
	if c.answer != nil {
		out = c.answer(m)
	}
	if out.Kind == provider.Accepted {
		c.accepted = append(c.accepted, m)
		c.at = append(c.at, time.Now())
	}
	return out
}

func (c *carrier) Find(_ context.Context, m provider.Message, since int64) provider.Sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	c.askedSince = since
	if c.find != nil {
		return c.find(m)
	}
	return provider.Sighting{Result: provider.Absent}
}

// show has who asks it see what the test has set since.
func (c *carrier) show() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

// since is from when on it was last asked for a message.
func (c *carrier) since() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.askedSince
}

// lookups is how often it was asked for a message.
func (c *carrier) lookups() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// set changes what it answers.
func (c *carrier) set(answer func(m provider.Message) provider.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

func (c *carrier) texts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, m := range c.accepted {
		out = append(out, m.Text)
	}
	return out
}

// world is a node in a synctest bubble, with a virtual clock.
type world struct {
	t       *testing.T
	log     wal.Log
	carrier *carrier
	node    *actors.Node
	died    chan error
	config  func(*actors.Config)
}

// inWorld runs fn in a bubble; the node is stopped behind it.
func inWorld(t *testing.T, config func(*actors.Config), fn func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, log: waltest.NewMem(waltest.MemOptions{}), carrier: &carrier{}, died: make(chan error, 1), config: config}
		w.start()
		fn(w)
		w.stop()
	})
}

func (w *world) start() {
	w.t.Helper()
	cfg := actors.Config{
		Log: w.log, Clock: actors.SystemClock{}, Sender: w.carrier, Verifier: provider.DryRun{},
		Fatal: func(err error) { w.died <- err },
	}
	if w.config != nil {
		w.config(&cfg)
	}
	node, err := actors.Start(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.node = node
	synctest.Wait()
}

func (w *world) stop() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.node.Stop(ctx); err != nil {
		w.t.Error(err)
	}
}

// crash ends the node as a kill does, and starts another on what the disk has.
func (w *world) crash() {
	w.t.Helper()
	mem, ok := w.log.(*waltest.Mem)
	if !ok {
		w.t.Fatal("only a log in memory can crash here")
	}
	survivor := mem.CrashClone()
	w.stop()
	w.log = survivor
	w.start()
}

// pass lets virtual time go by.
func (w *world) pass(d time.Duration) {
	w.carrier.show()
	<-time.After(d)
	synctest.Wait()
}

func (w *world) try(user string, cmd engine.Command) (engine.Reply, error) {
	return w.node.Do(context.Background(), user, cmd, "", 0)
}

func (w *world) do(user string, cmd engine.Command) engine.Reply {
	w.t.Helper()
	reply, err := w.try(user, cmd)
	if err != nil {
		w.t.Fatalf("%T: %v", cmd, err)
	}
	if refusal, ok := reply.(engine.Refusal); ok {
		w.t.Fatalf("%T refused: %+v", cmd, refusal)
	}
	return reply
}

// person creates a user who gets reminders, in UTC and without quiet hours.
func (w *world) person(id, phone string) {
	w.t.Helper()
	w.do(id, engine.UpdateUser{
		Create: true, Zone: engine.Some("UTC"), Reminders: engine.Some(true), Quiet: engine.Some(engine.Quiet{}),
	})
	w.do(id, engine.AttestPhone{Phone: phone})
}

// event gives the user an event that starts in so long.
func (w *world) event(user, id string, in time.Duration) {
	w.t.Helper()
	start := time.Now().Add(in).UnixMilli()
	w.do(user, engine.Put(engine.CalendarEvent{ID: id, Title: "Review " + id, Start: start, End: start + 3_600_000}))
}

func (w *world) reminders(user string) []engine.ReminderView {
	w.t.Helper()
	reply, ok := w.do(user, engine.ListReminders{Limit: 100}).(engine.RemindersReply)
	if !ok {
		w.t.Fatal("no list")
	}
	return reply.Items
}

func (w *world) statuses(user string) string {
	var out []string
	for _, r := range w.reminders(user) {
		out = append(out, r.Status.String())
	}
	return fmt.Sprint(out)
}

func TestReminderLeavesWhenItIsDue(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		due := time.Now().Add(5 * time.Minute)
		w.pass(5*time.Minute - time.Second)
		if got := w.carrier.texts(); len(got) != 0 {
			t.Fatalf("left early: %q", got)
		}
		w.pass(2 * time.Second)
		if got := fmt.Sprint(w.carrier.texts()); got != "[Review e1 in 15 mins]" {
			t.Fatalf("texts %s", got)
		}
		if late := w.carrier.at[0].Sub(due); late < 0 || late > 50*time.Millisecond {
			t.Errorf("the hand-over began %v after it was due", late)
		}
		if got := w.statuses("ada"); got != "[sent]" {
			t.Errorf("status %s", got)
		}
		m := w.reminders("ada")[0].Messages[0]
		w.do("ada", engine.ReportDelivery{MessageID: m.ID, SID: m.SID, Status: engine.MessageDelivered})
		if got := w.statuses("ada"); got != "[delivered]" {
			t.Errorf("status %s", got)
		}
	})
}

func TestCrashLosesNothingAcknowledged(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		w.crash()
		if got := w.statuses("ada"); got != "[scheduled]" {
			t.Fatalf("status %s", got)
		}
		w.pass(6 * time.Minute)
		if got := w.carrier.texts(); len(got) != 1 {
			t.Fatalf("texts %q", got)
		}
		w.crash()
		w.pass(time.Hour)
		if got := w.carrier.texts(); len(got) != 1 {
			t.Fatalf("texts after another crash %q", got)
		}
	})
}

// S3: a crash during the hand-over leaves it uncertain; when the carrier has
// it, it is sent, and never a second time.
func TestCrashDuringHandOverIsReconciled(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "e1", 20*time.Minute)
		w.carrier.hold = make(chan struct{})
		w.pass(5 * time.Minute)
		if got := w.statuses("ada"); got != "[sending]" {
			t.Fatalf("status %s", got)
		}
		held := w.carrier.hold
		w.carrier = &carrier{find: func(m provider.Message) provider.Sighting {
			return provider.Sighting{Result: provider.Found, SID: "SM1", Status: engine.MessageSent}
		}}
		survivor := w.log.(*waltest.Mem).CrashClone()
		close(held)
		w.stop()
		w.log = survivor
		w.start()
		w.pass(time.Second)
		if got := w.statuses("ada"); got != "[uncertain]" {
			t.Fatalf("status after the crash %s", got)
		}
		w.pass(time.Minute)
		if got := w.statuses("ada"); got != "[sent]" {
			t.Fatalf("status after the look-up %s", got)
		}
		if len(w.carrier.accepted) != 0 {
			t.Fatal("sent again")
		}
	})
}

// W3: a failed flush ends the node, and its callers are told that nobody
// knows.
func TestFailedFlushIsFatalAndUnknown(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.log.(*waltest.Mem).FailNext(true)
		_, err := w.try("ada", engine.SetConsent{OptOut: true})
		if !errors.Is(err, actors.ErrUnknownOutcome) {
			t.Fatalf("error %v", err)
		}
		if err := <-w.died; !errors.Is(err, wal.ErrUnknownOutcome) {
			t.Fatalf("cause %v", err)
		}
		if _, err := w.try("ada", engine.GetUser{}); !errors.Is(err, actors.ErrUnknownOutcome) {
			t.Fatalf("a read after it: %v", err)
		}
		w.crash()
		if u := w.do("ada", engine.GetUser{}).(engine.UserReply).User; !u.OptedOut {
			t.Error("the write was on the disk and is not there")
		}
	})
}

// N2: a number is verified for one user at a time.
func TestNumberIsVerifiedForOneUser(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.do("bob", engine.UpdateUser{Create: true, Zone: engine.Some("UTC")})
		reply, err := w.try("bob", engine.AttestPhone{Phone: "+15550100001"})
		if r, ok := reply.(engine.Refusal); err != nil || !ok || r.Code != engine.CodePhoneTaken {
			t.Fatalf("reply %+v, %v", reply, err)
		}
		w.do("ada", engine.AttestPhone{Phone: "+15550100002"})
		w.do("bob", engine.AttestPhone{Phone: "+15550100001"})
		for phone, want := range map[string]string{"+15550100001": "bob", "+15550100002": "ada"} {
			if got, _, err := w.node.UserByPhone(context.Background(), phone); got != want || err != nil {
				t.Errorf("%s is of %q, %v", phone, got, err)
			}
		}
	})
}

// N6: an erased person is gone from state, index and log.
func TestErasedUserIsGone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.person("ada", "+15550100001")
		w.event("ada", "secret", time.Hour)
		w.do("ada", engine.EraseUser{})
		w.pass(2 * time.Second)
		reply, err := w.try("ada", engine.GetUser{})
		if r, ok := reply.(engine.Refusal); err != nil || !ok || r.Code != engine.CodeUserNotFound {
			t.Fatalf("reply %+v, %v", reply, err)
		}
		if _, ok, _ := w.node.UserByPhone(context.Background(), "+15550100001"); ok {
			t.Error("the number is still in the index")
		}
		rep, err := w.log.Verify(nil)
		if err != nil || rep.Redacted != rep.Records {
			t.Errorf("%d of %d records blanked, %v", rep.Redacted, rep.Records, err)
		}
		w.crash()
		w.person("ada", "+15550100003") // another person of that id
		w.crash()
		if got := w.do("ada", engine.GetUser{}).(engine.UserReply).User.Phone; got != "+15550100003" {
			t.Errorf("phone %s", got)
		}
	})
}
