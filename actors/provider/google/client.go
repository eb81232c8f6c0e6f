package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"carillon/actors/provider"
	"carillon/engine"
)

// Config of New. Timeout and NewToken are needed.
type Config struct {
	// BaseURL stands in for https://www.googleapis.com, and for the host of
	// tokens; empty: those.
	BaseURL string
	// ClientID and ClientSecret are the application's that the person gave
	// access to.
	ClientID, ClientSecret string
	// PushURL is where Google posts that a calendar has changed: our
	// /webhooks/google under an https URL. Empty: calendars are only polled.
	PushURL string
	// Timeout bounds a connection and its TLS.
	Timeout time.Duration
	// NewToken draws what nobody can guess, of letters and digits.
	NewToken func() string
}

const (
	apiHost  = "https://www.googleapis.com"
	tokenURL = "https://oauth2.googleapis.com/token" //nolint:gosec // an address, no secret
	// maxAnswer is the largest page that is read, in bytes.
	maxAnswer = 16 << 20
	// maxHeld is how many tokens are kept in memory.
	maxHeld = 50_000
)

// ErrBaseURL says that the base URL can't be used.
var ErrBaseURL = errors.New("a URL with scheme and host is needed, such as https://www.googleapis.com")

// Client reads calendars: a provider.CalendarReader.
type Client struct {
	c     Config
	api   string
	oauth oauth2.Config
	http  *http.Client

	mu   sync.Mutex
	held map[string]access // by calendar
}

// access is what one calendar can be read with.
type access struct {
	grant string // what it was asked with
	token *oauth2.Token
}

// New returns a reader of Google's calendars.
func New(c Config) (*Client, error) {
	g := &Client{c: c, api: apiHost, http: &http.Client{Transport: provider.Transport(c.Timeout, 32)}, held: map[string]access{}}
	g.oauth = oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, Endpoint: oauth2.Endpoint{TokenURL: tokenURL, AuthStyle: oauth2.AuthStyleInParams}}
	if c.BaseURL != "" {
		u, err := url.Parse(c.BaseURL)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			return nil, ErrBaseURL
		}
		g.api = strings.TrimRight(c.BaseURL, "/")
		g.oauth.Endpoint.TokenURL = g.api + "/token"
	}
	return g, nil
}

// holds returns the token of a calendar that was asked for before; nil if there
// is none.
func (g *Client) holds(k *engine.Calendar) *oauth2.Token {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a := g.held[k.ID]; a.grant == k.Token {
		return a.token
	}
	return nil
}

// keep holds a token for as long as it is good: an hour.
func (g *Client) keep(k *engine.Calendar, token *oauth2.Token) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.held) >= maxHeld { // rare, and only costs asking again
		clear(g.held)
	}
	g.held[k.ID] = access{k.Token, token}
}

// forget drops a token that was refused.
func (g *Client) forget(k *engine.Calendar) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.held, k.ID)
}

// call asks the API for one thing. A token that is refused is renewed once. An
// answer that is not a 2xx is an *apiError.
func (g *Client) call(ctx context.Context, k *engine.Calendar, method, path string, query url.Values, in, out any) error {
	for again := range 2 {
		token, err := g.token(ctx, k)
		if err != nil {
			return err
		}
		err = g.do(ctx, token, method, path, query, in, out)
		refused, ok := errors.AsType[*apiError](err)
		if !ok || refused.status != http.StatusUnauthorized {
			return err
		}
		g.forget(k)
		if k.Access {
			return &provider.CalendarError{Problem: provider.CalendarAccessEnded, Cause: "the access token is not taken", Final: true}
		}
		if again == 1 {
			return &provider.CalendarError{Problem: provider.CalendarDenied, Cause: "a new token is not taken"}
		}
	}
	return nil
}

// token asks for access. invalid_grant is that the person, or Google, has taken
// it back (RFC 6749 5.2): to ask again would never help.
func (g *Client) token(ctx context.Context, k *engine.Calendar) (string, error) {
	if k.Access {
		return k.Token, nil
	}
	if t := g.holds(k); t.Valid() {
		return t.AccessToken, nil
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, g.http)
	t, err := g.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: k.Token}).Token()
	if err == nil {
		g.keep(k, t)
		return t.AccessToken, nil
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case !ok || refused.Response == nil:
		return "", &provider.CalendarError{Problem: provider.CalendarUnreachable, Cause: provider.LostCause(err)}
	case refused.ErrorCode == "invalid_grant":
		return "", &provider.CalendarError{Problem: provider.CalendarAccessEnded, Cause: "invalid_grant", Final: true}
	case refused.Response.StatusCode >= http.StatusInternalServerError, refused.Response.StatusCode == http.StatusTooManyRequests:
		return "", provider.CalendarStatus(refused.Response.StatusCode, refused.Response.Header)
	}
	return "", &provider.CalendarError{Problem: provider.CalendarDenied, Cause: "no token: " + plain(refused.ErrorCode)}
}

// apiError is an answer that is not a 2xx.
type apiError struct {
	status int
	header http.Header
	reason string
}

func (e *apiError) Error() string { return fmt.Sprintf("google: HTTP %d %s", e.status, e.reason) }

func (g *Client) do(ctx context.Context, token, method, path string, query url.Values, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = strings.NewReader(string(text))
	}
	address := g.api + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "carillon")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := g.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := provider.ReadCapped(res.Body, maxAnswer)
	if err != nil {
		return err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &apiError{status: res.StatusCode, header: res.Header, reason: reasonOf(text)}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return &provider.CalendarError{Problem: provider.CalendarUnreadable, Cause: "the answer is not the JSON of a calendar"}
	}
	return nil
}

// reasonOf reads the reason of an error: its errors' first, as all of them have
// one.
func reasonOf(text []byte) string {
	var e struct {
		Error struct {
			Errors []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
			Status string `json:"status"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &e) != nil {
		return ""
	}
	if len(e.Error.Errors) > 0 {
		return plain(e.Error.Errors[0].Reason)
	}
	return plain(e.Error.Status)
}

// plain keeps a word of theirs short and on one line.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 64)]
}

// limits are the reasons of a 403 that asks for patience (Google: "Handle API
// errors").
var limits = map[string]bool{"rateLimitExceeded": true, "userRateLimitExceeded": true, "quotaExceeded": true, "dailyLimitExceeded": true}

// problem sorts what went wrong.
func problem(err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*provider.CalendarError](err); ok {
		return known
	}
	refused, ok := errors.AsType[*apiError](err)
	if !ok {
		if errors.Is(err, provider.ErrTooLong) {
			return &provider.CalendarError{Problem: provider.CalendarTooLarge, Cause: "an answer of more than 16 MiB"}
		}
		return &provider.CalendarError{Problem: provider.CalendarUnreachable, Cause: provider.LostCause(err)}
	}
	e := provider.CalendarStatus(refused.status, refused.header)
	if refused.reason != "" {
		e.Cause += " " + refused.reason
	}
	if refused.status == http.StatusForbidden && limits[refused.reason] {
		e.Problem = provider.CalendarRateLimited
	}
	return e
}
