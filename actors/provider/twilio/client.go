package twilio

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"carillon/actors/provider"
	"carillon/engine"
)

// Client sends, finds, fetches and verifies through one Twilio account. It is
// safe for concurrent use.
type Client struct {
	conf Config
	base *url.URL // nil: Twilio's own hosts
	http *http.Client
}

var (
	_ provider.Sender   = (*Client)(nil)
	_ provider.Fetcher  = (*Client)(nil)
	_ provider.Stopper  = (*Client)(nil)
	_ provider.Adviser  = (*Client)(nil)
	_ provider.Prober   = (*Client)(nil)
	_ provider.Verifier = (*Client)(nil)
)

// New returns a client, or an error that names the setting that can't work. It
// does not call Twilio.
func New(conf Config) (*Client, error) {
	if err := conf.check(); err != nil {
		return nil, err
	}
	conf.setDefaults()
	base, err := parseBase(conf.BaseURL)
	if err != nil {
		return nil, err
	}
	return &Client{conf: conf, base: base, http: newHTTP(conf)}, nil
}

// newHTTP returns a pooled client that follows no redirect: a create that is
// sent on to another place is nobody's promise.
func newHTTP(conf Config) *http.Client {
	dialer := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one request per connection: a lost connection loses one answer
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: conf.Timeout,
			MaxIdleConns:          conf.MaxConns,
			MaxIdleConnsPerHost:   conf.MaxConns,
			// Shorter than the minute after which load balancers drop idle
			// connections: a POST on a dropped one has a lost answer.
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			Protocols:              protocols,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Stops reports whether a failure is our account's or sender's as a whole.
func (c *Client) Stops(f engine.Failure) bool {
	if e, ok := Lookup(f.Code); ok {
		return e.Scope == ScopeSender
	}
	return f.Category == engine.CategoryAccountIssue
}

// Advice names the setting to look at.
func (c *Client) Advice(f engine.Failure) string {
	switch f.Code {
	case 20003, 20006, 20008, 20403:
		return "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
	case 20404:
		return "check TWILIO_ACCOUNT_SID and CARILLON_TWILIO_BASE_URL"
	case 20005, 30002, 30037:
		return "the account is not active; see the Twilio console"
	case 21212, 21601, 21603, 21606, 21616, 21657, 21659, 21660:
		return "check CARILLON_TWILIO_FROM: the number must be the account's and able to send SMS"
	case 21701, 21702, 21704, 21705:
		return "check CARILLON_TWILIO_MESSAGING_SERVICE_SID and its senders"
	case 30032, 30033, 30034, 30035:
		return "the sending number is not registered for this traffic; see the Twilio console"
	}
	return ""
}

func (c *Client) call(ctx context.Context) *call { return &call{ctx: ctx, c: c} }

// handler keeps twilio-go's edge and region empty, which it would read from the
// environment: where requests go is the base URL's to say.
func (k *call) handler() *client.RequestHandler { return &client.RequestHandler{Client: k} }

func (k *call) messages() *api.ApiService { return api.NewApiService(k.handler()) }

func (k *call) verifications() *verify.ApiService { return verify.NewApiService(k.handler()) }
