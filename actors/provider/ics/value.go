package ics

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// wall is a reading of a clock on a wall, or a date: as if it were UTC.
type wall = time.Time

// stamp is a DATE or DATE-TIME value as written.
type stamp struct {
	wall wall
	date bool // a DATE
	utc  bool // it ends with Z
}

var errInstant = errors.New("no date or time")

// parseStamp reads 20260329, 20260329T013000 or 20260329T003000Z.
func parseStamp(s string) (stamp, error) {
	s = strings.TrimSpace(s)
	if len(s) == 8 {
		w, err := time.Parse("20060102", s)
		if err != nil {
			return stamp{}, fmt.Errorf("%w: %.20q", errInstant, s)
		}
		return stamp{wall: w, date: true}, nil
	}
	text, utc := strings.CutSuffix(s, "Z")
	if len(text) == 15 && text[13:] == "60" {
		text = text[:13] + "59" // a leap second
	}
	w, err := time.Parse("20060102T150405", text)
	if err != nil {
		return stamp{}, fmt.Errorf("%w: %.20q", errInstant, s)
	}
	return stamp{wall: w, utc: utc}, nil
}

// maxDuration is the longest event: a year.
const maxDuration = 366 * 24 * time.Hour

// parseDuration reads P1DT2H, PT15M, P2W.
func parseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("no duration: %.20q", s)
	rest, ok := strings.CutPrefix(strings.TrimPrefix(upper(s), "+"), "P")
	if !ok || rest == "" {
		return 0, bad
	}
	units := map[byte]time.Duration{'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second}
	var total time.Duration
	for rest != "" {
		if rest = strings.TrimPrefix(rest, "T"); rest == "" {
			break
		}
		i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if i <= 0 || i > 6 || units[rest[i]] == 0 {
			return 0, bad
		}
		n, err := strconv.Atoi(rest[:i])
		if err != nil {
			return 0, bad
		}
		if total += time.Duration(n) * units[rest[i]]; total > maxDuration {
			return maxDuration, nil
		}
		rest = rest[i+1:]
	}
	return total, nil
}

// parseOffset reads +0130 or -053000 as seconds.
func parseOffset(s string) (int, error) {
	s = strings.TrimSpace(s)
	if (len(s) != 5 && len(s) != 7) || (s[0] != '+' && s[0] != '-') {
		return 0, fmt.Errorf("no offset: %.20q", s)
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("no offset: %.20q", s)
	}
	if len(s) == 5 {
		n *= 100
	}
	seconds := n/10000*3600 + n/100%100*60 + n%100
	if seconds > 26*3600 {
		return 0, fmt.Errorf("no offset: %.20q", s)
	}
	if s[0] == '-' {
		return -seconds, nil
	}
	return seconds, nil
}

func upper(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// at returns the instant at which a clock in loc shows w. Of two, in a
// repeated hour, the first; one that a zone skips is read with the offset from
// before the gap, so that 02:30 becomes 03:30 (RFC 5545, 3.3.5).
func at(w wall, loc *time.Location) time.Time {
	before := w.Add(-offsetAt(w.Add(-24*time.Hour), loc))
	if show(before, loc).Equal(w) {
		return before
	}
	after := w.Add(-offsetAt(w.Add(24*time.Hour), loc))
	if show(after, loc).Equal(w) {
		return after
	}
	return before
}

func offsetAt(t time.Time, loc *time.Location) time.Duration {
	_, s := t.In(loc).Zone()
	return time.Duration(s) * time.Second
}

// show returns what a clock in loc shows at an instant.
func show(t time.Time, loc *time.Location) wall { return t.Add(offsetAt(t, loc)).UTC() }
