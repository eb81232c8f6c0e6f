package twilio_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"carillon/actors/provider"
	"carillon/actors/provider/providertest"
	"carillon/actors/provider/twilio"
	"carillon/actors/provider/twilio/twiliotest"
	"carillon/engine"
)

const (
	start = engine.Millis(1_796_000_000_000)
	phone = "+15551230000"
)

// rig is a client on a server with one clock.
type rig struct {
	*twiliotest.Server
	client *twilio.Client
	clock  atomic.Int64
}

func newRig(t *testing.T, change func(*twilio.Config)) *rig {
	t.Helper()
	r := &rig{}
	r.clock.Store(start)
	r.Server = twiliotest.New(twiliotest.Options{Now: r.clock.Load})
	t.Cleanup(r.Close)
	conf := r.Config()
	conf.PublicURL = "https://sms.example.org"
	if change != nil {
		change(&conf)
	}
	client, err := twilio.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	r.client = client
	return r
}

func byService(c *twilio.Config) { c.From, c.MessagingServiceSID = nil, twiliotest.ServiceSID }

// hasty gives up soon, for tests of what never comes.
func hasty(c *twilio.Config) { c.Timeout = 400 * time.Millisecond }

func message(to, text string) provider.Message {
	return provider.Message{
		UserID: "ann", ReminderID: "r_1", MessageID: "m_1_1", To: to, Text: text, Segments: 1,
		CreatedAt: start, ValidUntil: start + 15*60*1000,
	}
}

var faults = map[providertest.Trouble]twiliotest.Fault{
	providertest.Refusal:       twiliotest.Refuse(http.StatusBadRequest, 21211),
	providertest.Throttled:     twiliotest.Throttle("2"),
	providertest.AnswerLost:    twiliotest.Drop().Accepted(),
	providertest.RequestLost:   twiliotest.Drop(),
	providertest.NoAnswer:      twiliotest.Hang(),
	providertest.AccountRefuse: twiliotest.Refuse(http.StatusUnauthorized, 20003),
}

// TestSenderConforms runs the suite with a number and with a service as sender.
func TestSenderConforms(t *testing.T) {
	for name, change := range map[string]func(*twilio.Config){"number": nil, "service": byService} {
		t.Run(name, func(t *testing.T) {
			providertest.RunSender(t, func(t *testing.T) providertest.World {
				t.Helper()
				r := newRig(t, change)
				return providertest.World{
					Sender: r.client,
					Arrange: func(tr providertest.Trouble) (string, bool) {
						if f, ok := faults[tr]; ok {
							r.Fault(f)
						}
						return phone, true
					},
					Accepted: func(to, text string) int { return len(r.Accepted(to, text)) },
					Creates:  r.CreatesOf,
					Now:      r.clock.Load,
					Advance:  func(d engine.Millis) { r.clock.Add(d) },
					Blind: func(blind bool) {
						r.Heal()
						if blind {
							r.FaultReads(twiliotest.Page(http.StatusServiceUnavailable).Always())
						}
					},
				}
			})
		})
	}
}

func TestVerifierConforms(t *testing.T) {
	providertest.RunVerifier(t, func(t *testing.T) providertest.VerifierWorld {
		t.Helper()
		r := newRig(t, nil)
		r.FaultVerifyFor("+15551230001", twiliotest.Refuse(http.StatusForbidden, 60205))
		r.FaultVerifyFor("+15551230002", twiliotest.Refuse(http.StatusTooManyRequests, 60203))
		r.FaultVerifyFor("+15551230003", twiliotest.Refuse(http.StatusUnauthorized, 20003))
		return providertest.VerifierWorld{
			Verifier: r.client, Phone: phone, Refused: "+15551230001", Flooded: "+15551230002", Account: "+15551230003",
			Code: r.Code, Advance: func(d engine.Millis) { r.clock.Add(d) },
		}
	})
}
