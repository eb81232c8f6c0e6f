package sim

import (
	"carillon/actors"
	"carillon/engine"
)

// ends holds what everything has come to against the carrier's book.
func (a *audit) ends() {
	for _, p := range a.w.people {
		if p.prof.now.exists {
			a.dense(p)
		}
		for _, r := range p.listed {
			t := a.reminders[r.ID]
			if t == nil {
				continue
			}
			for _, d := range t.accepted {
				if d.life == p.life {
					a.ended(p, &r, d)
				}
			}
		}
	}
}

// ended holds one reminder's end against one accepted message.
func (a *audit) ended(p *person, r *engine.ReminderView, d *delivery) {
	switch {
	case d.lost(), a.swapped(d), a.disguised(d, r.ID):
	case r.Status == engine.StatusCanceled:
		a.fail("cancel", p, "reminder %s ends cancelled (%s), and the carrier has accepted %s (S3)", r.ID, r.Reason, d.sid)
	case r.Status == engine.StatusFailed && r.Reason != engine.ReasonUncertainExpired && a.w.restored == 0:
		a.fail("truth", p, "reminder %s ends failed (%s), and the carrier has %s %s", r.ID, r.Reason, d.sid, d.status)
	}
}

// dense is I15 for people: a timeline has no gap, and says when what happened.
func (a *audit) dense(p *person) {
	entries, err := actors.History(a.w.disk.Log, p.id, 0)
	if err != nil {
		a.fail("timeline", p, "it can't be read: %v", err)
		return
	}
	for i := range entries {
		if i > 0 && entries[i].Seq != entries[i-1].Seq+1 {
			a.fail("timeline", p, "entry %d follows entry %d", entries[i].Seq, entries[i-1].Seq)
		}
		if entries[i].Kind == "unknown" {
			a.fail("timeline", p, "entry %d has no name", entries[i].Seq)
		}
	}
}
