package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode"

	"carillon/engine/sms"
)

// A reminder's text may be written by a language model (X4). That happens
// ahead of the send, in a bounded window, and is never waited for: at the
// hand-over the text is used if it was made from the event as it is then and
// carries the time phrase that is true then (X1); else the template writes.

const (
	// MaxCompositions is the most that a composer is asked for one reminder,
	// however often its event changes in the window.
	MaxCompositions = 3
	// maxComposeAhead bounds the window: what is composed earlier is likelier
	// to be out of date.
	maxComposeAhead = 15 * minute
)

// ComposeOutcome is what came of asking the composer.
type ComposeOutcome uint8

// The outcomes. The numbers are in the journal: add at the end, never
// renumber.
const (
	ComposeNone        ComposeOutcome = iota // it was not asked
	ComposeOK                                // a text that may be sent
	ComposeTimeout                           // no answer in time
	ComposeRefused                           // the endpoint says no: key, credit, model, content
	ComposeThrottled                         // the endpoint says not now
	ComposeUnavailable                       // the endpoint is not reached, or in trouble
	ComposeBreakerOpen                       // not asked: it failed too often just now
	ComposeOverBudget                        // not asked: the day's budget is spent
	ComposeBusy                              // not asked: others were first, and then it was due
	ComposeUnreadable                        // the answer makes no sense
	ComposeInvalid                           // the text is not one that may be sent (Brief.Vet)
	ComposeSuperseded                        // the event or the time changed meanwhile
	ComposeLate                              // the reminder had left
	composeOutcomeCount
)

var composeOutcomeNames = [composeOutcomeCount]string{
	"", "ok", "timeout", "refused", "throttled", "unavailable", "breaker_open", "over_budget", "busy", "unreadable",
	"invalid_output", "superseded", "late",
}

// String returns the outcome's name on the wire; empty for ComposeNone.
func (o ComposeOutcome) String() string {
	if o < composeOutcomeCount {
		return composeOutcomeNames[o]
	}
	return "unknown"
}

// ComposeOutcomes lists every outcome of having asked.
func ComposeOutcomes() []ComposeOutcome {
	out := make([]ComposeOutcome, 0, composeOutcomeCount-1)
	for o := ComposeOK; o < composeOutcomeCount; o++ {
		out = append(out, o)
	}
	return out
}

// Composition is what a reminder keeps of the composer's work. Tokens and cost
// are of all its compositions, used or not.
type Composition struct {
	Of               uint64 // sum of the Brief that Text or the failure belongs to; 0: none
	Outcome          ComposeOutcome
	Text             string // set when the outcome is ComposeOK
	Phrase           string // the time phrase in it
	Model            string
	PromptTokens     int32
	CachedTokens     int32 // of the prompt's, those that cost less
	CompletionTokens int32
	CostMicros       int64 // millionths of a US dollar
	Tries            int32
}

// Brief is what a composer is told: other people's words, made fit for one
// line and cut, and the time phrase that the text must carry.
type Brief struct {
	Kind      Kind
	Title     string
	Location  string
	Link      string
	Details   string   // how the description begins, without links
	Attendees []string // names, never addresses
	Phrase    string   // "in 15 mins", "today"
	Segments  int
}

// Units of the parts of a brief, in UTF-16. What is cut off can't be in the
// text, so it needs no place in the sum either.
const (
	maxBriefTitle    = 160
	maxBriefLocation = 80
	maxBriefDetails  = 160
	maxBriefName     = 40
	maxBriefNames    = 3
)

// brief makes a reminder's brief for a hand-over at that instant. ok is false
// when there is nothing to write about, or nothing true to say of the time.
//
// The event's end is not in it, so that a change of the end alone composes
// nothing again (C4).
func (u *User) brief(r *Reminder, at Millis, p *Policy) (b Brief, ok bool) {
	i, found := u.findEvent(r.EventID)
	if !found || r.Type != EventReminder {
		return b, false
	}
	s := &u.Events[i]
	if s.Deleted || !r.about(s.CalendarEvent) {
		return b, false
	}
	b = Brief{
		Kind: KindOf(*s.CalendarEvent), Title: briefLine(s.Title, maxBriefTitle), Location: briefLine(s.Location, maxBriefLocation),
		Link: cleanLink(s.Link), Details: briefDetails(s.Description), Attendees: briefNames(s.Attendees),
		Phrase: "in " + inTime(r.Start-at), Segments: p.MaxSegments,
	}
	if r.AllDay {
		if b.Phrase = "today"; at < r.Start {
			return b, false // the evening before, by the quiet policy "earlier"
		}
	}
	return b, strings.ContainsFunc(b.Title, wordRune)
}

func briefLine(s string, units int) string {
	if s = sms.Clean(s); len(s) > units {
		s = sms.Cut(s, sms.UCS2, units)
	}
	return s
}

