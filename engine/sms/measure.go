package sms

import "unicode/utf8"

// Encoding is how a text travels.
type Encoding uint8

// The two encodings. One character outside GSM-7 makes the whole text UCS-2.
const (
	GSM7 Encoding = iota
	UCS2
)

// String returns the encoding's name on the wire.
func (e Encoding) String() string {
	if e == UCS2 {
		return "UCS-2"
	}
	return "GSM-7"
}

// Size is what a text costs. Units are septets in GSM-7 and UTF-16 code units
// in UCS-2.
type Size struct {
	Encoding Encoding
	Units    int
	Segments int
}

// Units of a text in one segment, and of each segment of a longer one
// (3GPP TS 23.040 9.2.3.24).
const (
	gsmAlone, gsmPart = 160, 153
	ucsAlone, ucsPart = 70, 67
)

// Capacity returns the units that so many segments hold. A text of several
// segments may hold fewer: what would straddle two of them moves whole to the
// second.
func Capacity(e Encoding, segments int) int {
	alone, part := sizes(e)
	if segments <= 1 {
		return alone * max(segments, 0)
	}
	return part * segments
}

func sizes(e Encoding) (alone, part int) {
	if e == UCS2 {
		return ucsAlone, ucsPart
	}
	return gsmAlone, gsmPart
}

// Measure returns what text costs. It allocates nothing.
func Measure(text string) Size {
	units, isGSM := gsmUnits(text)
	if !isGSM {
		return count(text, UCS2, ucsUnits(text))
	}
	return count(text, GSM7, units)
}

// count walks the text segment by segment: an escape and its character are
// never split, nor is what a reader sees as one character.
func count(text string, e Encoding, units int) Size {
	s := Size{Encoding: e, Units: units}
	alone, part := sizes(e)
	switch {
	case units == 0:
		return s
	case units <= alone:
		s.Segments = 1
		return s
	}
	s.Segments = 1
	room := part
	place := func(n int) {
		if n > room {
			s.Segments++
			room = part
		}
		room -= n
	}
	for text != "" {
		whole := nextWhole(text, e)
		if n := unitsIn(text[:whole], e); n <= part {
			place(n)
		} else { // no segment holds it, so it is split between its runes
			for _, r := range text[:whole] {
				place(cost(r, e))
			}
		}
		text = text[whole:]
	}
	return s
}

// nextWhole returns the length of what stays in one segment. In UCS-2 that is
// a whole character, as Twilio's calculator has it.
func nextWhole(text string, e Encoding) int {
	if e == UCS2 {
		return NextGrapheme(text)
	}
	_, size := utf8.DecodeRuneInString(text)
	return size
}

// cost returns a character's units. Invalid UTF-8 counts as the replacement
// character it is sent as.
func cost(r rune, e Encoding) int {
	if e == UCS2 {
		if r > 0xFFFF {
			return 2
		}
		return 1
	}
	return int(gsmCost(r))
}

func gsmUnits(text string) (int, bool) {
	n := 0
	for _, r := range text {
		c := gsmCost(r)
		if c == 0 {
			return 0, false
		}
		n += int(c)
	}
	return n, true
}

func ucsUnits(text string) int {
	n := utf8.RuneCountInString(text)
	for _, r := range text {
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// unitsIn returns the units of a text in an encoding that it may not fit.
// A character outside GSM-7 counts as one septet there.
func unitsIn(text string, e Encoding) int {
	n := 0
	for _, r := range text {
		n += max(cost(r, e), 1)
	}
	return n
}
