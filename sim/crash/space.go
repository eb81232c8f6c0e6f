package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"carillon/wal"
)

const (
	smallDisk    = "48m"
	spaceReserve = 8 << 20
	spaceTexts   = 8
)

// spaceRun is the real binary on a file system that fills up.
type spaceRun struct {
	o    *Options
	disk string
	e    *engine
	book *ledger
	r    *SpaceReport
}

// errNoMount: this machine lets nobody mount, or only root.
var errNoMount = errors.New("no small file system can be mounted here")

// Space fills the disk of the real binary and empties it again (W3).
func Space(ctx context.Context, o Options) (r SpaceReport, err error) {
	dir, err := os.MkdirTemp("", "carillon-space-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.Remove(dir)) }()
	if out, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size="+smallDisk, "none", dir).CombinedOutput(); err != nil {
		return r, fmt.Errorf("%w: %s", errNoMount, strings.TrimSpace(string(out)))
	}
	defer func() { err = errors.Join(err, syscall.Unmount(dir, 0)) }()
	began := o.Now()
	run := &spaceRun{o: &o, disk: dir, book: newLedger(), r: &r}
	if err := run.run(ctx); err != nil {
		r.Wrong = err.Error()
	}
	r.Acked = len(run.book.acked)
	r.Seconds = o.Now().Sub(began).Seconds()
	return r, nil
}

func (run *spaceRun) store() string { return filepath.Join(run.disk, "store") }

func (run *spaceRun) run(ctx context.Context) (err error) {
	if run.e, err = engineStart(ctx, nil, run.o.Carillon, run.store(), append(run.o.Env, fmt.Sprint("CARILLON_RESERVE_BYTES=", spaceReserve))...); err != nil {
		return err
	}
	defer func() { run.e.kill() }()
	if up, err := run.e.ready(ctx); !up || err != nil {
		return errors.Join(fmt.Errorf("it does not start: %s", run.e.stderr.text()), err)
	}
	run.book.work(ctx, run.e, 40, run.o.Now)
	if err := run.remind(ctx, 2*time.Second); err != nil {
		return err
	}
	if err := run.low(ctx); err != nil {
		return err
	}
	if err := run.full(ctx); err != nil {
		return err
	}
	return run.book.verify(ctx, run.e)
}

// remind has texts due in a while.
func (run *spaceRun) remind(ctx context.Context, in time.Duration) error {
	user := "/v1/users/reader"
	for _, step := range []struct {
		method, path string
		body         map[string]any
	}{
		{http.MethodPut, user, map[string]any{"timezone": "UTC", "preferences": map[string]any{"event_reminders_enabled": true, "quiet_hours": nil, "daily_limit": 100}}},
		{http.MethodPost, user + "/phone/attest", map[string]any{"phone_number": "+15550100001"}},
	} {
		if a, err := run.e.ask(ctx, step.method, step.path, "", step.body); err != nil || a.status >= 300 {
			return fmt.Errorf("%s: %d %s: %w", step.path, a.status, a.body, err)
		}
	}
	at := run.o.Now().Add(in).UTC().Format("2006-01-02T15:04:05.000Z07:00")
	for range spaceTexts {
		run.r.Texts++
		body := map[string]any{"text": fmt.Sprint("Text ", run.r.Texts), "send_at": at}
		if a, err := run.e.ask(ctx, http.MethodPost, user+"/reminders", "", body); err != nil || a.status >= 300 {
			return fmt.Errorf("reminder: %d %s: %w", a.status, a.body, err)
		}
	}
	return nil
}

// sent counts the texts that have left.
func (run *spaceRun) sent(ctx context.Context) (n int, err error) {
	a, err := run.e.ask(ctx, http.MethodGet, "/v1/users/reader/reminders?limit=500", "", nil)
	if err != nil {
		return 0, err
	}
	var list struct{ Items []struct{ Status string } }
	if err := json.Unmarshal(a.body, &list); err != nil {
		return 0, err
	}
	for _, r := range list.Items {
		if r.Status == "sent" || r.Status == "delivered" {
			n++
		}
	}
	return n, nil
}

