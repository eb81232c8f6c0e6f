package engine

import "time"

const daySeconds = 86400

// String returns the date as YYYY-MM-DD.
func (d Date) String() string { return time.Unix(int64(d)*daySeconds, 0).UTC().Format(time.DateOnly) }

// dateOf returns the local date of an instant.
func dateOf(t Millis, loc *time.Location) Date {
	return Date(floorDiv(localSeconds(t, loc), daySeconds))
}

// localSeconds returns the wall clock's reading at t as seconds since
// 1970-01-01 00:00 on that wall.
func localSeconds(t Millis, loc *time.Location) int64 {
	_, offset := time.UnixMilli(t).In(loc).Zone()
	return floorDiv(t, second) + int64(offset)
}

// dayStart returns the first instant of a local date: the first at which the
// wall clock shows that date or, where the zone skips it, a later one (T2).
// Santiago's missing midnight starts at 01:00, Apia's missing 2011-12-30 is
// empty.
func dayStart(d Date, loc *time.Location) Millis {
	return firstAt(int64(d)*daySeconds, loc)
}

// instantAt returns the first instant of that date at or after that minute of
// the wall clock.
func instantAt(d Date, minuteOfDay int, loc *time.Location) Millis {
	return firstAt(int64(d)*daySeconds+int64(minuteOfDay)*60, loc)
}

// firstAt returns the first instant at which the wall clock shows local
// seconds since 1970 or more. It walks the zone's periods of constant offset:
// time.Date may answer from either side of a transition, this may not.
func firstAt(local int64, loc *time.Location) Millis {
	// No zone is further than 26 hours from UTC, so this is before the answer.
	t := time.Unix(local-26*3600, 0).In(loc)
	for {
		_, offset := t.Zone()
		from, to := t.ZoneBounds()
		at := local - int64(offset)
		if !from.IsZero() && at < from.Unix() {
			at = from.Unix()
		}
		if to.IsZero() || at < to.Unix() {
			return at * second
		}
		t = to
	}
}

// accountDate is the date that a send at t counts on: the local date, but
// never one before the date that counting has reached (P5).
func (u *User) accountDate(t Millis, loc *time.Location) Date {
	return max(dateOf(t, loc), u.Day.Account)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
