package sandbox_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/providertest"
	"carillon/actors/provider/sandbox"
	"carillon/engine"
)

const ordinary = "+15551230000"

func TestSenderConforms(t *testing.T) {
	numbers := map[providertest.Trouble]string{
		providertest.NoTrouble:     ordinary,
		providertest.Refusal:       "+15005550001",
		providertest.Throttled:     "+15005550107",
		providertest.AnswerLost:    "+15005550104",
		providertest.RequestLost:   "+15005550105",
		providertest.NoAnswer:      ordinary,
		providertest.AccountRefuse: "+15005550108",
	}
	providertest.RunSender(t, func(t *testing.T) providertest.World {
		t.Helper()
		w, c := open(t, nil)
		return providertest.World{
			Sender: c,
			Arrange: func(tr providertest.Trouble) (string, bool) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.held = tr == providertest.NoAnswer
				return numbers[tr], true
			},
			Accepted: func(to, text string) (n int) {
				for _, e := range c.Outbox(0) {
					if e.To == to && e.Text == text {
						n++
					}
				}
				return n
			},
			Now: w.Now, Advance: w.Advance,
		}
	})
}

func TestVerifierConforms(t *testing.T) {
	providertest.RunVerifier(t, func(t *testing.T) providertest.VerifierWorld {
		t.Helper()
		w, c := open(t, nil)
		return providertest.VerifierWorld{
			Verifier: c, Phone: ordinary, Refused: "+15005550009", Flooded: "+15005550107", Account: "+15005550108",
			Code: func(phone string) string { return code(c, phone) }, Advance: w.Advance,
		}
	})
}

// code reads the newest code to a number, as a person reads the outbox.
func code(c *sandbox.Carrier, phone string) string {
	for _, e := range c.Outbox(0) {
		if e.Kind == sandbox.KindCode && e.To == phone {
			return e.Text[strings.LastIndexByte(e.Text, ' ')+1:]
		}
	}
	return ""
}

// TestMagicNumbers: every number of the table does what the table says.
func TestMagicNumbers(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	type end struct {
		kind     provider.OutcomeKind
		code     int
		category engine.Category
		accepted int
		reports  string
	}
	want := map[string]end{
		"+15005550001": {provider.Refused, 21211, engine.CategoryInvalidNumber, 0, ""},
		"+15005550002": {provider.Refused, 21612, engine.CategoryCarrierIssue, 0, ""},
		"+15005550003": {provider.Refused, 21408, engine.CategoryAccountIssue, 0, ""},
		"+15005550004": {provider.Refused, 21610, engine.CategoryOptedOut, 0, ""},
		"+15005550009": {provider.Refused, 21614, engine.CategoryInvalidNumber, 0, ""},
		"+15005550101": {provider.Accepted, 0, 0, 1, "sent undelivered:30003"},
		"+15005550102": {provider.Accepted, 0, 0, 1, "sent failed:30007"},
		"+15005550103": {provider.Uncertain, 0, 0, 1, "sent delivered"},
		"+15005550104": {provider.Uncertain, 0, 0, 1, ""},
		"+15005550105": {provider.Uncertain, 0, 0, 0, ""},
		"+15005550106": {provider.Accepted, 0, 0, 1, ""},
		"+15005550107": {provider.Refused, 20429, engine.CategoryRateLimit, 0, ""},
		"+15005550108": {provider.Refused, 20003, engine.CategoryAccountIssue, 0, ""},
		"+15005550111": {provider.Accepted, 0, 0, 1, "sent undelivered:30003"},
		"+15005550115": {provider.Uncertain, 0, 0, 0, ""},
		"+15005550117": {provider.Refused, 20429, engine.CategoryRateLimit, 0, ""},
		ordinary:       {provider.Accepted, 0, 0, 1, "sent delivered"},
	}
	if len(want) != len(sandbox.Magic())+1 {
		t.Errorf("%d numbers in the table, %d tested", len(sandbox.Magic()), len(want)-1)
	}
	for phone, e := range want {
		t.Run(phone, func(t *testing.T) {
			w, c := open(t, nil)
			out := c.Send(t.Context(), message(phone, "a"))
			w.Advance(day)
			got := end{out.Kind, out.Failure.Code, out.Failure.Category, c.Accepted("r_a"), journal(w)}
			if got != e {
				t.Errorf("got %+v, want %+v", got, e)
			}
			if once(phone) { // the second text to it arrives
				e = end{provider.Accepted, 0, 0, 1, strings.TrimSpace(e.reports + " sent delivered")}
			} else if e.reports != "" {
				e.reports += " " + e.reports
			}
			late := message(phone, "b")
			late.ValidUntil += 2 * day
			out = c.Send(t.Context(), late)
			w.Advance(day)
			got = end{out.Kind, out.Failure.Code, out.Failure.Category, c.Accepted("r_b"), journal(w)}
			if got != e {
				t.Errorf("second text: got %+v, want %+v", got, e)
			}
		})
	}
}

