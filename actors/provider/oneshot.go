package provider

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"carillon/engine"
)

// OneShot is an http.RoundTripper that makes a request once, whatever its
// headers: it is written to one connection, and what comes back there is its
// answer (S3). Go's own transport repeats some requests that met a connection
// which the other side had closed. It speaks HTTP/1.1, so that a lost connection
// loses one answer, and needs no goroutine for a connection: the caller's own
// writes and reads. It is safe for concurrent use.
//
// Where there is a proxy, or a host's name is not in ASCII, Go's transport goes
// there. It does not repeat a request whose body it can't have again: callers
// set GetBody to nil.
type OneShot struct {
	conf   OneShotConfig
	dialer net.Dialer
	proxy  *http.Transport

	mu   sync.Mutex
	kept map[origin][]*kept // who was used last is last
}

// OneShotConfig describes a OneShot. Now is needed.
type OneShotConfig struct {
	// Connect bounds making a connection, and then its TLS.
	Connect time.Duration
	// MaxIdle is how many idle connections to a host are kept.
	MaxIdle int
	// Proxy is asked for the proxy of a request. Default: the environment's.
	Proxy func(*http.Request) (*url.URL, error)
	// TLS is what a connection's TLS is like. Default: Go's.
	TLS *tls.Config
	// Now is the wall clock.
	Now func() engine.Millis
}

const (
	// idleFor is shorter than the minute after which load balancers drop idle
	// connections: a POST on a dropped one has a lost answer.
	idleFor       = 30 * time.Second
	maxHeader     = 64 << 10
	maxAnnounces  = 5 // answers with 1xx before the real one
	clientBuffers = 4 << 10
)

// origin is where connections lead.
type origin struct{ scheme, host string }

// NewOneShot returns one. It connects to nobody yet.
func NewOneShot(conf OneShotConfig) *OneShot {
	if conf.Proxy == nil {
		conf.Proxy = http.ProxyFromEnvironment
	}
	if conf.TLS == nil {
		conf.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t := &OneShot{conf: conf, dialer: net.Dialer{Timeout: conf.Connect, KeepAlive: 30 * time.Second}, kept: map[origin][]*kept{}}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	t.proxy = &http.Transport{
		Proxy: conf.Proxy, DialContext: t.dialer.DialContext, TLSHandshakeTimeout: conf.Connect, TLSClientConfig: conf.TLS,
		MaxIdleConns: conf.MaxIdle, MaxIdleConnsPerHost: conf.MaxIdle, IdleConnTimeout: idleFor,
		MaxResponseHeaderBytes: maxHeader, Protocols: protocols,
	}
	return t
}

// RoundTrip implements http.RoundTripper.
func (t *OneShot) RoundTrip(req *http.Request) (*http.Response, error) {
	via, err := t.conf.Proxy(req)
	if err == nil && (via != nil || !ascii(req.URL.Host)) {
		return t.proxy.RoundTrip(req)
	}
	ctx := req.Context()
	var c *kept
	if err == nil {
		c, err = t.connection(ctx, req.URL)
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	c.stop = context.AfterFunc(ctx, c.interrupt)
	resp, err := c.exchange(req)
	if err != nil {
		c.stop()
		_ = c.Close()
		return nil, ended(ctx, err)
	}
	again := !resp.Close && !req.Close && resp.StatusCode != http.StatusSwitchingProtocols
	resp.Body = &answerBody{ReadCloser: resp.Body, ctx: ctx, t: t, c: c, again: again}
	return resp, nil
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// ended gives the end of ctx as the cause of what it interrupted.
func ended(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	return err
}

// connection returns one that is kept and alive, or a new one.
func (t *OneShot) connection(ctx context.Context, u *url.URL) (*kept, error) {
	to := origin{u.Scheme, u.Host}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := t.take(to)
		if c == nil {
			return t.dial(ctx, to, u)
		}
		if c.quiet() {
			return c, nil
		}
		_ = c.Close()
	}
}

func (t *OneShot) take(to origin) *kept {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.kept[to]
	n := len(list) - 1
	if n < 0 {
		return nil
	}
	c := list[n]
	list[n] = nil
	t.kept[to] = list[:n]
	return c
}

// keep puts a connection back, and lets go of those that nobody needed.
func (t *OneShot) keep(c *kept) {
	now := t.conf.Now()
	c.idleSince = now
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.kept[c.to]
	for len(list) > 0 && (len(list) >= t.conf.MaxIdle || list[0].idleSince+idleFor.Milliseconds() < now) {
		_ = list[0].Close()
		list = append(list[:0], list[1:]...)
	}
	t.kept[c.to] = append(list, c)
}

// CloseIdleConnections lets them go; http.Client calls it.
func (t *OneShot) CloseIdleConnections() {
	t.proxy.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	for to, list := range t.kept {
		for _, c := range list {
			_ = c.Close()
		}
		delete(t.kept, to)
	}
}

// dial makes a connection. Its errors are those by which LostCause knows that
// nothing has left.
func (t *OneShot) dial(ctx context.Context, to origin, u *url.URL) (*kept, error) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	conn, err := t.dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, ended(ctx, err)
	}
	c := &kept{Conn: conn, to: to, now: t.conf.Now}
	c.raw, _ = rawOf(conn)
	if u.Scheme == "https" {
		if err := c.secure(ctx, t.conf.TLS, u.Hostname(), t.conf.Connect); err != nil {
			_ = conn.Close()
			return nil, ended(ctx, err)
		}
	}
	c.in, c.out = bufio.NewReaderSize(c.limited(), clientBuffers), bufio.NewWriterSize(c.Conn, clientBuffers)
	return c, nil
}

// answerBody is an answer's body. Its connection can be used again when it was
// read to its end.
type answerBody struct {
	io.ReadCloser
	ctx   context.Context //nolint:containedctx // of the request that it answers
	t     *OneShot
	c     *kept // nil: it is somebody else's, or closed
	again bool
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || b.c == nil {
		return n, err
	}
	if err == io.EOF { //nolint:errorlint // io.Reader's promise is this very value
		b.done(b.again)
		return n, err
	}
	err = ended(b.ctx, err)
	b.done(false)
	return n, err
}

// Close ends the exchange. What was not read to its end is not read on: the
// connection is closed.
func (b *answerBody) Close() error {
	if b.c != nil {
		b.done(false)
	}
	return nil
}

func (b *answerBody) done(again bool) {
	c := b.c
	b.c = nil
	// More than the answer is nobody's; who was interrupted can't be used.
	if interrupted := !c.stop(); interrupted || !again || c.in.Buffered() > 0 {
		_ = c.Close()
		return
	}
	c.stop = nil
	b.t.keep(c)
}
