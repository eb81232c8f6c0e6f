package twiliotest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const defaultPage, maxPage = 50, 1000

// Lists is how many pages were asked for.
func (s *Server) Lists() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists
}

// list shows messages newest first. A page's token is the sid that the page
// before it ended with, so that new messages shift nothing.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.lists++
	f := pop(&s.reads)
	s.mu.Unlock()
	if !f.none() {
		s.show(w, r, f)
		return
	}
	q := r.URL.Query()
	size, err := strconv.Atoi(q.Get("PageSize"))
	if err != nil || size < 1 {
		size = defaultPage
	}
	size = min(size, maxPage)
	page, _ := strconv.Atoi(q.Get("Page"))
	writeJSON(w, http.StatusOK, s.page(q, size, page))
}

func (s *Server) page(q url.Values, size, page int) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	after := strings.TrimPrefix(q.Get("PageToken"), "PA")
	items := []json.RawMessage{}
	var last string
	more := false
	for _, m := range slices.Backward(s.messages) {
		if after != "" {
			if m.SID == after {
				after = ""
			}
			continue
		}
		if !matches(m, q) {
			continue
		}
		if len(items) == size {
			more = true
			break
		}
		items, last = append(items, m.resource(s.opts.AccountSID)), m.SID
	}
	doc := map[string]any{
		"messages": items, "page": page, "page_size": size, "start": page * size, "end": page*size + len(items) - 1,
		"uri": s.pageURI(q, size, page, q.Get("PageToken")), "first_page_uri": s.pageURI(q, size, 0, ""),
		"next_page_uri": nil, "previous_page_uri": nil,
	}
	if more {
		doc["next_page_uri"] = s.pageURI(q, size, page+1, "PA"+last)
	}
	return doc
}

// matches applies the filters that Twilio has. DateSent finds nothing that was
// not sent yet.
func matches(m *Message, q url.Values) bool {
	if to := q.Get("To"); to != "" && m.To != to {
		return false
	}
	if from := q.Get("From"); from != "" && m.From != from {
		return false
	}
	for _, name := range []string{"DateSent", "DateSent<", "DateSent>"} {
		if day := q.Get(name); day != "" && (m.SentAt == 0 || !onDay(m.SentAt, name, day)) {
			return false
		}
	}
	return true
}

func onDay(at int64, name, day string) bool {
	sentOn := time.UnixMilli(at).UTC().Format(time.DateOnly)
	day, _, _ = strings.Cut(day, "T")
	switch name {
	case "DateSent<":
		return sentOn <= day
	case "DateSent>":
		return sentOn >= day
	}
	return sentOn == day
}

func (s *Server) pageURI(q url.Values, size, page int, token string) string {
	next := maps.Clone(q)
	next.Set("PageSize", strconv.Itoa(size))
	next.Set("Page", strconv.Itoa(page))
	next.Del("PageToken")
	if token != "" {
		next.Set("PageToken", token)
	}
	return "/2010-04-01/Accounts/" + s.opts.AccountSID + "/Messages.json?" + next.Encode()
}

func (s *Server) fetch(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := pop(&s.reads)
	m := s.bySID[file(r)]
	var body json.RawMessage
	if m != nil {
		body = m.resource(s.opts.AccountSID)
	}
	s.mu.Unlock()
	switch {
	case !f.none():
		s.show(w, r, f)
	case m == nil:
		refuse(w, http.StatusNotFound, 20404, "The requested resource was not found")
	default:
		writeRaw(w, http.StatusOK, body)
	}
}
