package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"carillon/engine"
)

var putEvent = halves{
	before: func(r *request) (engine.Call, error) {
		f, err := r.object()
		if err != nil {
			return engine.Call{}, err
		}
		e := readEvent(f, r.event)
		return engine.Call{UserID: r.user, Cmd: engine.Put(e)}, f.err()
	},
	behind: func(r *request, got engine.Reply, err error) (response, error) {
		e, err := reply[engine.EventReply](got, err)
		if err != nil {
			return response{}, err
		}
		return showPut(r, e), nil
	},
}

func showPut(r *request, got engine.EventReply) response {
	resp := response{status: http.StatusOK, body: r.show(eventJSON{CalendarEvent: *got.Event, unchanged: got.Unchanged, ignored: got.Ignored})}
	if got.Created {
		resp.status = http.StatusCreated
		if !r.ofBatch { // whose lines have no headers
			resp.location = pathUnder(r.user, "/events/", r.event)
		}
	}
	return resp
}

func (s *Server) getEvent(ctx context.Context, r *request) (response, error) {
	got, err := reply[engine.EventReply](s.c.Backend.Do(ctx, r.user, engine.GetEvent{ID: r.event}, "", 0))
	if err != nil {
		return response{}, err
	}
	return ok(r.show(eventJSON{CalendarEvent: *got.Event}))
}

type deletedJSON struct {
	EventID string `json:"event_id"`
	Deleted bool   `json:"deleted"`
	Ignored bool   `json:"ignored,omitempty"`
}

var deleteEvent = halves{
	before: func(r *request) (engine.Call, error) {
		c, err := readDelete(r)
		return engine.Call{UserID: r.user, Cmd: c}, err
	},
	behind: func(r *request, got engine.Reply, err error) (response, error) {
		e, err := reply[engine.EventReply](got, err)
		if err != nil {
			return response{}, err
		}
		return ok(deletedJSON{EventID: r.event, Deleted: !e.Ignored, Ignored: e.Ignored})
	},
}

// readDelete takes the version of the deletion from the query, so that one
// that comes late does not delete what is newer (C1).
func readDelete(r *request) (engine.DeleteEvent, error) {
	c := engine.DeleteEvent{ID: r.event}
	for _, name := range slices.Sorted(maps.Keys(r.query)) {
		if name != "version" && name != "updated_at" { // a mistyped version, or an empty one, would delete whatever is there
			return c, invalid(shorten(name), codeUnknownField, "a deletion may have version or updated_at")
		}
	}
	if r.query.Has("version") {
		n, err := strconv.ParseInt(r.query.Get("version"), 10, 64)
		if err != nil || n < 0 {
			return c, invalid("version", codeInvalidField, "a whole number is needed")
		}
		c.Version, c.HasVersion = n, true
	}
	if r.query.Has("updated_at") {
		at, err := parseInstant(r.query.Get("updated_at"))
		if err != nil {
			return c, invalid("updated_at", codeInvalidField, err.Error())
		}
		if c.HasVersion && c.Version != at {
			return c, invalid("updated_at", codeInvalidField, "give version or updated_at, not both")
		}
		c.Version, c.HasVersion = at, true
	}
	return c, nil
}

type syncJSON struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Deleted   int `json:"deleted"`
	Unchanged int `json:"unchanged"`
	Ignored   int `json:"ignored"`
}

// maxSynced is the most events of one full sync; the engine's own limit per
// user is usually lower.
const maxSynced = 20_000

func (s *Server) syncEvents(ctx context.Context, r *request) (response, error) {
	f, err := r.object()
	if err != nil {
		return response{}, err
	}
	c := readSync(f, maxSynced)
	if err := f.err(); err != nil {
		return response{}, err
	}
	n, err := reply[engine.SyncReply](s.c.Backend.Do(ctx, r.user, c, r.key, r.keyHash()))
	if err != nil {
		return response{}, err
	}
	return ok(syncJSON(n))
}
