package httpapi

import (
	"errors"
	"strings"
	"time"

	"carillon/engine"
)

const daySeconds = 86400

var (
	errInstant  = errors.New("an RFC 3339 instant with its offset is needed, such as 2026-03-02T09:00:00Z or 2026-03-02T09:00:00+01:00")
	errFraction = errors.New("instants are in milliseconds at most (T1)")
	errYear     = errors.New("years are 1970 to 9999")
	errDate     = errors.New("a date is needed, such as 2026-03-02")
	errClock    = errors.New("a time is needed as HH:MM, from 00:00 to 23:59")
)

// lastDate is 9999-12-31, the last one that RFC 3339 can write.
var lastDate = engine.Date(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)

// parseInstant reads RFC 3339: an offset must be there, and nothing finer
// than a millisecond (T1).
func parseInstant(s string) (engine.Millis, error) {
	if at, ok := plainInstant(s); ok {
		return at, nil
	}
	s = strings.ToUpper(s)
	if len(s) < len("2026-03-02T09:00:00Z") || s[10] != 'T' || !digits(s, "0000-00-00T00:00:00") {
		return 0, errInstant
	}
	rest := s[19:]
	if rest[0] == '.' {
		end := 1
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		if end == 1 {
			return 0, errInstant
		}
		if len(strings.TrimRight(rest[1:end], "0")) > 3 {
			return 0, errFraction
		}
		rest = rest[end:]
	}
	if rest != "Z" && (len(rest) != len("+00:00") || !digits(rest[1:], "00:00")) {
		return 0, errInstant
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, errInstant
	}
	if y := t.UTC().Year(); y < 1970 || y > 9999 {
		return 0, errYear
	}
	return t.UnixMilli(), nil
}

// plainInstant reads what most callers write, whole seconds of UTC, in a third of
// the time. What it does not take may be an instant all the same.
func plainInstant(s string) (engine.Millis, bool) {
	if len(s) != len("2026-03-02T09:00:00Z") || s[19] != 'Z' || !digits(s, "0000-00-00T00:00:00") {
		return 0, false
	}
	pair := func(at int) int { return int(s[at]-'0')*10 + int(s[at+1]-'0') }
	year, month, day := 100*pair(0)+pair(2), pair(5), pair(8)
	hour, minute, second := pair(11), pair(14), pair(17)
	if year < 1970 || month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59 {
		return 0, false // or the last days of a month
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).UnixMilli(), true
}

// digits reports whether s begins with that shape, in which 0 stands for any
// digit.
func digits(s, shape string) bool {
	if len(s) < len(shape) {
		return false
	}
	for i := range len(shape) {
		if shape[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != shape[i] {
			return false
		}
	}
	return true
}

func isDate(s string) bool { return len(s) == len(time.DateOnly) && digits(s, "0000-00-00") }

func parseDate(s string) (engine.Date, error) {
	if !isDate(s) {
		return 0, errDate
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, errDate
	}
	if t.Year() < 1970 {
		return 0, errYear
	}
	return engine.Date(t.Unix() / daySeconds), nil
}

// parseClock reads HH:MM as minutes after midnight.
func parseClock(s string) (uint16, error) {
	if len(s) != len("00:00") || !digits(s, "00:00") {
		return 0, errClock
	}
	hour, minute := uint16(s[0]-'0')*10+uint16(s[1]-'0'), uint16(s[3]-'0')*10+uint16(s[4]-'0')
	if hour > 23 || minute > 59 {
		return 0, errClock
	}
	return hour*60 + minute, nil
}

func showClock(minutes int) string {
	b := []byte("00:00")
	b[0], b[1] = byte('0'+minutes/600), byte('0'+minutes/60%10)
	b[3], b[4] = byte('0'+minutes%60/10), byte('0'+minutes%60%10)
	return string(b)
}

// showInstant writes an instant in UTC, with milliseconds if it has any.
func showInstant(at engine.Millis) string {
	var room [len(`"2006-01-02T15:04:05.000Z"`)]byte
	b := appendInstant(room[:0], at)
	return string(b[1 : len(b)-1])
}

// instantOrNull is for what may not have happened yet.
func instantOrNull(at engine.Millis) *string {
	if at == 0 {
		return nil
	}
	s := showInstant(at)
	return &s
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
