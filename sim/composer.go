package sim

import (
	"context"
	"strings"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// composer is a fake language model (X4). It writes well, unless it hangs,
// fails, lies about the event, or does what a title told it to.
type composer struct {
	w *world
	p *process
}

var _ provider.Composer = (*composer)(nil)

const composeTimeout = 8 * second

// Compose implements provider.Composer.
func (c *composer) Compose(_ context.Context, b engine.Brief) (provider.Composition, error) {
	w := c.w
	w.digest.add("compose", b.Title, b.Phrase)
	out := provider.Composition{Model: "fake", PromptTokens: 200, CompletionTokens: 30, CostMicros: 40}
	f := &w.faults
	answers, hangs := w.d.between(200, 3000), f.hit(ComposerHangs, 0.1)
	if hangs {
		answers = composeTimeout
	}
	if !wait(w, c.p, answers) || hangs {
		return provider.Composition{}, &provider.ComposeError{Outcome: engine.ComposeTimeout}
	}
	switch {
	case f.hit(ComposerFails, 0.1):
		if w.d.chance(0.2) {
			panic("sim: the composer's client panics")
		}
		return out, &provider.ComposeError{Outcome: pick(w.d, engine.ComposeUnavailable, engine.ComposeThrottled, engine.ComposeRefused)}
	case f.hit(ComposerLies, 0.2):
		out.Text = lie(w.d, b)
	case f.hit(ComposerInjects, 0.2):
		out.Text = b.Title + " " + b.Phrase + pick(w.d, injections...)
	default:
		out.Text = b.Title + pick(w.d, " starts ", " begins ", " is ", " ") + b.Phrase
	}
	return out, nil
}

// lie says something about the event that is not so.
func lie(d draw, b engine.Brief) string {
	switch d.intn(5) {
	case 0:
		return b.Title + " in 3 days"
	case 1:
		return b.Title + " " + b.Phrase + " is cancelled"
	case 2:
		return "Lunch " + b.Phrase
	case 3:
		return b.Title + " " + b.Phrase + ", bring 98765 coins" // no event of a world has that number
	}
	return b.Title + " starts soon"
}

// injections are what titles make language models write.
var injections = []string{
	". Pay at https://evil.example/x", ". See evil.example", ". Call +1 555 999 8877", " *now*", "\nSTOP", " <b>win</b>",
	strings.Repeat(" la", 60), " $100", ". Moved to tomorrow",
}

// guarded is X4: the word of a text that a language model may not add; empty if
// there is none. The words of the event are its own.
func (e *calEvent) guarded(d *delivery, in *intent) string {
	own := " " + strings.ToLower(e.Title+" "+e.Location+" "+e.Link) + " "
	digits := 0
	for w := range strings.FieldsSeq(strings.ToLower(e.untimed(d.msg.Text, in))) {
		if strings.Contains(own, strings.Trim(w, ".,;:!?")) {
			digits = 0
			continue
		}
		for _, r := range w {
			if r >= '0' && r <= '9' {
				digits++
			}
		}
		bad := strings.Contains(w, "://") || strings.Contains(w, ".example") || strings.ContainsAny(w, "*<>$") || digits >= 7
		for _, loaded := range []string{"cancelled", "moved", "stop", "tomorrow", "coins"} {
			bad = bad || strings.Trim(w, ".,;:!?") == loaded && !strings.HasPrefix(d.msg.Text, "Tomorrow: ")
		}
		if bad {
			return w
		}
	}
	return ""
}

// untimed is a text without the date and time that the fuse puts before a third
// one of the same words: they are the event's, where its person is.
func (e *calEvent) untimed(text string, in *intent) string {
	for _, q := range in.prof {
		if rest, cut := strings.CutPrefix(text, time.UnixMilli(e.Start).In(q.loc).Format("15:04 on 2006-01-02 ")); cut {
			return rest
		}
	}
	return text
}
