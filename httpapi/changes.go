package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"carillon/engine"
)

// maxChanges is the most changes of one webhook.
const maxChanges = 1000

// changesJSON counts what a webhook did.
type changesJSON struct {
	Applied   int           `json:"applied"`
	Unchanged int           `json:"unchanged"` // there already, or gone already
	Ignored   int           `json:"ignored"`   // older than what is stored
	Unknown   int           `json:"unknown"`   // of users that there are not
	Refused   []refusedJSON `json:"refused"`
}

// refusedJSON is a change that the engine does not take. To post it again
// would not help.
type refusedJSON struct {
	Index  int    `json:"index"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// calendarChanges takes normalised changes from a calendar integration. It is
// answered 2xx when the journal has them, and 503 if one of them could not be
// carried out for a fault of ours: to post all of it again is harmless, since
// each change is known by its event's version, or else by webhook-id and place.
func (s *Server) calendarChanges(ctx context.Context, r *request) (response, error) {
	if s.c.Seal == nil {
		return response{}, fail(http.StatusNotFound, codeNotFound, "no secret for webhooks is configured")
	}
	w := r.webhook
	if err := s.c.Seal.Verify(w.id, w.timestamp, w.signature, r.body, s.c.Now()); err != nil {
		return response{}, fail(http.StatusForbidden, codeBadSignature, err.Error())
	}
	if len(w.id) > maxWebhookID {
		return response{}, fail(http.StatusBadRequest, codeInvalidField, fmt.Sprintf("webhook-id is at most %d bytes", maxWebhookID))
	}
	f, err := r.object()
	if err != nil {
		return response{}, err
	}
	changes := readChanges(f, w.id)
	if err := f.err(); err != nil {
		return response{}, err
	}
	s.apply(ctx, changes)
	return s.applied(changes)
}

// maxWebhookID leaves room for the place in an Idempotency-Key.
const maxWebhookID = 200

// readChanges reads all of it before anything is done. type and timestamp are
// Standard Webhooks' own, and say nothing more.
func readChanges(f *fields, id string) []engine.Call {
	f.text("type", 128)
	f.instant("timestamp")
	list, ok := f.list("changes", maxChanges)
	if !ok {
		f.need("changes", "a list of changes is needed")
	}
	var out []engine.Call
	for i := range list {
		name, v := fmt.Sprintf("changes[%d]", i), &list[i].value
		if v.kind != isObject {
			f.fail(name, codeInvalidField, "an object is needed, not "+kindOf(v))
			continue
		}
		c := readChange(newFields(f.path+name+".", v.kids, f.bad))
		if c.Key != "" {
			c.Key = "webhook " + id + "#" + strconv.Itoa(i)
		}
		out = append(out, c)
	}
	f.done()
	return out
}

// readChange reads one: an event as PUT takes it, or the id of a deleted one,
// with the version of the deletion if there is one.
func readChange(f *fields) engine.Call {
	var c engine.Call
	user, ok := f.text("user_id", maxUserID)
	switch {
	case !ok:
		f.need("user_id", "whose calendar changed is needed")
	case !goodID(user, maxUserID) || reservedUser(user):
		f.fail("user_id", codeInvalidField, idRule(maxUserID))
	}
	c.UserID = user
	deleted, gone := f.text("deleted", maxEventID)
	event, there := f.object("event")
	versioned := false
	switch {
	case gone && there:
		f.fail("deleted", codeInvalidField, "give event or deleted, not both")
	case there:
		e := readEvent(event, "")
		c.Cmd, versioned = engine.Put(e), e.HasVersion
	case gone:
		if !goodID(deleted, maxEventID) {
			f.fail("deleted", codeInvalidField, idRule(maxEventID))
		}
		var e engine.CalendarEvent
		f.version(&e)
		c.Cmd, versioned = engine.DeleteEvent{ID: deleted, Version: e.Version, HasVersion: e.HasVersion}, e.HasVersion
	default:
		f.need("event", "event, or deleted with an event's id, is needed")
	}
	f.done()
	if !versioned {
		c.Key = "to be named"
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %+v", c.UserID, c.Cmd))
		c.KeyHash = binary.BigEndian.Uint64(sum[:])
	}
	return c
}

// apply carries out the changes, those of a user in their order.
func (s *Server) apply(ctx context.Context, changes []engine.Call) {
	for some := range slices.Chunk(changes, maxAtATime) {
		s.c.Backend.DoAll(ctx, some)
	}
}

// applied counts what became of the changes.
func (s *Server) applied(changes []engine.Call) (response, error) {
	out := changesJSON{Refused: []refusedJSON{}}
	for i := range changes {
		c := &changes[i]
		if c.Err != nil {
			p, known := problemOf(c.Err, true)
			if p.Code == codeQuarantined {
				out.Refused = append(out.Refused, refusedJSON{Index: i, Code: p.Code, Detail: p.Detail})
				continue
			}
			if !known {
				s.c.Logger.Error("calendar webhook failed", slog.String("cause", c.Err.Error()))
			}
			return unavailable(p)
		}
		s.countChange(&out, i, c)
	}
	return ok(out)
}

func (s *Server) countChange(out *changesJSON, i int, c *engine.Call) {
	switch got := c.Reply.(type) { //nolint:gochecksumtype // what PutEvent and DeleteEvent can answer
	case engine.EventReply:
		switch {
		case got.Ignored:
			out.Ignored++
		case got.Unchanged:
			out.Unchanged++
		default:
			out.Applied++
		}
	case engine.Refusal:
		switch got.Code {
		case engine.CodeUserNotFound:
			out.Unknown++
			s.metrics.unknown.WithLabelValues("calendar").Inc()
		case engine.CodeEventNotFound:
			out.Unchanged++
		default:
			out.Refused = append(out.Refused, refusedJSON{Index: i, Code: got.Code, Field: got.Field, Detail: got.Detail})
		}
	default: // the same webhook-id and place: it was done before
		out.Unchanged++
	}
}
