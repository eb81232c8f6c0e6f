package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/fasthttp/router"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"carillon/engine"
)

// Config is what a Server needs. Only Backend, Now and Logger must be set.
type Config struct {
	Backend Backend
	Hooks   Hooks // nil: there are no /webhooks/twilio
	Seal    Seal  // nil: there is no /webhooks/calendar
	// Channel reads whose calendar a token of Google's push notifications is
	// about; nil: there is no /webhooks/google.
	Channel       func(token string) (userID, calendarID string, ok bool)
	PublicURL     string // scheme, host and any prefix, as the carrier calls us
	DefaultRegion string // of numbers without country code (N1), such as DE; empty: they are refused
	Version       string

	Now    func() engine.Millis
	Logger *slog.Logger
	NewID  func() string // request ids; by default a random name of the server, and a number

	MaxBodyBytes      int // 1 MiB by default
	MaxLargeBodyBytes int // of a batch and a full sync; 8 MiB by default
	MaxConnections    int // 10,000 by default
	// ReadTimeout is for a whole request, RequestTimeout for carrying it out,
	// WriteTimeout for the answer; 30 s each by default. IdleTimeout is
	// between two requests of a connection, 2 min by default.
	ReadTimeout, RequestTimeout, WriteTimeout, IdleTimeout time.Duration

	Registerer prometheus.Registerer // nil: metrics are counted and not shown
	Gatherer   prometheus.Gatherer   // nil: /metrics is not there

	Outbox     Outbox // nil: there is no /sandbox
	OpenOutbox bool   // the sandbox's outbox can be read without a key

	// AnswerKeywords answers STOP, START and HELP ourselves. Twilio does it
	// for long codes, and a second answer would be one too many (N3).
	AnswerKeywords bool
}

// Outbox is the sandbox carrier's. Messages returns what it was given, newest
// first: a slice that encodes to a JSON list.
type Outbox interface {
	Messages(limit int) any
	// After returns those behind a number, oldest first.
	After(seq uint64, limit int) any
}

// Server is the HTTP face of carillon.
type Server struct {
	c       Config
	router  *router.Router
	http    *fasthttp.Server
	metrics *metrics
	base    context.Context // of every request; it ends after Shutdown
	cancel  context.CancelFunc
	until   atomic.Pointer[limit] // of the requests that begin now

	ofEvents map[string]*served // routes of eventPath, by method
}

// New returns a Server that is not listening yet.
func New(c Config) *Server {
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, 1<<20)
	c.MaxLargeBodyBytes = cmp.Or(c.MaxLargeBodyBytes, 8<<20)
	c.MaxConnections = cmp.Or(c.MaxConnections, 10_000)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, 30*time.Second)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 30*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 30*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 2*time.Minute)
	if c.NewID == nil {
		c.NewID = newIDs()
	}
	s := &Server{c: c, metrics: newMetrics(c.Registerer), ofEvents: map[string]*served{}}
	s.base, s.cancel = context.WithCancel(context.Background())
	s.router = s.newRouter()
	s.http = s.newHTTP()
	return s
}

// newHTTP sets every limit: those of fasthttp are mostly "none".
func (s *Server) newHTTP() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:                      s.Handler(),
		ErrorHandler:                 s.unreadable,
		HeaderReceived:               s.limits,
		Logger:                       logAdapter{s.c.Logger},
		NoDefaultServerHeader:        true,
		Concurrency:                  s.c.MaxConnections,
		ReadBufferSize:               16 << 10, // the longest header, request line included
		ReadTimeout:                  s.c.ReadTimeout,
		WriteTimeout:                 s.c.WriteTimeout,
		IdleTimeout:                  s.c.IdleTimeout,
		MaxRequestBodySize:           s.c.MaxLargeBodyBytes,
		StreamRequestBody:            true, // readBody reads, so that it can say 413 and be heard
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
		TCPKeepalive:                 true,
		CloseOnShutdown:              true,
	}
}

const backupPath = "/v1/backup"

// backupWriteTimeout is how long a backup may take to stream.
const backupWriteTimeout = 6 * time.Hour

func (s *Server) limits(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if path, _, _ := bytes.Cut(h.RequestURI(), []byte{'?'}); string(path) == backupPath {
		return fasthttp.RequestConfig{WriteTimeout: backupWriteTimeout}
	}
	return fasthttp.RequestConfig{}
}

// Handler serves every route. It survives panics of the handlers.
func (s *Server) Handler() fasthttp.RequestHandler {
	return s.handle
}

// Serve answers requests on l until Shutdown. It returns nil then.
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(patientListener{l, s.c.Logger}) }

// Shutdown stops listening, waits for the requests under way, and ends their
// context when they are done or ctx is.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.cancel()
	return s.http.ShutdownWithContext(ctx)
}

// logAdapter takes what fasthttp has to say of broken connections.
type logAdapter struct{ log *slog.Logger }

func (l logAdapter) Printf(format string, args ...any) {
	l.log.Debug("http connection failed", slog.String("cause", fmt.Sprintf(format, args...)))
}
