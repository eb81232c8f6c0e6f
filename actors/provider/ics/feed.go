package ics

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// FeedConfig of NewFeeds. Timeout is needed.
type FeedConfig struct {
	// Timeout bounds a connection and its TLS.
	Timeout time.Duration
	// Public refuses addresses of private networks and of this machine: people
	// who are not trusted choose the URLs then.
	Public bool
}

// Feeds reads feeds over HTTP: a provider.CalendarReader.
type Feeds struct {
	http *http.Client
}

// maxFeed is the largest feed that is taken, in bytes.
const maxFeed = 16 << 20

// wholeEvery is how long a feed that says "not modified" is believed: meanwhile
// the window moves, and instances of series come into it.
const wholeEvery = 12 * time.Hour

// errForbidden says that an address may not be connected to.
var errForbidden = errors.New("ics: address of a network that settings forbid")

// NewFeeds returns a reader of feeds.
func NewFeeds(c FeedConfig) *Feeds {
	dialer := net.Dialer{Timeout: c.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		return allowed(address, c.Public)
	}}
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: c.Timeout, ForceAttemptHTTP2: true,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 2, MaxConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	if !c.Public { // a proxy would connect where we may not
		t.Proxy = http.ProxyFromEnvironment
	}
	return &Feeds{http: &http.Client{Transport: t}}
}

// allowed is asked with the address that was resolved, so that no name and no
// redirect leads around it. What is never a host of a feed is never connected
// to: clouds give out credentials on a link-local address.
func allowed(address string, public bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errForbidden
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified():
		return errForbidden
	case public && (ip.IsPrivate() || ip.IsLoopback() || shared.Contains(ip)):
		return errForbidden
	}
	return nil
}

// shared is the address space of carriers' NAT (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// cursor is where we are with a feed.
type cursor struct {
	ETag     string        `json:"etag,omitempty"`
	Modified string        `json:"modified,omitempty"`
	Sum      string        `json:"sum,omitempty"` // of the body
	Zone     string        `json:"zone,omitempty"`
	Start    engine.Millis `json:"start,omitempty"` // of the window
}

// Read implements provider.CalendarReader. A feed that has not changed is read
// as "no changes".
func (f *Feeds) Read(ctx context.Context, q provider.CalendarQuery) (provider.CalendarReading, error) {
	var was cursor
	_ = json.Unmarshal([]byte(q.Calendar.Cursor), &was) // what can't be read is a beginning
	now := cursor{Zone: q.Zone.String(), Start: q.Start}
	known := was.Zone == now.Zone && was.Start == now.Start && q.Now-q.Calendar.WholeAt < wholeEvery.Milliseconds()
	if !known {
		was = cursor{}
	}
	body, header, err := f.get(ctx, q.Calendar.Source, was)
	if err != nil {
		return provider.CalendarReading{}, err
	}
	if body == nil {
		return provider.CalendarReading{Cursor: q.Calendar.Cursor}, nil
	}
	sum := sha256.Sum256(body)
	now.ETag, now.Modified, now.Sum = header.Get("ETag"), header.Get("Last-Modified"), hex.EncodeToString(sum[:8])
	text, err := json.Marshal(now)
	if err != nil {
		return provider.CalendarReading{}, unreadable(err)
	}
	if now.Sum == was.Sum {
		return provider.CalendarReading{Cursor: string(text)}, nil
	}
	out := provider.CalendarReading{Whole: true, Cursor: string(text)}
	feed, err := Read(bytes.NewReader(body), Options{
		From: q.Start, To: q.End, Zone: q.Zone, Self: q.Calendar.Self, HidePrivate: !q.Calendar.Private,
	})
	if err != nil {
		return provider.CalendarReading{}, unreadable(err)
	}
	out.Events = feed.Events
	return out, nil
}

func unreadable(err error) error {
	return &provider.CalendarError{Problem: provider.CalendarUnreadable, Cause: err.Error()}
}

// get asks for a feed; no body means that it has not changed.
func (f *Feeds) get(ctx context.Context, url string, was cursor) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, nil, &provider.CalendarError{Problem: provider.CalendarNotFound, Cause: "this is no URL"}
	}
	req.Header.Set("Accept", "text/calendar, */*;q=0.1")
	req.Header.Set("User-Agent", "carillon")
	if was.ETag != "" {
		req.Header.Set("If-None-Match", was.ETag)
	} else if was.Modified != "" {
		req.Header.Set("If-Modified-Since", was.Modified)
	}
	res, err := f.http.Do(req)
	if err != nil {
		return nil, nil, lost(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNotModified {
		return nil, nil, nil
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil, provider.CalendarStatus(res.StatusCode, res.Header)
	}
	body, err := provider.ReadCapped(res.Body, maxFeed)
	switch {
	case errors.Is(err, provider.ErrTooLong):
		return nil, nil, &provider.CalendarError{Problem: provider.CalendarTooLarge, Cause: "more than " + strconv.Itoa(maxFeed>>20) + " MiB"}
	case err != nil:
		return nil, nil, lost(err)
	}
	return body, res.Header, nil
}

func lost(err error) error {
	if errors.Is(err, errForbidden) {
		return &provider.CalendarError{Problem: provider.CalendarForbidden, Cause: "the feed's host has an address of a network that calendar_networks forbids"}
	}
	return &provider.CalendarError{Problem: provider.CalendarUnreachable, Cause: provider.LostCause(err)}
}
