package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"carillon/actors/provider"
)

const (
	maxAnswer = 8 << 20  // a page of messages with long bodies is far below
	maxError  = 64 << 10 // an error document; a proxy's page may be longer
	userAgent = "carillon (github.com/twilio/twilio-go " + client.LibraryVersion + ")"
	// minCode is the least of Twilio's error codes. Gateways put HTTP statuses
	// and numbers of their own into JSON that looks alike.
	minCode = 10000
)

// call is the client.BaseClient of one call: twilio-go hands no context on, so
// it is kept here. Requests carry no Idempotency-Key: Twilio ignores it, and
// net/http would take it as leave to repeat the POST by itself.
type call struct {
	ctx  context.Context
	c    *Client
	body []byte // of the success, if there was one
}

var _ client.BaseClient = (*call)(nil)

// AccountSid is put into paths by twilio-go.
func (k *call) AccountSid() string { return k.c.conf.AccountSID }

// SetTimeout does nothing: the timeout is the Client's.
func (k *call) SetTimeout(time.Duration) {}

// SetOauth does nothing: we sign in with the account's token.
func (k *call) SetOauth(client.OAuth) {}

// OAuth returns none.
func (k *call) OAuth() client.OAuth { return nil }

// SendRequest carries out one request, once. A success comes with its whole
// body in memory; everything else is an answerError or a lostError.
func (k *call) SendRequest(
	method, rawURL string, data url.Values, headers map[string]any, _ ...byte,
) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(k.ctx, k.c.conf.Timeout)
	defer cancel()
	req, err := k.request(ctx, method, rawURL, data, headers)
	if err != nil {
		return nil, err
	}
	resp, err := k.c.http.Do(req)
	if err != nil {
		return nil, &lostError{provider.LostCause(err)}
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, k.c.refusal(resp)
	}
	body, err := provider.ReadCapped(resp.Body, maxAnswer)
	if err != nil {
		return nil, &lostError{"unreadable answer: " + provider.LostCause(err)}
	}
	k.body = body
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (k *call) request(
	ctx context.Context, method, rawURL string, data url.Values, headers map[string]any,
) (*http.Request, error) {
	u, err := k.c.target(rawURL)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(data.Encode())
	} else if len(data) > 0 {
		u.RawQuery = data.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, &lostError{"the request could not be made"}
	}
	for name, v := range headers {
		req.Header.Set(name, fmt.Sprint(v))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.SetBasicAuth(k.c.conf.AccountSID, k.c.conf.AuthToken)
	return req, nil
}

// target puts the base URL in the place of Twilio's host.
func (c *Client) target(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, &lostError{"the request could not be made"}
	}
	if c.base != nil {
		u.Scheme, u.Host = c.base.Scheme, c.base.Host
		u.Path = strings.TrimRight(c.base.Path, "/") + u.Path
	}
	return u, nil
}

// answerError is an HTTP answer that is not a success. code is Twilio's, 0 if
// the answer is not Twilio's.
type answerError struct {
	status     int
	code       int
	message    string // Twilio's words: they may name a number, so they are never passed on
	retryAfter int64  // milliseconds
}

func (e *answerError) Error() string {
	if e.code != 0 {
		return fmt.Sprintf("http %d, code %d", e.status, e.code)
	}
	if e.status >= 300 && e.status < 400 {
		return fmt.Sprintf("http %d: a redirect is not followed", e.status)
	}
	return fmt.Sprintf("http %d without a Twilio error code", e.status)
}

// lostError is a request without a readable answer.
type lostError struct{ cause string }

func (e *lostError) Error() string { return e.cause }

// refusal reads an answer that is not a success.
func (c *Client) refusal(resp *http.Response) error {
	e := &answerError{status: resp.StatusCode, retryAfter: c.retryAfter(resp.Header.Get("Retry-After"))}
	body, err := provider.ReadCapped(resp.Body, maxError)
	if err != nil {
		return e
	}
	var doc struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &doc) == nil && doc.Code >= minCode {
		e.code, e.message = doc.Code, doc.Message
	}
	return e
}

// retryAfter reads seconds or an HTTP date; 0 if there is nothing to read.
func (c *Client) retryAfter(h string) int64 {
	const most = 24 * 60 * 60 * 1000
	if s, err := strconv.ParseInt(h, 10, 64); err == nil {
		return min(max(s, 0), most/1000) * 1000
	}
	if at, err := http.ParseTime(h); err == nil {
		return min(max(at.UnixMilli()-c.conf.Now(), 0), most)
	}
	return 0
}
