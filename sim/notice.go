package sim

import (
	"encoding/json"

	"carillon/actors/provider"
	"carillon/engine"
	"carillon/wal"
)

// noticeBook is what the receiver is to be told, by the records that were
// flushed, and what it was.
type noticeBook struct {
	streams  map[string]*noticeStream
	byID     map[string]*tiding
	recent   []*tiding     // in their order, those that were not looked at yet
	unheard  int           // facts that are still to be told
	quiet    engine.Millis // true time since when there are none; 0: there are some
	noted    uint64        // what is up to here need not be told again: the place is behind it
	last     uint64        // the last record
	topWall  engine.Millis // the latest that the wall clock has shown
	stopped  *process      // that has noted that a sender was stopped
	erasures []*erasure
}

// noticeStream is what one person's records have to tell, in their order;
// user.erased and sender.* are in an order of their own.
type noticeStream struct {
	name     string
	facts    []*tiding
	settled  int           // facts before it are heard, or need not be told
	unnamed  int           // facts before it have an id
	erased   uint64        // the last record that erased the person
	erasedAt engine.Millis // of the time awake
	flushed  engine.Millis // of the time awake: its last record
	under    int           // posts under way, of this life

	held       bool          // the store may have it that its turn comes later
	refused    bool          // it may have been so since the store last surely had it otherwise
	took       engine.Millis // when something of it was taken; 0: it was refused since
	freed      engine.Millis // when it was taken behind a refusal last
	again      uint64        // the last record that the store may have to be told again for that
	waits      *tiding       // that was declined last, in this life
	declines   int           // of it, in a row
	declinedAt engine.Millis
}

// tiding is something that the receiver is to be told.
type tiding struct {
	stream  *noticeStream
	n       int // its place there
	seq     uint64
	user    string
	at      engine.Millis // wall clock, of the record
	flushed engine.Millis // true time
	notice  engine.Notice
	id      string
	tried   bool
	heard   bool
	passed  bool    // it need not be told any more
	lost    bool    // with the store
	refused int     // how often it was declined
	same    *tiding // the same, noted again
}

// erasure is one of a person: that it was carried out is told (N6).
type erasure struct {
	user  string
	seq   uint64
	first *tiding
}

// ownStream is where the journal notes what is in nobody's stream.
const ownStream = "!herald"

// tells is the table of docs/webhooks.md: what an event of a person's record has
// to tell.
func tells(e engine.Event) []engine.Notice {
	type words = engine.Notice
	switch e := e.(type) { //nolint:gochecksumtype // the table has no others
	case engine.ReminderPlanned:
		r := e.Reminder
		scheduled := words{Type: "reminder.scheduled", ReminderID: r.ID, Due: r.Due}
		if r.SnoozeOf == "" {
			return []words{scheduled}
		}
		return []words{{Type: "reminder.snoozed", ReminderID: r.SnoozeOf, SnoozeID: r.ID, Due: r.Due, By: "sms"}, scheduled}
	case engine.MessageAccepted:
		out := []words{{Type: "reminder.sent", ReminderID: e.ID, MessageID: e.MessageID, Reason: engine.ReasonAccepted, By: e.By}}
		if e.Status == engine.MessageDelivered {
			out = append(out, words{Type: "reminder.delivered", ReminderID: e.ID, MessageID: e.MessageID, Reason: engine.ReasonDelivered})
		}
		return out
	case engine.MessageReported:
		if e.Status == engine.MessageDelivered {
			return []words{{Type: "reminder.delivered", ReminderID: e.ID, MessageID: e.MessageID, Reason: engine.ReasonDelivered}}
		}
	case engine.ReminderFailed:
		return []words{{Type: "reminder.failed", ReminderID: e.ID, Reason: e.Reason}}
	case engine.ReminderCanceled:
		return []words{{Type: "reminder.cancelled", ReminderID: e.ID, Reason: e.Reason}}
	case engine.MessageRecorded:
		return []words{{Type: "reminder.cancelled", ReminderID: e.ID, MessageID: e.MessageID, Reason: engine.ReasonDryRun}}
	case engine.ReminderConfirmed:
		return []words{{Type: "reminder.confirmed", ReminderID: e.ID, By: e.By}}
	case engine.InboundReceived:
		if e.Keyword == "agenda" {
			return []words{{Type: "user.agenda_requested", By: "sms"}}
		}
	case engine.ConsentChanged:
		if e.OptedOut {
			return []words{{Type: "user.opted_out", By: e.By, Text: e.Text}}
		}
		return []words{{Type: "user.opted_in", By: e.By, Text: e.Text}}
	}
	return nil
}

// happened reads a person's record that came to be on the disk.
func (r *receiver) happened(rec wal.Record, events []engine.Event) {
	if r == nil {
		return
	}
	s := r.stream(rec.Stream)
	s.flushed = r.w.awake()
	for _, e := range events {
		for _, n := range tells(e) {
			r.add(s, &tiding{seq: rec.Seq, user: rec.Stream, at: rec.At, notice: n})
		}
		if _, ok := e.(engine.UserErased); ok {
			s.erased, s.erasedAt = rec.Seq, r.w.awake()
			for _, f := range s.facts {
				r.pass(f)
			}
			r.book.erasures = append(r.book.erasures, &erasure{user: rec.Stream, seq: rec.Seq})
		}
	}
	r.overdue()
}

