//go:build linux

package proc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// backup takes a hot backup, over a line that may break or straight, and
// restores it: a whole one must be taken, and what is taken must be sound (W6).
func (h *harness) backup(ctx context.Context) error {
	from := h.back.url
	if h.rng.IntN(2) == 0 {
		from = h.door.url
	}
	file := filepath.Join(h.dir, "backup")
	whole, err := h.download(ctx, from, file)
	if err != nil {
		return err
	}
	h.note(roundBackup)
	if !whole {
		h.note("backup_cut")
	}
	to := filepath.Join(h.dir, "restored")
	defer func() { _ = os.RemoveAll(to) }()
	c, err := spawn(h.opt.Binary, []string{"restore", "--from", file, "--data-dir", to}, nil, nil)
	if err != nil {
		return err
	}
	if !c.over(time.Minute) {
		c.end()
	}
	if c.exited(0) {
		h.check(to)
	} else if whole {
		h.fail("backup", "a whole backup is not restored: %s\n%s", c.how(), c.said())
	}
	return nil
}

// download reports whether the stream came to its end.
func (h *harness) download(ctx context.Context, from, file string) (bool, error) {
	f, err := os.Create(file)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, from+"/v1/backup", nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	resp, err := (&http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return false, ctx.Err() // cut off before it began
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(f, resp.Body)
	if _, ours := errors.AsType[*os.PathError](err); ours {
		return false, err
	}
	return err == nil && resp.StatusCode == http.StatusOK, ctx.Err()
}
