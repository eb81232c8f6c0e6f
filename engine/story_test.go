package engine_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"carillon/engine"
)

var update = flag.Bool("update", false, "rewrite the stories with what the engine says now")

// TestStories runs every story in testdata/stories. A story is a script of
// commands; under each, indented, stands what the engine made of it. The
// names of the files say which rule they tell (docs/rules.md).
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("the story goes differently now (go test ./engine -run Stories -update, and read the diff):\n%s", firstDifference(string(want), got))
			}
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := line(w, i), line(g, i)
		if a != b {
			return fmt.Sprintf("line %d\n want %s\n got  %s", i+1, a, b)
		}
	}
	return ""
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

// tell runs a script and returns it with the engine's answers.
func tell(t *testing.T, script string) string {
	t.Helper()
	s := newStory(t)
	var out strings.Builder
	for text := range strings.Lines(script) {
		text = strings.TrimRight(text, "\n")
		if strings.HasPrefix(text, "    ") {
			continue // the answer of an earlier run
		}
		out.WriteString(text + "\n")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		for _, l := range s.step(text) {
			out.WriteString("    " + l + "\n")
		}
	}
	return out.String()
}

// story is a user, a clock, and every event so far.
type story struct {
	t      *testing.T
	u      *engine.User
	now    engine.Millis
	ranOn  engine.Millis // until when another engine may have, whose store was lost
	policy engine.Policy
	key    string
	log    []logged
	names  map[string]string // reminder id to r1, r2, …
	// composing is what was asked of the composer last, by reminder, and stale
	// what was asked before the content changed.
	composing, stale map[string]engine.Compose
	ids              []string
}

type logged struct {
	at engine.Millis
	e  engine.Event
}

func newStory(t *testing.T) *story {
	t.Helper()
	return &story{
		t: t, u: &engine.User{ID: "ada"}, policy: engine.DefaultPolicy(), names: map[string]string{}, composing: map[string]engine.Compose{}, stale: map[string]engine.Compose{},
		now: instant(t, "2026-03-02T06:00:00Z"),
	}
}

func (s *story) decide(cmd engine.Command) engine.Decision {
	s.t.Helper()
	d := engine.Decide(s.u, engine.Env{Now: s.now, Zone: time.LoadLocation, Policy: s.policy, Key: s.key, KeyHash: 1, RanOn: s.ranOn}, cmd)
	for _, e := range d.Events {
		s.log = append(s.log, logged{s.now, e})
	}
	s.checkReplay()
	return d
}

// checkReplay holds W2 at every step: the events alone give the same state.
func (s *story) checkReplay() {
	s.t.Helper()
	again := &engine.User{ID: s.u.ID}
	for _, l := range s.log {
		again.Apply(l.at, l.e)
	}
	if !reflect.DeepEqual(normal(again), normal(s.u)) {
		s.t.Fatalf("replay differs from the live state\nreplay %+v\nlive   %+v", again, s.u)
	}
}

// normal makes empty and nil slices alike.
func normal(u *engine.User) engine.User {
	c := *u
	c.Events = append([]engine.StoredEvent{}, u.Events...)
	for i := range c.Events {
		c.Events[i].Skips = append([]engine.Skip{}, c.Events[i].Skips...)
	}
	c.Reminders = append([]*engine.Reminder{}, u.Reminders...)
	c.Spent = append([]engine.DayCount{}, u.Spent...)
	c.Starts = append([]engine.Millis{}, u.Starts...)
	c.Keys = append([]engine.UsedKey{}, u.Keys...)
	c.Calendars = append([]engine.Calendar{}, u.Calendars...)
	return c
}

func (s *story) step(text string) []string {
	s.t.Helper()
	words := split(text)
	verb, args := words[0], words[1:]
	switch verb {
	case "now":
		s.now = instant(s.t, args[0])
		return nil
	case "wake":
		if len(args) > 0 {
			s.now = instant(s.t, args[0])
		}
		return s.answer(s.decide(engine.Wake{}))
	case "key":
		s.key = args[0]
		return nil
	case "policy":
		s.setPolicy(args)
		return nil
	case "show":
		return s.show(args)
	case "next":
		return []string{"next wake " + when(s.u.NextWake(s.now, &s.policy))}
	case "crash": // memory is gone; what the journal holds comes back
		s.u = &engine.User{ID: s.u.ID}
		for _, l := range s.log {
			s.u.Apply(l.at, l.e)
		}
		return nil
	}
	d := s.decide(s.command(verb, args))
	s.key = ""
	return s.answer(d)
}

