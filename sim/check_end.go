package sim

import (
	"regexp"
	"time"

	"carillon/actors"
	"carillon/engine"
	"carillon/wal"
)

// ends holds what everything has come to against the carrier's book.
func (a *audit) ends() {
	a.forgets()
	a.w.pool.ends()
	for _, p := range a.w.people {
		if p.prof.now.exists {
			a.dense(p)
			a.caughtUp(p)
		}
		for _, r := range p.listed {
			t := a.reminders[r.ID]
			if t == nil {
				continue
			}
			for _, d := range t.accepted {
				if d.life == p.life {
					a.ended(p, r, d)
				}
			}
		}
	}
}

// forgets is N6: of somebody who was erased the journal keeps no word. A store
// holds back-ups of nobody; that the pages are gone as well is wal's to hold.
func (a *audit) forgets() {
	left := map[string]uint64{}
	err := a.w.disk.Replay(0, func(r wal.Record) error {
		if p := a.w.person(r.Stream); p != nil && r.Seq <= p.erased && personal.Match(r.Data) {
			left[r.Stream] = r.Seq
		}
		return nil
	})
	if err != nil {
		a.fail("journal", nil, "the journal can't be read: %v", err)
	}
	for _, p := range a.w.people {
		if seq := left[p.id]; seq != 0 {
			a.fail("forgotten", p, "record %d still holds what somebody who was erased was told, or their number (N6)", seq)
		}
	}
}

// personal is what the clients of this world call people's numbers, events and
// reminders.
var personal = regexp.MustCompile(`\+1555[0-9]{7}|[ce][0-9]+x[0-9]+`)

// ended holds one reminder's end against one accepted message.
func (a *audit) ended(p *person, r *engine.ReminderView, d *delivery) {
	switch {
	case d.lost(), a.swapped(d), a.unrecognized(d, r.ID), a.taken(d), isPills(d.msg.Text):
	case d.told == engine.MessageDelivered && r.Status != engine.StatusDelivered && a.w.restored == 0:
		a.fail("forward", p, "reminder %s ends %s, and the carrier has told that %s is delivered (D1)", r.ID, r.Status, d.sid)
	case d.status == engine.MessageDelivered && r.Status == engine.StatusSent && a.w.restored == 0 && a.wasAsked(d):
		a.fail("confirm", p, "reminder %s ends sent, and the carrier, which could be asked, has %s delivered (D5)", r.ID, d.sid)
	case r.Status == engine.StatusCanceled:
		a.fail("cancel", p, "reminder %s ends cancelled (%s), and the carrier has accepted %s (S3)", r.ID, r.Reason, d.sid)
	case r.Status == engine.StatusFailed && r.Reason != engine.ReasonUncertainExpired && a.w.restored == 0:
		a.fail("truth", p, "reminder %s ends failed (%s), and the carrier has %s %s", r.ID, r.Reason, d.sid, d.status)
	}
}

// wasAsked reports whether the carrier, healed, was to be asked about a message
// once more when it had it delivered: it is asked until its confirm_for is over.
func (a *audit) wasAsked(d *delivery) bool {
	until := d.at + a.w.shape.policy.ConfirmFor
	return a.w.jumped == 0 && until > a.w.healedAt+hour && d.endedAt < until-hour
}

// plans is P1 and P8 for the days since everything healed: each local date that
// there is has one plan, made at its first instant.
func (a *audit) plans(p *person, entries []engine.TimelineEntry) {
	from := a.w.healedAt
	if a.w.jumped != 0 {
		from += 2 * maxSkew // before it lies what was planned by a clock that ran ahead
	}
	ran := map[string][]engine.Millis{}
	for i := range entries {
		if e := &entries[i]; e.Kind == "plan_ran" && e.At >= from {
			for _, f := range e.Detail {
				if date, ok := f.Value.(string); ok && f.Name == "date" {
					ran[date] = append(ran[date], e.At)
				}
			}
		}
	}
	q := p.prof.now
	if p.swayed >= a.w.healedAt {
		return // a last change of the zone, perhaps
	}
	wall := a.w.wall() // dates are its business; a restore that is accounted for may keep it wrong
	for date := q.date(a.w.healedAt) + 1; date <= q.date(wall); date++ {
		begins := dayBegins(date, q.loc)
		if begins == dayBegins(date+1, q.loc) || begins < from+10*minute || begins > wall-10*minute {
			continue // no such date, or too near the ends
		}
		name := time.Unix(date*86400, 0).UTC().Format(time.DateOnly)
		if at := ran[name]; len(at) != 1 || at[0] < begins || at[0] > begins+10*second {
			a.fail("plans", p, "the plan of %s, which begins at %s in %s, was made at %v (P1)", name, rfc3339(begins), q.zone, at)
		}
	}
}

// dense is I15 for people: a timeline has no gap, and says when what happened.
func (a *audit) dense(p *person) {
	entries, err := actors.History(a.w.disk.Log, p.id, 0)
	if err != nil {
		a.fail("timeline", p, "it can't be read: %v", err)
		return
	}
	a.plans(p, entries)
	for i := range entries {
		if i > 0 && entries[i].Seq != entries[i-1].Seq+1 {
			a.fail("timeline", p, "entry %d follows entry %d", entries[i].Seq, entries[i-1].Seq)
		}
		if entries[i].Kind == "unknown" {
			a.fail("timeline", p, "entry %d has no name", entries[i].Seq)
		}
	}
}
