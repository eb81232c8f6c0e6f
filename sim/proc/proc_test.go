//go:build linux

package proc

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// binary is the carillon that TestMain has built.
var binary string

// TestMain may be the carrier, and has a mount namespace of its own.
func TestMain(m *testing.M) {
	Enter()
	os.Exit(withBinary(m.Run))
}

func withBinary(run func() int) int {
	dir, err := os.MkdirTemp("", "carillon-binary-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "carillon")
	if out, err := exec.Command("go", "build", "-o", binary, "carillon/cmd/carillon").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return run()
}

// TestProcesses plays campaigns beside each other. Then neither a process nor a
// mount, a cgroup or a folder may be left, not even of one whose carillon does
// not come up.
func TestProcesses(t *testing.T) {
	t.Run("side by side", func(t *testing.T) {
		t.Run("campaign", shortCampaign)
		t.Run("sees duplicates", seesDuplicates)
		t.Run("sees what is forgotten", seesWhatIsForgotten)
		t.Run("sees what is not waited for", seesNoDrain)
		t.Run("does not come up", seesWhatDoesNotComeUp)
	})
	left(t)
}

// play runs a campaign.
func play(t *testing.T, opt Options) Result {
	t.Helper()
	t.Parallel()
	opt.Seed = uint64(time.Now().UnixNano())
	if opt.Binary == "" {
		opt.Binary = binary
	}
	r, err := Run(t.Context(), opt)
	if err != nil {
		t.Fatalf("seed %d: %v", opt.Seed, err)
	}
	var text strings.Builder
	r.Print(&text)
	t.Log(text.String())
	return r
}

// shortCampaign has kills, no disk, no memory and a second
// process, with every fault of the network and the carrier.
func shortCampaign(t *testing.T) {
	rounds := []string{roundKill, roundSecond, roundFull, roundFile, roundStarve}
	r := play(t, Options{Seconds: 5, Rounds: rounds})
	for _, v := range r.Violations {
		t.Errorf("%s: %s", v.Checker, v.What)
	}
	for _, name := range rounds {
		if r.Faults[name] == 0 && r.Missing[name] == "" {
			t.Errorf("the round %s was not played", name)
		}
	}
	suffered := 0
	for class := range r.Faults {
		if strings.HasPrefix(class, clientLine) || strings.HasPrefix(class, carrierLine) {
			suffered++
		}
	}
	if r.Acknowledged < 50 || r.CutOff == 0 || r.Texts < 5 || r.Looked == 0 || suffered < 5 {
		t.Error("too little happened to prove anything")
	}
}

// seesDuplicates is a control: answers are lost, and with on_uncertain=resend
// carillon sends again at once.
func seesDuplicates(t *testing.T) {
	demand(t, play(t, Options{Seconds: 2, Clients: 5, Rounds: []string{roundKill}, OnUncertain: "resend", LoseEvery: 3, Calm: true}), "twice")
}

// seesWhatIsForgotten is a control: a store that is older than what was
// acknowledged.
func seesWhatIsForgotten(t *testing.T) {
	demand(t, play(t, Options{Seconds: 1, Clients: 5, Calm: true, forget: true}), "acknowledged")
}

// seesNoDrain is a control: a stop that waits for nothing.
func seesNoDrain(t *testing.T) {
	demand(t, play(t, Options{Seconds: 1, Calm: true, Rounds: []string{roundDrain}, env: []string{"CARILLON_DRAIN_TIMEOUT=1ms"}}), "drained")
}

func seesWhatDoesNotComeUp(t *testing.T) {
	demand(t, play(t, Options{Seconds: 1, Binary: "/bin/false"}), "ready")
}

func demand(t *testing.T, r Result, checker string) {
	t.Helper()
	if !slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Checker == checker }) {
		t.Errorf("no violation of %q was seen: the harness is blind", checker)
	}
	if r.Verdict() == nil {
		t.Error("the verdict is good")
	}
}

// left holds that nothing is.
func left(t *testing.T) {
	t.Helper()
	mounts, err := os.Open("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mounts.Close() }()
	for sc := bufio.NewScanner(mounts); sc.Scan(); {
		if strings.Contains(sc.Text(), mark()) {
			t.Errorf("mounted: %s", sc.Text())
		}
	}
	for _, pattern := range []string{
		filepath.Join(os.TempDir(), mark()+"*"),
		"/sys/fs/cgroup/" + mark() + "*", "/sys/fs/cgroup/memory/" + mark() + "*",
	} {
		if got, _ := filepath.Glob(pattern); len(got) > 0 {
			t.Errorf("left behind: %q", got)
		}
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err == nil && len(strings.TrimSpace(string(children))) > 0 {
		t.Errorf("processes left: %s", children)
	}
}
