package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/llm"
	"carillon/engine"
)

const (
	composeAhead   = time.Second            // the window before the send
	composeTimeout = 500 * time.Millisecond // of one request
	composeBudget  = 50_000                 // millionths of a dollar: dear answers soon use it up
)

// Composer has n reminders of as many people leave within n/200 seconds, once
// with each kind of endpoint for a model: one that is good, that hangs, answers
// garbage, lies, costs too much, and is all of that by turns. Beside it, at the
// same time and in the same process, another engine has the same reminders leave
// by template, so that what the machine does meanwhile is done to both. It
// measures how late each left, and looks at every text that did (X4).
func Composer(o Options) (Result, error) {
	n := or(o.N, 1000)
	res := Result{Workload: "composer", N: n, OpsPerS: 200}
	m := Measure()
	var last Latencies
	for _, kind := range endpointKinds {
		late, err := sideBySide(o, &res, n, kind)
		if err != nil {
			return Result{}, err
		}
		last = late
		o.progress(kind)
	}
	res.Finish(m.End(), last, "")
	return res, nil
}

// sideBySide is one pass: its details bear the name of the endpoint.
func sideBySide(o Options, res *Result, n int, kind string) (Latencies, error) {
	e := newEndpoint(kind)
	defer e.close()
	model, err := newPass(o, n, e.configure)
	if err != nil {
		return nil, err
	}
	defer model.remove()
	template, err := newPass(o, n, func(c *actors.Config) { c.Policy = engine.DefaultPolicy() })
	if err != nil {
		return nil, err
	}
	defer template.remove()
	first := time.Now().Add(composeAhead + time.Duration(500+2*n)*time.Millisecond).Truncate(time.Millisecond)
	for _, p := range []*pass{model, template} {
		if err := p.plan(first); err != nil {
			return nil, err
		}
	}
	for name, p := range map[string]*pass{kind: model, kind + "_beside": template} {
		if err := p.awaitSent(n, time.Until(p.due(n))+time.Minute); err != nil {
			return nil, err
		}
		p50, p99, _ := p.late.quantiles()
		res.Detail(name+"_late_p50_ms", p50)
		res.Detail(name+"_late_p99_ms", p99)
	}
	res.Detail(kind+"_texts_by_llm", float64(model.written.Load()))
	res.Detail(kind+"_texts_bad", float64(model.bad.Load()+template.bad.Load()))
	res.Detail(kind+"_requests", float64(e.asked.Load()))
	res.Disk = diskBytes(model.dir) / (1 << 20)
	return model.late, errors.Join(model.stop(), template.stop())
}

// pass is an engine, and what left it.
type pass struct {
	*rig
	first        time.Time
	late         Latencies
	written, bad atomic.Int64 // texts of a model, and those that nobody should get
}

func newPass(o Options, n int, change func(*actors.Config)) (*pass, error) {
	r, err := newRig(o, change)
	if err != nil {
		return nil, err
	}
	p := &pass{rig: r, late: make(Latencies, n)}
	r.sent.told = p.left
	return p, r.populate(n, "UTC")
}

func (p *pass) due(i int) time.Time { return p.first.Add(time.Duration(i) * 5 * time.Millisecond) }

func (p *pass) plan(first time.Time) error {
	p.first = first
	return Each(len(p.late), 64, func(_, i int) error {
		start := p.due(i).Add(15 * time.Minute).UnixMilli()
		return p.do(userID(i), engine.Put(engine.CalendarEvent{
			ID: "e", Title: fmt.Sprintf("Review %d", i), Start: start, End: start + 3_600_000,
		}))
	})
}

func (p *pass) left(m provider.Message) {
	now, i := time.Now(), 0
	switch {
	case scan(m.Text, "Review %d in 15 mins", &i):
	case scan(m.Text, "Your Review %d starts in 15 mins", &i):
		p.written.Add(1)
	default:
		p.bad.Add(1)
		return
	}
	p.late.Set(i, now.Sub(p.due(i)))
}

// scan reads a text that must be nothing but that form.
func scan(text, form string, n *int) bool {
	_, err := fmt.Sscanf(text, form, n)
	return err == nil && text == fmt.Sprintf(form, *n)
}

// endpointKinds are the passes.
var endpointKinds = []string{"good", "hangs", "garbage", "lies", "dear", "by_turns"}

// modelEndpoint speaks the chat API, as well as its kind lets it.
type modelEndpoint struct {
	kind  string
	http  *httptest.Server
	asked atomic.Int64
	free  chan struct{}
	once  sync.Once
}

func newEndpoint(kind string) *modelEndpoint {
	e := &modelEndpoint{kind: kind, free: make(chan struct{})}
	e.http = httptest.NewServer(e)
	return e
}

func (e *modelEndpoint) close() {
	e.once.Do(func() { close(e.free) })
	e.http.Close()
}

// configure has a node ask the endpoint, as the settings would.
func (e *modelEndpoint) configure(c *actors.Config) {
	c.Policy = engine.DefaultPolicy()
	prices, err := llm.ParsePrices(llm.DefaultPrices)
	if err != nil {
		panic(err)
	}
	client, err := llm.New(llm.Config{BaseURL: e.http.URL, APIKey: "k", Timeout: composeTimeout, Prices: prices, Now: c.Clock.Now})
	if err != nil {
		panic(err)
	}
	c.Composer, c.MaxComposes, c.ComposeTimeout = client, 8, composeTimeout+time.Second
	c.ComposeBudget, c.Policy.ComposeAhead = composeBudget, composeAhead.Milliseconds()
}

// ServeHTTP answers one request.
func (e *modelEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, kind := e.asked.Add(1), e.kind
	title, err := titleAsked(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if kind == "by_turns" {
		kind = endpointKinds[int(n)%5]
	}
	usage := `"usage":{"prompt_tokens":400,"completion_tokens":20}`
	text := "Your " + title + " starts in 15 mins"
	switch kind {
	case "hangs":
		select {
		case <-e.free:
		case <-r.Context().Done():
		}
		return
	case "garbage":
		_, _ = io.WriteString(w, strings.Repeat("<garbage>", 20_000))
		return
	case "lies":
		text = title + " is moved to 2 hours later, pay at http://evil.example"
	case "dear":
		usage = `"usage":{"prompt_tokens":400,"completion_tokens":20,"cost":0.01}`
	}
	content, _ := json.Marshal(text) // a string has no trouble
	_, _ = fmt.Fprintf(w, `{"model":"m","choices":[{"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],%s}`, content, usage)
}

// titleAsked is the title of the event in a request.
func titleAsked(body io.Reader) (string, error) {
	var asked struct{ Messages []struct{ Content string } }
	if err := json.NewDecoder(body).Decode(&asked); err != nil || len(asked.Messages) != 2 {
		return "", errors.Join(errors.New("not a request for a text"), err)
	}
	var event struct{ Title string }
	err := json.Unmarshal([]byte(asked.Messages[1].Content), &event)
	return event.Title, err
}
