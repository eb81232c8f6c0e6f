package engine

import (
	"cmp"
	"slices"
	"time"
)

// candidate is one lead of one event, or one custom reminder, under planning.
type candidate struct {
	PlannedReminder
	at   Millis    // the instant before quiet hours
	r    *Reminder // the reminder that exists for it; nil if none does
	why  Reason    // ReasonNone: it holds
	seen Reason    // the skip that was said last
}

// planning is one look at everything that wants to be sent. It computes; what
// it found is turned into events by plan.
type planning struct {
	u      *User
	loc    *time.Location
	day    Day
	now    Millis
	asOf   Millis // an instant before it is past: now, or the midnight of a late plan
	fresh  bool   // as if nothing existed yet: the preview
	live   []int  // reminders that have not ended, for a quick look
	stood  []bool // reminders that a candidate stands for
	alone  bool   // one event is planned, the others are settled
	mine   []int  // alone only: the event's reminders; live has those of them that have not ended
	unmet  bool   // alone only: it is known that there are none for its occurrence
	places []room
	items  []candidate
	found  int // where in u.Reminders the last one was found

	unsettled bool // planning again later in the day may change something
}

// room is what is left of the daily limit on a date.
type room struct {
	on   Date
	left int32
}

// Scratch is where plans are made. A shell may keep one between decisions, for
// one decision at a time: then a million midnights at once leave nothing to
// collect. It carries nothing from one decision to the next.
type Scratch struct {
	live    []int
	mine    []int
	items   []candidate
	order   []*candidate
	places  []room
	stood   []bool
	changes []Event
}

// evaluate lists every candidate of the day, and every reminder that pends
// from another one, with the decision on each (P1–P5).
func (p *planning) evaluate(s *Scratch) []candidate {
	p.begin(s)
	for i := range p.u.Reminders {
		if !p.fresh && !p.u.Reminders[i].ended() {
			p.live = append(p.live, i)
		}
	}
	for i := range p.u.Events {
		p.collectEvent(&p.u.Events[i])
	}
	p.collectCustom()
	p.collectSnoozed()
	p.decideAll(s)
	p.allot(p.competing(s))
	s.places = p.places
	return p.items
}

// begin takes the buffers.
func (p *planning) begin(s *Scratch) {
	p.live, p.mine, p.items, p.places = s.live[:0], s.mine[:0], s.items[:0], s.places[:0]
	p.stood = slices.Grow(s.stood[:0], len(p.u.Reminders))[:len(p.u.Reminders)]
	clear(p.stood)
	p.unsettled = p.u.Prefs.Quiet.Set && p.u.Prefs.QuietPolicy == QuietEarlier // which is by the clock
}

// decideAll settles the candidates but for the limit, and gives the buffers
// back.
func (p *planning) decideAll(s *Scratch) {
	for i := range p.items {
		p.decide(&p.items[i])
	}
	s.live, s.mine, s.stood, s.items = p.live, p.mine, p.stood, p.items
}

func (p *planning) collectEvent(s *StoredEvent) {
	switch {
	case s.Deleted:
	case s.AllDay:
		p.collectAllDay(s)
	default:
		for _, lead := range p.u.Prefs.Leads {
			p.collect(s, span{at: s.Start - int64(lead)*minute, lead: lead, start: s.Start, end: s.End, deadline: s.Start})
		}
	}
}

// span is when one lead of an event is due, and what it is for.
type span struct {
	at         Millis
	lead       int32
	start, end Millis
	deadline   Millis
}

// collectAllDay takes an all-day event at the local time that the user chose,
// on its first day; it is stale when that day is over.
func (p *planning) collectAllDay(s *StoredEvent) {
	start := dayStart(s.Date, p.loc)
	at := start
	if p.u.Prefs.AllDayAt != NoAllDay {
		at = instantAt(s.Date, int(p.u.Prefs.AllDayAt), p.loc)
	}
	p.collect(s, span{at: at, start: start, end: dayStart(s.EndDate, p.loc), deadline: dayStart(s.Date+1, p.loc)})
}