// noted reads a record of the journal's own: what of it is to be told.
func (r *receiver) noted(rec wal.Record) {
	if r == nil || rec.Stream != ownStream {
		return
	}
	var m struct {
		What   engine.NoticeType `json:"what"`
		UserID string            `json:"user_id"`
		Sender string            `json:"sender"`
		Detail string            `json:"detail"`
		Of     uint64            `json:"of"`
	}
	if err := json.Unmarshal(rec.Data, &m); err != nil {
		r.w.audit.fail("journal", nil, "record %d can't be read: %v", rec.Seq, err)
		return
	}
	f := &tiding{seq: rec.Seq, user: m.UserID, at: rec.At, notice: engine.Notice{Type: m.What, Sender: m.Sender, Text: m.Detail}}
	switch m.What { //nolint:exhaustive // the others are people's
	case engine.NoticeErased:
		r.carriedOut(m.UserID, m.Of, f)
	case engine.NoticeSenderStopped:
		r.book.stopped = r.w.proc
	}
	r.add(r.stream(ownStream), f)
}

// carriedOut holds the note of an erasure against the records: there is one, and
// nothing is left of the person.
func (r *receiver) carriedOut(user string, of uint64, f *tiding) {
	a, p := r.w.audit, r.w.person(user)
	var e *erasure
	for _, o := range r.book.erasures {
		if o.user == user && o.seq == of {
			e = o
		}
	}
	switch {
	case e == nil:
		a.fail("notice_true", p, "%s is noted as erased by record %d, and it erases nobody", user, of)
		return
	case e.first == nil:
		e.first = f
	default:
		f.same = e.first
	}
	err := r.w.disk.Replay(0, func(rec wal.Record) error {
		if rec.Stream == user && rec.Seq <= of && !rec.Redacted {
			a.fail("notice_erased", p, "%s is to be told of as erased, and record %d is there (N6)", user, rec.Seq)
		}
		return nil
	})
	if err != nil {
		a.fail("journal", nil, "the journal can't be read: %v", err)
	}
}

func (r *receiver) stream(name string) *noticeStream {
	s := r.book.streams[name]
	if s == nil {
		s = &noticeStream{name: name}
		r.book.streams[name] = s
	}
	return s
}

func (r *receiver) add(s *noticeStream, f *tiding) {
	b := &r.book
	r.settle()
	f.stream, f.n, f.flushed = s, len(s.facts), r.w.now
	s.facts = append(s.facts, f)
	b.recent = append(b.recent, f)
	b.unheard++
	b.last = f.seq
}

// settle notes, before there is something to tell again, that everything was told
// for long enough: the place in the log is behind it, and nothing of it is told
// again, whatever comes but a restore.
func (r *receiver) settle() {
	b, w := &r.book, r.w
	if b.quiet != 0 && w.now-b.quiet > 30*second && w.disturbed < b.quiet && w.fullUntil < b.quiet && w.jumped < b.quiet-2*maxSkew {
		b.noted = b.last
	}
	b.quiet = 0
}

// pass notes that a fact need not be told any more.
func (r *receiver) pass(f *tiding) {
	if !f.passed && !f.heard {
		f.passed = true
		r.book.unheard--
	}
}

// excused reports whether a fact need not be told: it is too old, its person was
// erased, the journal does not reach back to it, or it was declined four times
// and is nobody's.
func (r *receiver) excused(f *tiding) bool {
	old := max(r.book.topWall, r.w.wall())-f.at > r.keep
	return old || f.passed || f.seq <= f.stream.erased || f.stream.name == ownStream && f.refused >= 4 || f.seq < r.w.disk.Stats().FirstSeq
}

// jumped is told before the wall clock jumps.
func (r *receiver) jumped() {
	if r != nil {
		r.book.topWall = max(r.book.topWall, r.w.wall())
		r.book.quiet = 0
	}
}

// restored forgets what was lost with the store.
func (r *receiver) restored(last uint64) {
	if r == nil {
		return
	}
	b := &r.book
	for _, s := range b.streams {
		for len(s.facts) > 0 && s.facts[len(s.facts)-1].seq > last {
			f := s.facts[len(s.facts)-1]
			r.pass(f)
			f.lost = true
			s.facts = s.facts[:len(s.facts)-1]
		}
		s.settled, s.unnamed, s.held, s.again = 0, min(s.unnamed, len(s.facts)), true, last
	}
	left := b.erasures[:0]
	for _, e := range b.erasures {
		if e.first != nil && e.first.lost {
			e.first = nil
		}
		if e.seq <= last {
			left = append(left, e)
		}
	}
	b.erasures, b.noted, b.last, b.quiet, b.recent = left, 0, last, 0, nil
	r.erasedBy(last)
}

// erasedBy has whose erasure was lost with the store be there again: what they
// have to tell is told.
func (r *receiver) erasedBy(last uint64) {
	for _, s := range r.book.streams {
		if s.erased <= last {
			continue
		}
		s.erased = 0
		for _, e := range r.book.erasures {
			if e.user == s.name {
				s.erased = e.seq
			}
		}
		for _, f := range s.facts {
			if f.passed && !f.heard && f.seq > s.erased {
				f.passed = false
				r.book.unheard++
			}
		}
	}
}

// says reports whether a notice says what the fact is.
func (f *tiding) says(n *provider.Notification) bool {
	return n.UserID == f.user && n.At == f.at && n.Notice == f.notice
}

// String names the fact.
func (f *tiding) String() string {
	return string(f.notice.Type) + " " + f.user + " " + f.notice.ReminderID + " of record " + itoa(int64(f.seq))
}
