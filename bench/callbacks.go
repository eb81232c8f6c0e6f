package bench

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/engine"
)

// callback is one signed request, made before it is measured.
type callback struct{ path, form, signature string }

// Callbacks brings signed status callbacks for as many messages, one
// "delivered" each.
func Callbacks(o Options) (Result, error) {
	n, callers := or(o.N, 100_000), or(o.Callers, 256)
	s, err := newSite(o)
	if err != nil {
		return Result{}, err
	}
	defer s.remove()
	all, err := s.accepted(n)
	if err != nil {
		return Result{}, err
	}
	conns, hangUp, err := dialAll(s.address, callers)
	if err != nil {
		return Result{}, err
	}
	call := func(caller, i int) error {
		w := conns[caller]
		w.request("POST", all[i].path, "application/x-www-form-urlencoded")
		w.header("X-Twilio-Signature", all[i].signature)
		_, err := w.send([]byte(all[i].form))
		return err
	}
	m := Measure()
	took, err := Timed(n, callers, call)
	if err != nil {
		return Result{}, err
	}
	m.End()
	hangUp()
	if got := sum(s.counters.find("carillon_carrier_outcomes_total"), "outcome", "delivered"); got != float64(n) {
		return Result{}, fmt.Errorf("bench: %.0f of %d reports are durable", got, n)
	}
	res := Result{Workload: "callbacks", N: n, Variant: fmt.Sprintf("%d connections", callers)}
	res.Finish(m, took, s.dir)
	return res, s.stop()
}

// accepted has as many messages accepted, and returns a callback for each.
func (s *site) accepted(n int) ([]callback, error) {
	if err := s.populate(n, "UTC"); err != nil {
		return nil, err
	}
	told := make(chan provider.Message, n)
	s.sent.told = func(m provider.Message) { told <- m }
	now := time.Now()
	err := Each(n, loaders, func(_, i int) error {
		return s.do(userID(i), engine.CreateReminder{Text: "Now", SendAt: now.UnixMilli(), Priority: engine.PriorityNormal})
	})
	if err != nil {
		return nil, err
	}
	if err := s.awaitSent(n, 5*time.Minute); err != nil {
		return nil, err
	}
	close(told)
	all := make([]callback, 0, n)
	for m := range told {
		path := "/webhooks/twilio/status?user_id=" + url.QueryEscape(m.UserID) + "&message_id=" + url.QueryEscape(m.MessageID)
		form := url.Values{"MessageSid": {sid(m.MessageID)}, "MessageStatus": {"delivered"}, "AccountSid": {"AC" + strings.Repeat("a", 32)}}
		all = append(all, callback{path, form.Encode(), twilio.Signature(benchToken, s.url+path, form)})
	}
	return all, nil
}
