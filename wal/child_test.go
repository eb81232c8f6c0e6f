package wal_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"carillon/wal"
)

// childVar names what a child process does; childDir is where.
const childVar, childDir = "WAL_TEST_CHILD", "WAL_TEST_DIR"

// children are the programs that this binary can be besides a test.
var children = map[string]func(dir string) error{
	"open": func(dir string) error {
		db, err := wal.Open(dir, small())
		if err != nil {
			return err
		}
		fmt.Println("opened")
		return db.Close()
	},
}

func TestMain(m *testing.M) {
	run := children[os.Getenv(childVar)]
	if run == nil {
		ordinaryRun()
		os.Exit(m.Run())
	}
	if err := run(os.Getenv(childDir)); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
}

// ordinaryRun makes rapid quicker, unless the command line says how often.
func ordinaryRun() {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		_ = flag.Set("rapid.checks", "15")
	}
}

// unforked runs fn while no other test starts a child: one that has not begun its
// program yet has every file of this process open, and holds the locks of stores that
// were closed meanwhile.
func unforked(fn func()) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fn()
}

func childCommand(tb testing.TB, what, dir string, env ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	cmd := exec.Command(self)
	cmd.Env = append(append(os.Environ(), childVar+"="+what, childDir+"="+dir), env...)
	return cmd
}

// child runs one to its end and returns what it printed.
func child(tb testing.TB, what, dir string) []byte {
	tb.Helper()
	out, err := childCommand(tb, what, dir).CombinedOutput()
	if _, ok := err.(*exec.ExitError); err != nil && !ok { //nolint:errorlint // Run returns it bare
		tb.Fatal(err)
	}
	return out
}
