package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

const (
	heldUsers = 20
	heldEach  = 10
	held      = heldUsers * heldEach
)

// TestKilledWithHandOversHeld kills the real binary while up to 200 creates
// are with a Twilio that answers none of them: it carried out some and not the
// others, and reports half of what it has to nobody. After the restart each
// text has been accepted exactly once, and its reminder says so (S2, S3).
// CARILLON_TEST_HELD_KILLS sets the rounds.
func TestKilledWithHandOversHeld(t *testing.T) {
	t.Parallel()
	rounds := 3
	if v := os.Getenv("CARILLON_TEST_HELD_KILLS"); v != "" {
		var err error
		if rounds, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	dir, listen := t.TempDir(), freeAddr(t)
	stub := twiliotest.New(twiliotest.Options{Reach: "http://" + listen})
	t.Cleanup(stub.Close)
	env := twilioEnv(stub, carrierPublic, "CARILLON_SEND_TIMEOUT=1m", "CARILLON_RECONCILE_AFTER=200ms",
		"CARILLON_RETRY_BASE=100ms", "CARILLON_LOG_LEVEL=warn")
	p := serveProcess(t, dir, listen, append(env, "CARILLON_MAX_SENDS=256")...)
	enough := held
	for round := range rounds {
		before := stub.Creates()
		for u := range heldUsers {
			p.client.person(t, heldUser(round, u), heldNumber(round, u))
			f := twiliotest.Hang().Always()
			if u%2 == 0 {
				f = f.Accepted()
			}
			stub.FaultFor(heldNumber(round, u), f)
		}
		p.client.remindHeld(t, round)
		eventually(t, fmt.Sprintf("%d held", enough), 30*time.Second, func() bool { return stub.Creates()-before >= enough })
		inFlight := stub.Creates() - before
		p.kill(t)
		check(t, dir)
		for i, m := range stub.Messages() {
			if i%2 == 0 {
				_, _ = stub.Report(context.Background(), m.SID, "delivered", 0) // nobody is there to hear it
			}
		}
		stub.Heal()
		if enough = held; round%2 == 0 {
			enough = 50 + rand.IntN(held-50) // the next time some wait for their turn
		}
		p = serveProcess(t, dir, listen, append(env, fmt.Sprint("CARILLON_MAX_SENDS=", enough))...)
		p.client.acceptedOnce(t, stub, round)
		t.Logf("round %d: killed with %d creates held, %d creates for %d texts in the end", round, inFlight, stub.Creates()-before, held)
	}
	if code := p.signal(t, os.Interrupt); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
}

func heldUser(round, u int) string { return fmt.Sprintf("r%d-u%d", round, u) }

func heldNumber(round, u int) string { return fmt.Sprintf("+155504%02d%03d", round, u) }

func heldText(round, n int) string { return fmt.Sprintf("Round %d, text %d", round, n) }

// remindHeld has 200 texts due at once.
func (c *client) remindHeld(t *testing.T, round int) {
	t.Helper()
	for u := range heldUsers {
		for n := range heldEach {
			c.do(t, http.StatusCreated, "POST", "/v1/users/"+heldUser(round, u)+"/reminders", map[string]any{
				"text": heldText(round, n), "send_at": time.Now().UTC().Format(time.RFC3339),
			})
		}
	}
}

// acceptedOnce waits until every reminder of the round is sent or delivered,
// and asks the carrier how often it took each text.
func (c *client) acceptedOnce(t *testing.T, stub *twiliotest.Server, round int) {
	t.Helper()
	open := ""
	defer func() {
		if open != "" {
			t.Log(open)
		}
	}()
	eventually(t, "every reminder is sent or delivered", 60*time.Second, func() bool {
		open = ""
		for u := range heldUsers {
			for _, r := range c.reminders(t, heldUser(round, u)) {
				if r.Status != "sent" && r.Status != "delivered" {
					open = fmt.Sprintf("u%d: %q is %s (%s)", u, r.Text, r.Status, r.Reason)
					return false
				}
			}
		}
		return true
	})
	for u := range heldUsers {
		for n := range heldEach {
			if times := len(stub.Accepted(heldNumber(round, u), heldText(round, n))); times != 1 {
				t.Errorf("u%d, %q: accepted %d times", u, heldText(round, n), times)
			}
		}
	}
}