// answer prints events, effects and reply.
func (s *story) answer(d engine.Decision) []string {
	var out []string
	for _, e := range d.Events {
		out = append(out, s.event(e))
	}
	for _, e := range d.Effects {
		switch e := e.(type) {
		case engine.Offer:
			out = append(out, "-> offer "+s.name(e.ReminderID)+" until "+when(e.Deadline))
		case engine.Compose:
			if before := s.composing[e.ReminderID]; before.Content != e.Content {
				s.stale[e.ReminderID], s.composing[e.ReminderID] = before, e
			}
			out = append(out, fmt.Sprintf("-> compose %s %q until %s", s.name(e.ReminderID), e.Brief.Phrase, when(e.Due)))
		case engine.ReadCalendar:
			out = append(out, "-> read "+s.name(e.Calendar.ID)+" from "+when(e.Start)+" to "+when(e.End))
		case engine.LookUp:
			out = append(out, "-> look up "+s.name(e.Message.ReminderID))
		}
	}
	switch r := d.Reply.(type) { //nolint:gochecksumtype // the others are shown by what they did
	case engine.Refusal:
		out = append(out, strings.TrimSpace("refused "+r.Code+" "+r.Field))
	case engine.HandOverReply:
		if r.Message != nil {
			out = append(out, fmt.Sprintf("=> to %s: %q", r.Message.To, r.Message.Text))
		} else {
			out = append(out, "=> not sent: "+r.Reason.String())
		}
	case engine.TextReply:
		if r.Answer != "" {
			out = append(out, fmt.Sprintf("=> answer %q", r.Answer))
		}
	case engine.EventReply:
		if r.Ignored || r.Unchanged {
			out = append(out, fmt.Sprintf("=> ignored %t, unchanged %t", r.Ignored, r.Unchanged))
		}
	case engine.CalendarReply:
		out = append(out, s.connected(r))
	case engine.PlanReply:
		out = append(out, s.plan(r.Plan)...)
	}
	return out
}

func (s *story) event(e engine.Event) string {
	d := engine.Describe(e)
	parts := []string{d.Kind}
	if d.ReminderID != "" {
		parts = append(parts, s.name(d.ReminderID))
	}
	if d.EventID != "" {
		parts = append(parts, s.short(d.EventID))
	}
	if d.Reason != engine.ReasonNone {
		parts = append(parts, "("+d.Reason.String()+")")
	}
	for _, f := range d.Detail {
		if f.Name == "calendar_id" {
			parts = append(parts, s.name(f.Value.(string)))
			continue
		}
		if v := value(f.Value); v != "" {
			parts = append(parts, f.Name+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

func value(v any) string {
	switch v := v.(type) {
	case engine.Instant:
		return when(engine.Millis(v))
	case string:
		if strings.ContainsAny(v, " ") {
			return strconv.Quote(v)
		}
		return v
	case bool:
		if !v {
			return ""
		}
	}
	return fmt.Sprint(v)
}

func (s *story) plan(p engine.Plan) []string {
	out := []string{fmt.Sprintf("plan %s from %s to %s", p.Date, when(p.Start), when(p.End))}
	for _, it := range p.Items {
		verdict := "scheduled"
		if !it.Scheduled {
			verdict = "skipped (" + it.Reason.String() + ")"
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s lead %d at %s %s %s", it.EventID, it.Lead, when(it.Due), verdict, it.Text)))
	}
	return out
}

func (s *story) show(args []string) []string {
	switch args[0] {
	case "user":
		r, ok := s.decide(engine.GetUser{}).Reply.(engine.UserReply)
		if !ok {
			return []string{"no such user"}
		}
		v := r.User
		return []string{fmt.Sprintf("%s verified=%t opted_out=%t %s count=%d reserved=%d", v.Phone, v.Verified, v.OptedOut, v.Date, v.Count, v.Reserved)}
	case "reminders":
		list, ok := s.decide(engine.ListReminders{Limit: 100}).Reply.(engine.RemindersReply)
		if !ok {
			return []string{"no such user"}
		}
		var out []string
		for _, r := range list.Items {
			l := fmt.Sprintf("%s %s at %s %s attempts=%d", s.name(r.ID), r.EventID, when(r.Due), r.Status, r.Attempts)
			if c := r.Composed; c != nil {
				l += fmt.Sprintf(" composed=%s %d times for %d micro-USD", c.Outcome, c.Tries, c.CostMicros)
			}
			if r.Via == engine.ViaLLM {
				l += " llm"
			}
			if r.Reason != engine.ReasonNone {
				l += " (" + r.Reason.String() + ")"
			}
			for _, m := range r.Messages {
				l += " [" + m.Status.String() + "]"
			}
			out = append(out, l)
		}
		return out
	}
	s.t.Fatalf("show %q", args)
	return nil
}

// name gives reminders short names in order of appearance.
func (s *story) name(id string) string {
	if n, ok := s.names[id]; ok {
		return n
	}
	s.ids = append(s.ids, id)
	n := "r" + strconv.Itoa(len(s.ids))
	s.names[id] = n
	return n
}

func (s *story) id(name string) string {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "r"))
	if err != nil || n < 1 || n > len(s.ids) {
		return name
	}
	return s.ids[n-1]
}

func when(m engine.Millis) string {
	if m == 0 {
		return "never"
	}
	return time.UnixMilli(m).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}

func instant(t *testing.T, s string) engine.Millis {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatalf("time %q: %v", s, err)
	}
	return at.UnixMilli()
}

// split cuts a line at spaces outside double quotes.
func split(text string) []string {
	var out []string
	var word strings.Builder
	quoted := false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ' ' && !quoted:
			if word.Len() > 0 {
				out = append(out, word.String())
				word.Reset()
			}
		default:
			word.WriteRune(r)
		}
	}
	if word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

// reached begins a story of somebody with a verified number and no quiet hours.
func reached(t *testing.T) *story {
	t.Helper()
	s := newStory(t)
	s.decide(engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Quiet: engine.Some(engine.Quiet{})})
	s.decide(engine.AttestPhone{Phone: "+12025550123"})
	return s
}
