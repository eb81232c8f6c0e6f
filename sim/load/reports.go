package load

import (
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"carillon/actors/provider/twilio"
)

// reporters is how many callbacks are under way at a time.
const reporters = 16

// reports brings the engine what became of its texts.
type reports struct {
	token  string
	client fasthttp.Client
	work   sync.WaitGroup

	mu     sync.Mutex
	more   *sync.Cond
	queue  []report
	closed bool
	busy   int

	taken  int
	failed map[string]int // by class
}

// report is one callback: delivered.
type report struct{ url, sid, to, from string }

func (r *reports) start(token string) {
	r.token, r.failed = token, map[string]int{}
	r.more = sync.NewCond(&r.mu)
	r.client = fasthttp.Client{MaxConnsPerHost: reporters, ReadTimeout: callTimeout, WriteTimeout: callTimeout}
	if token == "" {
		return
	}
	for range reporters {
		r.work.Go(r.run)
	}
}

func (r *reports) stop() {
	r.mu.Lock()
	r.closed = true
	r.more.Broadcast()
	r.mu.Unlock()
	r.work.Wait()
}

func (r *reports) add(c report) {
	if r.token == "" || c.url == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, c)
	r.more.Signal()
}

// open is how many callbacks are not done with.
func (r *reports) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue) + r.busy
}

func (r *reports) run() {
	for {
		r.mu.Lock()
		for len(r.queue) == 0 && !r.closed {
			r.more.Wait()
		}
		if r.closed {
			r.mu.Unlock()
			return
		}
		c := r.queue[0]
		r.queue = r.queue[1:]
		r.busy++
		r.mu.Unlock()
		why := r.bring(c)
		r.mu.Lock()
		r.busy--
		if why == "" {
			r.taken++
		} else {
			r.failed[why]++
		}
		r.mu.Unlock()
	}
}

// callbackTries is how often a callback is brought: rc=5 as the engine asks of
// Twilio, and the first one.
const callbackTries = 6

// bring posts the callback until it is taken, and returns why it was not.
func (r *reports) bring(c report) (why string) {
	raw, _, _ := strings.Cut(c.url, "#")
	form := url.Values{
		"MessageSid": {c.sid}, "SmsSid": {c.sid}, "MessageStatus": {"delivered"}, "SmsStatus": {"delivered"},
		"To": {c.to}, "From": {c.from}, "AccountSid": {"AC" + strings.Repeat("0", 32)}, "ApiVersion": {"2010-04-01"},
	}
	signature := twilio.Signature(r.token, raw, form)
	body := []byte(form.Encode())
	for try := range callbackTries {
		if try > 0 {
			time.Sleep(time.Duration(try) * 200 * time.Millisecond)
		}
		if why = r.post(raw, body, signature); why == "" {
			return ""
		}
	}
	return why
}

func (r *reports) post(target string, body []byte, signature string) (why string) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(target)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", signature)
	req.SetBodyRaw(body)
	if err := r.client.DoTimeout(req, resp, callTimeout); err != nil {
		return transport(err)
	}
	if s := resp.StatusCode(); s >= 300 {
		return "HTTP " + strconv.Itoa(s)
	}
	return ""
}
