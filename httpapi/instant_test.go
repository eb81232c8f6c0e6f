package httpapi

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkParseInstant(b *testing.B) {
	for b.Loop() {
		if _, err := parseInstant("2026-03-02T09:00:00Z"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPlainInstant: what it takes is what package time says it is.
func TestPlainInstant(t *testing.T) {
	t.Parallel()
	taken := 0
	for _, year := range []int{0, 1969, 1970, 1999, 2000, 2026, 2100, 9999} {
		for month := range 14 {
			for day := range 33 {
				for _, clock := range []string{"00:00:00", "09:05:07", "23:59:59", "24:00:00", "12:60:00", "12:00:60"} {
					s := fmt.Sprintf("%04d-%02d-%02dT%sZ", year, month, day, clock)
					at, ok := plainInstant(s)
					if !ok {
						continue
					}
					taken++
					if want, err := time.Parse(time.RFC3339, s); err != nil || want.UnixMilli() != at {
						t.Fatalf("%s is %d, not %d (%v)", s, want.UnixMilli(), at, err)
					}
				}
			}
		}
	}
	if want := 6 * 12 * 28 * 3; taken != want {
		t.Errorf("%d instants taken, not %d", taken, want)
	}
}
