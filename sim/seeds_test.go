package sim

import (
	"strings"
	"testing"
)

// TestLinesOfSeeds: what a failure prints is what the kept file takes.
func TestLinesOfSeeds(t *testing.T) {
	text := "17\n2031 faults=all pace=dense users=3 days=2 without=hang,stall bolt # why it was kept\n\n# no seed\n"
	got, err := ReadSeeds(strings.NewReader(text))
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if line := got[0].Line(); line != "17" {
		t.Errorf("%q", line)
	}
	if line, want := got[1].Line(), "2031 faults=all pace=dense users=3 days=2 without=hang,stall bolt"; line != want {
		t.Errorf("%q, want %q", line, want)
	}
	want := "carillon sim run --seed 2031 --faults all --pace dense --users 3 --days 2 --without hang --without stall --bolt"
	if got := got[1].Command(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, bad := range []string{"x", "1 users=x", "1 color=red", "1 without=nothing"} {
		if _, err := ReadSeeds(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
