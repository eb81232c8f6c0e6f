package provider_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/engine"
)

// far is a server on a socket: it reads whole requests, counts them and answers
// with the bytes that it is told to.
type far struct {
	net.Listener
	conns, requests atomic.Int64
	hungUp          chan struct{} // when it has closed a connection
}

// listen serves with what answer writes to the nth request; false hangs up.
func listen(t *testing.T, answer func(n int64, w io.Writer) bool) *far {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &far{Listener: l, hungUp: make(chan struct{}, 100)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.conns.Add(1)
			go f.serve(conn, answer)
		}
	}()
	return f
}

func (f *far) serve(conn net.Conn, answer func(n int64, w io.Writer) bool) {
	defer func() { _ = conn.Close(); f.hungUp <- struct{}{} }()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		if !answer(f.requests.Add(1), conn) {
			return
		}
	}
}

func (f *far) url() string { return "http://" + f.Addr().String() }

func oneShot(t *testing.T, conf provider.OneShotConfig) *provider.OneShot {
	t.Helper()
	conf.Connect, conf.MaxIdle = max(conf.Connect, time.Second), max(conf.MaxIdle, 4)
	if conf.Now == nil {
		conf.Now = func() engine.Millis { return 0 }
	}
	s := provider.NewOneShot(conf)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// post makes a request that Go's transport would take as leave to repeat it.
func post(ctx context.Context, s http.RoundTripper, to string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader("hello"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Idempotency-Key", "k")
	resp, err := s.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := provider.ReadCapped(resp.Body, 1000)
	return string(text), err
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

func say(text string) func(int64, io.Writer) bool {
	return func(_ int64, w io.Writer) bool { _, err := io.WriteString(w, text); return err == nil }
}

// What is read to its end leaves a connection for the next; what is not, or may
// be somebody else's, does not.
func TestOneShotConnections(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		body  string
		conns int64 // for three requests
	}{
		"length":          {fine, "fine", 1},
		"chunks":          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n", "fine", 1},
		"no body":         {"HTTP/1.1 204 No Content\r\n\r\n", "", 1},
		"told to wait":    {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + fine, "fine", 1},
		"said goodbye":    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine", "fine", 3},
		"old":             {"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine", "fine", 3},
		"more than asked": {fine + "HTTP/1.1 200 OK\r\n", "fine", 3},
	} {
		t.Run(name, func(t *testing.T) {
			f := listen(t, say(test.text))
			s := oneShot(t, provider.OneShotConfig{})
			for range 3 {
				if text, err := post(t.Context(), s, f.url()); err != nil || text != test.body {
					t.Fatalf("%q, %v", text, err)
				}
			}
			if f.conns.Load() != test.conns || f.requests.Load() != 3 {
				t.Errorf("%d requests on %d connections, want 3 on %d", f.requests.Load(), f.conns.Load(), test.conns)
			}
		})
	}
}

// An answer that is not whole is none, and the request is not made again (S3).
func TestOneShotLost(t *testing.T) {
	for name, test := range map[string]struct{ text, cause string }{
		"nothing":       {"", "connection closed"},
		"half a head":   {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", "connection closed"},
		"half a body":   {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine", "connection closed"},
		"half a chunk":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nfine", "connection closed"},
		"endless head":  {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20), "answer too long"},
		"only promises": {strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100), "answer too long"},
		"no HTTP":       {"220 mail.example.com ESMTP\r\n", "connection lost"},
	} {
		t.Run(name, func(t *testing.T) {
			f := listen(t, func(n int64, w io.Writer) bool {
				if n == 1 {
					return say(fine)(n, w)
				}
				_, _ = io.WriteString(w, test.text)
				return false
			})
			s := oneShot(t, provider.OneShotConfig{})
			if _, err := post(t.Context(), s, f.url()); err != nil {
				t.Fatal(err)
			}
			text, err := post(t.Context(), s, f.url()) // on the same connection
			if err == nil || provider.LostCause(err) != test.cause {
				t.Errorf("%q, %v, want %s", text, err, test.cause)
			}
			if f.requests.Load() != 2 || f.conns.Load() != 1 {
				t.Errorf("%d requests on %d connections, want 2 on 1", f.requests.Load(), f.conns.Load())
			}
		})
	}
}

// A connection that the other side closed meanwhile is not used: a request on it
// would have a lost answer.
func TestOneShotClosedMeanwhile(t *testing.T) {
	f := listen(t, func(n int64, w io.Writer) bool { say(fine)(n, w); return n > 1 })
	s := oneShot(t, provider.OneShotConfig{})
	for range 2 {
		if text, err := post(t.Context(), s, f.url()); err != nil || text != "fine" {
			t.Fatalf("%q, %v", text, err)
		}
		if f.conns.Load() == 1 {
			<-f.hungUp
		}
	}
	if f.requests.Load() != 2 || f.conns.Load() != 2 {
		t.Errorf("%d requests on %d connections, want 2 on 2", f.requests.Load(), f.conns.Load())
	}
}

// Who was not used for long is let go, and so is who is one too many.
func TestOneShotLetsGo(t *testing.T) {
	var now atomic.Int64
	wait := make(chan struct{})
	f := listen(t, func(n int64, w io.Writer) bool {
		if n <= 6 {
			<-wait
		}
		return say(fine)(n, w)
	})
	s := oneShot(t, provider.OneShotConfig{MaxIdle: 4, Now: now.Load})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := post(t.Context(), s, f.url()); err != nil {
				t.Error(err)
			}
		})
	}
	for f.requests.Load() < 6 {
		<-time.After(time.Millisecond)
	}
	close(wait)
	wg.Wait()
	for range 2 {
		<-f.hungUp // two of six
	}
	now.Add(31_000)
	if _, err := post(t.Context(), s, f.url()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-f.hungUp // but for the one that was used
	}
}

