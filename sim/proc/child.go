//go:build linux

package proc

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a process of ours. It dies with this one.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
	begun time.Time

	mu   sync.Mutex
	tail []string // the last lines that it printed to stderr
}

const tailLines = 40

// spawn starts a process whose environment is env and nothing else.
func spawn(path string, args, env []string, prepare func(*exec.Cmd)) (*child, error) {
	c := &child{cmd: exec.Command(path, args...), ended: make(chan struct{}), begun: time.Now()}
	c.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.Getenv("TMPDIR")}, env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if prepare != nil {
		prepare(c.cmd)
	}
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		c.read(stderr)
		_ = c.cmd.Wait() // its state tells
		close(c.ended)
	}()
	return c, nil
}

func (c *child) read(r io.Reader) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		c.mu.Lock()
		if c.tail = append(c.tail, sc.Text()); len(c.tail) > tailLines {
			c.tail = c.tail[1:]
		}
		c.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, r)
}

// said is the end of what it printed.
func (c *child) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.tail, "\n")
}

func (c *child) signal(s syscall.Signal) { _ = c.cmd.Process.Signal(s) }

// over waits for its end.
func (c *child) over(patience time.Duration) bool {
	select {
	case <-c.ended:
	case <-time.After(patience):
	}
	return !c.alive()
}

// alive reports whether it runs.
func (c *child) alive() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// end ends it for sure.
func (c *child) end() {
	c.signal(syscall.SIGKILL)
	<-c.ended
}

// how it ended: an exit code, or a signal.
func (c *child) how() string {
	if s, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return s.Signal().String()
	}
	return fmt.Sprintf("exit code %d", c.cmd.ProcessState.ExitCode())
}

// exited reports whether it ended with that code.
func (c *child) exited(code int) bool { return c.cmd.ProcessState.ExitCode() == code }

// freeAddr returns a loopback address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
