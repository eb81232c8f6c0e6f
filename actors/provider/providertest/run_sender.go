package providertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"carillon/actors/provider"
	"carillon/engine"
)

// SkewMillis is how far before since a message may have been created and still
// be found: as much as clocks are allowed to differ.
const SkewMillis = 5 * 60 * 1000

// Trouble is what a hand-over meets.
type Trouble int

// The troubles that the suite asks a World for.
const (
	NoTrouble     Trouble = iota
	Refusal               // a no to this number, by a code
	Throttled             // too fast: not accepted, may be tried again
	AnswerLost            // accepted, and the answer is lost
	RequestLost           // not accepted, and the answer is lost
	NoAnswer              // nothing comes while the caller waits
	AccountRefuse         // a no to whoever asks with these credentials
)

// World is a carrier under the suite's control, and the Sender to it.
type World struct {
	Sender provider.Sender
	// Arrange makes ready that hand-overs to the returned number meet the
	// trouble. ok is false if this carrier knows no such trouble.
	Arrange func(Trouble) (to string, ok bool)
	// Accepted is how many messages of this text to this number the carrier
	// has; Creates how many requests for one reached it, nil if it does not
	// count them.
	Accepted func(to, text string) int
	Creates  func(to, text string) int
	// Now is the clock of both; Advance moves it.
	Now     func() engine.Millis
	Advance func(engine.Millis)
	// Blind makes the carrier impossible to ask until it is called with false;
	// nil if it always can be asked.
	Blind func(bool)
}

// secret is a text that must not show up in failures and causes.
const secret = "Standup in 15 mins @ Room 4. https://meet.example/k7"

func (w *World) message(to, id string) provider.Message {
	return provider.Message{
		UserID: "ann & bob", ReminderID: "r_" + id, MessageID: "m_" + id + "_1", To: to, Text: secret + " " + id,
		Segments: 1, CreatedAt: w.Now(), ValidUntil: w.Now() + 15*60*1000,
	}
}

// RunSender holds a Sender to each sentence of the port's comment. Every test
// gets a world of its own.
func RunSender(t *testing.T, open func(t *testing.T) World) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, *World)
	}{
		{"accepted has sid and status", testAccepted},
		{"refused says why", testRefused},
		{"throttled may be tried again", testThrottled},
		{"lost answer is uncertain and found", testAnswerLost},
		{"lost request is uncertain and absent", testRequestLost},
		{"ctx that ends while waiting is uncertain", testNoAnswer},
		{"ctx that has ended is uncertain", testEnded},
		{"deadline that passed is refused without a create", testExpired},
		{"one Send is one create", testOneCreate},
		{"Find tells messages apart", testFind},
		{"Find allows for skew and no more", testFindAge},
		{"Find leaves out other messages' sids", testFindOthers},
		{"Find that can't ask proves nothing", testBlind},
		{"Find changes nothing", testFindReads},
		{"Fetch knows a sid", testFetch},
		{"Stops tells a sender's fault from a number's", testStops},
		{"many at once", testConcurrent},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := open(t)
			test.run(t, &w)
		})
	}
}

// arrange returns the number, or ends the test where the carrier has no such
// trouble.
func arrange(t *testing.T, w *World, tr Trouble) string {
	t.Helper()
	to, ok := w.Arrange(tr)
	if !ok {
		t.Skip("this carrier has no such trouble")
	}
	return to
}

func testAccepted(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoTrouble), "a")
	out := w.Sender.Send(t.Context(), m)
	if out.Kind != provider.Accepted || out.SID == "" {
		t.Fatalf("outcome %+v, want accepted with a sid", out)
	}
	if out.Status == engine.MessageNone || out.Failure != (engine.Failure{}) {
		t.Errorf("status %v, failure %+v", out.Status, out.Failure)
	}
	wantCount(t, w, m, 1, 1)
}

func testRefused(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, Refusal), "a")
	out := w.Sender.Send(t.Context(), m)
	if out.Kind != provider.Refused || out.SID != "" {
		t.Fatalf("outcome %+v, want refused", out)
	}
	if out.Failure.Category == engine.CategoryNone || out.Failure.Message == "" {
		t.Errorf("failure %+v says nothing", out.Failure)
	}
	discreet(t, m, out)
	wantCount(t, w, m, 1, 0)
}

func testThrottled(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, Throttled), "a")
	out := w.Sender.Send(t.Context(), m)
	if out.Kind != provider.Refused || out.Failure.Category != engine.CategoryRateLimit ||
		out.Failure.Retry != engine.RetryYes {
		t.Fatalf("outcome %+v, want refused for its pace, to be tried again", out)
	}
	discreet(t, m, out)
	wantCount(t, w, m, 1, 0)
}

func testAnswerLost(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, AnswerLost), "a")
	out := w.Sender.Send(t.Context(), m)
	uncertain(t, m, out)
	s := w.Sender.Find(t.Context(), m, m.CreatedAt)
	if s.Result != provider.Found || s.SID == "" || s.Status == engine.MessageNone {
		t.Errorf("sighting %+v, want found", s)
	}
	wantCount(t, w, m, 1, 1)
}

