package main

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"carillon/sim/crash"
)

// crashOptions let the store campaign have this test binary for its carillon.
func crashOptions() crash.Options {
	return crash.Options{Carillon: os.Args[0], Env: []string{beCarillon + "=1"}, Seed: 1, Now: time.Now}
}

// TestFailingSystemCallsStopTheProcess is the short form of make crash: whatever
// call on the store fails, the process ends with exit code 3, and everything
// that was acknowledged is there after the restart (W2, W3).
func TestFailingSystemCallsStopTheProcess(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("strace makes the calls fail, and is not installed")
	}
	r, err := crash.Calls(t.Context(), crashOptions(), 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Wrong != "" {
		t.Error(r.Wrong)
	}
	if len(r.Injected) == 0 {
		t.Error("no call failed: this proves nothing")
	}
}

// TestFullDisk is W3: 507 while a reserve lets texts leave, and service again
// when there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root mounts a small file system")
	}
	r, err := crash.Space(t.Context(), crashOptions())
	if err != nil {
		t.Skip(err)
	}
	t.Logf("%+v", r)
	if r.Wrong != "" || r.Refused == 0 || r.SentWhileLow == 0 || r.Resumed == 0 {
		t.Errorf("%+v", r)
	}
}