func once(phone string) bool {
	for _, n := range sandbox.Magic() {
		if n.Phone == phone {
			return n.Once
		}
	}
	return false
}

// journal is what was reported, in order.
func journal(w *world) string {
	var b strings.Builder
	for _, r := range w.reported() {
		fmt.Fprintf(&b, " %s", r.Status)
		if r.Failure.Code != 0 {
			fmt.Fprintf(&b, ":%d", r.Failure.Code)
		}
	}
	return strings.TrimSpace(b.String())
}

// TestReports: a report names user, message and sid, as a callback does, and
// the outbox shows the same.
func TestReports(t *testing.T) {
	w, c := open(t, nil)
	out := c.Send(t.Context(), message(ordinary, "a"))
	if e := c.Outbox(0)[0]; e.Status != engine.MessageQueued || out.Status != engine.MessageQueued {
		t.Errorf("accepted as %v, in the outbox %v, want queued", out.Status, e.Status)
	}
	w.Advance(10_000)
	want := []reported{
		{"ann", engine.ReportDelivery{MessageID: "m_a", SID: out.SID, Status: engine.MessageSent}},
		{"ann", engine.ReportDelivery{MessageID: "m_a", SID: out.SID, Status: engine.MessageDelivered}},
	}
	if got := w.reported(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("reports %+v, want %+v", got, want)
	}
	if e := c.Outbox(0)[0]; e.Status != engine.MessageDelivered {
		t.Errorf("outbox says %v", e.Status)
	}
	if s := c.Fetch(t.Context(), out.SID); s.Status != engine.MessageDelivered {
		t.Errorf("fetch says %v", s.Status)
	}
}

// TestLostMessageIsFoundWithItsFailure: what Find and Fetch say of a message
// that was undelivered has the reason (D5).
func TestLostMessageIsFoundWithItsFailure(t *testing.T) {
	w, c := open(t, nil)
	m := message("+15005550101", "a")
	out := c.Send(t.Context(), m)
	w.Advance(10_000)
	for _, s := range []provider.Sighting{c.Find(t.Context(), m, start), c.Fetch(t.Context(), out.SID)} {
		if s.Status != engine.MessageUndelivered || s.Failure.Code != 30003 || s.Failure.Retry != engine.RetryYes {
			t.Errorf("sighting %+v", s)
		}
	}
}

// TestDuplicatesAreSeen: the carrier takes the same message twice, as Twilio
// does, and tells.
func TestDuplicatesAreSeen(t *testing.T) {
	_, c := open(t, nil)
	c.Send(t.Context(), message(ordinary, "a"))
	c.Send(t.Context(), message(ordinary, "b"))
	if d := c.Duplicates(); len(d) != 0 {
		t.Fatalf("duplicates %v of two different messages", d)
	}
	c.Send(t.Context(), message(ordinary, "a"))
	if d := c.Duplicates(); len(d) != 1 || d[0] != "m_a" {
		t.Errorf("duplicates %v, want m_a", d)
	}
	if n := c.Accepted("r_a"); n != 2 || c.Total() != 3 {
		t.Errorf("r_a accepted %d times of %d", n, c.Total())
	}
	if e := c.Outbox(1)[0]; !e.Again {
		t.Errorf("entry %+v is not marked", e)
	}
}