// low leaves half of the reserve: writes are refused, texts leave; then there is
// room, and it takes writes again by itself.
func (run *spaceRun) low(ctx context.Context) error {
	stop, err := run.fill(spaceReserve / 2)
	if err != nil {
		return err
	}
	defer stop()
	if err := run.until(ctx, "507 with half of the reserve left", func() (bool, error) { return run.answers(ctx, http.StatusInsufficientStorage) }); err != nil {
		return err
	}
	before, err := run.sent(ctx)
	if err != nil {
		return err
	}
	err = run.until(ctx, "texts leave while writes are refused", func() (bool, error) {
		n, err := run.sent(ctx)
		run.r.SentWhileLow = n - before
		return n == run.r.Texts, err
	})
	if err != nil {
		return err
	}
	if refused, err := run.answers(ctx, http.StatusInsufficientStorage); !refused || err != nil {
		return errors.Join(errors.New("writes are taken although the disk is still low"), err)
	}
	stop()
	if err := run.until(ctx, "writes are taken again", func() (bool, error) { return run.answers(ctx, http.StatusOK) }); err != nil {
		return err
	}
	run.r.Resumed++
	return nil
}

// full leaves nothing: texts come due all the same. Either there was room within
// the files, or a write fails and the process ends, as after any failed write.
func (run *spaceRun) full(ctx context.Context) error {
	if err := run.remind(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	stop, err := run.fill(0)
	if err != nil {
		return err
	}
	defer stop()
	err = run.until(ctx, "texts leave, or the process ends", func() (bool, error) {
		if run.e.over() {
			return true, nil
		}
		n, err := run.sent(ctx)
		if err != nil { // it may be on its way out
			return false, nil //nolint:nilerr // the next look tells
		}
		return n == run.r.Texts, nil
	})
	if err != nil {
		return err
	}
	if !run.e.over() {
		stop()
		return nil
	}
	if code, err := run.e.end(ctx, time.Second); code != 3 || err != nil {
		return fmt.Errorf("a full disk: exit code %d: %s", code, run.e.stderr.text())
	}
	run.r.FailStops++
	stop()
	if code, said, err := check(ctx, run.o, run.store()); code != 0 || err != nil {
		return errors.Join(fmt.Errorf("check after a full disk: %s", said), err)
	}
	if run.e, err = engineStart(ctx, nil, run.o.Carillon, run.store(), run.o.Env...); err != nil {
		return err
	}
	if up, err := run.e.ready(ctx); !up || err != nil {
		return errors.Join(fmt.Errorf("after a full disk it does not start: %s", run.e.stderr.text()), err)
	}
	return nil
}

// answers writes something and compares the status.
func (run *spaceRun) answers(ctx context.Context, status int) (bool, error) {
	a, err := run.e.ask(ctx, http.MethodPut, "/v1/users/u1", "", map[string]any{"timezone": "Europe/Berlin"})
	if a.status == http.StatusInsufficientStorage {
		run.r.Refused++
	}
	return a.status == status, err
}

func (run *spaceRun) until(ctx context.Context, what string, is func() (bool, error)) error {
	limit, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		ok, err := is()
		if ok || err != nil {
			return err
		}
		if pause(limit, 50*time.Millisecond) != nil {
			return fmt.Errorf("not within 15 s: %s; %s", what, run.e.stderr.text())
		}
	}
}

// fill writes a file until so much is left; stop takes it away again.
func (run *spaceRun) fill(left uint64) (stop func(), err error) {
	path := filepath.Join(run.disk, "filler")
	stop = func() { _ = os.Remove(path) }
	f, err := os.Create(path)
	if err != nil {
		return stop, err
	}
	defer func() { _ = f.Close() }()
	block := make([]byte, 64<<10)
	for {
		free, _, err := wal.FreeBytes(run.disk)
		if err != nil {
			return stop, err
		}
		if free <= left || free == 0 {
			return stop, nil
		}
		if _, err := f.Write(block[:min(uint64(len(block)), free-left)]); err != nil && !errors.Is(err, syscall.ENOSPC) {
			return stop, err
		}
	}
}
