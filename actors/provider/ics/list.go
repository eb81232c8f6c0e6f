package ics

import (
	"fmt"
	"slices"
	"time"
)

// list adds the instances of a series that begin in the window.
func (r *reader) list(s *series) error {
	if s.master == nil { // only changed instances were sent
		for _, e := range s.changed {
			r.put(s, e, e.stands, e.start.wall)
		}
		return nil
	}
	walls, err := r.walls(s.master)
	if err != nil {
		return err
	}
	repeats := s.repeats()
	seen := map[int64]bool{}
	for _, w := range walls {
		stands := at(w, s.master.start.loc)
		if seen[stands.Unix()] || s.master.drops(w, stands) {
			continue
		}
		seen[stands.Unix()] = true
		e, ok := s.at(stands)
		switch {
		case !repeats:
			r.put(s, s.master, time.Time{}, w)
		case ok && !e.onward:
			r.put(s, e, stands, e.start.wall)
		case ok: // as far from the rule's as the first one that was changed
			shift := e.start.wall.Sub(show(e.stands, e.start.loc))
			r.put(s, e, stands, show(stands, e.start.loc).Add(shift))
		default:
			r.put(s, s.master, stands, w)
		}
	}
	for _, e := range s.changed { // of instances outside of the window, or that no rule gives
		if !seen[e.stands.Unix()] && !e.onward {
			r.put(s, e, e.stands, e.start.wall)
		}
	}
	return nil
}

// repeats reports whether an instance needs more than the UID for a name.
func (s *series) repeats() bool {
	m := s.master
	return len(m.rules) > 0 || len(m.added) > 0 || len(s.changed) > 0
}

// walls lists when the rule and the added dates have instances, on the wall of
// the master's zone; a day around the window belongs to it, since an instance
// may have been moved in.
func (r *reader) walls(m *entry) ([]wall, error) {
	const margin = 48 * time.Hour
	from := time.UnixMilli(r.opt.From).UTC().Add(-margin)
	to := time.UnixMilli(r.opt.To).UTC().Add(margin)
	out := []wall{m.start.wall} // the first instance is there whatever the rule says
	until := func(t time.Time) wall { return show(t, m.start.loc) }
	for _, rule := range m.rules {
		more, err := expand(rule, m.start.wall, from, to, until, r.budget)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	for _, a := range m.added {
		w := a.wall
		if !a.date {
			w = show(a.instant(), m.start.loc)
		} else if !m.start.date {
			w = w.Add(m.start.wall.Sub(m.start.wall.Truncate(24 * time.Hour)))
		}
		out = append(out, w)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out, nil
}

// drops reports whether EXDATE takes an instance out: by its instant, or a
// date for all of that day.
func (e *entry) drops(w wall, stands time.Time) bool {
	return slices.ContainsFunc(e.dropped, func(d moment) bool {
		if d.date || e.start.date {
			return d.wall.Truncate(24 * time.Hour).Equal(w.Truncate(24 * time.Hour))
		}
		return d.instant().Equal(stands)
	})
}

// at returns what was changed about an instance: by itself, or by the last
// change before it that holds onward.
func (s *series) at(stands time.Time) (*entry, bool) {
	var last *entry
	for _, e := range s.changed {
		switch {
		case e.stands.Equal(stands) && !e.onward:
			return e, true
		case e.onward && !e.stands.After(stands):
			last = e
		}
	}
	return last, last != nil
}

// put adds one instance, if it begins in the window.
func (r *reader) put(s *series, e *entry, stands time.Time, w wall) {
	if len(r.out.Events) == maxListed {
		r.skipOnce(s.uid)
		return
	}
	out := e.event
	out.ID = instanceID(s.uid, !stands.IsZero(), stands, e.start.date)
	if e.start.date {
		if s.master != nil && s.master.start.date && !stands.IsZero() {
			out.ID = instanceID(s.uid, true, show(stands, r.opt.Zone), true)
		}
		out.AllDay, out.Date = true, dateOf(w)
		out.EndDate = dateOf(w.Add(e.length))
	} else {
		begin := at(w, e.start.loc)
		out.Start, out.End = begin.UnixMilli(), begin.Add(e.length).UnixMilli()
	}
	if b := r.begins(out); b >= r.opt.From && b < r.opt.To {
		r.out.Events = append(r.out.Events, out)
	}
}

func (r *reader) skipOnce(uid string) {
	if r.untold++; r.untold == 1 {
		r.skip(uid, fmt.Sprintf("the window has more than %d events", maxListed))
	}
}
