package httpapi

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/valyala/fasthttp"
)

// shortListener has no descriptor for the first connection.
type shortListener struct {
	net.Listener
	short atomic.Bool
}

func (l *shortListener) Accept() (net.Conn, error) {
	if l.short.CompareAndSwap(true, false) {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// TestServesOnWithoutDescriptors: a caller for whom there is no descriptor
// waits, and the server goes on. It used to end, and the process with it.
func TestServesOnWithoutDescriptors(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	short := &shortListener{Listener: l}
	short.short.Store(true)
	s := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(http.StatusNoContent) }}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(patientListener{short, slog.New(slog.DiscardHandler)}) }()
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent || short.short.Load() {
		t.Errorf("status %d; there was a shortage: %v", resp.StatusCode, !short.short.Load())
	}
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("serving ended with %v", err)
	}
}

// TestOtherErrorsEndServing: only a shortage is waited for.
func TestOtherErrorsEndServing(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		syscall.EMFILE: true, syscall.ENFILE: true, syscall.ENOBUFS: true, syscall.ENOMEM: true,
		syscall.EBADF: false, net.ErrClosed: false, errors.New("no more"): false,
	} {
		if got := shortage(&net.OpError{Op: "accept", Err: err}); got != want {
			t.Errorf("%v: shortage %v", err, got)
		}
	}
}
