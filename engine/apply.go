package engine

import "slices"

// Apply changes the state by one durable event that happened at that instant.
// It never fails and never computes what Decide decided: replay and live
// state go through this one door (W2).
func (u *User) Apply(at Millis, e Event) { u.apply(at, e, false) }

// apply is Apply by who may know that a reminder which is planned is a new one:
// then it is not looked for.
func (u *User) apply(at Millis, e Event, unmet bool) {
	u.EventSeq++
	switch e := e.(type) {
	case ProfileSet:
		u.applyProfile(at, e)
	case PhoneSet:
		u.Phone, u.Verified, u.PendingPhone = e.Phone, e.Verified, e.Pending
	case VerificationStarted:
		u.applyVerificationStarted(at, e)
	case ConsentChanged:
		u.OptedOut = e.OptedOut
	case UserPaused:
		u.Paused = e.Paused
	case UserErased:
		*u = User{ID: u.ID, EventSeq: u.EventSeq}
	case PlanRan:
		u.applyPlanRan(at, e)
	case EventPut:
		u.applyEventPut(at, e)
	case EventDeleted:
		u.applyEventDeleted(at, e)
	case ReminderSkipped:
		u.applySkipped(e)
	case ReminderPlanned:
		u.applyPlanned(at, e.Reminder, unmet)
	case KeyUsed:
		u.applyKeyUsed(at, e)
	case Fenced:
		u.applyFenced(e)
	case CalendarConnected, CalendarDisconnected, CalendarAsked, CalendarRead, CalendarFailed:
		u.applyToCalendar(at, e)
	case ReminderMoved, ReminderCanceled, CancelAsked, RetryPlanned, ReminderFailed, TextComposed,
		ReminderConfirmed:
		u.applyToReminder(at, e)
	case AttemptStarted, MessageAccepted, MessageRefused, MessageRecorded, AttemptUncertain, LookupDone, MessageReported:
		u.applyToMessage(at, e)
	case InboundReceived:
		if e.Keyword == KeywordStart {
			u.StartedAt = at
		}
	case CommandQuarantined: // history only
	}
	if u.Exists {
		u.UpdatedAt = at
	}
}

func (u *User) applyProfile(at Millis, e ProfileSet) {
	if e.Created {
		u.Exists, u.CreatedAt = true, at
	}
	u.Zone, u.Prefs = e.Zone, e.Prefs
	u.Prefs.Leads = slices.Clone(e.Prefs.Leads)
	for i := range u.Events { // what was said of a lead that is not wanted any more goes
		s := &u.Events[i]
		s.Skips = slices.DeleteFunc(s.Skips, func(k Skip) bool { return !s.AllDay && !slices.Contains(e.Prefs.Leads, k.Lead) })
	}
}

func (u *User) applyVerificationStarted(at Millis, e VerificationStarted) {
	u.Starts = append(slices.DeleteFunc(u.Starts, func(s Millis) bool { return !withinHour(s, at) }), at)
	u.PendingPhone = e.Phone
	if !u.Verified {
		u.Phone = e.Phone
	}
}

// applyPlanRan moves the day on and lets go of what ended long ago; the
// journal keeps it.
func (u *User) applyPlanRan(at Millis, e PlanRan) {
	u.Day = e.Day
	u.Reminders = slices.Grow(u.Reminders, int(max(e.Scheduled, 0)))
	u.Spent = slices.DeleteFunc(u.Spent, func(c DayCount) bool { return c.On < e.Day.Account-2 })
	u.Reminders = slices.DeleteFunc(u.Reminders, func(r *Reminder) bool {
		return r.ended() && r.UpdatedAt < e.Forget && r.Deadline < e.Forget
	})
	u.Events = slices.DeleteFunc(u.Events, func(s StoredEvent) bool {
		return s.UpdatedAt < e.Forget && (s.Deleted || s.lastInstant() < e.Forget)
	})
	u.dropKeys(at)
}

func (u *User) applyEventPut(at Millis, e EventPut) {
	i, found := u.findEvent(e.Event.ID)
	if !found {
		u.Events = slices.Insert(u.Events, i, StoredEvent{})
	}
	s := &u.Events[i]
	s.CalendarEvent, s.Deleted, s.UpdatedAt = e.Event, false, at
	occ := s.occurrence()
	s.Skips = slices.DeleteFunc(s.Skips, func(k Skip) bool { return k.Occ != occ })
}

