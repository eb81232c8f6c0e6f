package httpapi_test

import (
	"strings"
	"testing"

	"carillon/engine"
	"carillon/httpapi"
)

// TestKeys: no key, an unknown key, and a scheme that is not Bearer are 401
// with a challenge.
func TestKeys(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for _, header := range []string{"Authorization: ", "Authorization: Bearer nonsense", "Authorization: Basic YTpi", "Authorization: Bearer", "Authorization: admin-key"} {
		a := h.call("GET", "/v1/users", "", header).problem(401, "unauthorized", "")
		if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer realm="carillon"`) {
			t.Errorf("%s: WWW-Authenticate is %q", header, a.header.Get("WWW-Authenticate"))
		}
	}
	h.call("GET", "/v1/users", "", "Authorization: bearer read-key").is(200)
}

// TestKeyWhileRecovering: before the keys are known, nobody is told that
// theirs is wrong.
func TestKeyWhileRecovering(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fake.notReady = "recovering"
	a := h.call("GET", "/v1/users", "").problem(503, "recovering", "")
	if a.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	h.call("GET", "/v1/users", "", "Authorization: ").problem(401, "unauthorized", "")
	h.call("GET", "/healthz", "", "Authorization: ").is(200).has("status", "ok")
	h.call("GET", "/readyz", "", "Authorization: ").is(503).has("ready", false).has("why", "recovering")
	h.fake.notReady = ""
	h.call("GET", "/readyz", "", "Authorization: ").is(200).has("ready", true)
}

// TestRoles: reading takes read, writing write; attesting, pausing, backup
// and erasing take admin.
func TestRoles(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	const ann = "/v1/users/ann"
	cases := []struct {
		method, path, body string
		least              string
	}{
		{"GET", ann, "", "read"},
		{"GET", "/v1/users", "", "read"},
		{"GET", "/v1/stats", "", "read"},
		{"GET", ann + "/reminders", "", "read"},
		{"GET", ann + "/timeline", "", "read"},
		{"GET", ann + "/plan", "", "read"},
		{"PUT", ann, `{"timezone":"UTC"}`, "write"},
		{"PATCH", ann, `{}`, "write"},
		{"POST", ann + "/opt-out", "", "write"},
		{"POST", ann + "/opt-in", "", "write"},
		{"POST", ann + "/pause", "", "write"},
		{"POST", ann + "/resume", "", "write"},
		{"POST", ann + "/events:sync", syncOf(""), "write"},
		{"POST", "/v1/batch", `{"method":"PATCH","path":"/v1/users/ann","body":{}}`, "write"},
		{"POST", ann + "/phone/attest", `{"phone_number":"+4915112345678"}`, "admin"},
		{"POST", "/v1/pause", "", "admin"},
		{"POST", "/v1/resume", "", "admin"},
		{"POST", "/v1/backup", "", "admin"},
		{"DELETE", ann, "", "admin"},
	}
	roles := []string{"read", "write", "admin"}
	for _, c := range cases {
		allowed := false
		for _, role := range roles {
			allowed = allowed || role == c.least
			headers := []string{"Authorization: Bearer " + role + "-key"}
			if c.path == "/v1/batch" {
				headers = append(headers, "Content-Type: application/x-ndjson")
			}
			a := h.call(c.method, c.path, c.body, headers...)
			if allowed {
				a.is(200)
				continue
			}
			a.problem(403, "forbidden", "")
		}
	}
}

// TestContentType: what is not JSON is refused where JSON is expected; none
// at all is taken for JSON, and so is what curl -d says unasked.
func TestContentType(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const path, body = "/v1/users/ann", `{"timezone":"UTC"}`
	for _, kind := range []string{"text/plain", "multipart/form-data; boundary=x", "application/jsonp"} {
		h.call("PUT", path, body, "Content-Type: "+kind).problem(415, "unsupported_media_type", "")
	}
	for _, kind := range []string{"", "application/json", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "Application/JSON"} {
		if a := h.call("PUT", path, body, "Content-Type: "+kind); a.status != 200 && a.status != 201 {
			t.Errorf("%q: status %d", kind, a.status)
		}
	}
	h.call("PATCH", path, `{}`, "Content-Type: application/merge-patch+json").is(200)
	h.call("POST", "/v1/users/ann/opt-out", "", "Content-Type: application/x-www-form-urlencoded").is(200)
	h.call("POST", "/v1/batch", "x", "Content-Type: text/html").problem(415, "unsupported_media_type", "")
}

// TestMethods: what a path takes instead is in Allow.
func TestMethods(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	a := h.call("POST", "/v1/users/ann", "").problem(405, "method_not_allowed", "")
	if got := a.header.Get("Allow"); got != "DELETE, GET, HEAD, PATCH, PUT" {
		t.Errorf("Allow is %q", got)
	}
	a = h.call("GET", "/v1/users/ann/events:sync", "").problem(405, "method_not_allowed", "")
	if got := a.header.Get("Allow"); got != "POST" {
		t.Errorf("Allow is %q", got)
	}
	h.call("OPTIONS", "/v1/users/ann", "").problem(405, "method_not_allowed", "")
	if a := h.call("HEAD", "/healthz", "").is(200); len(a.raw) != 0 {
		t.Errorf("HEAD has a body: %s", a.raw)
	}
}

// TestRequestID: a caller's id comes back, a bad one is replaced.
func TestRequestID(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.NewID = func() string { return "made" } })
	for given, want := range map[string]string{"abc-1": "abc-1", "": "made", strings.Repeat("x", 129): "made", "a b": "made"} {
		if got := h.call("GET", "/healthz", "", "X-Request-Id: "+given).header.Get("X-Request-Id"); got != want {
			t.Errorf("%q comes back as %q", given, got)
		}
	}
}

// TestLogsAreQuiet: neither numbers nor texts nor keys get into the log.
func TestLogsAreQuiet(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	h.call("PUT", "/v1/users/ann/events/e", `{"title":"Secret dinner","start":"2026-03-02T10:00:00Z"}`).is(201)
	h.fake.trip = func(string, engine.Command) error { return fault{"internal", 0} }
	h.call("PUT", "/v1/users/ann/events/e", `{"title":"Secret dinner","start":"2026-03-02T10:00:00Z"}`).problem(500, "internal", "")
	for _, secret := range []string{"Secret", "49151", "admin-key"} {
		if strings.Contains(h.logs.String(), secret) {
			t.Errorf("the log has %q: %s", secret, h.logs)
		}
	}
}
