package main

import (
	"context"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// startProgram runs serve in this process and returns a client of it.
func startProgram(t *testing.T, env map[string]string, args ...string) *client {
	t.Helper()
	c, _ := startProgramLog(t, env, args...)
	return c
}

// startProgramLog also returns what it has logged so far.
func startProgramLog(t *testing.T, env map[string]string, args ...string) (*client, func() string) {
	t.Helper()
	vars := map[string]string{"CARILLON_API_KEY": testKey, "CARILLON_LISTEN": "127.0.0.1:0", "CARILLON_DATA_DIR": t.TempDir(), "CARILLON_LOG_LEVEL": "error"}
	maps.Copy(vars, env)
	var errs lockedText
	up := make(chan string, 1)
	p := &program{
		stdout: &errs, stderr: &errs, lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		listening: func(address string) { up <- address },
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- p.run(ctx, append([]string{"serve"}, args...)) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d: %s", code, errs.String())
		}
	})
	select {
	case address := <-up:
		return &client{url: "http://" + address}, errs.String
	case code := <-ended:
		ended <- code
		t.Fatalf("exit code %d: %s", code, errs.String())
		return nil, nil
	}
}

// lockedText is written by a program while a test reads it.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// The README's walk-through: from a user to "delivered", with the code out of
// the sandbox' outbox.
func TestWalkThrough(t *testing.T) {
	c := startProgram(t, nil)
	c.do(t, http.StatusCreated, "PUT", "/v1/users/ada", map[string]any{"timezone": "Europe/Berlin", "preferences": map[string]any{"event_reminders_enabled": true, "quiet_hours": nil}})
	c.do(t, http.StatusAccepted, "POST", "/v1/users/ada/phone/verification", map[string]any{"phone_number": "+4915550100001"})
	var outbox struct {
		Items []struct{ Kind, Text, To string }
	}
	c.do(t, http.StatusOK, "GET", "/sandbox/outbox", nil).into(t, &outbox)
	words := strings.Fields(outbox.Items[0].Text)
	c.do(t, http.StatusOK, "POST", "/v1/users/ada/phone/verification/check", map[string]any{"code": words[len(words)-1]})
	due := time.Now().Add(time.Second).Truncate(time.Millisecond)
	start := due.Add(15 * time.Minute).UTC().Format("2006-01-02T15:04:05.000Z07:00")
	c.do(t, http.StatusCreated, "PUT", "/v1/users/ada/events/e1", map[string]any{"title": "Review", "start": start})
	var got reminder
	eventually(t, "delivered", 15*time.Second, func() bool {
		list := c.reminders(t, "ada")
		if len(list) != 1 {
			t.Fatalf("%d reminders", len(list))
		}
		got = list[0]
		return got.Status == "delivered"
	})
	if got.Text != "Review in 15 mins" || len(got.Messages) != 1 {
		t.Errorf("%+v", got)
	}
	var timeline struct {
		Items []struct{ Kind, EventID string }
	}
	c.do(t, http.StatusOK, "GET", "/v1/users/ada/timeline", nil).into(t, &timeline)
	var kinds []string
	for _, e := range timeline.Items {
		kinds = append(kinds, e.Kind)
	}
	want := "user_created plan_ran verification_started phone_set event_put reminder_scheduled hand_over_started message_accepted delivery_reported delivery_reported"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("timeline\n got %s\nwant %s", got, want)
	}
}

// A stop drains: what is with the carrier is waited for and recorded, and a
// second process is refused meanwhile.
func TestStopDrainsWhatIsInFlight(t *testing.T) {
	dir, listen := t.TempDir(), freeAddr(t)
	stub := twiliotest.New(twiliotest.Options{})
	defer stub.Close()
	stub.Fault(twiliotest.Fault{Hang: true})
	p := serveProcess(t, dir, listen, twilioEnv(stub, "", "CARILLON_SEND_TIMEOUT=2s", "CARILLON_RECONCILE_AFTER=1h")...)
	p.client.person(t, "ada", "+15550101234")
	p.client.do(t, http.StatusCreated, "POST", "/v1/users/ada/reminders", map[string]any{"text": "Now", "send_at": time.Now().UTC().Format(time.RFC3339)})
	eventually(t, "sending", 10*time.Second, func() bool { return p.client.reminders(t, "ada")[0].Status == "sending" })

	second := startProcess(t, dir, freeAddr(t))
	if err := <-second.end; err == nil || second.cmd.ProcessState.ExitCode() != exitStorage || !strings.Contains(second.text(), "locked by another process") {
		t.Errorf("a second process on the store: %v\n%s", err, second.text())
	}
	if code := p.signal(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.text(), "hand-overs in flight") {
		t.Errorf("it does not say what it waits for:\n%s", p.text())
	}
	p = serveProcess(t, dir, listen, twilioEnv(stub, "", "CARILLON_RECONCILE_AFTER=1h")...)
	if r := p.client.reminders(t, "ada")[0]; r.Status != "uncertain" || r.Reason == "crash" {
		t.Errorf("after a stop that waited: %s (%s), want uncertain by time-out", r.Status, r.Reason)
	}
	p.kill(t)
}

// W3: a full disk is seen before; reads go on, and room is asked for with 507.
func TestLowDiskRefusesWrites(t *testing.T) {
	c := startProgram(t, map[string]string{"CARILLON_RESERVE_BYTES": "9000000000000000000"})
	eventually(t, "507", 10*time.Second, func() bool {
		a, err := c.try("PUT", "/v1/users/ada", map[string]any{"timezone": "UTC"})
		return err == nil && a.status == http.StatusInsufficientStorage && a.code() == "insufficient_storage"
	})
	c.do(t, http.StatusNotFound, "GET", "/v1/users/bob", nil)
}

// The demo shows texts, says where to look, and ends cleanly.
func TestDemoEndsByItself(t *testing.T) {
	var out, errs strings.Builder
	p := &program{stdout: &out, stderr: &errs, lookup: func(string) (string, bool) { return "", false }, signals: make(chan os.Signal)}
	if code := p.run(t.Context(), []string{"demo", "--listen", freeAddr(t), "--seconds", "6"}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	if !strings.Contains(out.String(), "Stand-up in 15 mins") || !strings.Contains(out.String(), "/sandbox") {
		t.Errorf("no text in the demo:\n%s", out.String())
	}
}
