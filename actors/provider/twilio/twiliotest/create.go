package twiliotest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

// create takes a message, or misbehaves.
func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	s.answering.Add(1)
	defer s.answering.Add(-1)
	f := s.count(r)
	if !f.none() && !f.Accept {
		s.wait(r, f.Delay)
		s.show(w, r, f)
		return
	}
	if status, code, message := s.refusal(form); code != 0 {
		refuse(w, status, code, message)
		return
	}
	m := s.accept(form)
	s.wait(r, f.Delay)
	if !f.none() {
		s.show(w, r, f)
		return
	}
	writeRaw(w, http.StatusCreated, m.resource(s.opts.AccountSID))
}

// count notes the request and picks its fault: the number's own before the
// script's.
func (s *Server) count(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.creates[sent{r.PostForm.Get("To"), r.PostForm.Get("Body")}]++
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, ok := r.Header[http.CanonicalHeaderKey(name)]; ok {
			s.keys++
		}
	}
	to := r.PostForm.Get("To")
	if script := s.scripts[to]; len(script) > 0 {
		f := pop(&script)
		s.scripts[to] = script
		return f
	}
	if f, ok := s.byNumber[to]; ok {
		return f
	}
	if s.account != "active" {
		return Refuse(http.StatusForbidden, 20005)
	}
	if f, ok := s.bySender[r.PostForm.Get("From")]; ok {
		return f
	}
	if len(s.next) == 0 && s.opts.Draw != nil {
		return s.opts.Draw()
	}
	return pop(&s.next)
}

// refusal checks the form as Twilio does.
func (s *Server) refusal(form url.Values) (status, code int, message string) {
	const bad = http.StatusBadRequest
	from, service := form.Get("From"), form.Get("MessagingServiceSid")
	validity, err := strconv.Atoi(form.Get("ValidityPeriod"))
	switch {
	case form.Get("To") == "":
		return bad, 21604, "A 'To' phone number is required."
	case !e164.MatchString(form.Get("To")):
		return bad, 21211, "Invalid 'To' Phone Number: " + form.Get("To")
	case from == "" && service == "":
		return bad, 21603, "A 'From' phone number is required."
	case service != "" && service != s.opts.ServiceSID:
		return bad, 21701, "The Messaging Service does not exist."
	case from != "" && !slices.Contains(s.numbers(), from):
		return bad, 21659, "'" + from + "' is not a Twilio phone number or Short Code country mismatch"
	case strings.TrimSpace(form.Get("Body")) == "":
		return bad, 21602, "Message body is required."
	case utf8.RuneCountInString(form.Get("Body")) > 1600:
		return bad, 21617, "The concatenated message body exceeds the 1600 character limit."
	case form.Has("ValidityPeriod") && (err != nil || validity < 1 || validity > 36000):
		return bad, 21624, "Invalid validity period value."
	case form.Has("StatusCallback") && !validCallback(form.Get("StatusCallback")):
		return bad, 21609, "The 'StatusCallback' URL is not a valid URL."
	}
	return 0, 0, ""
}

func validCallback(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		!strings.Contains(u.Hostname(), "_")
}

func (s *Server) accept(form url.Values) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	validity, _ := strconv.Atoi(form.Get("ValidityPeriod"))
	m := &Message{
		SID: s.sid("SM"), To: form.Get("To"), From: form.Get("From"), Body: form.Get("Body"),
		MessagingServiceSID: form.Get("MessagingServiceSid"), StatusCallback: form.Get("StatusCallback"),
		ValidityPeriod: validity, Status: "queued", CreatedAt: s.opts.Now() / 1000 * 1000,
	}
	if m.MessagingServiceSID != "" {
		m.Status, m.From = "accepted", "" // the service picks a sender later
	}
	s.messages = append(s.messages, m)
	s.bySID[m.SID] = m
	if s.opts.Accepted != nil {
		s.opts.Accepted(*m)
	}
	return *m
}

// update is a cancel: only what is not on its way yet can be.
func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.bySID[file(r)]
	switch {
	case m == nil:
		refuse(w, http.StatusNotFound, 20404, "The requested resource was not found")
	case r.PostForm.Get("Status") != "canceled":
		refuse(w, http.StatusBadRequest, 20001, "Only a cancel is known here")
	case m.Status != "scheduled" && m.Status != "accepted" && m.Status != "queued":
		refuse(w, http.StatusBadRequest, 30409, "This message cannot be canceled")
	default:
		m.move("canceled", 0, s.opts.Now(), s.opts.From)
		writeRaw(w, http.StatusOK, m.resource(s.opts.AccountSID))
	}
}

func writeRaw(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