// applyEventDeleted keeps what a late, older version must be compared with,
// and when it would have ended; the words go.
func (u *User) applyEventDeleted(at Millis, e EventDeleted) {
	i, found := u.findEvent(e.ID)
	if !found {
		return
	}
	s := &u.Events[i]
	left := &CalendarEvent{
		ID: s.ID, Start: s.Start, End: s.End, AllDay: s.AllDay, Date: s.Date, EndDate: s.EndDate,
		Version: s.Version, HasVersion: s.HasVersion,
	}
	if e.HasVersion {
		left.Version, left.HasVersion = e.Version, true
	}
	s.CalendarEvent = left
	s.Deleted, s.UpdatedAt, s.Skips = true, at, nil
}

func (u *User) applySkipped(e ReminderSkipped) {
	i, found := u.findEvent(e.EventID)
	if !found {
		return
	}
	s := &u.Events[i]
	for j := range s.Skips {
		if s.Skips[j].Lead == e.Lead && s.Skips[j].Occ == e.Occ {
			s.Skips[j].Reason = e.Reason
			return
		}
	}
	s.Skips = append(s.Skips, Skip{Lead: e.Lead, Occ: e.Occ, Reason: e.Reason})
}

func (u *User) applyPlanned(at Millis, p *PlannedReminder, unmet bool) {
	if i, found := u.findEvent(p.EventID); found && p.Type == EventReminder && p.SnoozeOf == "" {
		u.Events[i].Skips = slices.DeleteFunc(u.Events[i].Skips, func(k Skip) bool {
			return k.Lead == p.Lead && k.Occ == p.Occ
		})
	}
	var r *Reminder
	if !unmet {
		r = u.planned(p)
	}
	if r == nil {
		r = &Reminder{CreatedAt: at}
		u.Reminders = append(u.Reminders, r)
	}
	r.PlannedReminder = p
	r.Status, r.Reason, r.CanceledAt, r.CancelAsked = StatusScheduled, ReasonNone, 0, ReasonNone
	r.Reserved = !r.Spent
	r.UpdatedAt = at
}

// anotherPlan puts a copy in the place of the plan, which the record of before shares.
// The copy may be changed until Apply returns.
func (r *Reminder) anotherPlan() *PlannedReminder {
	p := *r.PlannedReminder
	r.PlannedReminder = &p
	return &p
}

// planned returns the reminder that is planned anew; nil if there is none. One
// of that id is of the same occurrence and lead, and numbers are told apart
// without a look at the text of every id.
func (u *User) planned(p *PlannedReminder) *Reminder {
	for _, r := range slices.Backward(u.Reminders) {
		if r.Occ == p.Occ && r.Lead == p.Lead && r.ID == p.ID {
			return r
		}
	}
	return nil
}

func (u *User) applyToReminder(at Millis, e Event) {
	switch e := e.(type) { //nolint:gochecksumtype // Apply sends only these here
	case ReminderMoved:
		if r := u.touch(e.ID, at); r != nil {
			p := r.anotherPlan()
			p.Due, p.Deadline, p.On, p.Title, p.Start, p.End = e.Due, e.Deadline, e.On, e.Title, e.Start, e.End
			if e.Reason != ReasonNone {
				r.Reason, r.RetryAt = e.Reason, 0
			}
		}
	case ReminderCanceled:
		if r := u.touch(e.ID, at); r != nil {
			r.Status, r.Reason, r.CanceledAt = StatusCanceled, e.Reason, at
			r.Reserved = false // RetryAt stays: it may be planned again, and has to wait as before (S4)
		}
	case CancelAsked:
		if r := u.touch(e.ID, at); r != nil {
			r.CancelAsked = e.Reason
		}
	case TextComposed:
		if r := u.touch(e.ID, at); r != nil {
			r.applyComposed(e)
		}
	case ReminderConfirmed:
		if r := u.touch(e.ID, at); r != nil && r.ConfirmedAt == 0 {
			r.ConfirmedAt = at
		}
	case RetryPlanned:
		if r := u.touch(e.ID, at); r != nil {
			r.Status, r.Reason, r.RetryAt = StatusScheduled, ReasonRetry, e.At
		}
	case ReminderFailed:
		if r := u.touch(e.ID, at); r != nil {
			r.Status, r.Reason, r.RetryAt = StatusFailed, e.Reason, 0
			if e.KeepPlace {
				u.spend(r)
			}
			r.Reserved = false
		}
	}
}

func (u *User) applyKeyUsed(at Millis, e KeyUsed) {
	u.dropKeys(at)
	u.Keys = append(u.Keys, UsedKey{Key: e.Key, Hash: e.Hash, Ref: e.Ref, At: at})
	if len(u.Keys) > maxKeys {
		u.Keys = slices.Delete(u.Keys, 0, len(u.Keys)-maxKeys)
	}
}

