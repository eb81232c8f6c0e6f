package twiliotest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"carillon/actors/provider/twilio"
	"carillon/engine"
)

// The account of a Server whose Options name none. None of them is secret.
const (
	AccountSID = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	AuthToken  = "test0token0test0token0test0token"
	ServiceSID = "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	VerifySID  = "VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0"
	From       = "+15550001111"
)

// Options of a Server. The zero value is an account with the constants above.
type Options struct {
	AccountSID, AuthToken string
	From                  string // the number that is ours to send from
	ServiceSID, VerifySID string
	// Now is the server's clock. Default: the wall clock.
	Now func() engine.Millis
	// Reach is where callbacks really go, as scheme and host, when the public
	// URL that they are asked for and signed with is not ours to listen on.
	Reach string
	// Accepted is told of every message before its create is answered, for a
	// book that outlives the process. Nothing else is created meanwhile.
	Accepted func(Message)
	// Draw picks the fault of a create that no script has one for; nil: none.
	Draw func() Fault
}

func (o *Options) setDefaults() {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&o.AccountSID, AccountSID},
		{&o.AuthToken, AuthToken},
		{&o.From, From},
		{&o.ServiceSID, ServiceSID},
		{&o.VerifySID, VerifySID},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if o.Now == nil {
		o.Now = func() engine.Millis { return time.Now().UnixMilli() } //nolint:forbidigo // a server of tests has a clock
	}
}

// Server is a Twilio. It is safe for concurrent use.
type Server struct {
	opts    Options
	http    *httptest.Server
	client  *http.Client // brings callbacks
	closing chan struct{}
	conns   atomic.Int64

	answering atomic.Int64 // creates without their answer yet

	mu       sync.Mutex
	messages []*Message // in order of creation
	bySID    map[string]*Message
	creates  map[sent]int
	total    int
	lists    int
	keys     int // creates that carried an Idempotency-Key
	next     []Fault
	byNumber map[string]Fault
	scripts  map[string][]Fault
	reads    []Fault
	verifies []Fault
	byVerify map[string]Fault
	bySender map[string]Fault
	account  string   // its status
	more     []string // further numbers that are ours
	codes    map[string]*verification
	serial   uint64
}

type sent struct{ to, body string }

// New starts a server on loopback. Close it.
func New(opts Options) *Server {
	opts.setDefaults()
	s := &Server{
		opts: opts, client: &http.Client{Timeout: 10 * time.Second}, closing: make(chan struct{}),
		bySID: map[string]*Message{}, creates: map[sent]int{}, byNumber: map[string]Fault{}, scripts: map[string][]Fault{}, byVerify: map[string]Fault{},
		codes: map[string]*verification{}, bySender: map[string]Fault{}, account: "active",
	}
	s.http = httptest.NewUnstartedServer(s.routes())
	s.http.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	s.http.Start()
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	account := "/2010-04-01/Accounts/{account}/"
	mux.HandleFunc("GET /2010-04-01/Accounts/{file}", s.known(s.fetchAccount))
	mux.HandleFunc("POST "+account+"Messages.json", s.known(s.create))
	mux.HandleFunc("GET "+account+"Messages.json", s.known(s.list))
	mux.HandleFunc("GET "+account+"Messages/{file}", s.known(s.fetch))
	mux.HandleFunc("POST "+account+"Messages/{file}", s.known(s.update))
	mux.HandleFunc("POST /v2/Services/{service}/Verifications", s.known(s.startVerification))
	mux.HandleFunc("POST /v2/Services/{service}/VerificationCheck", s.known(s.checkVerification))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	})
	return mux
}

// known lets a request in that signs in as the account.
func (s *Server) known(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		switch {
		case !ok || user != s.opts.AccountSID || password != s.opts.AuthToken:
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			refuse(w, http.StatusUnauthorized, 20003, "Authenticate")
		case r.PathValue("account") != "" && r.PathValue("account") != s.opts.AccountSID:
			refuse(w, http.StatusNotFound, 20404, "The requested resource was not found")
		case r.ParseForm() != nil:
			refuse(w, http.StatusBadRequest, 20001, "Unreadable form")
		default:
			h(w, r)
		}
	}
}

// URL is the server's base URL, for CARILLON_TWILIO_BASE_URL.
func (s *Server) URL() string { return s.http.URL }

// Connections is how many connections were opened to the server.
func (s *Server) Connections() int { return int(s.conns.Load()) }

// Config is a client's configuration for this server and a number as sender.
func (s *Server) Config() twilio.Config {
	return twilio.Config{
		AccountSID: s.opts.AccountSID, AuthToken: s.opts.AuthToken, From: s.numbers(),
		VerifyServiceSID: s.opts.VerifySID, BaseURL: s.http.URL, Now: s.opts.Now,
	}
}

// Own makes further numbers ours to send from.
func (s *Server) Own(numbers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more = append(s.more, numbers...)
}

func (s *Server) numbers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{s.opts.From}, s.more...)
}

// fetchAccount tells the account's status.
func (s *Server) fetchAccount(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f, status := pop(&s.reads), s.account
	s.mu.Unlock()
	switch {
	case !f.none():
		s.show(w, r, f)
	case file(r) != s.opts.AccountSID:
		refuse(w, http.StatusNotFound, 20404, "The requested resource was not found")
	default:
		writeJSON(w, http.StatusOK, map[string]any{
			"sid": s.opts.AccountSID, "status": status, "type": "Full", "friendly_name": "test", "owner_account_sid": s.opts.AccountSID,
			"auth_token": "not shown here", "date_created": "Tue, 01 Sep 2026 10:00:00 +0000", "date_updated": "Tue, 01 Sep 2026 10:00:00 +0000",
			"uri": "/2010-04-01/Accounts/" + s.opts.AccountSID + ".json", "subresource_uris": map[string]any{},
		})
	}
}

// SetAccount sets the account's status: active, suspended or closed. One that is
// not active sends nothing.
func (s *Server) SetAccount(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account = status
}

// HangUp closes every connection: who waits for an answer will not get one.
func (s *Server) HangUp() { s.http.CloseClientConnections() }

// Close stops the server and lets go of whoever hangs.
func (s *Server) Close() {
	close(s.closing)
	s.http.CloseClientConnections()
	s.http.Close()
	s.client.CloseIdleConnections()
}

// sid is unique in this server. The lock is held.
func (s *Server) sid(kind string) string {
	s.serial++
	return fmt.Sprintf("%s%032x", kind, s.serial)
}

// file is the sid out of a path like Messages/SM….json.
func file(r *http.Request) string { return strings.TrimSuffix(r.PathValue("file"), ".json") }
