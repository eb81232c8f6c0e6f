package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"carillon/actors/provider"
)

// Config of a Client. All but Transport and Timeout is needed.
type Config struct {
	URL     string
	Keys    Keys
	Encode  func(provider.Notification) ([]byte, error)
	Now     func() int64 // Unix milliseconds, UTC
	Timeout time.Duration
	// MaxConns is how many posts there are at a time. Default: 8.
	MaxConns  int
	Transport http.RoundTripper
}

// Client posts notifications. It implements provider.Notifier.
type Client struct {
	conf Config
	http *http.Client
}

var _ provider.Notifier = (*Client)(nil)

// The errors of New.
var (
	ErrURL    = errors.New("a URL with scheme and host is needed, such as https://app.example.com/carillon")
	ErrNoKeys = errors.New("webhook: a secret is needed: nobody could trust what is not signed")
)

// New returns a client. It does not call the receiver.
func New(conf Config) (*Client, error) {
	u, err := url.Parse(conf.URL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.Fragment != "" {
		return nil, ErrURL
	}
	if len(conf.Keys) == 0 {
		return nil, ErrNoKeys
	}
	if conf.Timeout <= 0 {
		conf.Timeout = 10 * time.Second
	}
	if conf.MaxConns <= 0 {
		conf.MaxConns = 8
	}
	if conf.Transport == nil {
		conf.Transport = provider.Transport(conf.Timeout, conf.MaxConns)
	}
	return &Client{conf: conf, http: &http.Client{
		Transport: conf.Transport,
		// A redirect is no yes: it would take body and signature elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Notify implements provider.Notifier.
func (c *Client) Notify(ctx context.Context, n provider.Notification) provider.Hearing {
	body, err := c.conf.Encode(n)
	if err != nil {
		return provider.Hearing{Kind: provider.Declined, Cause: "can't be encoded: " + err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, c.conf.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.conf.URL, bytes.NewReader(body))
	if err != nil {
		return provider.Hearing{Cause: "no request"}
	}
	at := c.conf.Now() / 1000
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "carillon")
	req.Header.Set(HeaderID, n.ID)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(at, 10))
	req.Header.Set(HeaderSignature, c.conf.Keys.Sign(n.ID, at, body))
	// net/http repeats a POST by itself only if this header says that it may; a
	// webhook-id does not.
	resp, err := c.http.Do(req)
	if err != nil {
		return lost(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, readMost) // so that the connection can be used again
	return c.hearing(resp)
}

// readMost is how much of an answer is read: only its status matters.
const readMost = 64 << 10

// lost sorts what came without an answer. A receiver that takes too long has
// been reached.
func lost(err error) provider.Hearing {
	cause := provider.LostCause(err)
	if cause == "timeout" {
		return provider.Hearing{Kind: provider.Declined, Cause: cause}
	}
	return provider.Hearing{Kind: provider.Unheard, Cause: cause}
}

// hearing sorts an answer by the specification: any 2xx is a yes, 410 ends it,
// 429 asks for a pause, as does anything that names a time. 502 and 504 are a
// proxy's word that the receiver is not there.
func (c *Client) hearing(resp *http.Response) provider.Hearing {
	cause := "http " + strconv.Itoa(resp.StatusCode)
	after := c.retryAfter(resp.Header.Get("Retry-After"))
	switch status := resp.StatusCode; {
	case status >= 200 && status < 300:
		return provider.Hearing{Kind: provider.Heard}
	case status == http.StatusGone:
		return provider.Hearing{Kind: provider.Gone, Cause: cause}
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && after > 0:
		return provider.Hearing{Kind: provider.Busy, RetryAfter: after, Cause: cause}
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout, status == http.StatusServiceUnavailable:
		return provider.Hearing{Kind: provider.Unheard, Cause: cause}
	}
	return provider.Hearing{Kind: provider.Declined, Cause: cause}
}

// retryAfter reads seconds or a date; 0 if it is neither.
func (c *Client) retryAfter(s string) int64 {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil && n > 0 {
		return n * 1000
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(at.UnixMilli()-c.conf.Now(), 0)
	}
	return 0
}
