package httpapi_test

import (
	"strings"
	"testing"

	"carillon/httpapi"
)

type outbox []map[string]any

func (o outbox) Messages(limit int) any { return o[:min(limit, len(o))] }

// After numbers the texts from 1, the last of the list first.
func (o outbox) After(seq uint64, limit int) any {
	out := outbox{}
	for n := int(seq); n < len(o) && len(out) < limit; n++ {
		out = append(out, o[len(o)-1-n])
	}
	return out
}

// TestSandbox: the outbox takes a key unless it was opened; the page has
// nothing to protect.
func TestSandbox(t *testing.T) {
	t.Parallel()
	messages := outbox{{"text": "two"}, {"text": "one"}}
	h := open(t, func(c *httpapi.Config) { c.Outbox = messages })
	h.call("GET", "/sandbox/outbox", "", "Authorization: ").problem(401, "unauthorized", "")
	h.call("GET", "/sandbox/outbox", "", "Authorization: Bearer read-key").is(200).has("items.0.text", "two")
	h.call("GET", "/sandbox/outbox?limit=0", "").problem(422, "invalid_field", "limit")
	if items := h.call("GET", "/sandbox/outbox?limit=1", "").is(200).json()["items"].([]any); len(items) != 1 {
		t.Errorf("%d items", len(items))
	}
	h.call("GET", "/sandbox/outbox?after=0", "").is(200).has("items.0.text", "one").has("items.1.text", "two")
	h.call("GET", "/sandbox/outbox?after=1", "").is(200).has("items.0.text", "two")
	h.call("GET", "/sandbox/outbox?after=-1", "").problem(422, "invalid_field", "after")
	page := h.call("GET", "/sandbox", "", "Authorization: ").is(200)
	if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || page.header.Get("Content-Security-Policy") == "" || !strings.Contains(string(page.raw), "sandbox/outbox") {
		t.Errorf("the page is %v %s", page.header, page.raw)
	}

	h = open(t, func(c *httpapi.Config) { c.Outbox, c.OpenOutbox = messages, true })
	h.call("GET", "/sandbox/outbox", "", "Authorization: ").is(200).has("items.1.text", "one")

	h = open(t, nil)
	h.call("GET", "/sandbox", "").problem(404, "not_found", "")
	h.call("GET", "/sandbox/outbox", "").problem(404, "not_found", "")
}
