package httpapi

import (
	"context"

	"carillon/engine"
)

// halves are a handler that asks the backend once: what it does before, and
// behind. A batch has many such lines under way at a time without a goroutine
// for each.
type halves struct {
	before func(r *request) (engine.Call, error)
	behind func(r *request, got engine.Reply, err error) (response, error)
}

// inHalves are the routes that batches mostly have. Commands that may claim a
// phone number can't be among them: they go another way to their user, where
// what follows could overtake them.
var inHalves = map[[2]string]*halves{
	{put, eventPath}:                &putEvent,
	{del, eventPath}:                &deleteEvent,
	{post, userPath + "/reminders"}: &createReminder,
}

// whole is the handler.
func (h *halves) whole() handler {
	return func(s *Server, ctx context.Context, r *request) (response, error) {
		c, err := h.before(r)
		if err != nil {
			return response{}, err
		}
		got, err := s.c.Backend.Do(ctx, c.UserID, c.Cmd, c.Key, c.KeyHash)
		return h.behind(r, got, err)
	}
}
