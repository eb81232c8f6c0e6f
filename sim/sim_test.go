package sim

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
	_ "time/tzdata"
)

func TestTry(t *testing.T) {
	from, _ := strconv.ParseUint(os.Getenv("FROM"), 10, 64)
	to, _ := strconv.ParseUint(os.Getenv("TO"), 10, 64)
	for seed := from; seed < to; seed++ {
		opt := Options{Seed: seed, Faults: os.Getenv("FAULTS")}
		if os.Getenv("EXPLAIN") != "" {
			opt.Explain = func(v Violation, tl []string) {
				t.Logf("%+v", v)
				for _, l := range tl {
					t.Log(l)
				}
			}
		}
		r, err := Run(opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Violations {
			t.Logf("seed %d %s %s %s: %s", seed, v.Checker, v.Person, v.At, v.What)
		}
		b, _ := json.Marshal(r.Reminders)
		t.Logf("seed %d %s users %d days %.0f accepted %d expected %d steps %d %s", seed, r.Digest[:8], r.Users, r.Days, r.Accepted, r.Expected, r.Steps, b)
	}
}
