package preview

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"carillon/engine"
)

// lead is one lead of one occurrence of an event.
type lead struct {
	event string
	lead  int32
	occ   engine.Millis
}

// line is what is known of it so far.
type line struct {
	lead
	title    string
	at       engine.Millis // before quiet hours
	due      engine.Millis // when it is to leave, or left
	reason   engine.Reason
	sent     bool
	decided  bool
	allDay   bool
	text     string
	segments int32
	encoding string
}

// ledger gathers what the engine decided.
type ledger struct {
	conf   *Config
	loc    *time.Location
	lines  map[lead]*line
	byID   map[string]*line // of a reminder
	titles map[string]string
}

func newLedger(c *Config, loc *time.Location) *ledger {
	l := &ledger{conf: c, loc: loc, lines: map[lead]*line{}, byID: map[string]*line{}, titles: map[string]string{}}
	for _, e := range c.Events {
		l.titles[e.ID] = e.Title
	}
	return l
}

func (l *ledger) line(k lead) *line {
	if l.lines[k] == nil {
		l.lines[k] = &line{lead: k, title: l.titles[k.event]}
	}
	return l.lines[k]
}

// note takes in an event of the engine.
func (l *ledger) note(now engine.Millis, e engine.Event) {
	switch e := e.(type) { //nolint:gochecksumtype // the others say nothing of reminders
	case engine.ReminderPlanned:
		r := e.Reminder
		n := l.line(lead{r.EventID, r.Lead, r.Occ})
		n.due, n.allDay, n.sent, n.reason = r.Due, r.AllDay, false, engine.ReasonNone
		if n.at = r.Due; !r.AllDay {
			n.at = r.Start - int64(r.Lead)*60_000
		}
		if n.due != n.at { // only quiet hours move what is planned
			n.reason = engine.ReasonQuietHours
		}
		l.byID[r.ID] = n
	case engine.ReminderSkipped:
		n := l.line(lead{e.EventID, e.Lead, e.Occ})
		n.at, n.due, n.reason, n.decided = e.At, e.At, e.Reason, true
	case engine.ReminderMoved:
		if n := l.byID[e.ID]; n != nil {
			n.due, n.reason = e.Due, cmp.Or(e.Reason, n.reason)
		}
	case engine.ReminderCanceled:
		if n := l.byID[e.ID]; n != nil {
			n.reason, n.decided = e.Reason, true
		}
	case engine.AttemptStarted:
		if n := l.byID[e.ID]; n != nil {
			n.sent, n.decided, n.due = true, true, now
			n.text, n.segments, n.encoding = e.Text, e.Segments, e.Encoding.String()
		}
	}
}

// Result is what somebody would get.
type Result struct {
	Zone        string
	From, To    engine.Millis
	Preferences engine.Preferences
	Items       []Item // in order of At
	Sent        int

	loc *time.Location
}

// Item is one text that goes out, or one that does not.
type Item struct {
	At       engine.Millis // when it leaves, or would have been due
	WasDue   engine.Millis // before quiet hours moved it; At if nothing did
	Sent     bool
	Reason   engine.Reason // why not, or why it was moved; none for a plain text
	EventID  string
	Title    string
	Lead     int32
	AllDay   bool
	Text     string
	Segments int32
	Encoding string
}

func (l *ledger) result(u *engine.User) *Result {
	r := &Result{Zone: l.conf.Zone, From: l.conf.From, To: l.conf.To, Preferences: u.Prefs, loc: l.loc}
	for _, n := range l.lines {
		if !n.decided || n.due < l.conf.From && n.at < l.conf.From || n.due >= l.conf.To {
			continue
		}
		if n.sent {
			r.Sent++
		}
		r.Items = append(r.Items, Item{
			At: n.due, WasDue: n.at, Sent: n.sent, Reason: n.reason, EventID: n.event, Title: n.title, Lead: n.lead.lead,
			AllDay: n.allDay || n.lead.lead == 0, Text: n.text, Segments: n.segments, Encoding: n.encoding,
		})
	}
	slices.SortFunc(r.Items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.WasDue, b.WasDue), cmp.Compare(a.EventID, b.EventID), cmp.Compare(a.Lead, b.Lead))
	})
	return r
}

// when says how long before its event a reminder is.
func (i *Item) when() string {
	if i.AllDay {
		return "all day"
	}
	return strconv.Itoa(int(i.Lead)) + " min before"
}
