package ics_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOracle holds random series to what another implementation makes of them.
// The file says which one.
func TestOracle(t *testing.T) {
	text, err := os.ReadFile("testdata/oracle.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases, instances := 0, 0
	for block := range strings.SplitSeq(string(text), "\n\n") {
		event, want, ok := strings.Cut(strings.TrimSpace(block), "\n=")
		if !ok {
			continue
		}
		where := time.UTC
		if _, id, zoned := strings.Cut(event, "TZID="); zoned {
			id, _, _ = strings.Cut(id, ":")
			where = zone(t, id)
		}
		var got []string
		f := read(t, calendar("UID:x\n"+event), "2026-03-01T00:00:00Z", "2026-05-02T00:00:00Z")
		for _, e := range f.Events {
			at := time.UnixMilli(e.Start).In(where).Format("20060102T1504")
			if e.AllDay {
				at = strings.ReplaceAll(e.Date.String(), "-", "")
			}
			if at[:8] >= "20260302" && at[:8] < "20260430" {
				got = append(got, at)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != strings.TrimSpace(want) || len(f.Skipped) > 0 {
			t.Errorf("%s\ngot  %s\nwant%s\nleft out %v", event, strings.Join(got, " "), want, f.Skipped)
		}
		cases, instances = cases+1, instances+len(got)
	}
	if cases != 150 || instances < 1000 {
		t.Errorf("%d cases with %d instances are read", cases, instances)
	}
}
