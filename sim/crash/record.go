package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errNoStrace: the kernel can't be asked what a process did.
var errNoStrace = errors.New("strace is not installed")

func straceThere() error {
	if _, err := exec.LookPath("strace"); err != nil {
		return errNoStrace
	}
	return nil
}

// record lets a worker live under strace and returns what it did to its disk.
// The worker is called with a folder, a seed and a number of rounds.
func record(ctx context.Context, worker []string, parent string, seed uint64, rounds int) ([]happening, error) {
	dir, err := os.MkdirTemp(parent, "record-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, trace := filepath.Join(dir, "store"), filepath.Join(dir, "trace")
	args := append([]string{
		"-f", "-qq", "--seccomp-bpf", "-xx", "-s", "4194304", "-e", "signal=none", "-e", "trace=" + tracedCalls, "-o", trace, "--",
	}, worker...)
	args = append(args, "work", store, strconv.FormatUint(seed, 10), strconv.Itoa(rounds))
	cmd := group(exec.CommandContext(ctx, "strace", args...))
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the worker of seed %d under strace: %w: %s", seed, err, clip(errs.String()))
	}
	f, err := os.Open(trace)
	if err != nil {
		return nil, err
	}
	happened, err := readTrace(f, store)
	return happened, errors.Join(err, f.Close())
}

// group makes a command the head of a group of processes that end together: a
// process that has lost its strace gets ENOSYS for every call that was traced.
func group(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
