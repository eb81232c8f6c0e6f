package twilio_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

const minute = 60_000

// TestFindTellsApart: one message among look-alikes, by text, sender, number
// and time.
func TestFindTellsApart(t *testing.T) {
	const text = "Standup in 15 mins"
	ours := twiliotest.Message{To: phone, From: twiliotest.From, Body: text, Status: "delivered", CreatedAt: start}
	with := func(change func(*twiliotest.Message)) twiliotest.Message {
		m := ours
		change(&m)
		return m
	}
	for name, test := range map[string]struct {
		planted twiliotest.Message
		want    provider.FindResult
	}{
		"ours":                 {ours, provider.Found},
		"created a bit before": {with(func(m *twiliotest.Message) { m.CreatedAt -= 4 * minute }), provider.Found},
		"created long before":  {with(func(m *twiliotest.Message) { m.CreatedAt -= 6 * minute }), provider.Absent},
		"another text":         {with(func(m *twiliotest.Message) { m.Body += "." }), provider.Absent},
		"another sender":       {with(func(m *twiliotest.Message) { m.From = "+15559990000" }), provider.Absent},
		"another number":       {with(func(m *twiliotest.Message) { m.To = "+15551239999" }), provider.Absent},
		"of a trial account": {with(func(m *twiliotest.Message) {
			m.Body = "Sent from your Twilio trial account - " + m.Body
		}), provider.Found},
		"never sent": {with(func(m *twiliotest.Message) { m.Status = "queued" }), provider.Found},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			sid := r.Plant(test.planted)
			s := r.client.Find(t.Context(), message(phone, text), start)
			if s.Result != test.want {
				t.Errorf("sighting %+v, want %d", s, test.want)
			}
			if s.Result == provider.Found && s.SID != sid {
				t.Errorf("found as %s, want %s", s.SID, sid)
			}
		})
	}
}

// TestFindByService: a message of a service has no from at first.
func TestFindByService(t *testing.T) {
	r := newRig(t, byService)
	m := message(phone, "hello")
	r.Plant(twiliotest.Message{To: phone, From: twiliotest.From, Body: "hello", Status: "sent", CreatedAt: start})
	if s := r.client.Find(t.Context(), m, start); s.Result != provider.Absent {
		t.Errorf("the same text outside the service: %+v", s)
	}
	out := r.client.Send(t.Context(), m)
	if s := r.client.Find(t.Context(), m, start); s.SID != out.SID || s.Status != engine.MessageQueued {
		t.Errorf("sighting %+v, want %s queued", s, out.SID)
	}
	r.Move(out.SID, "sent", 0)
	if s := r.client.Find(t.Context(), m, start); s.SID != out.SID || s.Status != engine.MessageSent {
		t.Errorf("sighting %+v, want %s sent", s, out.SID)
	}
}

// TestFindFollowsPages: the message is three pages back, and no page is asked
// for that can't hold it.
func TestFindFollowsPages(t *testing.T) {
	r := newRig(t, nil)
	plant := func(n int, body string, at engine.Millis) {
		for i := range n {
			r.Plant(twiliotest.Message{
				To: phone, From: twiliotest.From, Body: body + fmt.Sprint(i), Status: "sent", CreatedAt: at,
			})
		}
	}
	plant(500, "old", start-60*minute)
	sid := r.Plant(twiliotest.Message{To: phone, From: twiliotest.From, Body: "hello", Status: "failed", ErrorCode: 30007, CreatedAt: start})
	plant(250, "new", start+minute)
	s := r.client.Find(t.Context(), message(phone, "hello"), start)
	if s.Result != provider.Found || s.SID != sid || s.Status != engine.MessageFailed || s.Failure.Category != engine.CategoryFiltered {
		t.Errorf("sighting %+v", s)
	}
	before := r.Lists()
	if s := r.client.Find(t.Context(), message(phone, "nowhere"), start); s.Result != provider.Absent {
		t.Errorf("sighting %+v, want absent", s)
	}
	if n := r.Lists() - before; n != 4 {
		t.Errorf("%d pages read, want 4: the fourth is older throughout", n)
	}
}

// TestFindGivesUp: a list without end proves nothing.
func TestFindGivesUp(t *testing.T) {
	r := newRig(t, nil)
	for i := range 2050 {
		r.Plant(twiliotest.Message{To: phone, From: twiliotest.From, Body: fmt.Sprint(i), Status: "sent", CreatedAt: start})
	}
	s := r.client.Find(t.Context(), message(phone, "hello"), start)
	if s.Result != provider.FindUnknown || !strings.Contains(s.Cause, "too many") {
		t.Errorf("sighting %+v, want unknown", s)
	}
}

