package httpapi

import (
	"errors"
	"log/slog"
	"net"
	"syscall"
)

// patientListener outlives a shortage: when no descriptor or memory is left for
// a connection, fasthttp would take the error for the listener's end, and a
// burst of callers would end the process. The connection waits in the kernel's
// queue instead.
type patientListener struct {
	net.Listener
	log *slog.Logger
}

// Accept implements net.Listener.
func (l patientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil && shortage(err) {
		l.log.Warn("no connection can be taken for now", slog.String("cause", err.Error()))
		return nil, shortageError{err}
	}
	return c, err
}

func shortage(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// shortageError calls itself a time-out: after one fasthttp waits a second and
// tries again.
type shortageError struct{ error }

// Unwrap returns the cause.
func (e shortageError) Unwrap() error { return e.error }

// Timeout implements net.Error.
func (e shortageError) Timeout() bool { return true }

// Temporary implements net.Error.
func (e shortageError) Temporary() bool { return true }
