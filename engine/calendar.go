package engine

import "slices"

// stored is what became of a calendar event that came in.
type stored uint8

const (
	storedNew stored = iota
	storedChanged
	storedSame
	storedOld // an older version than the one at hand
)

// putEvent stores an event and plans it at once (P2, C1).
func (t *turn) putEvent(e *CalendarEvent) Reply {
	if refused := checkEvent(e, ""); refused != nil {
		return *refused
	}
	if t.u.Follows(e.ID) {
		return followed("")
	}
	if most := t.env.Policy.MaxEvents; len(t.u.Events) >= most && !t.live(e.ID) && t.liveEvents() >= most {
		return tooManyEvents()
	}
	known, held := t.env.Settled.of(t.u, t.env.Now), len(t.u.Events)
	i, how := t.store(e, false)
	t.replanOf(i, len(t.u.Events) > held, known)
	s := &t.u.Events[i]
	return EventReply{
		Event: s.CalendarEvent, UpdatedAt: s.UpdatedAt,
		Created: how == storedNew, Unchanged: how == storedSame, Ignored: how == storedOld,
	}
}

func checkEvent(e *CalendarEvent, prefix string) *Refusal {
	late := e.Start > e.End
	if e.AllDay {
		late = e.Date >= e.EndDate
	}
	if late {
		r := invalid(CodeStartAfterEnd, prefix+"end", "the event ends before it starts")
		return &r
	}
	return nil
}

// followed says that an event is its calendar's to change.
func followed(field string) Refusal {
	r := conflict(CodeCalendarsEvent, "this event follows a connected calendar; change it there")
	r.Field = field
	return r
}

func tooManyEvents() Refusal {
	return conflict(CodeTooManyEvents, "the user holds as many events as the configuration allows")
}

// live reports whether the user holds the event.
func (t *turn) live(id string) bool {
	i, found := t.u.findEvent(id)
	return found && !t.u.Events[i].Deleted
}

func (t *turn) liveEvents() int {
	n := 0
	for i := range t.u.Events {
		if !t.u.Events[i].Deleted {
			n++
		}
	}
	return n
}

// store keeps the newer of two versions (C1). An event without a version is
// taken as newer than any; it keeps the version that is there, so that an
// older one can't slip in behind it. What was deleted stays so at an equal
// version, for that may be a repeat from before; but a full sync says what is
// there now, and brings it back. The place is where the event is then.
func (t *turn) store(e *CalendarEvent, full bool) (place int, how stored) {
	i, found := t.u.findEvent(e.ID)
	if !found {
		t.emit(EventPut{Event: kept(e, full)})
		return i, storedNew
	}
	s := &t.u.Events[i]
	both := e.HasVersion && s.HasVersion
	switch {
	case both && e.Version < s.Version, both && s.Deleted && e.Version == s.Version && !full:
		return i, storedOld
	case both && e.Version == s.Version && !s.Deleted:
		return i, storedSame
	}
	if !s.Deleted && sameEvent(e, s.CalendarEvent) {
		return i, storedSame
	}
	put := kept(e, full || !e.HasVersion && s.HasVersion)
	if !put.HasVersion && s.HasVersion {
		put.Version, put.HasVersion = s.Version, true
	}
	wasDeleted := s.Deleted
	t.emit(EventPut{Event: put})
	if wasDeleted {
		return i, storedNew
	}
	return i, storedChanged
}

// kept is the event as the state has it: a copy of one that is a part of something
// large, as a full sync's are, or that is not stored as it came.
func kept(e *CalendarEvent, another bool) *CalendarEvent {
	if !another {
		return e
	}
	mine := *e
	mine.Attendees = slices.Clone(e.Attendees)
	return &mine
}

// sameEvent reports whether a says nothing that b does not; without a version it
// says nothing of it.
func sameEvent(a, b *CalendarEvent) bool {
	same := slices.Equal(a.Attendees, b.Attendees)
	return same && a.Title == b.Title && a.Location == b.Location && a.Description == b.Description && a.Link == b.Link &&
		a.Start == b.Start && a.End == b.End && a.Date == b.Date && a.EndDate == b.EndDate && a.AllDay == b.AllDay &&
		a.Free == b.Free && a.Response == b.Response && a.Sync == b.Sync &&
		(!a.HasVersion || b.HasVersion && a.Version == b.Version)
}

// deleteEvent leaves a tombstone; what pended is cancelled in the same record
// (C2).
func (t *turn) deleteEvent(c DeleteEvent) Reply {
	i, found := t.u.findEvent(c.ID)
	if !found || t.u.Events[i].Deleted {
		return notFound(CodeEventNotFound, "no such event")
	}
	if t.u.Follows(c.ID) {
		return followed("")
	}
	s := &t.u.Events[i]
	reply := EventReply{Event: s.CalendarEvent, UpdatedAt: t.env.Now}
	if c.HasVersion && s.HasVersion && c.Version < s.Version {
		reply.Ignored = true
		return reply
	}
	known := t.env.Settled.of(t.u, t.env.Now)
	t.emit(EventDeleted(c))
	t.replanOf(i, false, known)
	return reply
}

// syncEvents takes a window's full content: what it does not name is gone
// (C1). One bad event refuses the whole, so that nothing is half synced.
func (t *turn) syncEvents(c SyncEvents) Reply {
	if c.Start >= c.End {
		return invalid(CodeStartAfterEnd, "window.end", "the window ends before it starts")
	}
	added := 0
	named := make(map[string]bool, len(c.Events))
	for i := range c.Events {
		e := &c.Events[i]
		if refused := checkEvent(e, "events["+itoa(i)+"]."); refused != nil {
			return *refused
		}
		if t.u.Follows(e.ID) {
			return followed("events[" + itoa(i) + "].event_id")
		}
		if named[e.ID] {
			return invalid(CodeInvalidField, "events["+itoa(i)+"].event_id", "this event is named twice")
		}
		named[e.ID] = true
		if !t.live(e.ID) {
			added++
		}
	}
	gone := t.unnamed(c, named)
	if !t.roomFor(added, len(gone)) {
		return tooManyEvents()
	}
	var n SyncReply
	t.u.Events = slices.Grow(t.u.Events, added)
	for _, e := range gone {
		t.emit(e)
		n.Deleted++
	}
	for i := range c.Events {
		_, how := t.store(&c.Events[i], true)
		n.count(how)
	}
	t.replan()
	return n
}

func (n *SyncReply) count(how stored) {
	switch how {
	case storedNew:
		n.Created++
	case storedChanged:
		n.Updated++
	case storedSame:
		n.Unchanged++
	case storedOld:
		n.Ignored++
	}
}

// unnamed lists the deletions of what starts in the window and was not
// named. Events of connected calendars are not the caller's to name.
func (t *turn) unnamed(c SyncEvents, named map[string]bool) []EventDeleted {
	var out []EventDeleted
	for i := range t.u.Events {
		s := &t.u.Events[i]
		start := t.begins(s)
		if !s.Deleted && !named[s.ID] && !t.u.Follows(s.ID) && c.Start <= start && start < c.End {
			out = append(out, EventDeleted{ID: s.ID})
		}
	}
	return out
}

// begins is the instant that an event begins at where the person is.
func (t *turn) begins(s *StoredEvent) Millis {
	if s.AllDay {
		return dayStart(s.Date, t.zone())
	}
	return s.Start
}

// roomFor reports whether the user may hold so many events more, with so many
// fewer. Who holds too many already may let go of some.
func (t *turn) roomFor(added, gone int) bool {
	return added == 0 || t.liveEvents()+added-gone <= t.env.Policy.MaxEvents
}