// TestFindTakesTheNearest: of two equal texts the one made at that moment.
func TestFindTakesTheNearest(t *testing.T) {
	r := newRig(t, nil)
	twin := twiliotest.Message{To: phone, From: twiliotest.From, Body: "hello", Status: "sent", CreatedAt: start - 3*minute}
	r.Plant(twin)
	twin.CreatedAt = start + 1000
	want := r.Plant(twin)
	twin.CreatedAt = start + 3*minute
	r.Plant(twin)
	if s := r.client.Find(t.Context(), message(phone, "hello"), start); s.SID != want {
		t.Errorf("sighting %+v, want %s", s, want)
	}
}

// TestFindReadsWhatItCan: answers that can't be trusted prove nothing, and
// what asks for a number is not shown.
func TestFindReadsWhatItCan(t *testing.T) {
	const one = `{"messages":[{"sid":"SM1","to":"+15551230000","from":"+15550001111","body":"hello","status":"sent"%s}]%s}`
	for name, test := range map[string]struct {
		answer string
		want   provider.FindResult
	}{
		"no date":           {fmt.Sprintf(one, "", ""), provider.FindUnknown},
		"bad date":          {fmt.Sprintf(one, `,"date_created":"yesterday"`, ""), provider.FindUnknown},
		"date with a zone":  {fmt.Sprintf(one, `,"date_created":"Mon, 30 Nov 2026 01:53:21 +0100"`, ""), provider.Found},
		"date in words":     {fmt.Sprintf(one, `,"date_created":"Mon, 30 Nov 2026 00:53:21 GMT"`, ""), provider.Found},
		"inbound":           {fmt.Sprintf(one, `,"date_created":"Mon, 30 Nov 2026 00:53:21 GMT","direction":"inbound"`, ""), provider.Absent},
		"not JSON":          {"<html>+15551230000 hello</html>", provider.FindUnknown},
		"JSON of other use": {`{"ok":true}`, provider.FindUnknown},
		"next page nowhere": {`{"messages":[],"next_page_uri":"http://evil.example/?q=1"}`, provider.FindUnknown},
		"empty":             {`{"messages":[]}`, provider.Absent},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t, http.StatusOK, test.answer)
			s := r.client(t, nil).Find(t.Context(), message(phone, "hello"), start)
			if s.Result != test.want {
				t.Errorf("sighting %+v, want %d", s, test.want)
			}
			if strings.Contains(s.Cause, "hello") || strings.Contains(s.Cause, "1555") {
				t.Errorf("cause %q is not for logs", s.Cause)
			}
			if got := r.req.URL.Query().Get("To"); got != phone || r.req.URL.Query().Has("DateSent") {
				t.Errorf("asked with %s", r.req.URL.RawQuery)
			}
		})
	}
}

// TestFetch asks by sid (D5).
func TestFetch(t *testing.T) {
	r := newRig(t, nil)
	out := r.client.Send(t.Context(), message(phone, "hello"))
	r.Move(out.SID, "undelivered", 30003)
	s := r.client.Fetch(t.Context(), out.SID)
	if s.Result != provider.Found || s.Status != engine.MessageUndelivered || s.Failure.Code != 30003 || s.Failure.Retry != engine.RetryYes {
		t.Errorf("sighting %+v", s)
	}
	for _, sid := range []string{"", "../Accounts", "SM1.json?x=", strings.Repeat("a", 65)} {
		if s := r.client.Fetch(t.Context(), sid); s.Result != provider.FindUnknown || s.Cause == "" {
			t.Errorf("%q: %+v, want unknown", sid, s)
		}
	}
	r.FaultReads(twiliotest.Page(http.StatusNotFound), twiliotest.Page(http.StatusBadGateway))
	for range 2 {
		if s := r.client.Fetch(t.Context(), out.SID); s.Result != provider.FindUnknown || s.Cause == "" {
			t.Errorf("%+v, want unknown: a proxy's 404 is not Twilio's", s)
		}
	}
	other := record(t, http.StatusOK, `{"sid":"SM2","status":"delivered"}`)
	if s := other.client(t, func(*twilio.Config) {}).Fetch(t.Context(), "SM1"); s.Result != provider.FindUnknown {
		t.Errorf("another message's answer: %+v", s)
	}
}
