package httpapi_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"carillon/engine"
	"carillon/httpapi"
)

const changesSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// seal is a Seal of a few lines around the reference library, which reads the
// machine's clock: the time is checked here.
type seal struct{}

var errSeal = errors.New("this does not hold")

func (seal) Verify(id, timestamp, signature string, body []byte, now int64) error {
	s, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now/1000-s > 300 || s-now/1000 > 300 || id == "" || signature != signed(id, s, string(body)) {
		return errSeal
	}
	return nil
}

func signed(id string, at int64, body string) string {
	w, err := standardwebhooks.NewWebhook(changesSecret)
	if err != nil {
		panic(err)
	}
	s, err := w.Sign(id, time.Unix(at, 0), []byte(body))
	if err != nil {
		panic(err)
	}
	return s
}

func sealed(t *testing.T) *house {
	t.Helper()
	return open(t, func(c *httpapi.Config) { c.Seal = seal{} })
}

// changes posts a body as a calendar integration would.
func (h *house) changes(id, body string) answer {
	h.t.Helper()
	at := h.fake.now / 1000
	return h.call("POST", "/webhooks/calendar", body, "Authorization: ", "webhook-id: "+id,
		fmt.Sprint("webhook-timestamp: ", at), "webhook-signature: "+signed(id, at, body))
}

func done(applied, unchanged, ignored, unknown int) string {
	return fmt.Sprintf(`{"applied":%d,"unchanged":%d,"ignored":%d,"unknown":%d,"refused":[]}`, applied, unchanged, ignored, unknown)
}

