package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// beCarillon makes the test binary carillon, for the tests that kill it.
const beCarillon = "CARILLON_TEST_BE_CARILLON"

// TestMain lets scripts, and the tests that kill it, run this binary as
// carillon.
func TestMain(m *testing.M) {
	if os.Getenv(beCarillon) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"carillon": main})
}

// TestScripts runs the command line as people do.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits},
	})
}

// exits runs a command and compares its exit code: exits CODE COMMAND ARGS.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits code command arg…")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v: %v", args[1:], err)
		}
		got = exit.ExitCode()
	}
	if want, err := strconv.Atoi(args[0]); err != nil || got != want {
		ts.Fatalf("%v: exit code %d, want %s", args[1:], got, args[0])
	}
}
