package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"carillon/httpapi"
)

// raw writes bytes to a new connection and reads one response.
func (h *house) raw(request string) answer {
	h.t.Helper()
	c, err := h.dial()
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, request) //nolint:errcheck // the answer tells
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		h.t.Fatalf("no response: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{t: h.t, status: resp.StatusCode, header: resp.Header, raw: body}
}

// TestBodyTooLarge: 5 MB is 413 with a document that arrives, however it is
// sent; a full sync of the same size is read.
func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.ann()
	big := `{"title":"` + strings.Repeat("x", 5<<20) + `"}`
	h.call("PUT", "/v1/users/ann/events/e", big).problem(413, "body_too_large", "")
	h.call("PUT", "/v1/users/ann/events/e", big, "Expect: 100-continue").problem(413, "body_too_large", "")
	h.call("POST", "/v1/users/ann/events:sync", big).problem(422, "missing_field", "window")
	h.call("POST", "/v1/batch", strings.Repeat("x", 9<<20)).problem(413, "body_too_large", "")
	h.call("POST", "/v1/users/ann/events:sync", big, "Authorization: ").problem(401, "unauthorized", "")
	h.call("POST", "/nowhere", big).problem(404, "not_found", "")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://carillon/v1/users/ann/events/e", io.MultiReader(strings.NewReader(big)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer admin-key") // of unknown length: chunked
	resp, err := h.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	answer{t: t, status: resp.StatusCode, header: resp.Header, raw: body}.problem(413, "body_too_large", "")
	if h.fake.writes != 2 {
		t.Errorf("%d writes, want those of the two that made ann", h.fake.writes)
	}
}

// TestSlowBody: a body that does not come in time is 408, at its start and in
// its middle.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	for _, sent := range []int{0, 10, 20_000} {
		h := open(t, func(c *httpapi.Config) { c.ReadTimeout = 100 * time.Millisecond })
		h.raw("PUT /v1/users/ann HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer admin-key\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat(" ", sent)).
			problem(408, "request_timeout", "")
	}
}

// TestUnreadable: what is no request, or could be two, is refused.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const head = "PUT /v1/users/ann HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer admin-key\r\n"
	h.raw(head+"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").problem(400, "bad_request", "")
	h.raw(head+"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n").problem(400, "bad_request", "")
	h.raw(head+"X-Long: "+strings.Repeat("x", 20<<10)+"\r\n\r\n").problem(431, "header_too_large", "")
	// The answer does not wait for a body that nobody can measure.
	h.raw(head+"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nabcd").problem(400, "bad_request", "")
	h.call("PUT", "/v1/users/ann", `{"timezone":"UTC"}`, "Content-Encoding: gzip").problem(415, "unsupported_media_type", "")
	h.raw("nonsense\r\n\r\n").problem(400, "bad_request", "")
	if h.fake.writes != 0 {
		t.Errorf("%d writes", h.fake.writes)
	}
}

// TestBackup streams the store; an error before the first byte is a document,
// one after it breaks the stream so that the client notices.
func TestBackup(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fake.backup = func(w io.Writer) error {
		_, err := w.Write(bytes.Repeat([]byte("store"), 100_000))
		return err
	}
	if a := h.call("POST", "/v1/backup", "").is(200); len(a.raw) != 500_000 || a.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%d bytes of %s", len(a.raw), a.header.Get("Content-Type"))
	}

	h.fake.backup = func(io.Writer) error { return fault{"insufficient_storage", time.Minute} }
	h.call("POST", "/v1/backup", "").problem(507, "insufficient_storage", "")

	for _, end := range []func() error{func() error { return errors.New("disk gone") }, func() error { panic("disk gone") }} {
		h.fake.backup = func(w io.Writer) error {
			if _, err := w.Write(bytes.Repeat([]byte("store"), 100_000)); err != nil {
				return err
			}
			return end()
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://carillon/v1/backup", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer admin-key")
		resp, err := h.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("half a backup looks like a whole one")
		}
		resp.Body.Close()
	}
}

// TestBackupOfAClientThatLeaves: the backup is told, and ends.
func TestBackupOfAClientThatLeaves(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	ended := make(chan error, 1)
	h.fake.backup = func(w io.Writer) error {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				ended <- err
				return err
			}
		}
	}
	c, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "POST /v1/backup HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer admin-key\r\nContent-Length: 0\r\n\r\n")
	if _, err := io.ReadFull(c, make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the backup ended well")
		}
	case <-time.After(5 * time.Second):
		t.Error("the backup writes on")
	}
}

// TestShutdown: a request under way is answered, with its context alive; the
// listener is closed for others.
func TestShutdown(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	loadDocument(h) // before the server is gone, if no other test was first
	entered, leave := make(chan struct{}), make(chan struct{})
	h.fake.backup = func(w io.Writer) error {
		close(entered)
		<-leave
		_, err := w.Write([]byte("store"))
		return err
	}
	got := make(chan answer, 1)
	go func() { got <- h.call("POST", "/v1/backup", "") }()
	<-entered
	down := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		down <- h.server.Shutdown(ctx)
	}()
	for { // until the listener is closed
		c, err := h.dial()
		if err != nil {
			break
		}
		c.Close()
	}
	close(leave)
	if a := <-got; a.status != 200 || string(a.raw) != "store" {
		t.Errorf("the request under way got %d %s", a.status, a.raw)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
