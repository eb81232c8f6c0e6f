package preview

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"carillon/engine"
)

// explained says in a sentence what a reason means to somebody who wonders.
var explained = map[engine.Reason]string{
	engine.ReasonRemindersOff:  "reminders are switched off",
	engine.ReasonEventCanceled: "the calendar says that it is cancelled",
	engine.ReasonEventPending:  "the calendar has not settled it",
	engine.ReasonAllDay:        "a whole day, and all_day_at is not set",
	engine.ReasonLeadPassed:    "this moment had passed when the event became known",
	engine.ReasonQuietHours:    "quiet hours, with no useful moment outside them",
	engine.ReasonDailyLimit:    "the day has as many texts as daily_limit allows",
	engine.ReasonDeclined:      "the person declined",
	engine.ReasonFree:          "marked as free time",
	engine.ReasonStale:         "too late to be useful",
	engine.ReasonDuplicateText: "the same text went out twice on this day already",
}

// explain is the sentence of an item's reason.
func (i *Item) explain(loc *time.Location) string {
	if i.Sent {
		if i.At != i.WasDue {
			return "not at " + clock(i.WasDue, loc) + ": quiet hours"
		}
		return ""
	}
	if s := explained[i.Reason]; s != "" {
		return s
	}
	return i.Reason.String()
}

// clock shows an instant as the person's clock does. The offset tells the two
// passes of a repeated hour apart.
func clock(at engine.Millis, loc *time.Location) string {
	return time.UnixMilli(at).In(loc).Format("Mon 2006-01-02 15:04 -07:00")
}

// Print writes the result for people.
func (r *Result) Print(w io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("%s, %s to %s", r.Zone, clock(r.From, r.loc), clock(r.To, r.loc))
	p("%s", r.wishes())
	for _, c := range r.changes() {
		p("%s", c)
	}
	p("%s out, %s not.", count(r.Sent, "text goes", "texts go"), count(len(r.Items)-r.Sent, "reminder does", "reminders do"))
	day := ""
	for i := range r.Items {
		it := &r.Items[i]
		if d := time.UnixMilli(it.At).In(r.loc).Format("Monday, 2 January 2006"); d != day {
			day = d
			p("\n%s", d)
		}
		r.printItem(p, it)
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (r *Result) printItem(p func(string, ...any), it *Item) {
	at := time.UnixMilli(it.At).In(r.loc).Format("15:04 -07:00")
	why := it.explain(r.loc)
	if !it.Sent {
		p("  %s  no   %s, %s: %s [%s]", at, title(it.Title), it.when(), why, it.Reason)
		return
	}
	if why != "" {
		why = "  (" + why + ")"
	}
	if it.Segments > 1 {
		why += fmt.Sprintf("  (%d segments)", it.Segments)
	}
	p("  %s  SMS  %s%s", at, it.Text, why)
}

// title shows a title on one line, short.
func title(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "Event"
	}
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// wishes are the preferences that the result rests on.
func (r *Result) wishes() string {
	pr := &r.Preferences
	leads := make([]string, len(pr.Leads))
	for i, l := range pr.Leads {
		leads[i] = fmt.Sprint(l)
	}
	quiet := "no quiet hours"
	if q := pr.Quiet; q.Set {
		policy := map[engine.QuietPolicy]string{engine.QuietLater: "later", engine.QuietEarlier: "earlier", engine.QuietSkip: "skip"}[pr.QuietPolicy]
		quiet = fmt.Sprintf("quiet %s to %s (%s)", hhmm(int(q.Start)), hhmm(int(q.End)), policy)
	}
	allDay := "nothing for whole days"
	if pr.AllDayAt != engine.NoAllDay {
		allDay = "whole days at " + hhmm(int(pr.AllDayAt))
	}
	return fmt.Sprintf("%s min before · %s · %s · at most %d a day", strings.Join(leads, ", "), quiet, allDay, pr.DailyLimit)
}

func hhmm(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// changes lists when clocks change in the window.
func (r *Result) changes() []string {
	var out []string
	for t, end := time.UnixMilli(r.From).In(r.loc), time.UnixMilli(r.To); len(out) < 10; {
		_, next := t.ZoneBounds()
		if next.IsZero() || !next.Before(end) {
			break
		}
		_, offset := next.Add(-time.Second).In(r.loc).Zone()
		before := next.In(time.FixedZone("", offset))
		out = append(out, fmt.Sprintf("clocks change: %s becomes %s", before.Format("Mon 2006-01-02 15:04 -07:00"), next.In(r.loc).Format("15:04 -07:00")))
		t = next.In(r.loc)
	}
	return out
}

type itemJSON struct {
	At          string `json:"at"`
	Local       string `json:"local"`
	WasDue      string `json:"was_due,omitempty"`
	Outcome     string `json:"outcome"`
	Reason      string `json:"reason,omitempty"`
	Explanation string `json:"explanation,omitempty"`
	EventID     string `json:"event_id"`
	Title       string `json:"title"`
	Lead        int32  `json:"lead_minutes"`
	Text        string `json:"text,omitempty"`
	Segments    int32  `json:"segments,omitempty"`
	Encoding    string `json:"encoding,omitempty"`
}

// MarshalJSON writes the result for programs.
func (r *Result) MarshalJSON() ([]byte, error) {
	items := make([]itemJSON, 0, len(r.Items))
	for i := range r.Items {
		it := &r.Items[i]
		j := itemJSON{
			At: stamp(it.At), Local: time.UnixMilli(it.At).In(r.loc).Format("2006-01-02T15:04:05-07:00"), Outcome: "skipped",
			Reason: it.Reason.String(), Explanation: it.explain(r.loc), EventID: it.EventID, Title: it.Title, Lead: it.Lead,
			Text: it.Text, Segments: it.Segments, Encoding: it.Encoding,
		}
		if it.Sent {
			j.Outcome = "sent"
		}
		if it.At != it.WasDue {
			j.WasDue = stamp(it.WasDue)
		}
		items = append(items, j)
	}
	return json.Marshal(struct {
		Timezone string     `json:"timezone"`
		From     string     `json:"from"`
		To       string     `json:"to"`
		Sent     int        `json:"sent"`
		Skipped  int        `json:"skipped"`
		Items    []itemJSON `json:"items"`
	}{r.Zone, stamp(r.From), stamp(r.To), r.Sent, len(r.Items) - r.Sent, items})
}

func stamp(at engine.Millis) string { return time.UnixMilli(at).UTC().Format(time.RFC3339) }
