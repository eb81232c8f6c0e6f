package main

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// carrierCase is one row of the table in docs/carrier.md: what Twilio, the
// network or a callback does, and what must become of one reminder.
type carrierCase struct {
	name   string             // the fault, as the table has it
	script []twiliotest.Fault // what the creates to this number meet, in order
	reads  []twiliotest.Fault // what look-ups meet
	env    map[string]string  // a service of its own with these settings
	solo   bool               // a service of its own with the usual ones
	// within is how long the reminder is useful; an hour by default.
	within time.Duration
	early  bool // its callbacks come before the answer, or instead of it
	// then does what comes after the reminder was created.
	then func(*testing.T, *carrierRun)

	gets     string // by the person
	status   string // of the reminder in the end, with its reason
	creates  int    // that Twilio saw
	accepted int    // of them
	lost     int    // of those, reported as not delivered by the carrier
	story    string // the reminder's timeline after it was scheduled
}

const carrierText = "Take your pills"

// TestCarrierFaults is the table of docs/carrier.md, end to end: HTTP in,
// Twilio's HTTP out, and the timeline as the witness. Faults of one number
// share a service and happen at the same time; the others have their own.
func TestCarrierFaults(t *testing.T) {
	t.Parallel()
	t.Run("table", func(t *testing.T) {
		shared := startCarrier(t, nil)
		var runs []*carrierRun
		for i, c := range carrierCases {
			if c.env == nil && !c.solo {
				runs = append(runs, shared.begin(t, i, c))
			}
		}
		for _, r := range runs {
			t.Run(r.c.name, func(t *testing.T) { r.hold(t) })
		}
		for i, c := range carrierCases {
			if c.env != nil || c.solo {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					startCarrier(t, c.env).begin(t, i, c).hold(t)
				})
			}
		}
	})
	t.Run("documentation", carrierTableIsDocumented)
}

// carrierWorld is a service and its Twilio.
type carrierWorld struct {
	*client
	stub *twiliotest.Server
}

const carrierPublic = "https://sms.example.org"

func startCarrier(t *testing.T, more map[string]string) *carrierWorld {
	t.Helper()
	listen := freeAddr(t)
	stub := twiliotest.New(twiliotest.Options{Reach: "http://" + listen})
	t.Cleanup(stub.Close)
	env := map[string]string{"CARILLON_LISTEN": listen, "CARILLON_RETRY_BASE": "40ms", "CARILLON_RECONCILE_AFTER": "100ms"}
	for _, line := range twilioEnv(stub, carrierPublic) {
		k, v, _ := strings.Cut(line, "=")
		env[k] = v
	}
	maps.Copy(env, more)
	w := &carrierWorld{client: startProgram(t, env), stub: stub}
	t.Cleanup(w.http.CloseIdleConnections) // a stop waits for them
	return w
}

// carrierRun is one case under way.
type carrierRun struct {
	*carrierWorld
	c        carrierCase
	user, to string
}

// begin has a reminder due at once.
func (w *carrierWorld) begin(t *testing.T, i int, c carrierCase) *carrierRun {
	t.Helper()
	r := &carrierRun{carrierWorld: w, c: c, user: fmt.Sprintf("u%d", i), to: fmt.Sprintf("+1555020%04d", i)}
	w.person(t, r.user, r.to)
	w.stub.ScriptFor(r.to, c.script...)
	w.stub.FaultReads(c.reads...)
	r.remind(t, carrierText)
	if c.then != nil && c.env == nil && !c.solo {
		t.Fatalf("%s: what others wait for needs a service of its own", c.name)
	}
	return r
}

func (r *carrierRun) remind(t *testing.T, text string) {
	t.Helper()
	within := r.c.within
	if within == 0 {
		within = time.Hour
	}
	const form = "2006-01-02T15:04:05.000Z07:00"
	now := time.Now().UTC()
	r.do(t, http.StatusCreated, "POST", "/v1/users/"+r.user+"/reminders", map[string]any{
		"text": text, "send_at": now.Format(form), "expires_at": now.Add(within).Format(form),
	})
}