// The ctx ends a request wherever it is.
func TestOneShotEnds(t *testing.T) {
	for name, head := range map[string]string{"before the head": "", "in the head": "HTTP/1.1 200", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nf"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			f := listen(t, func(n int64, w io.Writer) bool {
				if n > 1 {
					return say(fine)(n, w)
				}
				_, _ = io.WriteString(w, head)
				cancel()
				return true
			})
			s := oneShot(t, provider.OneShotConfig{})
			if text, err := post(ctx, s, f.url()); !errors.Is(err, context.Canceled) {
				t.Errorf("%q, %v", text, err)
			}
			if text, err := post(t.Context(), s, f.url()); err != nil || text != "fine" || f.conns.Load() != 2 {
				t.Errorf("%q, %v, %d connections", text, err, f.conns.Load())
			}
		})
	}
}

// TLS is verified, and a connection that never came about is told from one that
// was lost.
func TestOneShotTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	mute, err := net.Listen("tcp", "127.0.0.1:0") // nobody takes its connections
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	for name, test := range map[string]struct {
		to, cause string
		conf      *tls.Config
	}{
		"verified":     {server.URL, "", &tls.Config{RootCAs: roots}},
		"unknown":      {server.URL, "not connected: certificate not trusted", nil},
		"other name":   {strings.Replace(server.URL, "127.0.0.1", "localhost", 1), "not connected: certificate not trusted", &tls.Config{RootCAs: roots}},
		"no TLS":       {strings.Replace(plain.URL, "http:", "https:", 1), "not connected: the other side does not speak TLS", nil},
		"says nothing": {"https://" + mute.Addr().String(), "timeout", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := oneShot(t, provider.OneShotConfig{Connect: time.Second, TLS: test.conf})
			text, err := post(t.Context(), s, test.to)
			switch {
			case test.cause == "" && (err != nil || text != "HTTP/1.1"):
				t.Errorf("%q, %v", text, err)
			case test.cause != "" && (err == nil || provider.LostCause(err) != test.cause):
				t.Errorf("%q, %v, want %s", text, err, test.cause)
			}
		})
	}
}

// Where there is a proxy, the request goes there, and once.
func TestOneShotProxy(t *testing.T) {
	var asked atomic.Pointer[string]
	proxy := listen(t, func(n int64, w io.Writer) bool {
		if n > 1 {
			return false
		}
		return say(fine)(n, w)
	})
	at, err := url.Parse(proxy.url())
	if err != nil {
		t.Fatal(err)
	}
	s := oneShot(t, provider.OneShotConfig{Proxy: func(r *http.Request) (*url.URL, error) {
		asked.Store(&r.URL.Host)
		return at, nil
	}})
	if text, err := post(t.Context(), s, "http://gateway.invalid/"); err != nil || text != "fine" || *asked.Load() != "gateway.invalid" {
		t.Errorf("%q, %v, %s", text, err, *asked.Load())
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.invalid/", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	req.GetBody = nil
	req.Header.Set("Idempotency-Key", "k")
	if resp, err := s.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
		t.Error("there was no answer")
	}
	if proxy.requests.Load() != 2 {
		t.Errorf("%d requests, want 2", proxy.requests.Load())
	}
}