// collect takes a lead that the planned day decides about, or that a reminder
// pends for. Most events of a calendar are neither.
func (p *planning) collect(s *StoredEvent, w span) {
	occ := s.occurrence()
	inDay := p.inDay(w.at)
	var r *Reminder
	switch {
	case p.fresh:
	case inDay:
		r = p.find(s.ID, w.lead, occ)
	default:
		r = p.findLive(s.ID, w.lead, occ)
	}
	if !inDay && r == nil {
		return
	}
	p.items = append(p.items, candidate{
		PlannedReminder: PlannedReminder{
			Type: EventReminder, EventID: s.ID, Title: s.Title, Lead: w.lead, AllDay: s.AllDay, Occ: occ,
			Start: w.start, End: w.end, Priority: PriorityNormal, Deadline: w.deadline,
		},
		at: w.at, r: r, why: p.gate(s), seen: s.skipped(w.lead, occ),
	})
}

// skipped is what was said last about a lead of an occurrence.
func (s *StoredEvent) skipped(lead int32, occ Millis) Reason {
	for _, k := range s.Skips {
		if k.Lead == lead && k.Occ == occ {
			return k.Reason
		}
	}
	return ReasonNone
}

// inDay reports whether the day that is planned is the one to decide about an
// instant: the day it falls in (P1). Under the policy "earlier" a night's
// instants belong to the evening before too, or there would be nothing
// earlier left when their own day begins.
func (p *planning) inDay(at Millis) bool {
	if p.day.Start <= at && at < p.day.End {
		return true
	}
	if p.u.Prefs.QuietPolicy != QuietEarlier || at < p.day.End || !p.u.Prefs.Quiet.at(at, p.loc) {
		return false
	}
	e, ok := p.u.lastBeforeQuiet(at, p.loc)
	return ok && p.day.Start <= e && e < p.day.End && e >= p.asOf
}

// gate names what keeps the event's reminders back whatever the time (P3).
func (p *planning) gate(s *StoredEvent) Reason {
	switch why := p.u.gate(EventReminder); {
	case why != ReasonNone:
		return why
	case s.Sync == SyncCanceled:
		return ReasonEventCanceled
	case s.Response == ResponseDeclined:
		return ReasonDeclined
	case s.Free:
		return ReasonFree
	case s.AllDay && p.u.Prefs.AllDayAt == NoAllDay:
		return ReasonAllDay
	case s.Sync != SyncSynced: // the last, for it keeps what pends and may hide nothing
		return ReasonEventPending
	}
	return ReasonNone
}

// gate names what keeps a person's reminders back, in the order of P3. The
// switch is for event reminders: a custom one was asked for by itself.
func (u *User) gate(t ReminderType) Reason {
	switch {
	case t == EventReminder && !u.Prefs.Reminders:
		return ReasonRemindersOff
	case u.Phone == "":
		return ReasonNoPhone
	case !u.Verified:
		return ReasonNotVerified
	case u.OptedOut:
		return ReasonOptedOut
	}
	return ReasonNone
}

func (p *planning) collectCustom() {
	for _, r := range p.u.Reminders {
		if r.Type != CustomReminder || !p.wanted(r) || p.fresh && r.SnoozeOf != "" {
			continue
		}
		c := candidate{at: r.Occ, r: r, why: p.u.gate(CustomReminder)}
		if p.fresh {
			c.r = nil
			if !p.inDay(c.at) {
				continue
			}
		}
		c.ID, c.Type, c.Title, c.Occ, c.Start, c.End = r.ID, r.Type, r.Title, r.Occ, r.Start, r.End
		c.Deadline, c.Priority = r.Deadline, r.Priority
		c.SnoozeOf, c.AskedAt = r.SnoozeOf, r.AskedAt
		p.items = append(p.items, c)
	}
}

