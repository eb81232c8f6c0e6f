package httpapi

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Longest ids, in bytes.
const (
	maxUserID  = 128
	maxEventID = 512
)

// Sizes of pages.
const (
	defaultPage = 50
	maxPage     = 500
)

// request is one request, with nothing in it that belongs to fasthttp: its
// buffers are used again when the handler returns. A line of a batch is a
// request like any other.
type request struct {
	method      string
	uri         string // as it came, with its query: signatures are over it
	path        string // of uri
	ids         segments
	user        string
	event       string
	reminder    string
	calendar    string
	query       url.Values
	contentType string
	signature   string // X-Twilio-Signature
	webhook     webhookHeader
	channel     channelHeader
	key         string // Idempotency-Key; POST only
	role        Role
	offered     bool // some Authorization came
	body        []byte
	parsed      *value // body, if it was read as part of a batch's line
	ofBatch     bool   // it is such a line

	whole bool      // body was read to its end
	room  []byte    // for the body of the next request
	kids  []member  // room for what the body holds
	form  fields    // room for reading it
	shown eventJSON // room for the answer
	lines *lines    // of a batch
}

// keepRoom is the most that a request keeps for the next one, in bytes.
const keepRoom = 32 << 10

// rest forgets the request, and keeps its room.
func (r *request) rest() {
	room, kids := r.room, r.kids
	if cap(room) > keepRoom {
		room = nil
	}
	if cap(kids) > keepOpen {
		kids = nil
	}
	clear(kids)
	if r.lines != nil {
		r.lines.rest()
	}
	*r = request{room: room, kids: kids[:0]}
}

// show keeps an event for the answer, in the request's own room.
func (r *request) show(e eventJSON) *eventJSON {
	r.shown = e
	return &r.shown
}

// webhookHeader is what Standard Webhooks signs with.
type webhookHeader struct{ id, timestamp, signature string }

// channelHeader is what Google names a changed calendar with (Calendar API,
// "Push notifications").
type channelHeader struct{ id, token, state string }

// response is what a handler answers. One of body, raw and stream is set, or
// none.
type response struct {
	status      int
	contentType string // of raw, stream and a batch; JSON otherwise
	body        any
	raw         []byte
	stream      io.Reader // ends the connection if it fails
	location    string
	retryAfter  time.Duration
	allow       string
	challenge   string
	policy      string // Content-Security-Policy
}

func ok(body any) (response, error) { return response{status: http.StatusOK, body: body}, nil }

var errQuery = errors.New("the query can't be read: name=value with & between, other characters as %XX")

// splitURI parts path and query, both as they came.
func (r *request) splitURI() error {
	path, query, _ := strings.Cut(r.uri, "?")
	r.path = path
	if query == "" {
		return nil
	}
	var err error
	if r.query, err = url.ParseQuery(query); err != nil {
		return errQuery
	}
	return nil
}

// decodeID decodes a path segment, and refuses what can't be an id.
func decodeID(field, segment string, limit int) (string, error) {
	id, err := url.PathUnescape(segment)
	if err != nil || !goodID(id, limit) || field == "user_id" && reservedUser(id) {
		return "", invalid(field, codeInvalidField, idRule(limit))
	}
	return id, nil
}

// goodID reports whether that is 1 to limit bytes of printable characters
// without a slash.
func goodID(id string, limit int) bool {
	if id == "" || len(id) > limit || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if r == '/' || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// reservedUser reports ids that the store uses for itself.
func reservedUser(id string) bool { return strings.HasPrefix(id, "!") }

func idRule(limit int) string {
	return "ids are 1 to " + strconv.Itoa(limit) + " bytes of printable characters without a slash; a user's does not begin with an exclamation mark"
}

// page reads the limit of a list.
func (r *request) page() (int, error) {
	s := r.query.Get("limit")
	if s == "" {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxPage {
		return 0, invalid("limit", codeInvalidField, "a page has 1 to 500 items")
	}
	return n, nil
}

// keyHash tells requests under one Idempotency-Key apart.
func (r *request) keyHash() uint64 {
	if r.key == "" {
		return 0
	}
	h := sha256.New()
	for _, part := range []string{r.method, r.path} {
		io.WriteString(h, part+"\n") //nolint:errcheck // a hash takes everything
	}
	h.Write(r.body)
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// checkKey refuses an Idempotency-Key that could not be kept.
func checkKey(key string) error {
	bad := len(key) > 255
	for i := range len(key) {
		bad = bad || key[i] < 0x20 || key[i] > 0x7e
	}
	if bad {
		return invalid("Idempotency-Key", codeInvalidField, "a key is 1 to 255 printable ASCII characters")
	}
	return nil
}

// object reads a body that must be there.
func (r *request) object() (*fields, error) {
	if r.parsed != nil {
		return &r.form, r.form.of(r.parsed)
	}
	return &r.form, r.form.read(r.body, &r.kids)
}

// optionalObject reads a body that may be left out.
func (r *request) optionalObject() (*fields, error) {
	if len(strings.TrimSpace(string(r.body))) == 0 {
		return newFields("", nil, nil), nil
	}
	return r.object()
}

// nothing refuses every field of a body that says nothing.
func (r *request) nothing() error {
	f, err := r.optionalObject()
	if err != nil {
		return err
	}
	f.done()
	return f.err()
}

// isJSON reports whether a Content-Type says JSON; none at all is taken for
// it, and so is the form's that curl -d puts there unasked.
func isJSON(contentType string) bool {
	if contentType == jsonType {
		return true
	}
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "" || kind == "application/json" || kind == "text/json" || kind == "application/x-www-form-urlencoded" ||
		strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}

// isNDJSON reports whether a Content-Type can be a batch's.
func isNDJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "text/plain":
		return true
	}
	return isJSON(contentType)
}
