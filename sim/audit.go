package sim

import (
	"bytes"
	"fmt"
	"strings"

	"carillon/actors"
	"carillon/engine"
	"carillon/engine/codec"
	"carillon/wal"
)

// Violation is something that must not be.
type Violation struct {
	Checker string `json:"checker"`
	Person  string `json:"person,omitempty"`
	At      string `json:"at"`
	What    string `json:"what"`
}

// audit holds what left the engine against the specification.
type audit struct {
	w          *world
	violations []Violation
	told       map[string]int  // by checker
	early      map[string]bool // messages that were handed over before their beginning was flushed
	seen       uint64          // the last record that was read
	intents    map[string]*intent
	reminders  map[string]*trail
	texts      map[string][]*delivery // by a custom reminder's token
	shadow     map[string]*engine.User
	buf        []byte
	shadowSeq  map[string]uint64
	shadowAt   map[string]engine.Millis // when the last flushed record was decided, by the wall clock
	expected   int64                    // reminders that had to leave, and did
	assumed    map[string][]assumption  // by reminder: what restores left open, in their order
	known      map[string]bool          // the reminders that the restored backup has
	ahead      map[string]bool          // those of them that by its lights are not due yet, or are cancelled
	checks     int
	checker    engine.Checker
	retries    map[string]*retry
	unmade     map[string]bool          // messages that the carrier was not called for
	mixed      map[string]string        // by message: the sid of another one's text, which a look-up took
	freed      map[string]engine.Millis // by number: true time when it was let go of, by the journal
	claimed    map[string]claimed       // by number: the last request for it that has an answer
	unknowable int64                    // texts that came again because what a restore lost had changed them
}

// intent is a hand-over that was begun, with what its owner's clients knew.
type intent struct {
	p         *person
	life      int
	reminder  string
	to, text  string
	sender    string
	at        engine.Millis // wall clock
	trueAt    engine.Millis
	late      bool // the clock jumped while it was on its way to the journal: the machine slept
	seq       uint64
	valid     engine.Millis
	prof      []*profile
	cal       []*calendar
	cus       []*customs
	follows   calendar // the events of connected calendars
	out       consent
	pausedAll bool
	called    bool
}

// assumption is a hand-over that a restore left open, and from when on its text
// is looked for.
type assumption struct {
	engine.AttemptStarted
	at engine.Millis // true time
}

// trail is what became of one reminder at the carrier.
type trail struct {
	begun    engine.Millis // true time of the first hand-over that the journal has
	calls    int
	accepted []*delivery
	canceled bool // and the client was told so
}

func newAudit(w *world) *audit {
	return &audit{
		w: w, intents: map[string]*intent{}, reminders: map[string]*trail{}, texts: map[string][]*delivery{},
		retries: map[string]*retry{}, shadow: map[string]*engine.User{}, shadowSeq: map[string]uint64{}, shadowAt: map[string]engine.Millis{},
		assumed: map[string][]assumption{}, mixed: map[string]string{}, told: map[string]int{}, early: map[string]bool{}, unmade: map[string]bool{},
		freed: map[string]engine.Millis{}, claimed: map[string]claimed{},
	}
}

// maxViolations bounds the report of each checker: the first few say it all.
const maxViolations = 5

func (a *audit) fail(checker string, p *person, format string, args ...any) {
	if a.told[checker] >= maxViolations {
		return
	}
	a.told[checker]++
	v := Violation{Checker: checker, At: a.w.stamp(), What: fmt.Sprintf(format, args...)}
	if p != nil {
		v.Person = p.id
	}
	a.violations = append(a.violations, v)
	if a.w.opt.Explain != nil && p != nil {
		a.w.opt.Explain(v, a.history(p))
	}
}