// collectSnoozed takes the event reminders that somebody wants once more, as
// long as their event is where it was (N4).
func (p *planning) collectSnoozed() {
	for _, i := range p.live {
		r := p.u.Reminders[i]
		if r.Type != EventReminder || r.SnoozeOf == "" {
			continue
		}
		e, found := p.u.findEvent(r.EventID)
		if !found || p.u.Events[e].Deleted || !r.about(p.u.Events[e].CalendarEvent) {
			continue
		}
		s := &p.u.Events[e]
		c := candidate{at: r.AskedAt, r: p.stand(i), why: p.gate(s)}
		c.ID, c.Type, c.EventID, c.Title, c.Lead, c.AllDay, c.Occ = r.ID, r.Type, r.EventID, s.Title, r.Lead, r.AllDay, r.Occ
		c.Start, c.End, c.Deadline, c.Priority = r.Start, s.End, r.Deadline, r.Priority
		c.SnoozeOf, c.AskedAt = r.SnoozeOf, r.AskedAt
		if s.AllDay {
			c.Start, c.End, c.Deadline = dayStart(s.Date, p.loc), dayStart(s.EndDate, p.loc), dayStart(s.Date+1, p.loc)
			if (c.why == ReasonNone || c.why == ReasonEventPending) && c.at >= c.Deadline {
				c.why = ReasonStale // the zone has changed, and that day is over
			}
		}
		p.items = append(p.items, c)
	}
}

// wanted reports whether a custom reminder takes part: one that has not ended
// or may have a place again, and in a preview also what was sent since.
func (p *planning) wanted(r *Reminder) bool {
	if p.fresh {
		return r.Status != StatusCanceled || r.Reason != ReasonByRequest
	}
	return !r.ended() || r.Reason == ReasonDailyLimit
}

// decide settles one candidate but for the limit.
func (p *planning) decide(c *candidate) {
	kept := c.r != nil && c.r.pending()
	switch {
	case c.r != nil && c.r.inFlight(), c.r != nil && c.r.ended() && !c.r.revivable():
		return
	case c.why == ReasonEventPending && kept:
		c.why = ReasonNone // only a cancelled event cancels
	case c.why != ReasonNone:
		return
	case !kept && c.at < p.asOf && (c.Type == EventReminder || p.now >= c.Deadline):
		// What kept it back while there was time is the reason that counts.
		c.why = cmp.Or(c.seen, ReasonLeadPassed)
		return
	}
	var had Millis
	if kept {
		had = c.r.Due
	}
	c.Due, c.why = p.u.place(c.at, c.Deadline, p.asOf, had, c.Priority, p.loc)
	if kept {
		p.keepDue(c)
	}
	if c.why == ReasonNone {
		c.On = max(dateOf(max(c.Due, p.asOf), p.loc), p.day.Account)
		if p.fresh {
			c.On = dateOf(c.Due, p.loc)
		}
	}
}

// keepDue leaves a pending reminder where it is when a plan has nothing
// better: one that was moved forward by hand or has begun its hand-overs, and
// one that is overdue, or was postponed for quiet hours that still last: what
// becomes of those is settled when their turn comes (S1).
func (p *planning) keepDue(c *candidate) {
	overdue := c.why == ReasonNone && c.Due <= p.now && (c.r.Due <= p.now || p.u.Prefs.Quiet.at(p.now, p.loc))
	if c.r.Reason == ReasonSendNow || c.r.Attempts > 0 || overdue {
		p.unsettled = p.unsettled || overdue && c.Due != c.r.Due
		c.Due, c.why = c.r.Due, ReasonNone
		if c.Due >= c.Deadline { // an all-day one, in another zone: its day is over there
			c.Due, c.why = 0, ReasonStale
		}
	}
}

// competing lists the candidates that hold and need a place.
func (p *planning) competing(s *Scratch) []*candidate {
	s.order = s.order[:0]
	for i := range p.items {
		c := &p.items[i]
		if c.why == ReasonNone && (c.r == nil || c.r.pending() || c.r.revivable()) && (c.r == nil || !c.r.Spent) {
			s.order = append(s.order, c)
		}
	}
	return s.order
}

