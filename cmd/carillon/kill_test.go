package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// kills is how many times the engine is killed: CARILLON_TEST_KILLS, or few.
func kills(t *testing.T) int {
	t.Helper()
	n := 6
	if v := os.Getenv("CARILLON_TEST_KILLS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

const killUsers = 8

// TestKilledAgainAndAgain kills the real binary at random while writes come
// and texts leave through a Twilio that keeps count, sometimes takes a text
// and drops the answer, and reports deliveries (W2, S3). Every write that was
// acknowledged must be there, check must pass after each kill, and nobody may
// have been texted twice.
func TestKilledAgainAndAgain(t *testing.T) {
	w, stub := killCampaign(t, kills(t), "reconcile")
	if twice := w.twice(t, stub); len(twice) > 0 {
		t.Errorf("accepted more than once: %q", twice)
	}
}

// TestKillHarnessSeesDuplicates is the control: with on_uncertain=resend a
// text whose answer is lost is sent again, and the campaign must notice.
func TestKillHarnessSeesDuplicates(t *testing.T) {
	w, stub := killCampaign(t, 2, "resend")
	if twice := w.twice(t, stub); len(twice) == 0 {
		t.Error("nobody was texted twice, though lost answers are resent: the harness can't see it")
	}
}

// killCampaign runs the rounds, and holds everything but what the carrier saw.
func killCampaign(t *testing.T, rounds int, onUncertain string) (*writes, *twiliotest.Server) {
	t.Helper()
	dir, listen := t.TempDir(), freeAddr(t)
	const public = "http://carillon.example.com"
	stub := twiliotest.New(twiliotest.Options{Reach: "http://" + listen})
	t.Cleanup(stub.Close)
	env := twilioEnv(stub, public, "CARILLON_ON_UNCERTAIN="+onUncertain, "CARILLON_RECONCILE_AFTER=200ms", "CARILLON_RETRY_BASE=200ms", "CARILLON_SNAPSHOT_EVERY=300ms", "CARILLON_LOG_LEVEL=warn")
	w := &writes{}
	stop := reportDeliveries(stub)
	defer stop()
	for round := range rounds {
		p := serveProcess(t, dir, listen, env...)
		if round == 0 {
			for u := range killUsers {
				p.client.person(t, fmt.Sprintf("u%d", u), fmt.Sprintf("+1555010%04d", u))
			}
		}
		if round%3 == 1 {
			stub.Fault(twiliotest.Drop().Accepted(), twiliotest.Drop()) // one is taken, one is not, and nobody knows which
		}
		stopWriting := w.begin(p.client)
		<-time.After(time.Duration(100+rand.IntN(500)) * time.Millisecond)
		p.kill(t)
		stopWriting()
		check(t, dir)
	}
	stub.Heal()
	p := serveProcess(t, dir, listen, env...)
	w.verify(t, p.client)
	open := 0
	eventually(t, "every reminder ends", 60*time.Second, func() bool {
		open = 0
		for u := range killUsers {
			for _, r := range p.client.reminders(t, fmt.Sprintf("u%d", u)) {
				switch r.Status {
				case "sent", "delivered", "failed", "cancelled":
				default:
					open++
				}
			}
		}
		return open == 0
	})
	if code := p.signal(t, os.Interrupt); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	check(t, dir)
	return w, stub
}

// writes are what was asked for and what was acknowledged.
type writes struct {
	mu        sync.Mutex
	count     int
	events    []string // paths of events that were acknowledged
	reminders []string // texts of custom reminders that were acknowledged
	lost      int      // without an answer, or refused
}

// begin writes from many callers until it is stopped: the kill comes in the
// middle.
func (w *writes) begin(c *client) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for u := range killUsers {
		wg.Go(func() {
			for ctx.Err() == nil {
				if !w.write(c, fmt.Sprintf("/v1/users/u%d", u)) {
					return // nobody there any more
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// write asks for something and notes whether it was acknowledged. It reports
// whether there was an answer at all.
func (w *writes) write(c *client, user string) bool {
	w.mu.Lock()
	w.count++
	n := w.count
	w.mu.Unlock()
	if n%4 != 0 {
		path := fmt.Sprintf("%s/events/e%d", user, n)
		start := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
		a, err := c.try("PUT", path, map[string]any{"title": "Busy", "start": start})
		return w.note(&w.events, path, a, err)
	}
	text := fmt.Sprintf("Text number %d", n)
	a, err := c.try("POST", user+"/reminders", map[string]any{"text": text, "send_at": time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")}, "Idempotency-Key", fmt.Sprint(n))
	return w.note(&w.reminders, text, a, err)
}

func (w *writes) note(into *[]string, what string, a answer, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && a.status < 300 {
		*into = append(*into, what)
	} else {
		w.lost++
	}
	return err == nil
}

// acknowledged is how many writes were.
func (w *writes) acknowledged() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.events) + len(w.reminders)
}

// verify asks for everything that was acknowledged.
func (w *writes) verify(t *testing.T, c *client) {
	t.Helper()
	if len(w.events) < 20 || len(w.reminders) < 5 {
		t.Fatalf("only %d events and %d reminders were acknowledged: this proves nothing", len(w.events), len(w.reminders))
	}
	for _, path := range w.events {
		c.do(t, 200, "GET", path, nil)
	}
	there := map[string]bool{}
	for u := range killUsers {
		for _, r := range c.reminders(t, fmt.Sprintf("u%d", u)) {
			there[r.Text] = true
		}
	}
	for _, text := range w.reminders {
		if !there[text] {
			t.Errorf("%q was acknowledged and is gone", text)
		}
	}
}

// twice asks the carrier, which alone knows, what it accepted more than once.
func (w *writes) twice(t *testing.T, stub *twiliotest.Server) (texts []string) {
	t.Helper()
	times := map[string]int{}
	for _, m := range stub.Messages() {
		key := m.To + " " + m.Body
		if times[key]++; times[key] == 2 {
			texts = append(texts, key)
		}
	}
	if len(times) == 0 {
		t.Fatal("nothing was sent: this proves nothing")
	}
	if w.lost == 0 {
		t.Error("no write was cut off: the kills came at no bad moment")
	}
	t.Logf("%d writes, %d events and %d reminders acknowledged, %d cut off, %d texts accepted", w.count, len(w.events), len(w.reminders), w.lost, len(times))
	return texts
}

// reportDeliveries brings signed callbacks for what is accepted, whether the
// engine is up or not, each twice.
func reportDeliveries(stub *twiliotest.Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		done := 0
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			all := stub.Messages()
			for _, m := range all[done:] {
				for range 2 {
					_, _ = stub.Report(ctx, m.SID, "delivered", 0)
				}
			}
			done = len(all)
		}
	})
	return func() { cancel(); wg.Wait() }
}
