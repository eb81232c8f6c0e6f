package main

import (
	"fmt"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/webhook"
	"carillon/httpapi"
)

// outboundSettings say who is told what happens (SPEC 9, outgoing webhooks).
type outboundSettings struct {
	OutboundURL         string        `group:"settings" name:"outbound-url" help:"Where webhooks are posted, signed with the secret CARILLON_WEBHOOK_SECRET; docs/webhooks.md."`
	OutboundConcurrency int           `group:"settings" name:"outbound-concurrency" default:"8" help:"Webhooks that are posted at a time; those of one user go one after another."`
	OutboundTimeout     time.Duration `group:"settings" name:"outbound-timeout" default:"10s" help:"How long the receiver of a webhook may take to answer."`
	OutboundKeep        time.Duration `group:"settings" name:"outbound-keep" default:"72h" help:"How old a webhook may become that its receiver does not take; then it is dropped."`
}

func (s *outboundSettings) check() error {
	switch {
	case s.OutboundConcurrency < 1 || s.OutboundConcurrency > 1000:
		return bad("outbound-concurrency", "1 to 1000")
	case s.OutboundTimeout <= 0 || s.OutboundTimeout > 5*time.Minute:
		return bad("outbound-timeout", "a duration above 0 and up to 5m")
	case s.OutboundKeep < time.Minute:
		return bad("outbound-keep", "1m or more, such as 72h")
	}
	return nil
}

// webhookKeys reads the secrets that webhooks are signed with.
func (p *program) webhookKeys(names ...string) (webhook.Keys, error) {
	var keys webhook.Keys
	for _, name := range names {
		secret, err := p.secret(name)
		if err != nil {
			return nil, err
		}
		k, err := webhook.ParseKeys(secret)
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", name, err)}
		}
		keys = append(keys, k...)
	}
	return keys, nil
}

// newSeal checks what is posted to /webhooks/calendar; nil: there is no secret
// to check it with. One of its own keeps whoever hears our webhooks from
// writing calendars.
func (p *program) newSeal() (httpapi.Seal, error) {
	keys, err := p.webhookKeys(secretCalendar)
	if err == nil && len(keys) == 0 {
		keys, err = p.webhookKeys(secretWebhook, secretWebhookNext)
	}
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return keys, nil
}

// newNotifier wires the receiver of the settings; nil: nobody is told.
func (p *program) newNotifier(s *outboundSettings) (provider.Notifier, error) {
	keys, err := p.webhookKeys(secretWebhook, secretWebhookNext)
	switch {
	case err != nil:
		return nil, err
	case s.OutboundURL == "":
		return nil, nil //nolint:nilnil // nobody to tell is what the engine calls no notifier
	case len(keys) == 0:
		return nil, usageError{fmt.Errorf("%s is missing; --outbound-url (CARILLON_OUTBOUND_URL) needs it", secretWebhook)}
	}
	c, err := webhook.New(webhook.Config{
		URL: s.OutboundURL, Keys: keys, Now: actors.SystemClock{}.Now, Timeout: s.OutboundTimeout, MaxConns: s.OutboundConcurrency,
		Encode: func(n provider.Notification) ([]byte, error) {
			return httpapi.EncodeNotice(n.Notice, n.UserID, n.At, n.Reminder)
		},
	})
	if err != nil {
		return nil, usageError{fmt.Errorf("--outbound-url (CARILLON_OUTBOUND_URL): %w", err)}
	}
	return c, nil
}

// configure sets what the engine needs of the receiver.
func (s *outboundSettings) configure(conf *actors.Config, n provider.Notifier) {
	if n == nil {
		return
	}
	conf.Notifier, conf.MaxNotices = n, s.OutboundConcurrency
	conf.NotifyTimeout, conf.NoticeKeep = s.OutboundTimeout+time.Second, s.OutboundKeep
}