// hold waits until the reminder is where it must be, and compares.
func (r *carrierRun) hold(t *testing.T) {
	t.Helper()
	if r.c.then != nil {
		r.c.then(t, r)
	}
	r.until(t, r.c.status)
	if n := r.stub.CreatesOf(r.to, carrierText); n != r.c.creates {
		t.Errorf("Twilio saw %d creates, want %d", n, r.c.creates)
	}
	all := r.stub.Accepted(r.to, carrierText)
	lost := 0
	for _, m := range all {
		if m.Status == "undelivered" || m.Status == "failed" {
			lost++
		}
	}
	if len(all) != r.c.accepted || lost != r.c.lost {
		t.Errorf("Twilio accepted %d and lost %d of them, want %d and %d", len(all), lost, r.c.accepted, r.c.lost)
	}
	if len(all)-lost > 1 {
		t.Error("the person has the text twice")
	}
	if n := r.stub.IdempotencyKeys(); n != 0 {
		t.Errorf("%d creates carried a key that makes net/http repeat them", n)
	}
	if got := r.story(t); got != r.c.story {
		t.Errorf("timeline\n got %s\nwant %s", got, r.c.story)
	}
}

// until waits for a status and reason of the first reminder.
func (r *carrierRun) until(t *testing.T, status string) {
	t.Helper()
	var got string
	defer func() {
		if t.Failed() {
			t.Logf("it is %s\n%s", got, r.story(t))
		}
	}()
	eventually(t, status, 15*time.Second, func() bool {
		list := r.reminders(t, r.user)
		got = fmt.Sprintf("%s (%s)", list[0].Status, list[0].Reason)
		return got == status
	})
}

// story is the first reminder's timeline in one line. Look-ups that told
// nothing are one, however many there were; so are those that found nothing
// behind the two that count.
func (r *carrierRun) story(t *testing.T) string {
	t.Helper()
	var timeline struct {
		Items []struct {
			Kind       string
			Reason     string
			ReminderID string `json:"reminder_id"`
			Detail     struct {
				Absent bool
				By     string
				Status string
			}
		}
	}
	r.do(t, http.StatusOK, "GET", "/v1/users/"+r.user+"/timeline?limit=500", nil).into(t, &timeline)
	id := r.reminders(t, r.user)[0].ReminderID
	var words []string
	for _, e := range timeline.Items {
		if e.ReminderID != id || e.Kind == "reminder_scheduled" {
			continue
		}
		word := e.Kind
		for _, note := range []string{e.Reason, e.Detail.By, e.Detail.Status} {
			if note != "" && note != "accepted" {
				word += ":" + note
			}
		}
		if e.Detail.Absent {
			word += ":absent"
		}
		n := len(words)
		if n > 0 && words[n-1] == word && word == "message_looked_up" || n > 1 && e.Detail.Absent && words[n-2] == word {
			continue
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

const carrierDoc = "../../docs/carrier.md"

// carrierTableIsDocumented holds docs/carrier.md to the cases.
func carrierTableIsDocumented(t *testing.T) {
	begin, end := []byte("-update -->\n"), []byte("<!-- end -->")
	text, err := os.ReadFile(carrierDoc)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := bytes.Cut(text, begin)
	_, tail, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the marks of the generated part are gone")
	}
	whole := bytes.Join([][]byte{head, begin, carrierTable(), end, tail}, nil)
	switch {
	case *update:
		if err := os.WriteFile(carrierDoc, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	case !bytes.Equal(whole, text):
		t.Error("docs/carrier.md is not what is tested; run with -update and look at the difference")
	}
	if len(carrierCases) < 25 {
		t.Errorf("only %d cases", len(carrierCases))
	}
}

func carrierTable() []byte {
	var out bytes.Buffer
	out.WriteString("| | fault | what the person gets | the reminder ends | creates | accepted | of them lost | test |\n|---|---|---|---|---|---|---|---|\n")
	for i, c := range carrierCases {
		name := strings.ReplaceAll(c.name, " ", "_")
		fmt.Fprintf(&out, "| %d | %s | %s | %s | %d | %d | %d | `table/%s` |\n", i+1, c.name, c.gets, c.status, c.creates, c.accepted, c.lost, name)
	}
	return out.Bytes()
}

// metricIn finds a metric's value in an exposition; 0 if it is not there.
func metricIn(t *testing.T, text, name string) float64 {
	t.Helper()
	_, rest, found := strings.Cut("\n"+text, "\n"+name+" ")
	if !found {
		return 0
	}
	var v float64
	if _, err := fmt.Sscan(rest, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
