package bench

import (
	"fmt"
	"strings"
	"time"

	"carillon/engine"
)

// people are the names and payloads of a run, made before it is measured: the
// load generator formats nothing while the engine works.
type people struct {
	ids    []string
	events []string
	start  time.Time
}

func userID(i int) string { return fmt.Sprintf("user-%07d", i) }

// newPeople names so many users, with as many events each as so many
// operations over them need.
func newPeople(users, operations int, start time.Time) *people {
	p := &people{ids: make([]string, users), start: start.Truncate(time.Minute)}
	for i := range p.ids {
		p.ids[i] = userID(i)
	}
	p.events = make([]string, (operations+users-1)/users)
	for i := range p.events {
		p.events[i] = fmt.Sprintf("e%d", i)
	}
	return p
}

// put is operation i: an event of its own for the users in turn.
func (p *people) put(i int) (user string, cmd engine.PutEvent) {
	k := i / len(p.ids)
	return p.ids[i%len(p.ids)], event(p.events[k], p.start.Add(time.Duration(k)*time.Minute))
}

// The texts of an event. As JSON with its ids and times it has 250 bytes,
// which is what the peers are given as well.
const (
	eventTitle    = "Quarterly review with Dana and the Lisbon office"
	eventLocation = "Room 4.12"
	eventLink     = "https://meet.example.com/j/83174429056"
)

func said(id string, start time.Time) engine.CalendarEvent {
	return engine.CalendarEvent{
		ID: id, Title: eventTitle, Location: eventLocation, Link: eventLink, Start: start.UnixMilli(), End: start.Add(time.Hour).UnixMilli(),
	}
}

// event puts it; each has one of its own.
func event(id string, start time.Time) engine.PutEvent { return engine.Put(said(id, start)) }

// PayloadBytes is what an event has as JSON.
const PayloadBytes = 250

// Payload is such an event as a peer gets it.
func Payload(user, id string, start time.Time) []byte {
	s := fmt.Sprintf(`{"user_id":%q,"event_id":%q,"title":%q,"location":%q,"link":%q,"start":%q`,
		user, id, eventTitle, eventLocation, eventLink, start.UTC().Format(time.RFC3339))
	if pad := PayloadBytes - len(s) - len(`,"_":""}`); pad > 0 {
		s += `,"_":"` + strings.Repeat("x", pad) + `"`
	}
	return []byte(s + "}")
}

// earlyZone is a zone where the day has just begun, so that what is due in the
// next hours is planned at once (P2).
func earlyZone(now time.Time) string {
	h := now.UTC().Hour()
	switch {
	case h == 0:
		return "Etc/UTC"
	case h <= 12:
		return fmt.Sprintf("Etc/GMT+%d", h) // which is west, by an old convention
	}
	return fmt.Sprintf("Etc/GMT-%d", 24-h)
}

// populate creates users with a verified number, reminders on, no quiet hours.
func (r *rig) populate(users int, zone string) error {
	return Each(users, loaders, func(_, i int) error {
		id := userID(i)
		c := engine.UpdateUser{Create: true, Zone: engine.Some(zone), Reminders: engine.Some(true), Quiet: engine.Some(engine.Quiet{}), DailyLimit: engine.Some(int32(100))}
		if err := r.do(id, c); err != nil {
			return err
		}
		return r.do(id, engine.AttestPhone{Phone: fmt.Sprintf("+4915%09d", i)})
	})
}

// loaders are the callers that prepare a run.
const loaders = 1024

// fillDay gives every user five events, at nine hours and on from a day's
// beginning.
func (r *rig) fillDay(users int, day time.Time) error {
	return Each(users, loaders, func(_, i int) error { return r.do(userID(i), fiveEvents(day)) })
}

const perDay = 5

func fiveEvents(day time.Time) engine.SyncEvents {
	sync := engine.SyncEvents{Start: day.UnixMilli(), End: day.Add(24 * time.Hour).UnixMilli(), Events: make([]engine.CalendarEvent, 0, perDay)}
	for e := range perDay {
		sync.Events = append(sync.Events, said(eventNames[e], day.Add(time.Duration(9+e)*time.Hour)))
	}
	return sync
}

var eventNames = [perDay]string{"e0", "e1", "e2", "e3", "e4"}
