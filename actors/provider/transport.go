package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// ErrTooLong says that an answer was longer than anybody needs to read.
var ErrTooLong = errors.New("answer too long")

// ReadCapped reads all of r, or says that it is too long.
func ReadCapped(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, ErrTooLong
	}
	return body, err
}

const notConnected = "not connected: "

// NotConnected reports whether a cause is that no connection came about: no
// request has left, and the setting or the way there is at fault.
func NotConnected(cause string) bool { return strings.HasPrefix(cause, notConnected) }

// LostCause says in one line why there was no answer to an HTTP request.
// net/http's own words hold the URL, and a look-up's URL holds the number.
func LostCause(err error) string {
	if why := unconnected(err); why != "" {
		return notConnected + why
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.Is(err, ErrTooLong):
		return ErrTooLong.Error()
	}
	return "connection lost"
}

// unconnected explains a connection that never came about. It is Uncertain all
// the same: a setting or the network is at fault, and asking again until the
// deadline outlasts it where three hand-overs would not.
func unconnected(err error) string {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		ca   x509.UnknownAuthorityError
		rec  tls.RecordHeaderError
		op   *net.OpError
	)
	switch {
	case errors.As(err, &dns):
		return "host not found"
	case errors.As(err, &cert), errors.As(err, &ca):
		return "certificate not trusted"
	case errors.As(err, &rec), errors.Is(err, http.ErrSchemeMismatch):
		return "the other side does not speak TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &op) && op.Op == "dial":
		if op.Timeout() {
			return "timeout"
		}
		return "host unreachable"
	}
	return ""
}

// Transport connects to one host of somebody else's over HTTP/2 where it can:
// timeout is for a connection and for its TLS, conns is how many there may be.
func Transport(timeout time.Duration, conns int) http.RoundTripper {
	dialer := net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    timeout,
		MaxIdleConnsPerHost:    conns,
		MaxConnsPerHost:        conns,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}
