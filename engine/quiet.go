package engine

import (
	"math"
	"time"
)

const dayMillis = daySeconds * second

// never is an instant that does not come.
const never Millis = math.MaxInt64

// covers reports whether a minute of the wall clock lies in the window (T4).
func (q Quiet) covers(minuteOfDay int64) bool {
	start, end := int64(q.Start), int64(q.End)
	switch {
	case !q.Set:
		return false
	case start < end:
		return start <= minuteOfDay && minuteOfDay < end
	default:
		return minuteOfDay >= start || minuteOfDay < end
	}
}

// at reports whether t is quiet: both passes of a repeated hour are (T4).
func (q Quiet) at(t Millis, loc *time.Location) bool {
	return q.Set && q.covers(wallMillis(t, loc)/minute)
}

// end returns the first instant at or after t that is not quiet. It follows
// the zone's transitions, so that it is never in the past and never in a gap.
func (q Quiet) end(t Millis, loc *time.Location) Millis {
	for q.at(t, loc) {
		reached := t + untilWall(wallMillis(t, loc), q.End)
		_, to := bounds(t, loc)
		t = min(reached, to)
	}
	return t
}

// next returns the first quiet instant at or after t, never if there is none.
func (q Quiet) next(t Millis, loc *time.Location) Millis {
	if !q.Set {
		return never
	}
	for !q.at(t, loc) {
		reached := t + untilWall(wallMillis(t, loc), q.Start)
		_, to := bounds(t, loc)
		t = min(reached, to)
	}
	return t
}

// began returns the first instant of the quiet stretch that t lies in.
func (q Quiet) began(t Millis, loc *time.Location) Millis {
	for {
		reached := t - floorMod(wallMillis(t, loc)-int64(q.Start)*minute, dayMillis)
		from, _ := bounds(t, loc)
		if reached > from {
			return reached
		}
		if !q.at(from-1, loc) {
			return from
		}
		t = from - 1
	}
}

// wallMillis returns the wall clock's reading at t as milliseconds after
// midnight.
func wallMillis(t Millis, loc *time.Location) Millis {
	return floorMod(localSeconds(t, loc)*second+floorMod(t, second), dayMillis)
}

// untilWall returns how long the wall clock runs from a reading to the next
// time it shows that minute of the day; a whole day if it shows it now.
func untilWall(wall Millis, minuteOfDay uint16) Millis {
	if d := floorMod(int64(minuteOfDay)*minute-wall, dayMillis); d > 0 {
		return d
	}
	return dayMillis
}

// bounds returns the period [from, to) of constant offset around t.
func bounds(t Millis, loc *time.Location) (from, to Millis) {
	from, to = math.MinInt64, never
	a, b := time.UnixMilli(t).In(loc).ZoneBounds()
	if !a.IsZero() {
		from = a.UnixMilli()
	}
	if !b.IsZero() {
		to = b.UnixMilli()
	}
	return from, to
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// place moves an instant out of quiet hours by the user's policy (P4). now is
// the time of planning: what it moves earlier must still be ahead. kept is
// the instant that the reminder has already, 0 if it is new. ReasonNone means
// that due holds.
func (u *User) place(at, deadline, now, kept Millis, p Priority, loc *time.Location) (due Millis, why Reason) {
	if !u.Prefs.Quiet.at(at, loc) || (p == PriorityUrgent && u.Prefs.AllowUrgent) {
		return at, ReasonNone
	}
	switch u.Prefs.QuietPolicy {
	case QuietSkip:
		return 0, ReasonQuietHours
	case QuietEarlier:
		if e, ok := u.lastBeforeQuiet(at, loc); ok && (e >= now || e == kept) {
			return e, ReasonNone
		}
	case QuietLater:
	}
	if end := u.Prefs.Quiet.end(at, loc); end < deadline {
		return end, ReasonNone
	}
	return 0, ReasonQuietHours
}

// lastBeforeQuiet returns the last minute before the quiet stretch around at.
func (u *User) lastBeforeQuiet(at Millis, loc *time.Location) (Millis, bool) {
	e := u.Prefs.Quiet.began(at, loc) - minute
	return e, !u.Prefs.Quiet.at(e, loc)
}
