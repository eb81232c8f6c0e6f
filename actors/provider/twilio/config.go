package twilio

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"carillon/engine"
)

// Defaults of Config.
const (
	DefaultTimeout  = 10 * time.Second
	DefaultMaxConns = 64
)

// Config of a Client. AccountSID, AuthToken, Now, and From or
// MessagingServiceSID are needed.
type Config struct {
	AccountSID string
	AuthToken  string
	// From are the sending numbers; each message names one of them (S6).
	// MessagingServiceSID is a pool of Twilio's own. Both may be given: the
	// numbers must then be in that pool.
	From                []string
	MessagingServiceSID string
	// VerifyServiceSID is the Verify service; without one Start and Check say
	// that none is configured.
	VerifyServiceSID string
	// BaseURL stands in for https://api.twilio.com and for the Verify host.
	// Empty means the real ones.
	BaseURL string
	// PublicURL is where Twilio reaches us. Without it no callback is asked
	// for, and states are only learned by asking (D5).
	PublicURL string
	// Timeout of one request. Default: DefaultTimeout.
	Timeout time.Duration
	// MaxConns is how many idle connections are kept for the next requests.
	// Default: DefaultMaxConns.
	MaxConns int
	// Now is the wall clock.
	Now func() engine.Millis
}

func (c *Config) setDefaults() {
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxConns <= 0 {
		c.MaxConns = DefaultMaxConns
	}
}

// Senders is the pool that messages may name as their sender: the numbers, or
// the service if there are none.
func (c *Config) Senders() []string {
	if len(c.From) > 0 {
		return c.From
	}
	return []string{c.MessagingServiceSID}
}

// longestShortCode is how many digits a sender without country code has at most.
const longestShortCode = 8

// check names the first setting that can't work. No secret is in an error.
func (c *Config) check() error {
	switch {
	case c.AccountSID == "":
		return errors.New("twilio: the account sid is missing")
	case strings.ContainsAny(c.AccountSID, "/?#% \t\r\n"):
		return errors.New("twilio: the account sid has characters that no sid has")
	case c.AuthToken == "":
		return errors.New("twilio: the auth token is missing")
	case len(c.From) == 0 && c.MessagingServiceSID == "":
		return errors.New("twilio: a sender number or a messaging service sid is needed")
	case c.Now == nil:
		return errors.New("twilio: no clock was handed in")
	}
	for i, from := range c.From {
		switch {
		case from == "" || strings.TrimSpace(from) != from || slices.Contains(c.From[:i], from):
			return errors.New("twilio: CARILLON_TWILIO_FROM must be a list without empty and equal ones")
		case len(from) > longestShortCode && strings.Trim(from, "0123456789") == "":
			return fmt.Errorf("twilio: CARILLON_TWILIO_FROM: %s has no + before it", from)
		}
	}
	if _, err := parseBase(c.BaseURL); err != nil {
		return fmt.Errorf("twilio: base URL: %w", err)
	}
	u, err := parseBase(c.PublicURL)
	if err != nil {
		return fmt.Errorf("twilio: public URL: %w", err)
	}
	if u != nil && strings.Contains(u.Hostname(), "_") {
		return errors.New("twilio: public URL: Twilio refuses host names with an underscore")
	}
	return nil
}

// parseBase reads an absolute URL without query; an empty one is nil. The
// error never shows the URL, which may hold a password.
func parseBase(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must begin with http:// or https://")
	case u.Host == "":
		return nil, errors.New("has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not have a query or a fragment")
	}
	return u, nil
}
