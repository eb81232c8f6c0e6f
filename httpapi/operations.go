package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"carillon/engine"
)

func (s *Server) stats(ctx context.Context, _ *request) (response, error) {
	return ok(s.c.Backend.Stats(ctx))
}

type pausedJSON struct {
	UserID string `json:"user_id,omitempty"`
	Paused bool   `json:"paused"`
}

func (s *Server) pause(ctx context.Context, r *request) (response, error) {
	return s.setPaused(ctx, r, true)
}

func (s *Server) resume(ctx context.Context, r *request) (response, error) {
	return s.setPaused(ctx, r, false)
}

// setPaused works the kill switch, for all or for one (S8).
func (s *Server) setPaused(ctx context.Context, r *request, paused bool) (response, error) {
	f, err := r.optionalObject()
	if err != nil {
		return response{}, err
	}
	user, one := f.text("user_id", maxUserID)
	if one && (!goodID(user, maxUserID) || reservedUser(user)) {
		f.fail("user_id", codeInvalidField, idRule(maxUserID))
	}
	f.done()
	if err := f.err(); err != nil {
		return response{}, err
	}
	if !one {
		if err := s.c.Backend.SetPaused(ctx, paused); err != nil {
			return response{}, err
		}
		return ok(pausedJSON{Paused: paused})
	}
	u, err := reply[engine.UserReply](s.c.Backend.Do(ctx, user, engine.PauseUser{Paused: paused}, r.key, r.keyHash()))
	if err != nil {
		return response{}, err
	}
	return ok(pausedJSON{UserID: user, Paused: u.User.Paused})
}

// backup streams a copy of the store. A failure before the first byte is a
// problem document; one after it breaks the stream off, so that nobody takes
// half a copy for a whole one.
func (s *Server) backup(ctx context.Context, r *request) (response, error) {
	if err := r.nothing(); err != nil {
		return response{}, err
	}
	out, in := io.Pipe()
	go func() {
		in.CloseWithError(s.copyStore(ctx, in))
	}()
	body := &backupStream{Reader: bufio.NewReaderSize(out, 64<<10), pipe: out}
	if _, err := body.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		return response{}, err
	}
	return response{status: http.StatusOK, contentType: "application/octet-stream", stream: body}, nil
}

func (s *Server) copyStore(ctx context.Context, w io.Writer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.metrics.panics.Inc()
			err = errors.New("httpapi: backup panicked: " + panicText(v))
		}
		if err != nil {
			s.c.Logger.Error("backup failed", slog.String("cause", err.Error()))
		}
	}()
	return s.c.Backend.Backup(ctx, w)
}

// backupStream stops the backup when the client is gone.
type backupStream struct {
	*bufio.Reader
	pipe *io.PipeReader
}

// Close makes further writes of the backup fail.
func (b *backupStream) Close() error { return b.pipe.Close() }
