package ics

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Bounds of rules. Work is counted in steps of the rule's own period, from its
// beginning to the end of the window, whether they match or not.
const (
	maxRule      = 1000 // bytes
	maxInterval  = 10_000
	maxTimes     = 96 // times of day of one rule
	maxInstances = 5_000
	maxWork      = 500_000 // of all rules of a feed
)

var errWork = errors.New("its rule, or all of the feed's, take too much work")

// budget is the work that is left.
type budget struct{ left int64 }

// spend takes steps off, or refuses.
func (b *budget) spend(steps int64) error {
	if steps > b.left {
		return errWork
	}
	b.left -= steps
	return nil
}

// expand lists what a rule that begins at start gives in [from, to), on the
// wall. until converts an UNTIL in UTC to the wall.
func expand(text string, start, from, to wall, until func(time.Time) wall, b *budget) (out []wall, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("its rule can't be expanded: %v", r)
		}
	}()
	o, err := readRule(text, until)
	if err != nil {
		return nil, err
	}
	o.Dtstart = jump(o, start, from)
	if last := to.Add(-time.Second); o.Until.IsZero() || o.Until.After(last) {
		o.Until = last
	}
	if o.Until.Before(start) {
		return nil, nil
	}
	if err := b.spend(work(o)); err != nil {
		return nil, err
	}
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, fmt.Errorf("its rule: %w", err)
	}
	next := r.Iterator()
	for t, ok := next(); ok; t, ok = next() {
		if t.Before(from) {
			continue
		}
		if len(out) == maxInstances {
			return nil, fmt.Errorf("it has more than %d instances in the window", maxInstances)
		}
		out = append(out, t)
	}
	return out, nil
}

// jump moves the beginning of a rule without a count to shortly before the
// window, in whole steps, so that a series that began long ago costs no more
// than a new one.
func jump(o *rrule.ROption, start, from wall) wall {
	if o.Count > 0 {
		return start
	}
	period := periodOf(o)
	steps := int(from.Add(-2*period).Sub(start)/period) / max(o.Interval, 1)
	if steps <= 0 {
		return start
	}
	n := steps * max(o.Interval, 1)
	switch {
	case o.Freq == rrule.HOURLY:
		return start.Add(time.Duration(n) * time.Hour)
	case o.Freq == rrule.DAILY:
		return start.AddDate(0, 0, n)
	case o.Freq == rrule.WEEKLY:
		return start.AddDate(0, 0, 7*n)
	case start.Day() > 28: // not every month has such a day to begin on
		return start
	case o.Freq == rrule.MONTHLY:
		return start.AddDate(0, n, 0)
	}
	return start.AddDate(n, 0, 0)
}

// periodOf is the longest time that one period of a rule takes.
func periodOf(o *rrule.ROption) time.Duration {
	const day = 24 * time.Hour
	return map[rrule.Frequency]time.Duration{
		rrule.HOURLY: time.Hour, rrule.DAILY: day, rrule.WEEKLY: 7 * day, rrule.MONTHLY: 31 * day, rrule.YEARLY: 366 * day,
	}[o.Freq]
}

// readRule reads an RRULE and refuses what nobody's calendar needs and what
// would take for ever.
func readRule(text string, until func(time.Time) wall) (*rrule.ROption, error) {
	if len(text) > maxRule {
		return nil, fmt.Errorf("its rule is longer than %d bytes", maxRule)
	}
	var parts []string
	var last string
	for part := range strings.SplitSeq(upper(text), ";") {
		name, value, _ := strings.Cut(part, "=")
		switch {
		case part == "" || strings.HasPrefix(name, "X-"):
		case name == "UNTIL":
			last = value
		case name == "DTSTART":
			return nil, errors.New("its rule has a DTSTART")
		default:
			parts = append(parts, part)
		}
	}
	o, err := rrule.StrToROption(strings.Join(parts, ";"))
	if err != nil {
		return nil, fmt.Errorf("its rule: %w", err)
	}
	if last != "" {
		if o.Until, err = readUntil(last, until); err != nil {
			return nil, err
		}
	}
	times := max(len(o.Byhour), 1) * max(len(o.Byminute), 1) * max(len(o.Bysecond), 1)
	switch {
	case o.Freq == rrule.SECONDLY || o.Freq == rrule.MINUTELY:
		return nil, errors.New("its rule repeats by the minute or second")
	case o.Freq == rrule.HOURLY && len(o.Byhour) > 0 && o.Interval > 1:
		return nil, errors.New("its rule names hours and steps over hours") // may never meet one
	case o.Interval > maxInterval || o.Count < 0:
		return nil, errors.New("its rule has an interval or a count that can't be")
	case times > maxTimes:
		return nil, fmt.Errorf("its rule names more than %d times of a day", maxTimes)
	}
	return o, nil
}

// readUntil reads UNTIL. In UTC it is an instant; a date holds to its end.
func readUntil(text string, until func(time.Time) wall) (wall, error) {
	s, err := parseStamp(text)
	switch {
	case err != nil:
		return wall{}, fmt.Errorf("its rule's UNTIL: %w", err)
	case s.utc:
		return until(s.wall), nil
	case s.date:
		return s.wall.Add(24*time.Hour - time.Second), nil
	}
	return s.wall, nil
}

// work is how many days, or hours, and times of them the library will look at.
func work(o *rrule.ROption) int64 {
	days := int64((o.Until.Sub(o.Dtstart)+periodOf(o))/(24*time.Hour)) + 1
	times := int64(max(len(o.Byhour), 1) * max(len(o.Byminute), 1) * max(len(o.Bysecond), 1))
	if o.Freq == rrule.HOURLY {
		days *= 24
	}
	return days * times
}
