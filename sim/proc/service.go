//go:build linux

package proc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

// carrier is the harness' end of the carrier's process.
type carrier struct {
	*child
	hello carrierHello
	stdin io.Closer
	http  http.Client
}

// startCarrier starts this program again, as the carrier.
func startCarrier(opt carrierOptions) (*carrier, error) {
	text, err := json.Marshal(opt)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &carrier{http: http.Client{Timeout: 5 * time.Second}}
	var out io.Reader
	c.child, err = spawn(self, nil, []string{roleCarrier + "=" + string(text)}, func(cmd *exec.Cmd) {
		c.stdin, _ = cmd.StdinPipe()
		out, _ = cmd.StdoutPipe()
	})
	if err != nil {
		return nil, err
	}
	row, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(row, &c.hello)
	}
	if err != nil {
		c.end()
		return nil, fmt.Errorf("the carrier does not start: %w; %s", err, c.said())
	}
	return c, nil
}

// ask speaks with the carrier's control.
func (c *carrier) ask(ctx context.Context, method, path string, into any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.hello.Control+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if into != nil {
		err = json.NewDecoder(resp.Body).Decode(into)
	}
	return resp.StatusCode, err
}

func (c *carrier) become(ctx context.Context, m mode) error {
	_, err := c.ask(ctx, http.MethodPost, "/mode/"+string(m), nil)
	return err
}

// stats is what the carrier counted; nothing if it can't be asked.
func (c *carrier) stats(ctx context.Context) (s carrierStats) {
	_, _ = c.ask(ctx, http.MethodGet, "/stats", &s)
	return s
}

// Timings of the service under test. What is lost on a line is held there for
// less than sendTimeout; a look-up comes later than both together, so that
// "absent" is true when it is said, as it is with the default settings.
const (
	sendTimeout    = 2 * time.Second
	reconcileAfter = 3 * time.Second
	drainTimeout   = 10 * time.Second
	readyPatience  = 30 * time.Second
)

// environment is the service's.
func (h *harness) environment(listen string) []string {
	return append([]string{
		"CARILLON_DATA_DIR=" + h.store, "CARILLON_LISTEN=" + listen, "CARILLON_API_KEY=" + apiKey, "CARILLON_LOG_LEVEL=warn",
		"CARILLON_CARRIER=twilio", "TWILIO_ACCOUNT_SID=" + twiliotest.AccountSID, "TWILIO_AUTH_TOKEN=" + twiliotest.AuthToken,
		"CARILLON_TWILIO_FROM=" + twiliotest.From, "CARILLON_TWILIO_BASE_URL=" + h.toCarrier.url(), "CARILLON_PUBLIC_URL=" + public,
		"CARILLON_SEND_TIMEOUT=" + sendTimeout.String(), "CARILLON_RECONCILE_AFTER=" + reconcileAfter.String(),
		"CARILLON_DRAIN_TIMEOUT=" + drainTimeout.String(), "CARILLON_RETRY_BASE=200ms", "CARILLON_CONFIRM_AFTER=2s",
		"CARILLON_SNAPSHOT_EVERY=700ms", "CARILLON_IDLE_AFTER=3s", "CARILLON_ON_UNCERTAIN=" + h.opt.OnUncertain,
		fmt.Sprintf("CARILLON_RESERVE_BYTES=%d", reserveBytes), "GOMEMLIMIT=256MiB",
	}, h.opt.env...)
}

var errNotReady = errors.New("carillon does not come up")

// start has the service up and ready, and says how long that took.
func (h *harness) start(ctx context.Context) error {
	c, err := spawn(h.opt.Binary, []string{"serve"}, h.environment(h.listen), nil)
	if err != nil {
		return err
	}
	h.service = c
	for wait(ctx, 10*time.Millisecond) {
		if status, err := h.back.read(ctx, "/readyz", nil); err == nil && status == http.StatusOK {
			took := time.Since(c.begun)
			h.result.Starts++
			h.result.SlowestStart = max(h.result.SlowestStart, took.Milliseconds())
			return nil
		}
		if !c.alive() || time.Since(c.begun) > readyPatience {
			h.fail("ready", "carillon does not come up (%s):\n%s", h.lastWord(), c.said())
			return errNotReady
		}
	}
	return ctx.Err()
}

func (h *harness) lastWord() string {
	if h.service.alive() {
		return "it runs"
	}
	return h.service.how()
}

// check holds a store that nobody runs on against itself.
func (h *harness) check(dir string) {
	c, err := spawn(h.opt.Binary, []string{"check", "--data-dir", dir}, nil, nil)
	if err != nil {
		h.fail("check", "%v", err)
		return
	}
	if !c.over(time.Minute) {
		c.end()
	}
	h.result.Checks++
	if !c.exited(0) {
		h.fail("check", "carillon check: %s\n%s", c.how(), c.said())
	}
}
