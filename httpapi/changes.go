package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"carillon/engine"
)

// maxChanges is the most changes of one webhook.
const maxChanges = 1000

// change is one change of one person's calendar.
type change struct {
	user string
	cmd  engine.Command // PutEvent or DeleteEvent
	key  string         // under which it is done once; empty: its version says so
	hash uint64
	err  error
	got  engine.Reply
}

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
func readChanges(f *fields, id string) []*change {
	f.text("type", 128)
	f.instant("timestamp")
	list, ok := f.list("changes", maxChanges)
	if !ok {
		f.need("changes", "a list of changes is needed")
	}
	var out []*change
	for i := range list {
		name, v := fmt.Sprintf("changes[%d]", i), &list[i].value
		if v.kind != isObject {
			f.fail(name, codeInvalidField, "an object is needed, not "+kindOf(v))
			continue
		}
		c := readChange(newFields(f.path+name+".", v.kids, f.bad))
		if c.key != "" {
			c.key = "webhook " + id + "#" + strconv.Itoa(i)
		}
		out = append(out, c)
	}
	f.done()
	return out
}

// readChange reads one: an event as PUT takes it, or the id of a deleted one,
// with the version of the deletion if there is one.
func readChange(f *fields) *change {
	c := &change{}
	user, ok := f.text("user_id", maxUserID)
	switch {
	case !ok:
		f.need("user_id", "whose calendar changed is needed")
	case !goodID(user, maxUserID) || reservedUser(user):
		f.fail("user_id", codeInvalidField, idRule(maxUserID))
	}
	c.user = user
	deleted, gone := f.text("deleted", maxEventID)
	event, there := f.object("event")
	versioned := false
	switch {
	case gone && there:
		f.fail("deleted", codeInvalidField, "give event or deleted, not both")
	case there:
		e := readEvent(event, "")
		c.cmd, versioned = engine.PutEvent{Event: e}, e.HasVersion
	case gone:
		if !goodID(deleted, maxEventID) {
			f.fail("deleted", codeInvalidField, idRule(maxEventID))
		}
		var e engine.CalendarEvent
		f.version(&e)
		c.cmd, versioned = engine.DeleteEvent{ID: deleted, Version: e.Version, HasVersion: e.HasVersion}, e.HasVersion
	default:
		f.need("event", "event, or deleted with an event's id, is needed")
	}
	f.done()
	if !versioned {
		c.key = "to be named"
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %+v", c.user, c.cmd))
		c.hash = binary.BigEndian.Uint64(sum[:])
	}
	return c
}

// apply carries out the changes: those of a user in their order, those of
// different users at the same time.
func (s *Server) apply(ctx context.Context, changes []*change) {
	var order []string
	byUser := map[string][]*change{}
	for _, c := range changes {
		if byUser[c.user] == nil {
			order = append(order, c.user)
		}
		byUser[c.user] = append(byUser[c.user], c)
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(batchWorkers, len(order)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(order)); i = next.Add(1) - 1 {
				for _, c := range byUser[order[i]] {
					c.got, c.err = s.c.Backend.Do(ctx, c.user, c.cmd, c.key, c.hash)
				}
			}
		})
	}
	wg.Wait()
}

// applied counts what became of the changes.
func (s *Server) applied(changes []*change) (response, error) {
	out := changesJSON{Refused: []refusedJSON{}}
	for i, c := range changes {
		if c.err != nil {
			p, known := problemOf(c.err, true)
			if p.Code == codeQuarantined {
				out.Refused = append(out.Refused, refusedJSON{Index: i, Code: p.Code, Detail: p.Detail})
				continue
			}
			if !known {
				s.c.Logger.Error("calendar webhook failed", slog.String("cause", c.err.Error()))
			}
			return unavailable(p)
		}
		s.countChange(&out, i, c)
	}
	return ok(out)
}

func (s *Server) countChange(out *changesJSON, i int, c *change) {
	switch got := c.got.(type) { //nolint:gochecksumtype // what PutEvent and DeleteEvent can answer
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
