package httpgate

import (
	"net/http"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// Client hands messages to one gateway. It is safe for concurrent use.
type Client struct {
	plan
	http *http.Client
}

var (
	_ provider.Sender  = (*Client)(nil)
	_ provider.Stopper = (*Client)(nil)
	_ provider.Adviser = (*Client)(nil)
)

// New returns a Sender for the gateway, or an error that names the setting
// that can't work. It does not call it. The Sender is a Fetcher if the gateway
// can be asked by its own ids.
func New(conf Config) (provider.Sender, error) {
	p, err := conf.plan()
	if err != nil {
		return nil, err
	}
	c := &Client{plan: p, http: newHTTP(p.conf)}
	if conf.StatusURL != "" {
		return fetcher{c}, nil
	}
	return c, nil
}

// newHTTP follows no redirect: a message that is sent on to another place is
// nobody's promise.
func newHTTP(conf Config) *http.Client {
	return &http.Client{
		Transport:     provider.NewOneShot(provider.OneShotConfig{Connect: 5 * time.Second, MaxIdle: conf.MaxConns, Proxy: conf.Proxy, Now: conf.Now}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Advice names the setting to look at.
func (c *Client) Advice(engine.Failure) string {
	return "check CARILLON_HTTP_CARRIER_HEADERS and the account at the gateway"
}

// Stops reports whether a failure is our account's: every message would meet
// it.
func (c *Client) Stops(f engine.Failure) bool { return f.Category == engine.CategoryAccountIssue }
