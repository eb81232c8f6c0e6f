package llm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"carillon/actors/provider"
	"carillon/engine"
)

// What is used where the configuration says nothing.
const (
	DefaultBaseURL = "https://api.deepseek.com"
	DefaultModel   = "deepseek-flash"
	DefaultTimeout = 5 * time.Second
)

// Config of a Client. APIKey and Now are needed; the rest has defaults.
type Config struct {
	BaseURL string // up to and without /chat/completions
	APIKey  string
	Model   string
	// ExtraBody is merged into every request. Nil: what switches DeepSeek's
	// thinking off, for DeepSeek's host, and nothing for others, which may
	// refuse a field that they don't know.
	ExtraBody map[string]any
	Timeout   time.Duration // of one call
	MaxConns  int
	Prices    Prices
	Now       func() int64 // Unix milliseconds, UTC: which prices hold
	Transport http.RoundTripper
}

// Client is a provider.Composer. It is safe for concurrent use.
type Client struct {
	conf    Config
	url     string
	http    *http.Client
	breaker *gobreaker.CircuitBreaker[provider.Composition]
}

var (
	_ provider.Composer = (*Client)(nil)
	_ provider.Breaker  = (*Client)(nil)
)

// New returns a client, or an error that names the setting that can't work. It
// does not call the endpoint.
func New(conf Config) (*Client, error) {
	base, err := parseBase(conf.BaseURL)
	if err != nil {
		return nil, err
	}
	switch {
	case conf.APIKey == "":
		return nil, errors.New("llm: an API key is needed")
	case strings.ContainsFunc(conf.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("llm: the API key has a character that no key has")
	case conf.Now == nil:
		return nil, errors.New("llm: Now is needed")
	}
	if conf.Model == "" {
		conf.Model = DefaultModel
	}
	if conf.Timeout <= 0 {
		conf.Timeout = DefaultTimeout
	}
	if conf.MaxConns <= 0 {
		conf.MaxConns = 8
	}
	if conf.ExtraBody == nil && isDeepSeek(base) {
		conf.ExtraBody = map[string]any{"thinking": map[string]any{"type": "disabled"}}
	}
	if conf.Transport == nil {
		conf.Transport = provider.Transport(conf.Timeout, conf.MaxConns)
	}
	return &Client{
		conf: conf, url: base.JoinPath("chat", "completions").String(), breaker: newBreaker(),
		http: &http.Client{
			Transport:     conf.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// ErrBaseURL says that Config.BaseURL can't be used.
var ErrBaseURL = errors.New("llm: the base URL needs scheme and host, such as " + DefaultBaseURL)

func parseBase(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultBaseURL
	}
	u, err := url.Parse(strings.TrimSuffix(strings.TrimRight(s, "/"), "/chat/completions"))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, ErrBaseURL
	}
	return u, nil
}

func isDeepSeek(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return host == "deepseek.com" || strings.HasSuffix(host, ".deepseek.com")
}

// DefaultPriced reports whether the default prices are those of an endpoint.
func DefaultPriced(baseURL string) bool {
	u, err := parseBase(baseURL)
	return err == nil && isDeepSeek(u)
}

// The breaker opens after so many failures in a row, and lets one request
// through after a while. Its clock is the machine's: it decides whether to ask
// an endpoint, and nothing that is in the journal.
const (
	breakAfter = 5
	breakFor   = 30 * time.Second
)

func newBreaker() *gobreaker.CircuitBreaker[provider.Composition] {
	return gobreaker.NewCircuitBreaker[provider.Composition](gobreaker.Settings{
		Name: "llm", MaxRequests: 1, Timeout: breakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
		// An answer that is no use comes from an endpoint that works, and a call
		// that was cut short for want of time says nothing about it.
		IsSuccessful: func(err error) bool {
			o, _ := provider.ComposeOutcome(err)
			return o == engine.ComposeOK || o == engine.ComposeInvalid
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errCutShort) },
	})
}

var errCutShort = errors.New("llm: the caller had no more time")

// Open implements provider.Breaker.
func (c *Client) Open() bool { return c.breaker.State() == gobreaker.StateOpen }

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Compose implements provider.Composer.
func (c *Client) Compose(ctx context.Context, b engine.Brief) (provider.Composition, error) {
	var out provider.Composition
	_, err := c.breaker.Execute(func() (provider.Composition, error) {
		own, cancel := context.WithTimeout(ctx, c.conf.Timeout)
		defer cancel()
		var err error
		out, err = c.ask(own, &b)
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", errCutShort, err)
		}
		return out, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return provider.Composition{}, failed(engine.ComposeBreakerOpen, "")
	}
	if known, ok := errors.AsType[*provider.ComposeError](err); ok {
		return out, known
	}
	return out, err
}

func failed(o engine.ComposeOutcome, cause string) error {
	return &provider.ComposeError{Outcome: o, Cause: cause}
}
