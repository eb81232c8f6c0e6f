package twilio_test

import (
	"net/http"
	"testing"

	"carillon/actors/provider"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

const (
	second = "+15550002222" // of the pool
	sold   = "+15550003333" // was in the pool when it was sent from
)

func ofTwo(c *twilio.Config) { c.From = append(c.From, second) }

// TestFindBySender: what was handed over from one number of the pool is not
// found in what another sent, also when it has left the settings.
func TestFindBySender(t *testing.T) {
	for name, test := range map[string]struct {
		recorded string // with the message
		from     string // at Twilio
		service  string
		want     provider.FindResult
	}{
		"the same number":                   {recorded: second, from: second, want: provider.Found},
		"the other number":                  {recorded: second, from: twiliotest.From, want: provider.Absent},
		"a number that left":                {recorded: sold, from: sold, want: provider.Found},
		"another than the one that left":    {recorded: sold, from: second, want: provider.Absent},
		"recorded before there was a pool":  {from: second, want: provider.Found},
		"and not ours":                      {from: sold, want: provider.Absent},
		"a service that left":               {recorded: twiliotest.ServiceSID, service: twiliotest.ServiceSID, want: provider.Found},
		"a number's, recorded as a service": {recorded: twiliotest.ServiceSID, from: second, want: provider.Absent},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, ofTwo)
			r.Plant(twiliotest.Message{To: phone, From: test.from, MessagingServiceSID: test.service, Body: "hello", Status: "sent", CreatedAt: start})
			m := message(phone, "hello")
			m.Sender = test.recorded
			if s := r.client.Find(t.Context(), m, start); s.Result != test.want {
				t.Errorf("sighting %+v, want %d", s, test.want)
			}
		})
	}
}

// TestProbe: the account tells whether a fault of the account is over; of a
// fault of a number it knows nothing.
func TestProbe(t *testing.T) {
	token := engine.Failure{Code: 20003, Category: engine.CategoryAccountIssue}
	suspended := engine.Failure{Code: 20005, Category: engine.CategoryAccountIssue}
	number := engine.Failure{Code: 21659, Category: engine.CategoryAccountIssue}
	for name, test := range map[string]struct {
		change func(*twilio.Config)
		status string
		fault  engine.Failure
		read   twiliotest.Fault
		want   provider.Verdict
	}{
		"token mended":    {fault: token, want: provider.FaultOver},
		"token wrong":     {change: func(c *twilio.Config) { c.AuthToken = "old" }, fault: token, want: provider.FaultLasts},
		"account wrong":   {change: func(c *twilio.Config) { c.AccountSID = "AC2" }, fault: token, want: provider.FaultLasts},
		"suspended":       {status: "suspended", fault: suspended, want: provider.FaultLasts},
		"active again":    {status: "active", fault: suspended, want: provider.FaultOver},
		"can't be asked":  {fault: token, read: twiliotest.Refuse(http.StatusServiceUnavailable, 20503), want: provider.FaultLasts},
		"number not ours": {fault: number, want: provider.FaultUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.change)
			if test.status != "" {
				r.SetAccount(test.status)
			}
			r.FaultReads(test.read)
			if got := r.client.Probe(t.Context(), test.fault); got != test.want {
				t.Errorf("verdict %d, want %d", got, test.want)
			}
			if r.Creates() != 0 {
				t.Error("a message was created to find out")
			}
		})
	}
}

// TestSuspendedAccount: it sends nothing, and the sender stops.
func TestSuspendedAccount(t *testing.T) {
	r := newRig(t, nil)
	r.SetAccount("suspended")
	out := r.client.Send(t.Context(), message(phone, "hello"))
	if out.Kind != provider.Refused || !r.client.Stops(out.Failure) || len(r.Messages()) != 0 {
		t.Errorf("%+v", out)
	}
}