// briefDetails is how a description begins. A link in one is no link of the
// event: the template would not send it either.
func briefDetails(s string) string {
	var words []string
	room := maxBriefDetails
	for w := range strings.FieldsSeq(sms.Clean(sms.Cut(s, sms.UCS2, 4*maxBriefDetails))) {
		if linkish(w) {
			continue
		}
		if room -= len(w) + 1; room < 0 {
			break
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func briefNames(attendees []string) []string {
	var out []string
	for _, a := range attendees {
		name, _, _ := strings.Cut(a, "<")
		if name = briefLine(name, maxBriefName); name == "" || linkish(name) {
			continue
		}
		if out = append(out, name); len(out) == maxBriefNames {
			break
		}
	}
	return out
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Sum names the content of a brief: equal sums, equal texts. It is never 0.
func (b *Brief) Sum() uint64 {
	buf := make([]byte, 0, 512)
	for _, s := range [...]string{b.Title, b.Location, b.Link, b.Details, b.Phrase} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	for _, s := range b.Attendees {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	buf = append(buf, byte(b.Kind))
	buf = binary.AppendUvarint(buf, uint64(b.Segments))
	sum := sha256.Sum256(buf)
	return max(binary.BigEndian.Uint64(sum[:8]), 1)
}

// Room is how long the text may be: its units, and in which encoding.
func (b *Brief) Room() (int, sms.Encoding) {
	for _, s := range [...]string{b.Title, b.Location} {
		if _, ok := sms.ToGSM7(s); !ok {
			return sms.Capacity(sms.UCS2, b.Segments), sms.UCS2
		}
	}
	return sms.Capacity(sms.GSM7, b.Segments), sms.GSM7
}

// composable reports whether a composer may still be asked for the reminder's
// text. A retry goes by template: its minute is another one.
func (r *Reminder) composable(p *Policy) bool {
	return p.Compose && r.pending() && r.Type == EventReminder && r.Attempts == 0 && r.Composition().Tries < MaxCompositions
}

// composeAt is when the window before a reminder's hand-over begins.
func (r *Reminder) composeAt(p *Policy) Millis {
	return r.nextAt() - min(max(p.ComposeAhead, 0), maxComposeAhead)
}

// uncomposed returns the brief of a reminder whose present content nobody has
// composed yet.
func (u *User) uncomposed(r *Reminder, p *Policy) (Brief, bool) {
	b, ok := u.brief(r, r.nextAt(), p)
	return b, ok && b.Sum() != r.Composition().Of
}

// composition is the composition that is owed for a reminder now, if one is.
func (t *turn) composition(r *Reminder) (c Compose, ok bool) {
	p := &t.env.Policy
	if !r.composable(p) || t.u.Paused || t.env.Now < r.composeAt(p) || t.env.Now >= r.nextAt() {
		return c, false
	}
	b, ok := t.u.uncomposed(r, p)
	return Compose{UserID: t.u.ID, ReminderID: r.ID, Content: b.Sum(), Due: r.nextAt(), Brief: b}, ok
}

// written returns the composed text of a reminder if it is true at that
// instant: made from the event as it is, with the time phrase of then (X1).
func (t *turn) written(r *Reminder, at Millis) (string, bool) {
	p := &t.env.Policy
	if !p.Compose || r.Composition().Outcome != ComposeOK {
		return "", false
	}
	b, ok := t.u.brief(r, at, p)
	c := r.Composition()
	return c.Text, ok && b.Sum() == c.Of
}

// recordComposition takes what the composer answered. Whatever it says, only a
// text that passes Vet gets into the state.
func (t *turn) recordComposition(c RecordComposition) Reply {
	r := t.u.reminder(c.ReminderID)
	if r == nil {
		return notFound(CodeReminderNotFound, "no such reminder")
	}
	e := TextComposed{
		ID: r.ID, Content: c.Content, Model: briefLine(c.Model, maxBriefTitle), Priced: c.Priced,
		PromptTokens: max(c.PromptTokens, 0), CachedTokens: max(c.CachedTokens, 0),
		CompletionTokens: max(c.CompletionTokens, 0), CostMicros: max(c.CostMicros, 0),
	}
	t.judge(r, c, &e)
	t.emit(e)
	return CompositionReply{Outcome: e.Outcome, Why: e.Why}
}

// judge decides what the composer's answer is worth.
func (t *turn) judge(r *Reminder, c RecordComposition, e *TextComposed) {
	e.Outcome, e.Why = c.Outcome, briefLine(c.Cause, maxBriefTitle)
	if !r.pending() || r.Attempts > 0 {
		if c.Outcome == ComposeOK {
			e.Outcome = ComposeLate
		}
		return
	}
	b, ok := t.u.brief(r, r.nextAt(), &t.env.Policy)
	switch {
	case !ok, b.Sum() != c.Content, r.Composition().Of == c.Content && r.Composition().Outcome == ComposeOK:
		e.Outcome, e.Why = ComposeSuperseded, c.Outcome.String()
	case c.Outcome == ComposeOK:
		if e.Text, e.Why = b.Vet(c.Text); e.Why != "" {
			e.Outcome, e.Text = ComposeInvalid, ""
			return
		}
		e.Phrase = b.Phrase
	}
}

// applyComposed keeps the sums over all compositions. What belongs to another
// content, or came too late, takes no text away.
func (r *Reminder) applyComposed(e TextComposed) {
	c := r.Composition()
	c.Tries++
	c.PromptTokens += e.PromptTokens
	c.CachedTokens += e.CachedTokens
	c.CompletionTokens += e.CompletionTokens
	c.CostMicros += e.CostMicros
	if e.Model != "" {
		c.Model = e.Model
	}
	if e.Outcome != ComposeSuperseded && e.Outcome != ComposeLate {
		c.Of, c.Outcome, c.Text, c.Phrase = e.Content, e.Outcome, e.Text, e.Phrase
	} else if c.Outcome != ComposeOK {
		c.Outcome = e.Outcome
	}
	r.Composed = &c
}

// Composition is what the composer made of the reminder; the zero value if it
// was not asked.
func (r *Reminder) Composition() Composition {
	if r.Composed == nil {
		return Composition{}
	}
	return *r.Composed
}
