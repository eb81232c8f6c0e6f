package twiliotest

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fault is what goes wrong with one request. The zero value is none.
type Fault struct {
	// Accept carries the request out before the fault shows; otherwise it is
	// as if the request had never come.
	Accept bool
	// Close ends the connection without an answer, Reset with a RST, Hang
	// waits until the client leaves.
	Close, Reset, Hang bool
	// Status, Header and Body are the answer; Code makes the body Twilio's
	// error document. Truncate cuts the body in the middle.
	Status   int
	Header   http.Header
	Body     string
	Code     int
	Truncate bool
	// Delay is how long a create waits before its answer, good or bad; what is
	// accepted is accepted before.
	Delay time.Duration
	// Forever keeps the fault for all later requests.
	Forever bool
}

// none reports whether nothing goes wrong.
func (f Fault) none() bool {
	return !f.Close && !f.Reset && !f.Hang && f.Status == 0
}

// Accepted returns the fault with the request carried out first.
func (f Fault) Accepted() Fault { f.Accept = true; return f }

// Always returns the fault for this and all later requests.
func (f Fault) Always() Fault { f.Forever = true; return f }

// Drop closes the connection without an answer.
func Drop() Fault { return Fault{Close: true} }

// Reset resets the connection.
func Reset() Fault { return Fault{Reset: true} }

// Hang answers nothing while the client waits.
func Hang() Fault { return Fault{Hang: true} }

// Refuse answers with a code of Twilio's.
func Refuse(status, code int) Fault { return Fault{Status: status, Code: code} }

// Throttle is Twilio's own 429, which was not processed. retryAfter may be
// empty.
func Throttle(retryAfter string) Fault {
	f := Fault{Status: http.StatusTooManyRequests, Code: 20429}
	if retryAfter != "" {
		f.Header = http.Header{"Retry-After": {retryAfter}}
	}
	return f
}

// Page answers as a proxy does: a status and HTML.
func Page(status int) Fault {
	return Fault{
		Status: status, Header: http.Header{"Content-Type": {"text/html"}},
		Body: "<html><body><h1>" + strconv.Itoa(status) + "</h1></body></html>",
	}
}

// Garbage is a success that nobody can read.
func Garbage(body string) Fault { return Fault{Status: http.StatusCreated, Body: body} }

// Cut is a success whose body ends in the middle.
func Cut() Fault {
	return Fault{Status: http.StatusCreated, Body: `{"sid":"SM0123456789abcdef0123456789abcdef","sta`, Truncate: true}
}

// Redirect points to another place.
func Redirect(to string) Fault {
	return Fault{Status: http.StatusTemporaryRedirect, Header: http.Header{"Location": {to}}}
}

// Fault makes the next creates misbehave, one fault each, in this order.
func (s *Server) Fault(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, faults...)
}

// FaultFor makes every create to a number misbehave; the zero Fault ends it.
func (s *Server) FaultFor(to string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.none() {
		delete(s.byNumber, to)
		return
	}
	s.byNumber[to] = f
}

// FaultFrom makes every create from one of our numbers misbehave; the zero Fault
// ends it.
func (s *Server) FaultFrom(from string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.none() {
		delete(s.bySender, from)
		return
	}
	s.bySender[from] = f
}

// ScriptFor makes the next creates to a number misbehave, one fault each, in
// this order; a zero Fault among them is a create that goes well.
func (s *Server) ScriptFor(to string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[to] = append(s.scripts[to], faults...)
}

// FaultReads makes the next lists and fetches misbehave.
func (s *Server) FaultReads(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, faults...)
}

// FaultVerify makes the next starts and checks of a verification misbehave.
func (s *Server) FaultVerify(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verifies = append(s.verifies, faults...)
}

// FaultVerifyFor makes every start and check for a number misbehave; the zero
// Fault ends it.
func (s *Server) FaultVerifyFor(to string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.none() {
		delete(s.byVerify, to)
		return
	}
	s.byVerify[to] = f
}

// Heal ends every fault.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.reads, s.verifies = nil, nil, nil
	clear(s.byNumber)
	clear(s.scripts)
	clear(s.byVerify)
	clear(s.bySender)
	s.account = "active"
}

// pop takes the next fault of a script; one that is forever stays. The lock is
// held.
func pop(script *[]Fault) Fault {
	if len(*script) == 0 {
		return Fault{}
	}
	f := (*script)[0]
	if !f.Forever {
		*script = (*script)[1:]
	}
	return f
}

// show lets a fault happen.
func (s *Server) show(w http.ResponseWriter, r *http.Request, f Fault) {
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
		hangUp(w, false)
	case f.Close, f.Reset:
		hangUp(w, f.Reset)
	default:
		answer(w, f)
	}
}

// wait holds an answer back, unless the client leaves.
func (s *Server) wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	late := time.NewTimer(d) //nolint:forbidigo // a server of tests keeps people waiting
	defer late.Stop()
	select {
	case <-late.C:
	case <-r.Context().Done():
	case <-s.closing:
	}
}

// hangUp ends the connection; nothing is answered.
func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server hangs up by itself
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func answer(w http.ResponseWriter, f Fault) {
	maps.Copy(w.Header(), f.Header)
	if f.Code != 0 {
		refuse(w, f.Status, f.Code, "The text +15550009999 'secret words' was refused")
		return
	}
	if f.Truncate {
		w.Header().Set("Content-Length", strconv.Itoa(2*len(f.Body)))
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
	if f.Truncate {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// refuse writes Twilio's error document.
func refuse(w http.ResponseWriter, status, code int, message string) {
	writeJSON(w, status, map[string]any{
		"code": code, "message": message, "status": status,
		"more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code),
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
