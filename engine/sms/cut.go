package sms

import "strings"

// Cut returns the longest start of s that costs at most so many units of that
// encoding and ends between two characters as a reader sees them, and not
// inside a link: a link is whole or absent (X2). White space at its end goes.
func Cut(s string, e Encoding, units int) string {
	end := 0
	for end < len(s) {
		n := NextGrapheme(s[end:])
		if units -= unitsIn(s[end:end+n], e); units < 0 {
			break
		}
		end += n
	}
	for {
		head := trim(s[:end])
		start, ok := linkAround(s, len(head))
		if !ok {
			return head
		}
		end = whole(s, start)
	}
}

// whole returns the end of the last character of s that ends at or before at.
func whole(s string, at int) int {
	end := 0
	for end < at {
		n := NextGrapheme(s[end:])
		if end+n > at {
			break
		}
		end += n
	}
	return end
}

// trim returns s without the spaces at its end. Where a mark is written before
// a space, as one character with it, the mark goes too.
func trim(s string) string {
	keep := len(s)
	if keep == 0 || s[keep-1] != ' ' {
		return s
	}
	keep = 0
	for end := 0; end < len(s); {
		end += NextGrapheme(s[end:])
		if s[end-1] != ' ' {
			keep = end
		}
	}
	return s[:keep]
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
	if len(head) < len(s) && s[len(head)] != ' ' {
		if i := strings.LastIndexByte(head, ' '); i > 0 && 3*unitsIn(head[:i], e) >= 2*unitsIn(head, e) {
			head = Cut(head, e, unitsIn(head[:i], e))
		}
	}
	for head != "" {
		if start, ok := lastLink(head); ok { // dots at its end would be taken for a part of it
			if unitsIn(head, e)+1+unitsIn(dots, e) <= units {
				return head + " " + dots
			}
			head = Cut(head, e, unitsIn(head[:start], e))
			continue
		}
		end := len(strings.TrimRight(head, " ,.;:-([<\""))
		if end == len(head) {
			return head + dots
		}
		if _, ok := linkAround(head, end); ok { // its own end stays
			end += strings.IndexByte(head[end:]+" ", ' ')
		}
		head = Cut(head, e, unitsIn(head[:end], e))
	}
	return Cut(s, e, units)
}
