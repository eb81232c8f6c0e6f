//go:build linux

package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

const (
	roleCarrier  = "CARILLON_PROC_CARRIER"  // this process is the carrier; its options as JSON
	roleIsolated = "CARILLON_PROC_ISOLATED" // this process has a mount namespace of its own: "yes" or why not
)

// Enter is called first in main. In the carrier's process it does not return.
// Otherwise it starts the same command again in a mount namespace of its own,
// and ends with its exit code: what is mounted there is gone when the last
// process in it is, whatever ends it. Where that is not permitted, it returns,
// and nothing is mounted.
func Enter() {
	if text := os.Getenv(roleCarrier); text != "" {
		var opt carrierOptions
		err := json.Unmarshal([]byte(text), &opt)
		if err == nil {
			err = runCarrier(opt, os.Stdin, os.Stdout)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, carrierFailed(err))
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(roleIsolated) != "" {
		return
	}
	code, err := again()
	if err != nil {
		_ = os.Setenv(roleIsolated, err.Error())
		return
	}
	os.Exit(code)
}

// again runs this command in a new mount namespace.
func again() (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), roleIsolated+"=yes")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 1, nil // it was started, which the error would deny
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code, nil
	}
	return 1, nil
}

// isolated reports whether a mount of ours is nobody else's.
func isolated() bool { return os.Getenv(roleIsolated) == "yes" }
