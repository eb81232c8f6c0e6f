package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/httpgate"
)

// Carrier is a stub of one in a process of its own. It takes every message and
// keeps count by reminder, so that a second text shows.
type Carrier struct {
	URL string
	cmd *exec.Cmd
}

// Counts is what a carrier has taken.
type Counts struct {
	Messages  int `json:"messages"`
	Reminders int `json:"reminders"`
	Twice     int `json:"twice"` // messages beyond a reminder's first
}

// Arrival is a message that came at some instant, in Unix milliseconds.
type Arrival struct {
	Text string  `json:"text"`
	At   float64 `json:"at"`
}

// StartCarrier starts one that takes so long for a message. self is how this
// program is started as a child.
func StartCarrier(self []string, delay time.Duration) (*Carrier, error) {
	cmd, out, err := startChild(self, childJob{Role: "carrier", Delay: delay})
	if err != nil {
		return nil, err
	}
	c := &Carrier{cmd: cmd}
	if _, err := fmt.Fscan(bufio.NewReader(out), &c.URL); err != nil {
		c.Stop()
		return nil, fmt.Errorf("bench: the carrier's process: %w", err)
	}
	return c, nil
}

// Stop ends its process.
func (c *Carrier) Stop() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func (c *Carrier) pid() int { return c.cmd.Process.Pid }

// PID is its process.
func (c *Carrier) PID() int { return c.pid() }

// Counts asks what it has taken.
func (c *Carrier) Counts() (n Counts, err error) { return n, c.get("/counts", &n) }

// arrivals asks when the probes came.
func (c *Carrier) arrivals() (all []Arrival, err error) { return all, c.get("/arrivals", &all) }

func (c *Carrier) get(path string, into any) error {
	resp, err := http.Get(c.URL + path) //nolint:noctx // a stub of ours on loopback
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return json.NewDecoder(resp.Body).Decode(into)
}

// sender is the production adapter for HTTP gateways, aimed at the stub.
func (c *Carrier) sender(conns int) provider.Sender { return gateway(c.URL, conns) }

func gateway(url string, conns int) provider.Sender {
	s, err := httpgate.New(httpgate.Config{
		URL: url + "/messages", Body: `{"to":"{to}","text":"{text}","user_id":"{user_id}","reminder_id":"{reminder_id}","message_id":"{message_id}"}`,
		ID: "id", FindURL: url + "/messages?message_id={message_id}", FoundID: "id", FoundStatus: "status", Absent: "404",
		MaxConns: conns, Now: actors.SystemClock{}.Now,
	})
	if err != nil {
		panic(err) // the description is ours
	}
	return s
}

// taken is the stub's memory.
type taken struct {
	delay time.Duration

	mu        sync.Mutex
	messages  map[string]bool
	reminders map[string]bool
	count     int
	probes    []Arrival
}

// serveCarrier is the stub's process.
func serveCarrier(delay time.Duration) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	t := &taken{delay: delay, messages: map[string]bool{}, reminders: map[string]bool{}}
	say("http://" + l.Addr().String())
	return (&fasthttp.Server{Handler: t.serve, Name: "carrier"}).Serve(l)
}

func (t *taken) serve(ctx *fasthttp.RequestCtx) {
	switch string(ctx.Path()) {
	case "/messages":
		if ctx.IsPost() {
			t.post(ctx)
		} else {
			t.find(ctx)
		}
	case "/counts":
		t.mu.Lock()
		defer t.mu.Unlock()
		answer(ctx, Counts{Messages: t.count, Reminders: len(t.reminders), Twice: t.count - len(t.reminders)})
	case "/arrivals":
		t.mu.Lock()
		defer t.mu.Unlock()
		answer(ctx, t.probes)
	default:
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

// post takes a message, or says that it has that one already: the hand-over
// was repeated, and counts.
func (t *taken) post(ctx *fasthttp.RequestCtx) {
	at := float64(time.Now().UnixMicro()) / 1000
	m, err := readPosted(ctx.PostBody())
	if err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	t.mu.Lock()
	t.messages[m.Message] = true
	t.reminders[m.Reminder] = true
	t.count++
	if len(m.Text) > len(probeText) && m.Text[:len(probeText)] == probeText {
		t.probes = append(t.probes, Arrival{m.Text, at})
	}
	t.mu.Unlock()
	if t.delay > 0 {
		<-time.After(t.delay)
	}
	ctx.SetContentType("application/json")
	ctx.SetStatusCode(fasthttp.StatusCreated)
	_, _ = ctx.WriteString(`{"id":"` + m.Message + `","status":"queued"}`)
}

// posted is what the stub reads of a message.
type posted struct {
	Text     string `json:"text"`
	Reminder string `json:"reminder_id"`
	Message  string `json:"message_id"`
}

// readPosted reads a message. Those of the benchmarks have no spaces between
// names and values and mostly nothing escaped, so that their strings can be cut
// out: inside a string each quote has a backslash before it.
func readPosted(body []byte) (m posted, err error) {
	var plain [3]bool
	m.Text, plain[0] = cutOut(body, `"text":"`)
	m.Reminder, plain[1] = cutOut(body, `"reminder_id":"`)
	m.Message, plain[2] = cutOut(body, `"message_id":"`)
	if plain == [3]bool{true, true, true} {
		return m, nil
	}
	m = posted{}
	return m, json.Unmarshal(body, &m)
}

func cutOut(body []byte, before string) (string, bool) {
	_, rest, ok := bytes.Cut(body, []byte(before))
	value, _, closed := bytes.Cut(rest, []byte{'"'})
	return string(value), ok && closed && bytes.IndexByte(value, '\\') < 0
}

// find answers a look-up.
func (t *taken) find(ctx *fasthttp.RequestCtx) {
	id := string(ctx.QueryArgs().Peek("message_id"))
	t.mu.Lock()
	known := t.messages[id]
	t.mu.Unlock()
	ctx.SetContentType("application/json")
	if !known {
		ctx.SetStatusCode(fasthttp.StatusNotFound)
		_, _ = ctx.WriteString(`{}`)
		return
	}
	_, _ = ctx.WriteString(`{"id":` + strconv.Quote(id) + `,"status":"queued"}`)
}

func answer(ctx *fasthttp.RequestCtx, v any) {
	ctx.SetContentType("application/json")
	_ = json.NewEncoder(ctx).Encode(v)
}

// probeText begins the texts of reminders whose arrival is looked at; the
// instant at which they are due follows.
const probeText = "Probe "

var errNoSelf = errors.New("bench: this workload needs a process of its own, and was not told how to start one")