// TestOutboxForgets: the newest stay, and nothing else is left of the others.
func TestOutboxForgets(t *testing.T) {
	w, c := open(t, func(conf *sandbox.Config) { conf.Keep, conf.Instant = 3, true })
	var sids []string
	for i := range 10 {
		sids = append(sids, c.Send(t.Context(), message(ordinary, fmt.Sprint(i))).SID)
	}
	var got []string
	for _, e := range c.Outbox(0) {
		got = append(got, e.Text)
	}
	if fmt.Sprint(got) != "[text 9 text 8 text 7]" {
		t.Errorf("outbox %v", got)
	}
	if got := c.Outbox(2); len(got) != 2 || got[0].Text != "text 9" {
		t.Errorf("two newest: %+v", got)
	}
	for after, want := range map[uint64]string{0: "8 9 10", 8: "9 10", 9: "10", 10: "", 99: ""} {
		var seqs []string
		for _, e := range c.After(after, 0) {
			seqs = append(seqs, fmt.Sprint(e.Seq))
		}
		if got := strings.Join(seqs, " "); got != want {
			t.Errorf("after %d: %q, want %q", after, got, want)
		}
	}
	if got := c.After(0, 1); len(got) != 1 || got[0].Seq != 8 {
		t.Errorf("the oldest that is kept: %+v", got)
	}
	w.Advance(10_000) // reports of forgotten ones still come
	if n := len(w.reported()); n != 20 {
		t.Errorf("%d reports, want 20", n)
	}
	for i, sid := range sids {
		kept := i >= 7
		if s := c.Fetch(t.Context(), sid); (s.Result == provider.Found) != kept {
			t.Errorf("%d: fetch %+v", i, s)
		}
		if s := c.Find(t.Context(), message(ordinary, fmt.Sprint(i)), start); (s.Result == provider.Found) != kept {
			t.Errorf("%d: find %+v", i, s)
		}
		if n := c.Accepted(fmt.Sprintf("r_%d", i)); (n == 1) != kept {
			t.Errorf("%d: accepted %d", i, n)
		}
	}
	if c.Total() != 10 {
		t.Errorf("total %d", c.Total())
	}
}

// TestOutboxReads: the entry as JSON is what the HTTP route shows.
func TestOutboxReads(t *testing.T) {
	_, c := open(t, nil)
	c.Send(t.Context(), message(ordinary, "a"))
	got, err := json.Marshal(c.Outbox(0))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"seq":1,"at":"2026-11-30T00:53:20.000Z","kind":"message","to":"+15551230000","text":"text a",` +
		`"status":"queued","sid":"` + c.Outbox(0)[0].SID + `","user_id":"ann","reminder_id":"r_a","message_id":"m_a"}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestSameSeedSameWorld: every draw is the source's.
func TestSameSeedSameWorld(t *testing.T) {
	run := func() string {
		w, c := open(t, func(conf *sandbox.Config) { conf.Instant = true })
		for i := range 20 {
			c.Send(t.Context(), message(ordinary, fmt.Sprint(i)))
		}
		if err := c.Start(t.Context(), ordinary); err != nil {
			t.Fatal(err)
		}
		w.Advance(10_000)
		return fmt.Sprint(c.Outbox(0), w.reported())
	}
	if a, b := run(), run(); a != b {
		t.Error("two runs of one seed differ")
	}
}

func TestSettings(t *testing.T) {
	good := sandbox.Config{
		Now: func() engine.Millis { return 0 }, After: func(engine.Millis, func()) {}, Rand: rand.NewPCG(1, 2),
	}
	for name, change := range map[string]func(*sandbox.Config){
		"clock":     func(c *sandbox.Config) { c.Now = nil },
		"scheduler": func(c *sandbox.Config) { c.After = nil },
		"source":    func(c *sandbox.Config) { c.Rand = nil },
		"delay":     func(c *sandbox.Config) { c.MinNews, c.MaxNews = 5, 4 },
	} {
		bad := good
		change(&bad)
		if _, err := sandbox.New(bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sandbox.New(good); err != nil {
		t.Error(err)
	}
}

// TestCrowd: texts, reports, look-ups and readers at once.
func TestCrowd(t *testing.T) {
	const many, senders = 25_000, 8
	w, c := open(t, func(conf *sandbox.Config) { conf.Keep, conf.Instant = many, true })
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := s; i < many; i += senders {
				m := message(fmt.Sprintf("+1555%07d", i%1000), fmt.Sprint(i))
				if out := c.Send(t.Context(), m); out.Kind != provider.Accepted {
					t.Errorf("outcome %+v", out)
				}
				if i%100 == 0 && c.Find(t.Context(), m, start).Result != provider.Found {
					t.Errorf("%d is not found", i)
				}
				if i%5000 == 0 {
					c.Outbox(50)
				}
			}
		})
	}
	wg.Wait()
	w.Advance(10_000)
	if n := len(w.reported()); n != 2*many || len(c.Duplicates()) != 0 || c.Total() != many {
		t.Errorf("%d reports, %d duplicates, %d accepted", n, len(c.Duplicates()), c.Total())
	}
}

func BenchmarkSend(b *testing.B) {
	c, err := sandbox.New(sandbox.Config{
		Now: func() engine.Millis { return start }, After: func(engine.Millis, func()) {}, Rand: rand.NewPCG(1, 2),
		Instant: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	m := message(ordinary, "a")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.MessageID = fmt.Sprint(i)
		c.Send(b.Context(), m)
	}
}
