package sms

import "strings"

// Cut returns the longest start of s that costs at most so many units of that
// encoding and ends between two characters as a reader sees them. White space
// at its end goes.
func Cut(s string, e Encoding, units int) string {
	end := 0
	for end < len(s) {
		n := NextGrapheme(s[end:])
		if units -= unitsIn(s[end:end+n], e); units < 0 {
			break
		}
		end += n
	}
	return strings.TrimRight(s[:end], " ")
}

// Fit returns s if it fits, or its start with an ellipsis: three septets in
// GSM-7, one unit in UCS-2. It ends at a word if that costs no more than a
// third of the room. With no room for an ellipsis it cuts only.
func Fit(s string, e Encoding, units int) string {
	if unitsIn(s, e) <= units {
		return s
	}
	dots := "..."
	if e == UCS2 {
		dots = "…"
	}
	head := Cut(s, e, units-unitsIn(dots, e))
	if head == "" {
		return Cut(s, e, units)
	}
	if len(head) < len(s) && s[len(head)] != ' ' {
		if i := strings.LastIndexByte(head, ' '); i > 0 && 3*unitsIn(head[:i], e) >= 2*unitsIn(head, e) {
			head = strings.TrimRight(head[:i], " ")
		}
	}
	return strings.TrimRight(head, " ,.;:-") + dots
}
