package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/sim/load"
)

// rehearse runs sim load in this process and reads its JSON.
func rehearse(t *testing.T, env map[string]string, wantCode int, args ...string) (*load.Report, string) {
	t.Helper()
	var out, errs strings.Builder
	p := &program{stdout: &out, stderr: &errs, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	if code := p.run(context.Background(), append([]string{"sim", "load", "--json"}, args...)); code != wantCode {
		t.Fatalf("exit code %d, want %d: %s", code, wantCode, errs.String())
	}
	rep := &load.Report{}
	if out.Len() > 0 {
		if err := json.Unmarshal([]byte(out.String()), rep); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
	}
	return rep, errs.String()
}

// TestRehearseEmbedded: an engine in this process is filled, and every text
// comes to the stub, once, with its delivery report.
func TestRehearseEmbedded(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "report.html")
	rep, said := rehearse(t, nil, exitOK, "--users", "30", "--events-per-user", "2", "--spread", "1s", "--lead-in", "1s", "--html", page)
	if rep.Verdict != "ok" || rep.Reminders != (load.Ends{Expected: 60, Arrived: 60}) || rep.Callbacks.Arrived != 61 {
		t.Errorf("%s %+v %+v %v", rep.Verdict, rep.Reminders, rep.Callbacks, rep.Samples)
	}
	if said != "" {
		t.Errorf("it said, in a pipe: %q", said)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "every text came, once") {
		t.Errorf("the page: %v", err)
	}
}

// TestRehearseSandbox: an engine that runs already is measured by the outbox
// of its sandbox, and everybody is erased afterwards.
func TestRehearseSandbox(t *testing.T) {
	t.Parallel()
	c := startProgram(t, nil)
	rep, _ := rehearse(t, map[string]string{"CARILLON_API_KEY": testKey}, exitOK,
		"--target", c.url, "--users", "20", "--spread", "1s", "--lead-in", "1s")
	if rep.Verdict != "ok" || rep.Reminders != (load.Ends{Expected: 20, Arrived: 20}) || rep.Carrier != "the sandbox's outbox" {
		t.Errorf("%s %+v at %s: %v", rep.Verdict, rep.Reminders, rep.Carrier, rep.Samples)
	}
	var users struct{ Items []any }
	c.do(t, 200, "GET", "/v1/users", nil).into(t, &users)
	if len(users.Items) != 0 {
		t.Errorf("%d people are left", len(users.Items))
	}
}

// TestRehearseStub: an engine that was pointed at the stub's address.
func TestRehearseStub(t *testing.T) {
	t.Parallel()
	stub := freeAddr(t)
	c := startProgram(t, map[string]string{
		"CARILLON_CARRIER": "twilio", "CARILLON_TWILIO_BASE_URL": "http://" + stub, "TWILIO_ACCOUNT_SID": "AC1",
		"TWILIO_AUTH_TOKEN": "token", "CARILLON_TWILIO_FROM": "+15005550006",
	})
	rep, said := rehearse(t, map[string]string{"CARILLON_API_KEY": testKey}, exitOK,
		"--target", c.url, "--stub", stub, "--users", "10", "--spread", "1s", "--lead-in", "1s")
	if rep.Verdict != "ok" || rep.Reminders.Arrived != 10 || !strings.Contains(said, "CARILLON_TWILIO_BASE_URL=http://"+stub) {
		t.Errorf("%s %+v: %v; it said %q", rep.Verdict, rep.Reminders, rep.Samples, said)
	}
}

// TestRehearseMistakes: what can't be is told before anything is sent.
func TestRehearseMistakes(t *testing.T) {
	t.Parallel()
	c := startProgram(t, nil)
	for want, run := range map[string]struct {
		env  map[string]string
		code int
		args []string
	}{
		"CARILLON_API_KEY is missing": {nil, exitUsage, []string{"--target", c.url}},
		"unauthorized":                {map[string]string{"CARILLON_API_KEY": "wrong"}, exitFailed, []string{"--target", c.url}},
		"--users: needs 1 or more":    {nil, exitUsage, []string{"--users", "0"}},
		"1 to 100 events":             {nil, exitFailed, []string{"--events-per-user", "101"}},
		"not the URL of an engine":    {map[string]string{"CARILLON_API_KEY": "k"}, exitFailed, []string{"--target", "nowhere", "--at", "outbox"}},
	} {
		if _, said := rehearse(t, run.env, run.code, run.args...); !strings.Contains(said, want) {
			t.Errorf("%q is not in %q", want, said)
		}
	}
}
