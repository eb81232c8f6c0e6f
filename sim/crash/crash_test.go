package crash

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// beChild makes the test binary a child of a campaign.
const beChild = "be-a-child"

func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != beChild {
		os.Exit(m.Run())
	}
	if err := Child(os.Args[2:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// options are those of a campaign in which this binary is the worker.
func options(t *testing.T, seed uint64) Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Child: []string{self, beChild}, Source: "../..", Seed: seed, Now: time.Now, Kept: os.Getenv("CARILLON_CRASH_KEPT")}
}

// looks is a clock that goes on by a millisecond whenever somebody looks at it: what a
// campaign does by it is as much on a busy machine as on an idle one.
func looks() func() time.Time {
	var n atomic.Int64
	return func() time.Time { return time.UnixMilli(n.Add(1)) }
}

func needStrace(t *testing.T) {
	t.Helper()
	if err := straceThere(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("the kernel's calls can't be seen: %v", err)
	}
}

// enoughLooks are what it takes for each kind of state, several times over.
const enoughLooks = 10_000

// TestNoCrashStateLosesWhatWasAcknowledged is the short form of the campaign (W2).
func TestNoCrashStateLosesWhatWasAcknowledged(t *testing.T) {
	needStrace(t)
	t.Parallel()
	o := options(t, 1)
	o.Now = looks()
	r, err := States(t.Context(), o, enoughLooks*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d states, %+v", r.Total(), r)
	if r.Wrong != "" {
		t.Error(r.Wrong)
	}
	for _, kind := range []string{kindQuiet, kindPages, kindMeta, kindNames} {
		if r.Kinds[kind] == 0 {
			t.Errorf("no state of the kind %q", kind)
		}
	}
	if r.Reopened < 100 || r.WentOn == 0 || r.Acked < 100 {
		t.Errorf("%d states opened, %d gone on with, %d records: too few to prove anything", r.Reopened, r.WentOn, r.Acked)
	}
}

// TestACallThatWasNeverMadeIsNone: a thread may be about to make one when its
// process ends, and then strace does not know which.
func TestACallThatWasNeverMadeIsNone(t *testing.T) {
	const sound = `7 write(1, "\x61\x0a", 2) = 2` + "\n"
	for line, bad := range map[string]bool{
		"8 ???( <detached ...> = ?\n":           false,
		"8 +++ exited with 0 +++\n":             false,
		"8 fdatasync(3) = -1 EIO\n":             true,
		"8 pwrite64(3 <detached ...> = ?\n":     true,
		"8 ??? is no line that strace prints\n": true,
	} {
		got, err := readTrace(strings.NewReader(sound+line), "/store")
		if bad != (err != nil) || !bad && len(got) != 2 {
			t.Errorf("%q: %v, %v", line, got, err)
		}
	}
}

// TestControlsAreCaught builds carillon with one lock taken off the door, and
// demands that the harness which guards that door says so. Controls that need
// the whole binary are left to make crash, which holds the same.
func TestControlsAreCaught(t *testing.T) {
	t.Parallel()
	for _, c := range Controls() {
		t.Run(c.Harness+": "+c.Name, func(t *testing.T) {
			t.Parallel()
			o := options(t, 1)
			if !c.worker() && os.Getenv("CARILLON_TEST_CRASH_CONTROLS") == "" {
				if _, err := c.edited(o.Source); err != nil { // it must still fit
					t.Fatal(err)
				}
				return
			}
			if c.Harness == "states" || c.Harness == "calls" {
				needStrace(t)
			}
			how, err := c.try(t.Context(), o, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if how == "" {
				t.Error("not noticed")
			}
			t.Logf("caught: %s", how)
		})
	}
}
