package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// process is carillon serve in a process of its own.
type process struct {
	cmd    *exec.Cmd
	client *client

	mu  sync.Mutex
	log bytes.Buffer
	end chan error
}

// serveProcess starts carillon on a store and waits until it takes requests.
// env adds to, or overrides, the settings.
func serveProcess(t *testing.T, dir, listen string, env ...string) *process {
	t.Helper()
	p := startProcess(t, dir, listen, env...)
	whileItMoves(t, func() string { return "ready: " + p.text() }, 20*time.Second, func() int { return 0 }, func() bool {
		select {
		case err := <-p.end:
			t.Fatalf("carillon ended: %v\n%s", err, p.text())
		default:
		}
		a, err := p.client.try("GET", "/readyz", nil)
		return err == nil && a.status == 200
	})
	return p
}

func startProcess(t *testing.T, dir, listen string, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], "serve"), client: &client{url: "http://" + listen}, end: make(chan error, 1)}
	p.client.http.Timeout = 10 * time.Second
	p.cmd.Env = append([]string{
		beCarillon + "=1", "CARILLON_DATA_DIR=" + dir, "CARILLON_LISTEN=" + listen, "CARILLON_API_KEY=" + testKey, "PATH=" + os.Getenv("PATH"),
	}, env...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		sc := bufio.NewScanner(stderr)
		for sc.Scan() {
			p.mu.Lock()
			p.log.WriteString(sc.Text() + "\n")
			p.mu.Unlock()
		}
		p.end <- p.cmd.Wait()
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// text is what it has logged.
func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends it at whatever instruction it is, and waits for that.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.end //nolint:errcheck // killed: an error is what it should be
	p.client.http.CloseIdleConnections()
}

// signal sends one and returns the exit code.
func (p *process) signal(t *testing.T, sig os.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.end: //nolint:errcheck // the exit code tells
	case <-time.After(30 * time.Second):
		t.Fatalf("it does not stop:\n%s", p.text())
	}
	return p.cmd.ProcessState.ExitCode()
}

// port is the last that freeAddr gave out.
var port atomic.Int32

// freeAddr returns a loopback address that nobody listens on. It is below those
// that the kernel gives out by itself (32768 and above on Linux), so that no
// connection of another test takes it before it is used.
func freeAddr(t *testing.T) string {
	t.Helper()
	port.CompareAndSwap(0, int32(20_000+os.Getpid()%10_000))
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", port.Add(1))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// twilioEnv points carillon at a Twilio stub.
func twilioEnv(s *twiliotest.Server, publicURL string, more ...string) []string {
	return append([]string{
		"CARILLON_CARRIER=twilio", "TWILIO_ACCOUNT_SID=" + twiliotest.AccountSID, "TWILIO_AUTH_TOKEN=" + twiliotest.AuthToken,
		"CARILLON_TWILIO_FROM=" + twiliotest.From, "CARILLON_TWILIO_BASE_URL=" + s.URL(), "CARILLON_PUBLIC_URL=" + publicURL,
	}, more...)
}

// check runs carillon check on a store.
func check(t *testing.T, dir string) {
	t.Helper()
	var out, errs strings.Builder
	p := &program{stdout: &out, stderr: &errs, lookup: func(string) (string, bool) { return "", false }}
	if code := p.run(t.Context(), []string{"check", "--data-dir", dir}); code != exitOK {
		t.Fatalf("check: exit code %d: %s", code, errs.String())
	}
}