func testRequestLost(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, RequestLost), "a")
	uncertain(t, m, w.Sender.Send(t.Context(), m))
	if s := w.Sender.Find(t.Context(), m, m.CreatedAt); s.Result != provider.Absent {
		t.Errorf("sighting %+v, want absent", s)
	}
	wantCount(t, w, m, 1, 0)
}

func testNoAnswer(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoAnswer), "a")
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan provider.Outcome)
	go func() { got <- w.Sender.Send(ctx, m) }()
	cancel()
	uncertain(t, m, <-got)
	atMostOne(t, w, m)
}

func testEnded(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoTrouble), "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	uncertain(t, m, w.Sender.Send(ctx, m))
	atMostOne(t, w, m)
	if s := w.Sender.Find(ctx, m, m.CreatedAt); s.Result != provider.FindUnknown {
		t.Errorf("sighting %+v, want unknown", s)
	}
}

func testExpired(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoTrouble), "a")
	for _, until := range []engine.Millis{w.Now(), w.Now() - 1, 0} {
		m.ValidUntil = until
		out := w.Sender.Send(t.Context(), m)
		if out.Kind != provider.Refused || out.Failure.Category != engine.CategoryExpired ||
			out.Failure.Retry != engine.RetryNever {
			t.Errorf("valid until %d at %d: outcome %+v, want refused as expired", until, w.Now(), out)
		}
	}
	wantCount(t, w, m, 0, 0)
}

func testOneCreate(t *testing.T, w *World) {
	t.Helper()
	if w.Creates == nil {
		t.Skip("this carrier does not count requests")
	}
	for _, tr := range []Trouble{NoTrouble, Refusal, Throttled, AnswerLost, RequestLost, NoTrouble} {
		to, ok := w.Arrange(tr)
		if !ok {
			continue
		}
		m := w.message(to, fmt.Sprintf("t%d", tr))
		before := w.Creates(m.To, m.Text)
		w.Sender.Send(t.Context(), m)
		if n := w.Creates(m.To, m.Text) - before; n != 1 {
			t.Errorf("trouble %d: %d creates for one Send", tr, n)
		}
	}
}

func testFind(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoTrouble), "a")
	out := w.Sender.Send(t.Context(), m)
	if s := w.Sender.Find(t.Context(), m, m.CreatedAt); s.Result != provider.Found || s.SID != out.SID {
		t.Errorf("sighting %+v, want found as %s", s, out.SID)
	}
	other := m
	other.Text += "!"
	if s := w.Sender.Find(t.Context(), other, m.CreatedAt); s.Result != provider.Absent {
		t.Errorf("another text: %+v, want absent", s)
	}
	other = m
	other.To = "+15550007777"
	if s := w.Sender.Find(t.Context(), other, m.CreatedAt); s.Result != provider.Absent {
		t.Errorf("another number: %+v, want absent", s)
	}
}

func testFindAge(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoTrouble), "a")
	w.Sender.Send(t.Context(), m)
	if s := w.Sender.Find(t.Context(), m, m.CreatedAt+SkewMillis-2000); s.Result != provider.Found {
		t.Errorf("within the skew: %+v, want found", s)
	}
	if s := w.Sender.Find(t.Context(), m, m.CreatedAt+SkewMillis+2000); s.Result != provider.Absent {
		t.Errorf("before the skew: %+v, want absent", s)
	}
}

func testFindOthers(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoTrouble), "a")
	first := w.Sender.Send(t.Context(), m)
	m.Others = []string{first.SID}
	if s := w.Sender.Find(t.Context(), m, m.CreatedAt); s.Result != provider.Absent {
		t.Errorf("sighting %+v, want absent: the only one is another message's", s)
	}
	w.Advance(60_000)
	m.CreatedAt = w.Now()
	second := w.Sender.Send(t.Context(), m)
	if s := w.Sender.Find(t.Context(), m, m.CreatedAt); s.Result != provider.Found || s.SID != second.SID {
		t.Errorf("sighting %+v, want found as %s", s, second.SID)
	}
}

func testBlind(t *testing.T, w *World) {
	t.Helper()
	if w.Blind == nil {
		t.Skip("this carrier can always be asked")
	}
	m := w.message(arrange(t, w, NoTrouble), "a")
	out := w.Sender.Send(t.Context(), m)
	w.Blind(true)
	s := w.Sender.Find(t.Context(), m, m.CreatedAt)
	if s.Result != provider.FindUnknown || s.Cause == "" {
		t.Errorf("sighting %+v, want unknown with a cause", s)
	}
	discreet(t, m, provider.Outcome{Cause: s.Cause})
	if f, ok := w.Sender.(provider.Fetcher); ok {
		if s := f.Fetch(t.Context(), out.SID); s.Result != provider.FindUnknown || s.Cause == "" {
			t.Errorf("fetch %+v, want unknown with a cause", s)
		}
	}
	w.Blind(false)
	if s := w.Sender.Find(t.Context(), m, m.CreatedAt); s.Result != provider.Found {
		t.Errorf("sighting %+v, want found when it can be asked again", s)
	}
}

