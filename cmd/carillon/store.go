package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"carillon/actors"
	"carillon/engine"
	"carillon/wal"
)

type checkCmd struct{ storeSettings }

// Run reads everything in a store: checksums, chain, links, every user's
// history and state, and what must hold of them.
func (c *checkCmd) Run(p *program) (err error) {
	store, err := c.open()
	if err != nil {
		return storageError{err}
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	rep, err := store.Verify(nil)
	if err != nil {
		return storageError{err}
	}
	users, err := actors.Check(store)
	if err != nil {
		return storageError{err}
	}
	_, err = fmt.Fprintf(p.stdout, "sound: %d records (%d to %d) of %d streams in %d segments, %d snapshots, %d index keys, %d users, %d reminders, chain %08x\n",
		rep.Records, rep.FirstSeq, rep.LastSeq, rep.Streams, rep.Segments, rep.Snapshots, rep.IndexKeys, users.Users, users.Reminders, rep.Chain)
	return err
}

type logCmd struct {
	storeSettings
	UserID string `arg:"" name:"user" help:"Whose journal."`
	JSON   bool   `name:"json" help:"One JSON object on each line."`
}

// Run prints a user's decisions from the journal, oldest first.
func (c *logCmd) Run(p *program) (err error) {
	store, err := c.open()
	if err != nil {
		return storageError{err}
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	entries, err := actors.History(store, c.UserID, 0)
	if err != nil {
		return storageError{err}
	}
	if len(entries) == 0 {
		return fmt.Errorf("no journal of a user %q", c.UserID)
	}
	for i := range entries {
		if err := c.print(p.stdout, &entries[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *logCmd) print(w io.Writer, e *engine.TimelineEntry) error {
	if c.JSON {
		detail := map[string]any{}
		for _, f := range e.Detail {
			detail[f.Name] = shown(f.Value)
		}
		return json.NewEncoder(w).Encode(map[string]any{
			"seq": e.Seq, "at": instant(e.At), "kind": e.Kind, "reason": e.Reason.String(),
			"event_id": e.EventID, "reminder_id": e.ReminderID, "message_id": e.MessageID, "detail": detail,
		})
	}
	var line strings.Builder
	fmt.Fprintf(&line, "%6d  %s  %-20s", e.Seq, instant(e.At), e.Kind)
	for _, part := range []string{e.Reason.String(), e.EventID, e.ReminderID, e.MessageID} {
		if part != "" {
			line.WriteString("  " + part)
		}
	}
	for _, f := range e.Detail {
		if v := shown(f.Value); v != "" && v != false {
			fmt.Fprintf(&line, "  %s=%v", f.Name, v)
		}
	}
	_, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	return err
}

func shown(v any) any {
	if at, ok := v.(engine.Instant); ok {
		return instant(engine.Millis(at))
	}
	return v
}

func instant(at engine.Millis) string {
	return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

type backupCmd struct {
	storeSettings
	Out string `required:"" help:"File to write; it must not exist. - is standard output."`
	URL string `name:"url" help:"Take it from a running engine at this address, with the key in CARILLON_API_KEY."`
}

// Run copies a store into one file.
func (c *backupCmd) Run(ctx context.Context, p *program) error {
	return p.create(c.Out, func(w io.Writer) error {
		if c.URL != "" {
			return p.backupFrom(ctx, c.URL, w)
		}
		store, err := c.open()
		if err != nil {
			return storageError{err}
		}
		_, err = store.Backup(w)
		return errors.Join(err, store.Close())
	})
}

func (p *program) backupFrom(ctx context.Context, url string, w io.Writer) error {
	resp, err := p.request(ctx, http.MethodPost, url+"/v1/backup", nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(w, resp.Body) // a copy that breaks off is an error here
	return err
}

// request calls a running engine; an answer that is no success is an error.
func (p *program) request(ctx context.Context, method, url string, body io.Reader) (*http.Response, error) {
	key, err := p.secret(secretAPIKey)
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, usageError{fmt.Errorf("%s is missing", secretAPIKey)}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	var problem struct{ Code, Detail string }
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&problem)
	return nil, fmt.Errorf("%s: %s %s %s", url, resp.Status, problem.Code, problem.Detail)
}

// create writes a file under another name and gives it its own when it is
// whole and flushed.
func (p *program) create(path string, write func(io.Writer) error) (err error) {
	if path == "-" {
		return write(p.stdout)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("--out: %s exists", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".carillon-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type restoreCmd struct {
	storeSettings
	From string `required:"" help:"Backup to read. - is standard input."`
}

// Run builds a store from a backup. What was due since the backup will be
// taken as uncertain by the next start (S3).
func (c *restoreCmd) Run(p *program) (err error) {
	in, err := p.openInput(c.From)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if err := wal.Restore(in, c.DataDir); err != nil {
		return storageError{err}
	}
	_, err = fmt.Fprintf(p.stdout, "restored into %s; it was read back and is sound\n", c.DataDir)
	return err
}

func (p *program) openInput(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(p.stdin), nil
	}
	return os.Open(path)
}
