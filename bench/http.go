package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/engine"
	"carillon/httpapi"
)

// face is a node as HTTP sees it.
type face struct{ *actors.Node }

// Role implements httpapi.Backend: everybody here is the administrator.
func (face) Role(string) (httpapi.Role, bool) { return httpapi.RoleAdmin, true }

// Stats implements httpapi.Backend.
func (f face) Stats(context.Context) any { return f.Node.Stats() }

// site is a rig with its HTTP face on loopback, and a client on the same
// cores.
type site struct {
	*rig
	server *httpapi.Server
	url    string
	client fasthttp.Client
}

const benchToken = "bench0token0bench0token0bench000"

func newSite(parent string) (*site, error) {
	r, err := newRig(parent, nil)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &site{rig: r, url: "http://" + l.Addr().String()}
	s.client.MaxConnsPerHost = 4096
	s.server = httpapi.New(httpapi.Config{
		Backend: face{r.node}, Hooks: twilio.NewHooks(benchToken), PublicURL: s.url,
		Now: actors.SystemClock{}.Now, Logger: slog.New(slog.DiscardHandler),
	})
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

func (s *site) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		return err
	}
	return s.rig.stop()
}

// call sends a request that must be answered with a 2xx.
func (s *site) call(method, path, contentType string, body []byte, header ...string) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(s.url + path)
	req.Header.SetMethod(method)
	req.Header.SetContentType(contentType)
	req.Header.Set("Authorization", "Bearer bench")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	req.SetBodyRaw(body)
	if err := s.client.Do(req, resp); err != nil {
		return err
	}
	if resp.StatusCode() >= 300 {
		return fmt.Errorf("bench: %s %s: %d %s", method, path, resp.StatusCode(), resp.Body())
	}
	return nil
}

// HTTP is Schedule through HTTP on loopback; with lines above 1 it is through
// the batch endpoint, that many lines a call.
func HTTP(parent string, n, callers, users, lines int) (Result, error) {
	s, err := newSite(parent)
	if err != nil {
		return Result{}, err
	}
	defer s.remove()
	if err := s.populate(users, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	start := time.Now().Add(20 * time.Minute)
	request := func(i int) (path, body string) {
		at := start.Add(time.Duration(i/users) * time.Minute).UTC().Format(time.RFC3339)
		return fmt.Sprintf("/v1/users/%s/events/e%d", userID(i%users), i/users),
			fmt.Sprintf(`{"title":"Quarterly review with Dana","start":%q,"location":"Room 4.12"}`, at)
	}
	began := time.Now()
	var took []time.Duration
	if lines <= 1 {
		took, err = timed(n, callers, func(i int) error {
			path, body := request(i)
			return s.call("PUT", path, "application/json", []byte(body))
		})
	} else {
		took, err = timed(n/lines, callers, func(k int) error {
			var b strings.Builder
			for i := k * lines; i < (k+1)*lines; i++ {
				path, body := request(i)
				fmt.Fprintf(&b, `{"method":"PUT","path":%q,"body":%s}`+"\n", path, body)
			}
			return s.call("POST", "/v1/batch", "application/x-ndjson", []byte(b.String()))
		})
	}
	res := Result{Workload: "http", N: n, durations: took, Details: map[string]float64{"callers": float64(callers), "lines_per_call": float64(lines)}}
	res.finish(time.Since(began), s.dir)
	if err != nil {
		return res, err
	}
	return res, s.stop()
}

// Callbacks brings signed status callbacks for as many messages, one
// "delivered" each.
func Callbacks(parent string, n, callers int) (Result, error) {
	s, err := newSite(parent)
	if err != nil {
		return Result{}, err
	}
	defer s.remove()
	if err := s.populate(n, 1024, "UTC"); err != nil {
		return Result{}, err
	}
	type sent struct{ user, message string }
	all := make(chan sent, n)
	s.sent.told = func(m provider.Message) { all <- sent{m.UserID, m.MessageID} }
	now := time.Now()
	err = each(n, 1024, func(i int) error {
		return s.do(userID(i), engine.CreateReminder{Text: "Now", SendAt: now.UnixMilli(), Priority: engine.PriorityNormal})
	})
	if err != nil {
		return Result{}, err
	}
	if err := s.awaitSent(n, now); err != nil {
		return Result{}, err
	}
	close(all)
	var list []sent
	for m := range all {
		list = append(list, m)
	}
	began := time.Now()
	took, err := timed(n, callers, func(i int) error {
		path := "/webhooks/twilio/status?user_id=" + url.QueryEscape(list[i].user) + "&message_id=" + url.QueryEscape(list[i].message)
		form := url.Values{"MessageSid": {sid(list[i].message)}, "MessageStatus": {"delivered"}, "AccountSid": {"AC" + strings.Repeat("a", 32)}}
		return s.call("POST", path, "application/x-www-form-urlencoded", []byte(form.Encode()),
			"X-Twilio-Signature", twilio.Signature(benchToken, s.url+path, form))
	})
	res := Result{Workload: "callbacks", N: n, durations: took, Details: map[string]float64{"callers": float64(callers)}}
	res.finish(time.Since(began), s.dir)
	if err != nil {
		return res, err
	}
	return res, s.stop()
}