// history is a person's timeline as far as it was flushed, a line per entry.
func (a *audit) history(p *person) []string {
	entries, err := actors.History(a.w.disk.Log, p.id, 0)
	if err != nil {
		return []string{err.Error()}
	}
	out := make([]string, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		line := []string{fmt.Sprintf("%d %s %s %s %s %s", e.Seq, rfc3339(e.At), e.Kind, e.Reason, e.EventID, e.ReminderID)}
		for _, f := range e.Detail {
			if at, ok := f.Value.(engine.Instant); ok {
				f.Value = rfc3339(int64(at))
			}
			line = append(line, fmt.Sprintf("%s=%v", f.Name, f.Value))
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

func (a *audit) trail(reminder string) *trail {
	t := a.reminders[reminder]
	if t == nil {
		t = &trail{}
		a.reminders[reminder] = t
	}
	return t
}

// flushed reads the records that came to be on the disk. Hand-overs that begin
// in them are judged by what is acknowledged now: their place in the journal
// is behind everything that was acknowledged before this flush.
func (a *audit) flushed() {
	err := a.w.disk.Replay(a.seen+1, func(r wal.Record) error {
		if r.Seq != a.seen+1 {
			a.fail("journal", nil, "record %d follows record %d (I15)", r.Seq, a.seen)
		}
		a.seen = r.Seq
		a.w.digest.bytes(r.Data)
		if strings.HasPrefix(r.Stream, "!") || r.Redacted {
			a.w.receiver.noted(r)
			return nil
		}
		first, events, err := codec.DecodeRecord(r.Version, r.Data)
		if err != nil {
			return err
		}
		a.apply(r, first, events)
		return nil
	})
	if err != nil {
		a.fail("journal", nil, "the journal can't be read: %v", err)
	}
}

// apply follows the journal with a state of its own, and notes the hand-overs
// that it begins.
func (a *audit) apply(r wal.Record, first uint64, events []engine.Event) {
	u := a.shadow[r.Stream]
	if u == nil {
		u = &engine.User{ID: r.Stream, EventSeq: first - 1}
		a.shadow[r.Stream] = u
	}
	if !u.Exists && u.EventSeq > 0 {
		u.EventSeq = first - 1 // somebody new of that id
	}
	if first != u.EventSeq+1 {
		a.fail("timeline", a.w.person(r.Stream), "entry %d follows entry %d", first, u.EventSeq)
		u.EventSeq = first - 1
	}
	for _, e := range events {
		u.Apply(r.At, e)
		a.failed(r.Stream, r.At, e)
		a.w.pool.follow(r.Stream, e)
		if f, ok := e.(engine.MessageAccepted); ok {
			a.mixes(r.Stream, f)
		}
		if s, ok := e.(engine.PhoneSet); ok && s.Had != "" {
			a.freed[s.Had] = a.w.now
		}
		if s, ok := e.(engine.AttemptStarted); ok {
			if t := a.trail(s.ID); t.begun == 0 {
				t.begun = a.w.now
			}
		}
		if s, ok := e.(engine.AttemptStarted); ok && s.Assumed {
			a.assumed[s.ID] = append(a.assumed[s.ID], assumption{s, a.w.now})
		} else if ok {
			a.begun(r, s)
		}
	}
	if p := a.w.person(r.Stream); a.w.sources != nil && p != nil {
		a.follow(p, r, events)
	}
	a.shadowSeq[r.Stream], a.shadowAt[r.Stream] = r.Seq, r.At
	a.w.receiver.happened(r, events)
	if r.Seq%4 != 0 && !isCorner(a.w.pace.name) {
		return // what is wrong stays wrong, and the check reads the whole state
	}
	if err := a.checker.Check(u); err != nil {
		a.fail("state", a.w.person(r.Stream), "behind record %d: %v", r.Seq, err)
	}
}

func (a *audit) begun(r wal.Record, s engine.AttemptStarted) {
	p := a.w.person(r.Stream)
	if p == nil {
		return
	}
	a.patient(p, r.At, s)
	in := &intent{
		p: p, life: p.life, reminder: s.ID, to: s.To, text: s.Text, sender: s.Sender, at: r.At, trueAt: a.w.now, seq: r.Seq, valid: s.ValidUntil,
		prof: p.prof.possible(), cal: p.cal.possible(), cus: p.cus.possible(), out: p.out, follows: p.follows.events,
		late:      max(r.At-a.w.wall(), a.w.wall()-r.At) > pauseGrace,
		called:    a.early[s.MessageID],
		pausedAll: a.w.paused.known && a.w.awake()-a.w.paused.since > pauseGrace,
	}
	a.intents[s.MessageID] = in
	p.intents = append(p.intents, in)
}

// pauseGrace is how long a hand-over that was begun before a pause may take to
// reach the journal, with every hold-up on its way.
const pauseGrace = 3*maxStall + second

// snapshots compares what the engine has in memory with what the journal says:
// a snapshot is the live state (W2, I13).
func (a *audit) snapshots(batch []wal.Snapshot) {
	for i := range batch {
		s := &batch[i]
		u := a.shadow[s.Stream]
		if u == nil || a.shadowSeq[s.Stream] != s.Seq || len(s.Data) == 0 {
			continue
		}
		if s.Seq%2 == 0 { // half of them: each costs as much as the engine's own
			continue
		}
		a.buf = codec.AppendUser(append(a.buf[:0], codec.Version), u)
		if !bytes.Equal(a.buf, s.Data) {
			a.fail("replay", a.w.person(s.Stream), "the live state at record %d is not what replaying the journal gives (W2)", s.Seq)
		}
	}
}

// recovered looks at the disk behind a crash, before the next process does.
func (a *audit) recovered() {
	log := a.w.disk.Log
	if last := log.NextSeq() - 1; last < a.seen {
		a.fail("durability", nil, "the journal ends at record %d, and record %d was acknowledged (W2)", last, a.seen)
		a.seen = last
		a.rebuild()
	}
	a.flushed()
	a.check()
}

func (a *audit) check() {
	log := a.w.disk.Log
	if a.checks++; !a.w.ended && a.checks%4 != 0 {
		return
	}
	if _, err := actors.Check(log); err != nil {
		a.fail("check", nil, "the store does not hold what must hold: %v", err)
	}
	if _, err := log.Verify(nil); err != nil {
		a.fail("verify", nil, "the store is damaged: %v", err)
	}
	err := actors.EachUser(log, func(u *engine.User) error {
		shadow := a.shadow[u.ID]
		if shadow == nil || !u.Exists {
			return nil
		}
		a.buf = codec.AppendUser(a.buf[:0], shadow)
		n := len(a.buf)
		a.buf = codec.AppendUser(a.buf, u)
		if !bytes.Equal(a.buf[:n], a.buf[n:]) {
			a.fail("replay", a.w.person(u.ID), "snapshot and tail give another state than the whole journal (W2)")
		}
		return nil
	})
	if err != nil {
		a.fail("replay", nil, "%v", err)
	}
}

// rebuild starts the shadow anew from the store.
func (a *audit) rebuild() {
	a.shadow, a.shadowSeq = map[string]*engine.User{}, map[string]uint64{}
	err := actors.EachUser(a.w.disk.Log, func(u *engine.User) error {
		a.shadow[u.ID] = u
		a.shadowSeq[u.ID] = a.w.disk.Head(u.ID)
		return nil
	})
	if err != nil {
		a.fail("replay", nil, "%v", err)
	}
}

// canceled: the client was told that the reminder is cancelled.
func (a *audit) canceled(p *person, reminder string) {
	t := a.trail(reminder)
	t.canceled = true
	for _, d := range t.accepted {
		switch {
		case d.lost(), d.life != p.life, isPills(d.msg.Text), a.swapped(d), a.taken(d):
		case a.unrecognized(d, reminder): // looked for, and not found by its words
			a.unknowable++
		default:
			a.fail("cancel", p, "%s is shown cancelled, and the carrier has accepted it (S3)", reminder)
		}
	}
}

// person returns who has that id; nil: nobody of this world.
func (w *world) person(id string) *person { return w.byID[id] }
