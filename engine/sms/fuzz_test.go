package sms_test

import (
	"strings"
	"testing"

	"carillon/engine/sms"
)

// FuzzText holds every law of this package on any bytes.
func FuzzText(f *testing.F) {
	for _, p := range pieces {
		f.Add("a"+p+p+"b", 3)
	}
	f.Add(strings.Join(pieces, ""), 40)
	f.Add(strings.Join(pieces, " "), 160)
	f.Fuzz(func(t *testing.T, s string, units int) {
		units %= 1000
		graphemesHold(t, s)
		cleanHolds(t, s)
		transliterateHolds(t, s)
		cutHolds(t, s, units)
		cutHolds(t, sms.Clean(s), units)
	})
}
