package httpapi

import (
	"context"
	"net/http"
	"strconv"

	"carillon/engine"
)

func (s *Server) listReminders(ctx context.Context, r *request) (response, error) {
	limit, err := r.page()
	if err != nil {
		return response{}, err
	}
	c := engine.ListReminders{After: r.query.Get("after"), Limit: limit}
	if word := r.query.Get("status"); word != "" {
		status, known := engine.ParseReminderStatus(word)
		if !known {
			return response{}, invalid("status", codeInvalidField, "no such status of a reminder")
		}
		c.Status = status
	}
	got, err := reply[engine.RemindersReply](s.c.Backend.Do(ctx, r.user, c, "", 0))
	if err != nil {
		return response{}, err
	}
	out := listJSON[reminderJSON]{Items: make([]reminderJSON, 0, len(got.Items)), Next: got.Next}
	for _, item := range got.Items {
		out.Items = append(out.Items, showReminder(item))
	}
	return ok(out)
}

var createReminder = halves{
	before: func(r *request) (engine.Call, error) {
		f, err := r.object()
		if err != nil {
			return engine.Call{}, err
		}
		c := readReminder(f)
		return engine.Call{UserID: r.user, Cmd: c, Key: r.key, KeyHash: r.keyHash()}, f.err()
	},
	behind: func(r *request, got engine.Reply, err error) (response, error) {
		made, err := reply[engine.ReminderReply](got, err)
		if err != nil {
			return response{}, err
		}
		// The same key again shows the same reminder with the same status.
		return response{
			status: http.StatusCreated, body: showReminder(made.Reminder), location: pathUnder(r.user, "/reminders/", made.Reminder.ID),
		}, nil
	},
}

func (s *Server) getReminder(ctx context.Context, r *request) (response, error) {
	return showReminderReply(s.c.Backend.Do(ctx, r.user, engine.GetReminder{ID: r.reminder}, "", 0))
}

func (s *Server) cancelReminder(ctx context.Context, r *request) (response, error) {
	if err := r.nothing(); err != nil {
		return response{}, err
	}
	return showReminderReply(s.c.Backend.Do(ctx, r.user, engine.CancelReminder{ID: r.reminder}, r.key, r.keyHash()))
}

func (s *Server) sendNow(ctx context.Context, r *request) (response, error) {
	if err := r.nothing(); err != nil {
		return response{}, err
	}
	return showReminderReply(s.c.Backend.Do(ctx, r.user, engine.SendNow{ID: r.reminder}, r.key, r.keyHash()))
}

func showReminderReply(got engine.Reply, err error) (response, error) {
	r, err := reply[engine.ReminderReply](got, err)
	if err != nil {
		return response{}, err
	}
	return ok(showReminder(r.Reminder))
}

func (s *Server) plan(ctx context.Context, r *request) (response, error) {
	var c engine.PreviewPlan
	if v := r.query.Get("date"); v != "" {
		d, err := parseDate(v)
		if err != nil || d == 0 { // 0 is the engine's "today"
			return response{}, invalid("date", codeInvalidField, "a date is needed, from 1970-01-02 to 9999-12-31")
		}
		c.Date = d
	}
	got, err := reply[engine.PlanReply](s.c.Backend.Do(ctx, r.user, c, "", 0))
	if err != nil {
		return response{}, err
	}
	return ok(showPlan(got.Plan))
}

func (s *Server) timeline(ctx context.Context, r *request) (response, error) {
	limit, err := r.page()
	if err != nil {
		return response{}, err
	}
	var after uint64
	if v := r.query.Get("after"); v != "" {
		if after, err = strconv.ParseUint(v, 10, 64); err != nil {
			return response{}, invalid("after", codeInvalidField, "this cursor is not from a timeline")
		}
	}
	entries, next, known, err := s.c.Backend.Timeline(ctx, r.user, after, limit)
	if err != nil {
		return response{}, err
	}
	if !known {
		return response{}, fail(http.StatusNotFound, engine.CodeUserNotFound, "no such user")
	}
	out := listJSON[entryJSON]{Items: make([]entryJSON, 0, len(entries))}
	if next != 0 {
		out.Next = strconv.FormatUint(next, 10)
	}
	for _, e := range entries {
		out.Items = append(out.Items, showEntry(e))
	}
	return ok(out)
}
