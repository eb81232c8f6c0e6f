package load

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Stub is a carrier with Twilio's face: it accepts every text, tells the run
// about it, and reports its delivery by signed callbacks if it has a token to
// sign with. It finds what it accepted, so that an engine that lost an answer
// can ask.
type Stub struct {
	opts   StubOptions
	server fasthttp.Server
	url    string
	later  reports

	mu       sync.Mutex
	told     func(to, text string, at time.Time)
	messages []accepted
	byNumber map[string][]int
}

// StubOptions of NewStub.
type StubOptions struct {
	Latency time.Duration // between a request and its answer
	Token   string        // signs callbacks; empty: there are none
}

// accepted is a text as the stub keeps it. Its sid holds its place.
type accepted struct {
	to, from, service, text string
	at                      time.Time
}

// NewStub listens on an address of this machine. Close it.
func NewStub(address string, opts StubOptions) (*Stub, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("load: the carrier's stub: %w", err)
	}
	s := &Stub{opts: opts, url: "http://" + l.Addr().String(), byNumber: map[string][]int{}}
	s.server = fasthttp.Server{Handler: s.handle, Name: "carillon-stub", Logger: silent{}}
	s.later.start(opts.Token)
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// silent keeps the server's remarks about hung-up connections off the screen.
type silent struct{}

// Printf implements fasthttp.Logger.
func (silent) Printf(string, ...any) {}

// URL is what the engine's CARILLON_TWILIO_BASE_URL has to be.
func (s *Stub) URL() string { return s.url }

// Close stops the stub.
func (s *Stub) Close() {
	s.later.stop()
	_ = s.server.Shutdown()
}

// tell has every text that comes from now on told to fn.
func (s *Stub) tell(fn func(to, text string, at time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = fn
}

func (s *Stub) handle(ctx *fasthttp.RequestCtx) {
	at := time.Now()
	path := string(ctx.Path())
	_, file, found := strings.Cut(path, "/Messages")
	switch {
	case !strings.HasPrefix(path, "/2010-04-01/Accounts/") || !found:
		refuse(ctx, fasthttp.StatusNotFound, 20404, "The requested resource "+path+" was not found")
	case ctx.IsPost() && file == ".json":
		s.create(ctx, at)
	case ctx.IsGet() && file == ".json":
		s.list(ctx)
	case ctx.IsGet():
		s.fetch(ctx, strings.TrimSuffix(strings.TrimPrefix(file, "/"), ".json"))
	default:
		refuse(ctx, fasthttp.StatusMethodNotAllowed, 20004, "Method not allowed")
	}
}

// create accepts a text. It counts as with the carrier from the moment the
// request is there, as it would at Twilio.
func (s *Stub) create(ctx *fasthttp.RequestCtx, at time.Time) {
	form := ctx.PostArgs()
	m := accepted{
		to: string(form.Peek("To")), from: string(form.Peek("From")), service: string(form.Peek("MessagingServiceSid")),
		text: string(form.Peek("Body")), at: at,
	}
	if m.to == "" || m.text == "" {
		refuse(ctx, fasthttp.StatusBadRequest, 21604, "A 'To' phone number and a body are required.")
		return
	}
	s.mu.Lock()
	n := len(s.messages)
	s.messages = append(s.messages, m)
	s.byNumber[m.to] = append(s.byNumber[m.to], n)
	if s.told != nil {
		s.told(m.to, m.text, at)
	}
	s.mu.Unlock()
	if s.opts.Latency > 0 {
		time.Sleep(s.opts.Latency)
	}
	write(ctx, fasthttp.StatusCreated, m.resource(n, "queued"))
	s.later.add(report{url: string(form.Peek("StatusCallback")), sid: sid(n), to: m.to, from: m.from})
}

func sid(n int) string { return fmt.Sprintf("SM%032x", n) }

// list shows what one number got, newest first, on one page.
func (s *Stub) list(ctx *fasthttp.RequestCtx) {
	s.mu.Lock()
	items := []map[string]any{}
	for _, n := range slices.Backward(s.byNumber[string(ctx.QueryArgs().Peek("To"))]) {
		items = append(items, s.messages[n].resource(n, "delivered"))
	}
	s.mu.Unlock()
	write(ctx, fasthttp.StatusOK, map[string]any{
		"messages": items, "page": 0, "page_size": len(items), "start": 0, "end": max(len(items)-1, 0),
		"uri": string(ctx.RequestURI()), "first_page_uri": string(ctx.RequestURI()), "next_page_uri": nil, "previous_page_uri": nil,
	})
}

func (s *Stub) fetch(ctx *fasthttp.RequestCtx, name string) {
	var n int
	_, err := fmt.Sscanf(name, "SM%x", &n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || n < 0 || n >= len(s.messages) {
		refuse(ctx, fasthttp.StatusNotFound, 20404, "The requested resource was not found")
		return
	}
	write(ctx, fasthttp.StatusOK, s.messages[n].resource(n, "delivered"))
}

// resource is the message as Twilio's API shows it.
func (m *accepted) resource(n int, status string) map[string]any {
	var service any
	if m.service != "" {
		service = m.service
	}
	return map[string]any{
		"sid": sid(n), "status": status, "to": m.to, "from": m.from, "messaging_service_sid": service, "body": m.text,
		"direction": "outbound-api", "num_segments": "1", "num_media": "0", "error_code": nil, "error_message": nil,
		"date_created": m.at.UTC().Format(time.RFC1123Z), "date_updated": m.at.UTC().Format(time.RFC1123Z),
		"date_sent": m.at.UTC().Format(time.RFC1123Z), "api_version": "2010-04-01",
	}
}

func refuse(ctx *fasthttp.RequestCtx, status, code int, message string) {
	write(ctx, status, map[string]any{"status": status, "code": code, "message": message, "more_info": ""})
}

func write(ctx *fasthttp.RequestCtx, status int, doc any) {
	body, err := json.Marshal(doc)
	if err != nil {
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
		return
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.SetBody(body)
}
