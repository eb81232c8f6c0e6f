package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// serverProcess is one that ends with this one, whatever ends that.
type serverProcess struct{ cmd *exec.Cmd }

// launch starts a server and waits until ready says so. Its output goes to a
// file in dir.
func launch(dir string, as *syscall.Credential, ready func() error, name string, args ...string) (*serverProcess, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(dir, filepath.Base(name)+".log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as, Pdeathsig: syscall.SIGQUIT} // PostgreSQL's word for at once; it ends the others as well
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the signal comes when the thread that started it ends
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
		_ = out.Close()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	s := &serverProcess{cmd}
	for range 600 {
		if err = ready(); err == nil {
			return s, nil
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(out.Name())
			return nil, fmt.Errorf("%s has ended: %.500s", name, said)
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.stop()
	return nil, fmt.Errorf("%s is not ready in 30 s: %w", name, err)
}

func (s *serverProcess) stop() {
	if s != nil && s.cmd.Process != nil {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGQUIT)
		for range 100 {
			if s.cmd.Process.Signal(syscall.Signal(0)) != nil {
				return
			}
			<-time.After(20 * time.Millisecond)
		}
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	}
}

func (s *serverProcess) pids() []int {
	if s == nil {
		return nil
	}
	return []int{s.cmd.Process.Pid}
}

// freePort is a port on loopback that nobody has.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("no TCP address")
	}
	return a.Port, nil
}

// accepts reports whether somebody listens there.
func accepts(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

func discard(r io.Reader) { _, _ = io.Copy(io.Discard, r) }