// allot gives the places of each date to the candidates that hold, higher
// priority first and then earlier (P5).
func (p *planning) allot(order []*candidate) {
	if p.fits(order) {
		return
	}
	p.unsettled = true
	p.places = p.places[:0]
	slices.SortStableFunc(order, func(a, b *candidate) int {
		switch {
		case a.Priority != b.Priority:
			return cmp.Compare(b.Priority, a.Priority)
		case a.Due != b.Due:
			return cmp.Compare(a.Due, b.Due)
		}
		return cmp.Or(cmp.Compare(a.EventID, b.EventID), cmp.Compare(a.Lead, b.Lead), cmp.Compare(a.ID, b.ID))
	})
	for _, c := range order {
		if r := p.room(c.On); r.left <= 0 {
			c.why = ReasonDailyLimit
		} else {
			r.left--
		}
	}
}

// fits reports whether there is room for all, so that nobody need be asked who
// comes first. It is so on most days.
func (p *planning) fits(all []*candidate) bool {
	for _, c := range all {
		r := p.room(c.On)
		if r.left--; r.left < 0 {
			return false
		}
	}
	return true
}

// room returns what is left of a date.
func (p *planning) room(on Date) *room {
	for i := range p.places {
		if p.places[i].on == on {
			return &p.places[i]
		}
	}
	left := p.u.Prefs.DailyLimit
	if !p.fresh {
		left -= p.u.spentOn(on) + p.u.heldInFlight(on)
	}
	p.places = append(p.places, room{on, left})
	return &p.places[len(p.places)-1]
}

// heldInFlight counts the places of a date that hand-overs under way hold.
func (u *User) heldInFlight(d Date) int32 {
	var n int32
	for _, r := range u.Reminders {
		if r.inFlight() && r.Reserved && r.On == d {
			n++
		}
	}
	return n
}

// held counts the places of a date that are reserved.
func (u *User) held(d Date) int32 {
	var n int32
	for _, r := range u.Reminders {
		if r.Reserved && r.On == d {
			n++
		}
	}
	return n
}

// find returns the reminder of one lead of one occurrence. Events and reminders
// mostly come in the same order, so the next one is looked at first.
func (p *planning) find(eventID string, lead int32, occ Millis) *Reminder {
	list := p.u.Reminders
	if p.alone {
		return p.among(p.mine, eventID, lead, occ)
	}
	for i := p.found; i < min(p.found+2, len(list)); i++ {
		if list[i].is(eventID, lead, occ) {
			p.found = i + 1
			return p.stand(i)
		}
	}
	for i, r := range slices.Backward(list) {
		if r.is(eventID, lead, occ) {
			p.found = i + 1
			return p.stand(i)
		}
	}
	return nil
}

// findLive is find among those that have not ended.
func (p *planning) findLive(eventID string, lead int32, occ Millis) *Reminder {
	return p.among(p.live, eventID, lead, occ)
}

func (p *planning) among(places []int, eventID string, lead int32, occ Millis) *Reminder {
	for _, i := range places {
		if p.u.Reminders[i].is(eventID, lead, occ) {
			return p.stand(i)
		}
	}
	return nil
}

// stand notes that a candidate stands for the reminder.
func (p *planning) stand(i int) *Reminder {
	p.stood[i] = true
	return p.u.Reminders[i]
}

func (r *Reminder) is(eventID string, lead int32, occ Millis) bool {
	return r.Occ == occ && r.Lead == lead && r.Type == EventReminder && r.SnoozeOf == "" && r.EventID == eventID
}

// revivable reports whether a cancelled reminder may be planned again: it was
// never with the carrier, and what cancelled it can end. A snooze is for the
// moment: one that ended is over, and the person was told so.
func (r *Reminder) revivable() bool {
	if r.Status != StatusCanceled || r.Spent || r.Attempts >= MaxAttempts || r.SnoozeOf != "" {
		return false
	}
	switch r.Reason {
	case ReasonByRequest, ReasonStale, ReasonDryRun, ReasonPaused, ReasonDuplicateText:
		return false
	default:
		return true
	}
}