const (
	keyLife = 24 * hour // how long an Idempotency-Key is remembered
	maxKeys = 256       // per user; the oldest go first
)

func (u *User) dropKeys(at Millis) {
	u.Keys = slices.DeleteFunc(u.Keys, func(k UsedKey) bool { return k.At < at-keyLife })
}

// spend uses up the reminder's place on its date, once.
func (u *User) spend(r *Reminder) {
	if r.Spent {
		return
	}
	r.Spent, r.Reserved = true, false
	i, found := slices.BinarySearchFunc(u.Spent, r.On, func(c DayCount, d Date) int { return int(c.On) - int(d) })
	if !found {
		u.Spent = slices.Insert(u.Spent, i, DayCount{On: r.On})
	}
	u.Spent[i].Spent++
}

// spentOn returns the places used up on a date.
func (u *User) spentOn(d Date) int32 {
	for _, c := range u.Spent {
		if c.On == d {
			return c.Spent
		}
	}
	return 0
}

// findEvent is a binary search, by hand: the library's copies each event that
// it looks at.
func (u *User) findEvent(id string) (int, bool) {
	low, high := 0, len(u.Events)
	for low < high {
		if mid := int(uint(low+high) >> 1); u.Events[mid].ID < id {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(u.Events) && u.Events[low].ID == id
}

// reminder returns the reminder of that id; nil if there is none. The newest
// are asked for most.
func (u *User) reminder(id string) *Reminder {
	for _, r := range slices.Backward(u.Reminders) {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func (u *User) touch(id string, at Millis) *Reminder {
	r := u.reminder(id)
	if r != nil {
		r.UpdatedAt = at
	}
	return r
}

// pending reports whether the reminder still waits for a hand-over.
func (r *Reminder) pending() bool { return r.Status == StatusScheduled }

// inFlight reports whether a hand-over is under way or its end unknown.
func (r *Reminder) inFlight() bool {
	return r.Status == StatusSending || r.Status == StatusUncertain
}

// ended reports whether nothing more is planned for the reminder.
func (r *Reminder) ended() bool { return !r.pending() && !r.inFlight() }

// nextAt is when the next hand-over may begin.
func (r *Reminder) nextAt() Millis { return max(r.Due, r.RetryAt) }

// last returns the newest message; nil if none was begun.
func (r *Reminder) last() *Message {
	if len(r.Messages) == 0 {
		return nil
	}
	return &r.Messages[len(r.Messages)-1]
}

func (s *StoredEvent) lastInstant() Millis {
	if s.AllDay {
		return int64(s.EndDate)*dayMillis + dayMillis
	}
	return max(s.Start, s.End)
}

// occurrence is what tells one occurrence of an event from another (P6).
func (e *CalendarEvent) occurrence() Millis {
	if e.AllDay {
		return int64(e.Date) * dayMillis
	}
	return e.Start
}

// about reports whether the event is still the occurrence that the reminder is
// for. One that began all day and now begins at midnight UTC is another one of
// the same number (P6).
func (r *Reminder) about(e *CalendarEvent) bool {
	return e.AllDay == r.AllDay && e.occurrence() == r.Occ
}

// applyToCalendar changes what is known of a calendar that is followed.
func (u *User) applyToCalendar(at Millis, e Event) {
	switch e := e.(type) { //nolint:gochecksumtype // Apply sends only these here
	case CalendarConnected:
		if k := u.connected(e.Calendar.ID); k != nil {
			*k = e.Calendar
			return
		}
		u.Calendars = append(u.Calendars, e.Calendar)
	case CalendarDisconnected:
		u.Calendars = slices.DeleteFunc(u.Calendars, func(k Calendar) bool { return k.ID == e.ID })
	case CalendarAsked:
		if k := u.connected(e.ID); k != nil {
			k.AskedAt, k.NextAt = at, e.NextAt
		}
	case CalendarRead:
		if k := u.connected(e.ID); k != nil {
			k.Cursor, k.Channel, k.NextAt, k.ReadAt, k.Failures, k.Problem = e.Cursor, e.Channel, e.NextAt, at, 0, ""
			k.AskedAt = 0 // by a clock that was ahead it would be asked for again and again
			if e.Whole {
				k.WholeAt = at
			}
		}
	case CalendarFailed:
		if k := u.connected(e.ID); k != nil {
			k.NextAt, k.Problem, k.Failures, k.AskedAt = e.NextAt, e.Problem, k.Failures+1, 0
		}
	}
}
