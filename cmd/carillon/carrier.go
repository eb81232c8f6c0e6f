package main

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/sandbox"
	"carillon/actors/provider/twilio"
	"carillon/engine"
	"carillon/httpapi"
)

// carrier is the vendor's side of the wiring.
type carrier struct {
	sender   provider.Sender
	verifier provider.Verifier
	sandbox  *sandbox.Carrier // nil: another one
	senders  []string         // the pool (S6); none: the only one has no name
}

// carrierSecrets are what carriers sign in with.
type carrierSecrets struct{ twilio, headers string }

// newCarrier wires the carrier of the settings. Reports of the sandbox go to
// the node as a status callback would.
func newCarrier(s *settings, secrets carrierSecrets, b *backend, log *slog.Logger) (carrier, error) {
	switch s.Carrier {
	case "twilio":
		return newTwilio(s, secrets.twilio, log)
	case "http":
		return newHTTPGate(s, secrets.headers)
	case "none":
		return carrier{sender: provider.DryRun{}, verifier: provider.DryRun{}}, nil
	}
	c, err := sandbox.New(sandbox.Config{
		Now:   actors.SystemClock{}.Now,
		After: func(ms engine.Millis, fn func()) { time.AfterFunc(time.Duration(ms)*time.Millisecond, fn) },
		Rand:  rand.NewPCG(s.Seed, uint64(actors.SystemClock{}.Now())), // no sid comes again after a restart
		Report: func(userID string, d engine.ReportDelivery) {
			if _, err := b.Do(context.Background(), userID, d, "", 0); err != nil {
				log.Warn("sandbox report lost", slog.String("user_id", userID), slog.String("message_id", d.MessageID), slog.String("cause", err.Error()))
			}
		},
	})
	return carrier{sender: c, verifier: c, sandbox: c}, err
}

func newTwilio(s *settings, token string, log *slog.Logger) (carrier, error) {
	for _, need := range []struct{ value, name string }{
		{s.TwilioAccountSID, "TWILIO_ACCOUNT_SID"},
		{token, secretTwilio},
		{strings.Join(s.TwilioFrom, "") + s.TwilioService, "CARILLON_TWILIO_FROM or CARILLON_TWILIO_MESSAGING_SERVICE_SID"},
	} {
		if need.value == "" {
			return carrier{}, usageError{fmt.Errorf("%s is missing; the carrier twilio needs it", need.name)}
		}
	}
	if s.PublicURL == "" {
		log.Warn("no public_url: Twilio can't tell us what became of messages, and its webhooks are refused")
	}
	conf := twilio.Config{
		AccountSID: s.TwilioAccountSID, AuthToken: token, MessagingServiceSID: s.TwilioService,
		VerifyServiceSID: s.TwilioVerifyService, BaseURL: s.TwilioBaseURL, PublicURL: s.PublicURL,
		Timeout: s.SendTimeout, MaxConns: s.MaxSends * max(len(s.TwilioFrom), 1), Now: actors.SystemClock{}.Now,
	}
	for _, number := range s.TwilioFrom {
		conf.From = append(conf.From, strings.TrimSpace(number))
	}
	c, err := twilio.New(conf)
	if err != nil {
		return carrier{}, usageError{err}
	}
	return carrier{sender: c, verifier: c, senders: conf.Senders()}, nil
}

// hooks understands Twilio's webhooks if there is a token to check them with.
func hooks(tokens ...string) httpapi.Hooks {
	for _, t := range tokens {
		if t != "" {
			return twilio.NewHooks(tokens...)
		}
	}
	return nil
}

// outbox shows the sandbox' texts over HTTP.
type outbox struct{ c *sandbox.Carrier }

// Messages implements httpapi.Outbox.
func (o outbox) Messages(limit int) any {
	if entries := o.c.Outbox(limit); entries != nil {
		return entries
	}
	return []sandbox.Entry{}
}

// After implements httpapi.Outbox.
func (o outbox) After(seq uint64, limit int) any {
	if entries := o.c.After(seq, limit); entries != nil {
		return entries
	}
	return []sandbox.Entry{}
}

// machineSeed draws a seed from the machine.
func machineSeed() (uint64, error) {
	var b [8]byte
	if _, err := crand.Read(b[:]); err != nil {
		return 0, errors.Join(errors.New("seed"), err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}
