package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// maxTries is how often a request that the engine was too busy for is sent.
// All of ours may be repeated.
const maxTries = 20

// callTimeout is how long one call may take.
const callTimeout = time.Minute

// client speaks to the engine.
type client struct {
	url, key string
	http     fasthttp.Client

	mu      sync.Mutex
	errs    map[string]int // what went wrong for good, by class
	samples []string
	retried int // lines that were sent again
}

func newClient(c *Config) *client {
	return &client{
		url: trimSlash(c.URL), key: c.Key, errs: map[string]int{},
		http: fasthttp.Client{MaxConnsPerHost: c.Callers + 8, ReadTimeout: callTimeout, WriteTimeout: callTimeout, MaxResponseBodySize: 64 << 20},
	}
}

func trimSlash(s string) string {
	for len(s) > 0 && s[len(s)-1] == '/' {
		s = s[:len(s)-1]
	}
	return s
}

// maxSamples is how many errors are shown in full.
const maxSamples = 10

// count notes errors of a class.
func (c *client) count(class string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs[class] += n
}

// fail notes errors of a class; sample is one of them.
func (c *client) fail(class string, n int, sample string) {
	c.count(class, n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.samples) < maxSamples {
		c.samples = append(c.samples, class+": "+sample)
	}
}

func (c *client) again(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retried += n
}

// call sends one request and returns status and a copy of the body.
func (c *client) call(method, path, contentType string, body []byte) (status int, answer []byte, err error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(c.url + path)
	req.Header.SetMethod(method)
	req.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil {
		req.Header.SetContentType(contentType)
		req.SetBodyRaw(body)
	}
	if err := c.http.DoTimeout(req, resp, callTimeout); err != nil {
		return 0, nil, err
	}
	return resp.StatusCode(), append([]byte(nil), resp.Body()...), nil
}

// do sends one request that must be answered with a 2xx.
func (c *client) do(method, path, body string) ([]byte, error) {
	var raw []byte
	if body != "" {
		raw = []byte(body)
	}
	status, answer, err := c.call(method, path, "application/json", raw)
	if err == nil && status >= 300 {
		err = fmt.Errorf("%d %s", status, problemOf(answer))
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}

// problemOf is the engine's word in an answer that is none of success.
func problemOf(answer []byte) string {
	var p struct{ Code, Detail string }
	if json.Unmarshal(answer, &p) == nil && p.Code != "" {
		return p.Code + ": " + p.Detail
	}
	return string(answer[:min(len(answer), 200)])
}

// batch carries out lines, the busy ones again and again, and returns how many
// were taken.
func (c *client) batch(ctx context.Context, lines []string) (taken int) {
	var why string
	for try := range maxTries {
		if try > 0 {
			c.again(len(lines))
		}
		done, rest, wait, cause := c.try(lines)
		taken += done
		if len(rest) == 0 {
			return taken
		}
		lines, why = rest, cause
		select {
		case <-ctx.Done():
			return taken
		case <-time.After(max(wait, time.Duration(try+1)*50*time.Millisecond)):
		}
	}
	c.fail("gave_up", len(lines), fmt.Sprintf("after %d tries: %s", maxTries, why))
	return taken
}

// maxWait bounds what the engine may ask us to wait.
const maxWait = 5 * time.Second

// try sends lines once. rest are those to be sent again.
func (c *client) try(lines []string) (done int, rest []string, wait time.Duration, why string) {
	var body bytes.Buffer
	for _, l := range lines {
		body.WriteString(l)
		body.WriteByte('\n')
	}
	status, answer, err := c.call("POST", "/v1/batch", "application/x-ndjson", body.Bytes())
	switch {
	case err != nil:
		return 0, lines, time.Second, transport(err)
	case busy(status):
		return 0, lines, time.Second, "HTTP " + strconv.Itoa(status)
	case status != fasthttp.StatusOK:
		c.fail("http_"+strconv.Itoa(status), len(lines), problemOf(answer))
		return 0, nil, 0, ""
	}
	return c.results(lines, answer)
}

// results reads the answers to lines, one line each.
func (c *client) results(lines []string, answer []byte) (done int, rest []string, wait time.Duration, why string) {
	results := bytes.Split(bytes.TrimSpace(answer), []byte{'\n'})
	if len(results) != len(lines) {
		c.fail("answers", len(lines), fmt.Sprintf("%d lines were answered with %d", len(lines), len(results)))
		return 0, nil, 0, ""
	}
	for i, text := range results {
		var r struct {
			Status     int             `json:"status"`
			Body       json.RawMessage `json:"body"`
			RetryAfter int             `json:"retry_after"`
		}
		switch err := json.Unmarshal(text, &r); {
		case err != nil:
			c.fail("answers", 1, err.Error())
		case r.Status < 300:
			done++
		case busy(r.Status):
			rest = append(rest, lines[i])
			wait, why = min(max(wait, time.Duration(r.RetryAfter)*time.Second), maxWait), problemOf(r.Body)
		default:
			c.fail("http_"+strconv.Itoa(r.Status), 1, problemOf(r.Body)+" ← "+lines[i])
		}
	}
	return done, rest, wait, why
}

// busy are the answers that ask to come again.
func busy(status int) bool {
	return status == fasthttp.StatusServiceUnavailable || status == fasthttp.StatusTooManyRequests
}

// transport names an error without an answer.
func transport(err error) string {
	if errors.Is(err, fasthttp.ErrTimeout) {
		return "no answer in " + callTimeout.String()
	}
	return err.Error()
}