func testFindReads(t *testing.T, w *World) {
	t.Helper()
	m := w.message(arrange(t, w, NoTrouble), "a")
	out := w.Sender.Send(t.Context(), m)
	for range 5 {
		w.Sender.Find(t.Context(), m, m.CreatedAt)
		if f, ok := w.Sender.(provider.Fetcher); ok {
			f.Fetch(t.Context(), out.SID)
		}
	}
	wantCount(t, w, m, 1, 1)
}

func testFetch(t *testing.T, w *World) {
	t.Helper()
	f, ok := w.Sender.(provider.Fetcher)
	if !ok {
		t.Skip("this carrier has no fetch")
	}
	m := w.message(arrange(t, w, NoTrouble), "a")
	out := w.Sender.Send(t.Context(), m)
	if s := f.Fetch(t.Context(), out.SID); s.Result != provider.Found || s.SID != out.SID {
		t.Errorf("sighting %+v, want found as %s", s, out.SID)
	}
	if s := f.Fetch(t.Context(), "SMffffffffffffffffffffffffffffffff"); s.Result != provider.Absent {
		t.Errorf("unknown sid: %+v, want absent", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s := f.Fetch(ctx, out.SID); s.Result != provider.FindUnknown {
		t.Errorf("ctx ended: %+v, want unknown", s)
	}
}

func testStops(t *testing.T, w *World) {
	t.Helper()
	s, ok := w.Sender.(provider.Stopper)
	if !ok {
		t.Skip("this carrier does not tell")
	}
	if s.Stops(engine.Failure{}) {
		t.Error("no failure stops the sender")
	}
	m := w.message(arrange(t, w, Refusal), "a")
	if out := w.Sender.Send(t.Context(), m); s.Stops(out.Failure) {
		t.Errorf("%+v stops the sender, and is the number's", out.Failure)
	}
	m = w.message(arrange(t, w, AccountRefuse), "b")
	out := w.Sender.Send(t.Context(), m)
	if out.Kind != provider.Refused || out.Failure.Category != engine.CategoryAccountIssue || !s.Stops(out.Failure) {
		t.Errorf("outcome %+v does not stop the sender, and every other message would meet it", out)
	}
}

func testConcurrent(t *testing.T, w *World) {
	t.Helper()
	const many = 32
	to := arrange(t, w, NoTrouble)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		sids = map[string]bool{}
	)
	for i := range many {
		wg.Go(func() {
			m := w.message(to, fmt.Sprintf("c%d", i))
			out := w.Sender.Send(t.Context(), m)
			s := w.Sender.Find(t.Context(), m, m.CreatedAt)
			if out.Kind != provider.Accepted || s.SID != out.SID {
				t.Errorf("outcome %+v, sighting %+v", out, s)
			}
			mu.Lock()
			defer mu.Unlock()
			sids[out.SID] = true
		})
	}
	wg.Wait()
	if len(sids) != many {
		t.Errorf("%d sids for %d messages", len(sids), many)
	}
	for i := range many {
		wantCount(t, w, w.message(to, fmt.Sprintf("c%d", i)), 1, 1)
	}
}

func uncertain(t *testing.T, m provider.Message, out provider.Outcome) {
	t.Helper()
	if out.Kind != provider.Uncertain || out.Cause == "" {
		t.Fatalf("outcome %+v, want uncertain with a cause", out)
	}
	discreet(t, m, out)
}

// discreet fails if a line for logs holds a number or a text.
func discreet(t *testing.T, m provider.Message, out provider.Outcome) {
	t.Helper()
	for _, line := range []string{out.Cause, out.Failure.Message} {
		for _, no := range []string{m.To, m.To[1:], "Standup", "meet.example", "secret words", "\n", m.MessageID} {
			if strings.Contains(line, no) {
				t.Errorf("%q holds %q", line, no)
			}
		}
	}
}

func atMostOne(t *testing.T, w *World, m provider.Message) {
	t.Helper()
	if n := w.Accepted(m.To, m.Text); n > 1 {
		t.Errorf("accepted %d times", n)
	}
	if w.Creates == nil {
		return
	}
	if n := w.Creates(m.To, m.Text); n > 1 {
		t.Errorf("%d creates", n)
	}
}

func wantCount(t *testing.T, w *World, m provider.Message, creates, accepted int) {
	t.Helper()
	if w.Creates != nil {
		if n := w.Creates(m.To, m.Text); n != creates {
			t.Errorf("%d creates reached the carrier, want %d", n, creates)
		}
	}
	if n := w.Accepted(m.To, m.Text); n != accepted {
		t.Errorf("%d accepted, want %d", n, accepted)
	}
}
