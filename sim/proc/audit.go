//go:build linux

package proc

import (
	"fmt"
	"strings"
)

// Violation is something that must not be.
type Violation struct {
	Checker string `json:"checker"`
	What    string `json:"what"`
}

// onTheWay is how long a text may take from the last look at whether it is
// welcome to the carrier's book: a stopped process, a call and what a line
// holds. Who changes their mind meanwhile can't be told apart from who
// changed it before.
const onTheWay = 8_000 // ms

// early is how far clocks of one machine may seem apart.
const early = 50 // ms

// taken is what the carrier's book says of one token.
type taken struct {
	entries []entry         // accepted, in order
	lost    map[string]bool // by sid: and then not delivered
}

// going reports whether the last message of it was not lost.
func (t *taken) going() bool {
	return len(t.entries) > 0 && !t.lost[t.entries[len(t.entries)-1].SID]
}

// auditor believes the book and the ledger.
type auditor struct {
	ledger *ledger
	texts  map[string]*taken // by token
	owner  map[string]string // sid to token
	fail   func(checker, format string, args ...any)
}

func newAuditor(l *ledger, fail func(checker, format string, args ...any)) *auditor {
	return &auditor{ledger: l, texts: map[string]*taken{}, owner: map[string]string{}, fail: fail}
}

// judge reads the book from its beginning to its end.
func (a *auditor) judge(book []entry) {
	for _, e := range book {
		switch e.Kind {
		case accepted:
			a.accepted(e)
		case moved:
			if t := a.texts[a.owner[e.SID]]; t != nil && (e.Status == "undelivered" || e.Status == "failed") {
				t.lost[e.SID] = true
			}
		}
	}
	a.limits()
}

func (a *auditor) accepted(e entry) {
	name := token(e.Body)
	c := a.ledger.claims[name]
	if c == nil || c.who.number != e.To {
		a.fail("asked_for", "%q to %s: nobody asked for that", e.Body, e.To)
		return
	}
	t := a.texts[name]
	if t == nil {
		t = &taken{lost: map[string]bool{}}
		a.texts[name] = t
	}
	// Another one only after the last one is known to have failed (S3).
	if t.going() {
		a.fail("twice", "%s to %s: accepted as %s and again as %s, %d ms later", name, c.who.id, t.entries[len(t.entries)-1].SID, e.SID, e.At-t.entries[len(t.entries)-1].At)
	}
	if len(t.entries) >= maxHandOvers {
		a.fail("hand_overs", "%s to %s: accepted %d times", name, c.who.id, len(t.entries)+1)
	}
	t.entries = append(t.entries, e)
	a.owner[e.SID] = name
	a.welcome(c, e)
}

// maxHandOvers is S4's.
const maxHandOvers = 3

// welcome holds one acceptance against what its owner had been told.
func (a *auditor) welcome(c *claim, e entry) {
	say := func(checker, why string) {
		a.fail(checker, "%s to %s at %d: %s", c.token, c.who.id, e.At, why)
	}
	switch {
	case e.At < c.from-early:
		say("on_time", fmt.Sprintf("%d ms early", c.from-e.At))
	case e.At > c.until+onTheWay:
		say("on_time", fmt.Sprintf("%d ms after it was of any use", e.At-c.until))
	}
	if c.canceled != 0 && e.At > c.canceled {
		say("cancelled", fmt.Sprintf("%d ms after it was shown cancelled", e.At-c.canceled))
	}
	if c.withdrawn != 0 && e.At > c.withdrawn+onTheWay {
		say("withdrawn", fmt.Sprintf("%d ms after its event was moved or deleted", e.At-c.withdrawn))
	}
	if c.who.erased != 0 && e.At > c.who.erased+onTheWay {
		say("erased", fmt.Sprintf("%d ms after they were erased", e.At-c.who.erased))
	}
	if within(c.who.out, e.At) {
		say("consent", "they had opted out")
	}
	if within(c.who.hush, e.At) {
		say("quiet_hours", "it was quiet")
	}
}

func within(spans []span, at int64) bool {
	for _, s := range spans {
		from := s.from
		if !s.strict {
			from += onTheWay
		}
		if at >= from && (s.to == 0 || at < s.to) {
			return true
		}
	}
	return false
}

// limits counts what was spent of a day's limit: reminders, not messages (P5).
// The campaign sees no midnight.
func (a *auditor) limits() {
	spent := map[*person]int{}
	for name := range a.texts {
		spent[a.ledger.claims[name].who]++
	}
	for p, n := range spent {
		if p.kind == limited && n > dailyLimit {
			a.fail("limit", "%s got %d texts, and wants %d a day", p.id, n, dailyLimit)
		}
	}
}

// ends holds what the service shows in the end against the book: every
// reminder is over, what was asked for once is there once, and what was
// accepted is shown (S3, I: every reminder ends).
func (a *auditor) ends(p *person, shown []reminder) {
	if p.erased != 0 || p.perhaps {
		return // nothing of them is shown any more
	}
	times := map[string]int{}
	status := map[string]string{}
	for _, r := range shown {
		if !r.final() {
			a.fail("end", "%s, %s (%q): still %s (%s)", p.id, r.ReminderID, r.Text, r.Status, r.Reason)
		}
		if name := token(r.Text); name != "" {
			times[name]++
			status[name] = r.Status + " " + r.Reason
			if r.Status == "sent" || r.Status == "delivered" {
				a.sent(p, r, name)
			}
		}
	}
	for _, c := range p.customs {
		if times[c.token] > 1 || c.acked && times[c.token] != 1 {
			a.fail("once", "%s, %s: asked for once, and there %d times", p.id, c.token, times[c.token])
		}
	}
	for name, t := range a.texts {
		if a.ledger.claims[name].who == p && t.going() && !isSent(status[name]) {
			a.fail("shown", "%s, %s: accepted as %s, and shown as %q", p.id, name, t.entries[len(t.entries)-1].SID, status[name])
		}
	}
}

// sent: what is shown sent has been accepted.
func (a *auditor) sent(p *person, r reminder, name string) {
	if a.texts[name] == nil {
		a.fail("shown", "%s, %s (%s): shown %s, and the carrier never had it", p.id, r.ReminderID, name, r.Status)
	}
}

// isSent reads a status with its reason.
func isSent(status string) bool {
	return strings.HasPrefix(status, "sent ") || strings.HasPrefix(status, "delivered ")
}
