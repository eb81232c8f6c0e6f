package provider

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"carillon/engine"
)

// kept is a connection that may be used again.
type kept struct {
	net.Conn // TLS where there is TLS
	to       origin
	raw      syscall.RawConn // below the TLS
	in       *bufio.Reader
	out      *bufio.Writer
	left     int64 // of an answer's head

	now       func() engine.Millis
	idleSince engine.Millis
	stop      func() bool // ends the watch on the request's ctx

	// What quiet finds.
	one  [1]byte
	lies error
}

// secure begins TLS.
func (c *kept) secure(ctx context.Context, conf *tls.Config, host string, limit time.Duration) error {
	if conf.ServerName == "" {
		conf = conf.Clone()
		conf.ServerName = host
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn := tls.Client(c.Conn, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.Conn = conn
	return nil
}

// exchange writes a request and reads the head of its answer.
func (c *kept) exchange(req *http.Request) (*http.Response, error) {
	err := req.Write(c.out)
	if err == nil {
		err = c.out.Flush()
	}
	if err != nil {
		return nil, err
	}
	c.left = maxHeader
	for range maxAnnounces {
		resp, err := http.ReadResponse(c.in, req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			c.left = 1 << 62 // who reads a body has his own bound
			return resp, nil
		}
	}
	return nil, ErrTooLong
}

// interrupt ends what waits for the connection.
func (c *kept) interrupt() { _ = c.SetDeadline(time.Unix(1, 0)) }

// limited reads from the connection as much as may be left.
func (c *kept) limited() io.Reader { return (*limitedConn)(c) }

type limitedConn kept

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, ErrTooLong
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

func rawOf(conn net.Conn) (syscall.RawConn, error) {
	s, ok := conn.(syscall.Conn)
	if !ok {
		return nil, net.ErrClosed
	}
	return s.SyscallConn()
}
