package httpapi

import (
	"context"
	"net/http"

	"carillon/engine"
)

func (s *Server) putUser(ctx context.Context, r *request) (response, error) {
	f, err := r.object()
	if err != nil {
		return response{}, err
	}
	c, quiet := readUser(f, r.user, s.c.DefaultRegion, false)
	if err := f.err(); err != nil {
		return response{}, err
	}
	if quiet != (quietPatch{}) {
		c.Quiet = engine.Some(quiet.over(engine.Quiet{}))
	}
	u, err := reply[engine.UserReply](s.c.Backend.Do(ctx, r.user, c, "", 0))
	if err != nil {
		return response{}, err
	}
	resp := response{status: http.StatusOK, body: showUser(u.User)}
	if u.Created {
		resp.status, resp.location = http.StatusCreated, pathOf(r.user)
	}
	return resp, nil
}

func (s *Server) patchUser(ctx context.Context, r *request) (response, error) {
	f, err := r.object()
	if err != nil {
		return response{}, err
	}
	c, quiet := readUser(f, r.user, s.c.DefaultRegion, true)
	if err := f.err(); err != nil {
		return response{}, err
	}
	if quiet != (quietPatch{}) {
		is, err := s.quietNow(ctx, r.user, quiet)
		if err != nil {
			return response{}, err
		}
		c.Quiet = engine.Some(quiet.over(is))
	}
	return showUserReply(s.c.Backend.Do(ctx, r.user, c, "", 0))
}

// quietNow returns the quiet hours that a patch of one end goes over. Between
// this look and the write another patch may come; the later one wins whole.
func (s *Server) quietNow(ctx context.Context, user string, patch quietPatch) (engine.Quiet, error) {
	if !patch.partial() {
		return engine.Quiet{}, nil
	}
	u, err := reply[engine.UserReply](s.c.Backend.Do(ctx, user, engine.GetUser{}, "", 0))
	if err != nil {
		return engine.Quiet{}, err
	}
	missing := "start"
	if patch.end == nil {
		missing = "end"
	}
	if !u.User.Prefs.Quiet.Set {
		return engine.Quiet{}, invalid("preferences.quiet_hours."+missing, codeMissingField, "there are no quiet hours to merge with; give start and end")
	}
	return u.User.Prefs.Quiet, nil
}

func (s *Server) getUser(ctx context.Context, r *request) (response, error) {
	return showUserReply(s.c.Backend.Do(ctx, r.user, engine.GetUser{}, "", 0))
}

func showUserReply(got engine.Reply, err error) (response, error) {
	u, err := reply[engine.UserReply](got, err)
	if err != nil {
		return response{}, err
	}
	return ok(showUser(u.User))
}

// erasedJSON says what became of a person's data (N6).
type erasedJSON struct {
	UserID string `json:"user_id"`
	Erased bool   `json:"erased"`
	Detail string `json:"detail"`
}

func (s *Server) eraseUser(ctx context.Context, r *request) (response, error) {
	if _, err := reply[engine.Done](s.c.Backend.Do(ctx, r.user, engine.EraseUser{}, "", 0)); err != nil {
		return response{}, err
	}
	return ok(erasedJSON{
		UserID: r.user, Erased: true,
		Detail: "The person's state and the index of their number are gone now and nothing more will be sent. " +
			"What the journal holds of them is blanked behind this answer and goes with its next compaction; backups made before keep it.",
	})
}

type listJSON[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

func (s *Server) listUsers(ctx context.Context, r *request) (response, error) {
	limit, err := r.page()
	if err != nil {
		return response{}, err
	}
	users, next, err := s.c.Backend.Users(ctx, r.query.Get("after"), limit)
	if err != nil {
		return response{}, err
	}
	out := listJSON[userJSON]{Items: make([]userJSON, 0, len(users)), Next: next}
	for _, u := range users {
		out.Items = append(out.Items, showUser(u))
	}
	return ok(out)
}