// TestCalendarChanges: events come and go by webhook as by PUT and DELETE, in
// their order, once, and by their versions (C1).
func TestCalendarChanges(t *testing.T) {
	t.Parallel()
	h := sealed(t)
	h.ann()
	post := func(id, body, want string) {
		t.Helper()
		if got := string(h.changes(id, body).is(200).raw); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	event := func(title string, version int) string {
		return fmt.Sprintf(`{"user_id":"ann","event":{"event_id":"e1","title":%q,"start":"2026-03-02T12:00:00Z","version":%d}}`, title, version)
	}
	post("1", `{"type":"calendar.changed","timestamp":"2026-03-02T07:00:00Z","changes":[`+event("Standup", 1)+`,
		{"user_id":"nobody","event":{"event_id":"e1","start":"2026-03-02T12:00:00Z"}}]}`, done(1, 0, 0, 1))
	h.call("GET", "/v1/users/ann/events/e1", "").is(200).has("title", "Standup")
	h.call("GET", "/v1/users/ann/reminders", "").is(200).has("items.0.scheduled_for", "2026-03-02T11:45:00Z").has("items.0.status", "scheduled")
	post("2", `{"changes":[`+event("Standup", 1)+`,`+event("Retro", 2)+`,`+event("Old", 1)+`]}`, done(1, 1, 1, 0))
	h.call("GET", "/v1/users/ann/events/e1", "").is(200).has("title", "Retro")
	post("3", `{"changes":[{"user_id":"ann","deleted":"e1","version":1}]}`, done(0, 0, 1, 0))
	post("4", `{"changes":[{"user_id":"ann","deleted":"e1","version":3},{"user_id":"ann","deleted":"e0"}]}`, done(1, 1, 0, 0))
	h.call("GET", "/v1/users/ann/events/e1", "").is(404)
	h.call("GET", "/v1/users/ann/reminders", "").is(200).has("items.0.status", "cancelled").has("items.0.reason", "event_deleted")
	post("5", `{"changes":[`+event("Late", 2)+`]}`, done(0, 0, 1, 0))
	post("6", `{"changes":[]}`, done(0, 0, 0, 0))
	metrics := string(h.call("GET", "/metrics", "").is(200).raw)
	if want := `carillon_callbacks_unknown_total{kind="calendar"} 1`; !strings.Contains(metrics, want) {
		t.Errorf("there is no %s", want)
	}
}

// TestChangesWithoutVersionHappenOnce: an old webhook that is posted again
// does not take back what came after it, and its id can't be used for another.
func TestChangesWithoutVersionHappenOnce(t *testing.T) {
	t.Parallel()
	h := sealed(t)
	h.ann()
	body := func(title string) string {
		return fmt.Sprintf(`{"changes":[{"user_id":"ann","event":{"event_id":"e1","title":%q,"start":"2026-03-02T12:00:00Z"}}]}`, title)
	}
	h.changes("1", body("First")).is(200).has("applied", 1.0)
	h.changes("2", body("Second")).is(200).has("applied", 1.0)
	h.fake.now += 3_600_000
	h.changes("1", body("First")).is(200).has("applied", 0.0).has("unchanged", 1.0)
	h.call("GET", "/v1/users/ann/events/e1", "").is(200).has("title", "Second")
	h.changes("1", body("Third")).is(200).has("applied", 0.0).has("refused.0.code", engine.CodeIdempotencyReused).has("refused.0.index", 0.0)
}

// TestChangesAreRefused: whoever can't sign is 403, and nothing of a body that
// has a fault is done.
func TestChangesAreRefused(t *testing.T) {
	t.Parallel()
	h := sealed(t)
	h.ann()
	const good = `{"changes":[{"user_id":"ann","event":{"event_id":"e1","start":"2026-03-02T12:00:00Z"}}]}`
	at := h.fake.now / 1000
	for name, headers := range map[string][]string{
		"no signature":      {"webhook-id: 1", fmt.Sprint("webhook-timestamp: ", at)},
		"another body's":    {"webhook-id: 1", fmt.Sprint("webhook-timestamp: ", at), "webhook-signature: " + signed("1", at, good+" ")},
		"ten minutes old":   {"webhook-id: 1", fmt.Sprint("webhook-timestamp: ", at-600), "webhook-signature: " + signed("1", at-600, good)},
		"only an API key's": {"Authorization: Bearer admin-key"},
	} {
		if a := h.call("POST", "/webhooks/calendar", good, headers...); a.status != 403 || a.at("code") != "invalid_signature" {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	for body, field := range map[string]string{
		`{}`:                         "changes",
		`{"changes":[7]}`:            "changes[0]",
		`{"changes":[{"event":{}}]}`: "changes[0].user_id",
		`{"changes":[{"user_id":"!keys","deleted":"e"}]}`:                                                       "changes[0].user_id",
		`{"changes":[{"user_id":"ann"}]}`:                                                                       "changes[0].event",
		`{"changes":[{"user_id":"ann","deleted":"a/b"}]}`:                                                       "changes[0].deleted",
		`{"changes":[{"user_id":"ann","deleted":"e","event":{"event_id":"e","start":"2026-03-02T12:00:00Z"}}]}`: "changes[0].deleted",
		`{"changes":[{"user_id":"ann","deleted":"e","version":-1}]}`:                                            "changes[0].version",
		`{"changes":[{"user_id":"ann","event":{"start":"2026-03-02T12:00:00Z"}}]}`:                              "changes[0].event.event_id",
		`{"changes":[{"user_id":"ann","event":{"event_id":"e1","start":"2026-03-02T12:00:00Z"}},{"user_id":"ann","event":{"event_id":"e2","start":"soon"}}]}`: "changes[1].event.start",
		`{"changes":[{"user_id":"ann","deleted":"e","why":"?"}]}`: "changes[0].why",
		`{"changes":[],"more":1}`:                                 "more",
	} {
		if a := h.changes("1", body); a.status != 422 || a.at("field") != field {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.raw, field)
		}
	}
	h.changes("1", `{"changes":`).problem(400, "invalid_json", "")
	h.changes(strings.Repeat("x", 201), good).problem(400, "invalid_field", "")
	h.call("GET", "/v1/users/ann/events/e1", "").is(404)
	if got := open(t, nil).changes("1", good); got.status != 404 {
		t.Errorf("without a secret: %d", got.status)
	}
}

// TestChangesComeAgainAfterAFault: what the journal could not take is 503, and
// the same webhook again does what is missing.
func TestChangesComeAgainAfterAFault(t *testing.T) {
	t.Parallel()
	h := sealed(t)
	h.ann()
	h.fake.trip = func(_ string, cmd engine.Command) error {
		if put, ok := cmd.(engine.PutEvent); ok && put.Event.ID == "e2" {
			return fault{"insufficient_storage", time.Minute}
		}
		return nil
	}
	var list []string
	for i := range 3 {
		list = append(list, fmt.Sprintf(`{"user_id":"ann","event":{"event_id":"e%d","start":"2026-03-02T12:00:00Z"}}`, i))
	}
	body := `{"changes":[` + strings.Join(list, ",") + `]}`
	if a := h.changes("1", body).problem(503, "insufficient_storage", ""); a.header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	h.fake.trip = nil
	h.changes("1", body).is(200).has("applied", 1.0).has("unchanged", 2.0)
}
