package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// engine is `carillon serve` in a process of its own.
type engine struct {
	url    string
	http   http.Client
	cmd    *exec.Cmd
	stderr lines
	done   chan struct{}
}

const engineKey = "crash-key"

// engineStart starts the binary on a store. Before it come the words of a
// tracer, if there is one; env adds to the settings.
func engineStart(ctx context.Context, tracer []string, binary, dir string, env ...string) (*engine, error) {
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	args := append(append([]string(nil), tracer...), binary, "serve")
	e := &engine{url: "http://" + listen, cmd: group(exec.CommandContext(ctx, args[0], args[1:]...)), done: make(chan struct{})}
	e.http.Timeout = 5 * time.Second
	e.cmd.Stderr = &e.stderr
	e.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "CARILLON_DATA_DIR=" + dir, "CARILLON_LISTEN=" + listen, "CARILLON_API_KEY=" + engineKey,
		"CARILLON_LOG_LEVEL=warn", "CARILLON_SNAPSHOT_EVERY=100ms", "CARILLON_DRAIN_TIMEOUT=3s",
	}, env...)
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = e.cmd.Wait() // the state tells
		close(e.done)
	}()
	return e, nil
}

// ready waits until requests are taken. False: it has ended instead.
func (e *engine) ready(ctx context.Context) (bool, error) {
	for {
		if e.over() {
			return false, nil
		}
		if a, err := e.ask(ctx, "GET", "/readyz", "", nil); err == nil && a.status == http.StatusOK {
			return true, nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return false, err
		}
	}
}

func (e *engine) over() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// gone says whether it has ended by a signal, or does within a moment if it takes
// no requests any more.
func (e *engine) gone(moment time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), moment)
	defer cancel()
	if _, err := e.ask(ctx, http.MethodGet, "/readyz", "", nil); err == nil {
		return false
	}
	select {
	case <-e.done:
		return e.cmd.ProcessState.ExitCode() == -1
	case <-ctx.Done():
		return false
	}
}

// end waits, and returns the exit code; -1 is a signal.
func (e *engine) end(ctx context.Context, limit time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-e.done:
		e.http.CloseIdleConnections()
		return e.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		e.kill()
		return 0, fmt.Errorf("it does not end: %s", e.stderr.text())
	}
}

// stop asks it to stop. strace passes no signal on, so the whole group gets it.
func (e *engine) stop(ctx context.Context) (int, error) {
	_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGTERM)
	return e.end(ctx, 10*time.Second)
}

func (e *engine) kill() {
	_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL)
	<-e.done
	e.http.CloseIdleConnections()
}

// answer of the engine.
type answer struct {
	status int
	code   string // of a problem
	body   []byte
}

func (e *engine) ask(ctx context.Context, method, path, key string, body any) (a answer, err error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return a, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, e.url+path, in)
	if err != nil {
		return a, err
	}
	req.Header.Set("Authorization", "Bearer "+engineKey)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = resp.Body.Close() }()
	a.status = resp.StatusCode
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, err
	}
	var problem struct{ Code string }
	_ = json.Unmarshal(a.body, &problem)
	a.code = problem.Code
	return a, nil
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	short, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-short.Done()
	return ctx.Err()
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// lines is what a process says, for readers beside it.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// check runs `carillon check` on a store that nobody serves.
func check(ctx context.Context, o *Options, dir string) (code int, said string, err error) {
	cmd := exec.CommandContext(ctx, o.Carillon, "check", "--data-dir", dir)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, o.Env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return 0, "", err
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSpace(string(out)), nil
}
