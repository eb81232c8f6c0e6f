package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/engine"
	"carillon/httpapi"
	"carillon/wal"
)

// storeSettings say where the store is.
type storeSettings struct {
	DataDir string `group:"settings" name:"data-dir" default:"data" help:"Folder of the store."`
	Config  string `group:"settings" name:"config" help:"YAML file of settings."`
}

// open opens a store that must exist and that no engine is running on.
func (s storeSettings) open() (*wal.DB, error) {
	return wal.Open(s.DataDir, wal.Options{MustExist: true})
}

// settings are all of serve's. The help texts are the documentation: a test
// writes docs/settings.md from them.
type settings struct {
	storeSettings

	Listen    string `group:"settings" default:"127.0.0.1:8080" help:"Address to listen on."`
	PublicURL string `group:"settings" name:"public-url" help:"Scheme and host under which the carrier reaches us; Twilio's signatures are checked over it."`

	Carrier             string        `group:"settings" default:"sandbox" enum:"sandbox,twilio,http,none" help:"What delivers messages: ${enum}. none composes and records, and sends nothing."`
	TwilioAccountSID    string        `group:"settings" name:"twilio-account-sid" variable:"TWILIO_ACCOUNT_SID" help:"Account SID; the token is the secret TWILIO_AUTH_TOKEN."`
	TwilioFrom          []string      `group:"settings" name:"twilio-from" help:"Sending numbers, E.164, with commas between. A person's texts come from the same one as long as it is in this list; pace and stops are each number's own (S6)."`
	TwilioService       string        `group:"settings" name:"twilio-messaging-service-sid" help:"Messaging service that sends."`
	TwilioVerifyService string        `group:"settings" name:"twilio-verify-service-sid" help:"Verify service for codes; without one numbers can only be attested."`
	TwilioBaseURL       string        `group:"settings" name:"twilio-base-url" help:"Stands in for https://api.twilio.com and for the Verify host."`
	SenderMPS           float64       `group:"settings" name:"sender-mps" default:"0" help:"Message segments per second of each sender; 0 is no limit."`
	MaxSends            int           `group:"settings" name:"max-sends" default:"64" help:"Hand-overs of a sender that are with the carrier at a time."`
	SendTimeout         time.Duration `group:"settings" name:"send-timeout" default:"10s" help:"How long one call to the carrier may take."`

	HTTPCarrier httpCarrierSettings `embed:"" prefix:"http-carrier-"`

	RetryBase      time.Duration `group:"settings" name:"retry-base" default:"60s" help:"Delay before the first retry; it doubles, three times for carrier trouble, five times for rate limits (S4)."`
	ReconcileAfter time.Duration `group:"settings" name:"reconcile-after" default:"30s" help:"Wait before the carrier is asked for a message whose answer was lost (S3)."`
	ConfirmAfter   time.Duration `group:"settings" name:"confirm-after" default:"1h" help:"How long an accepted message may be without a final status before the carrier is asked what became of it; then at twice its age, for three days. 0 is never (D5)."`
	OnUncertain    string        `group:"settings" name:"on-uncertain" default:"reconcile" enum:"reconcile,hold,resend" help:"What follows a lost answer: ${enum}. resend may text somebody twice."`
	MaxSegments    int           `group:"settings" name:"max-segments" default:"1" help:"SMS segments that a text may have, 1 to 10."`
	DefaultRegion  string        `group:"settings" name:"default-region" help:"Region of numbers without country code, such as DE; without it they are refused."`
	AnswerKeywords bool          `group:"settings" name:"answer-keywords" help:"Answer STOP, START and HELP ourselves, where the carrier does not."`

	composerSettings
	outboundSettings
	calendarSettings

	Retention     time.Duration `group:"settings" default:"2160h" help:"How long history is kept (W4)."`
	MaxLogBytes   int64         `group:"settings" name:"max-log-bytes" default:"0" help:"Bound of the journal; the oldest history goes first. 0 is none."`
	ReserveBytes  uint64        `group:"settings" name:"reserve-bytes" default:"0" help:"Free space below which writes are refused; 0 is 64 MiB or a twentieth of the disk."`
	SnapshotEvery time.Duration `group:"settings" name:"snapshot-every" default:"5m" help:"How often snapshots are written."`
	IdleAfter     time.Duration `group:"settings" name:"idle-after" default:"10m" help:"How long an unused user stays in memory."`
	MaxInFlight   int           `group:"settings" name:"max-in-flight" default:"20000" help:"Requests taken at a time; more are refused with 503."`
	MaxWakes      int           `group:"settings" name:"max-wakes" default:"4096" help:"Users that are woken at a time when many are due."`
	MaxEvents     int           `group:"settings" name:"max-events" default:"10000" help:"Calendar events per user."`
	MaxReminders  int           `group:"settings" name:"max-reminders" default:"10000" help:"Pending reminders per user."`

	DrainTimeout time.Duration `group:"settings" name:"drain-timeout" default:"30s" help:"How long a stop waits for what is in flight."`
	LogLevel     string        `group:"settings" name:"log-level" default:"info" enum:"debug,info,warn,error" help:"Least level that is logged: ${enum}."`
	LogFormat    string        `group:"settings" name:"log-format" default:"text" enum:"text,json" help:"Form of the log: ${enum}."`
	OpenOutbox   bool          `group:"settings" name:"open-outbox" help:"Show the sandbox's outbox without a key."`
	Seed         uint64        `group:"settings" default:"0" help:"Seed of every draw; 0 takes one from the machine."`
}

// check names the first setting that can't be.
func (s *settings) check() error {
	for _, c := range []struct {
		good bool
		flag string
		want string
	}{
		{wellFormed(s.Listen), "listen", "host:port, such as 127.0.0.1:8080"},
		{s.MaxSegments >= 1 && s.MaxSegments <= 10, "max-segments", "1 to 10"},
		{s.RetryBase > 0, "retry-base", "a duration above 0, such as 60s"},
		{s.ReconcileAfter > 0, "reconcile-after", "a duration above 0, such as 30s"},
		{s.ConfirmAfter >= 0, "confirm-after", "0 for never, or a duration such as 1h"},
		{s.SenderMPS >= 0, "sender-mps", "0 or more segments per second"},
		{s.MaxSends >= 1, "max-sends", "1 or more"},
		{s.MaxInFlight >= 1, "max-in-flight", "1 or more"},
		{s.MaxWakes >= 1, "max-wakes", "1 or more"},
		{s.SendTimeout > 0, "send-timeout", "a duration above 0"},
		{s.DrainTimeout > 0, "drain-timeout", "a duration above 0"},
		{s.SnapshotEvery > 0, "snapshot-every", "a duration above 0"},
		{s.IdleAfter > 0, "idle-after", "a duration above 0"},
		{s.Retention >= 0, "retention", "0 or more"},
		{s.MaxLogBytes >= 0, "max-log-bytes", "0 or more"},
		{s.MaxEvents >= 1, "max-events", "1 or more"},
		{s.MaxReminders >= 1, "max-reminders", "1 or more"},
		{s.DefaultRegion == "" || httpapi.Region(s.DefaultRegion), "default-region", "a region of two capital letters, such as DE"},
		{s.PublicURL == "" || origin(s.PublicURL), "public-url", "a URL with scheme and host, such as https://sms.example.com"},
	} {
		if !c.good {
			return bad(c.flag, c.want)
		}
	}
	return errors.Join(s.composerSettings.check(), s.outboundSettings.check(), s.calendarSettings.check())
}

// wellFormed reports whether an address can be one to listen on. That another
// process has it is no fault of the settings.
func wellFormed(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil
}

// origin reports whether that is where others reach us.
func origin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.RawQuery == "" && u.Fragment == ""
}

func bad(flag, want string) error {
	return usageError{fmt.Errorf("--%s (%s): needs %s", flag, "CARILLON_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_")), want)}
}

// policy is what decisions depend on.
func (s *settings) policy() engine.Policy {
	p := engine.DefaultPolicy()
	p.RetryBase, p.ReconcileAfter = s.RetryBase.Milliseconds(), s.ReconcileAfter.Milliseconds()
	p.ConfirmAfter = s.ConfirmAfter.Milliseconds()
	p.MaxSegments, p.MaxEvents, p.MaxReminders = s.MaxSegments, s.MaxEvents, s.MaxReminders
	p.OnUncertain = map[string]engine.UncertainRule{
		"reconcile": engine.Reconcile, "hold": engine.Hold, "resend": engine.Resend,
	}[s.OnUncertain]
	return p
}

// nodeConfig is the engine's configuration, but for what it is wired to.
func (s *settings) nodeConfig(sender provider.Sender, verifier provider.Verifier) actors.Config {
	return actors.Config{
		Clock: actors.SystemClock{}, Sender: sender, Verifier: verifier, Policy: s.policy(), Seed: s.Seed,
		MaxInFlight: s.MaxInFlight, MaxSends: s.MaxSends, MPS: s.SenderMPS, SendTimeout: s.SendTimeout,
		MaxWakes: s.MaxWakes, Idle: s.IdleAfter, SnapshotEvery: s.SnapshotEvery,
		Retention: s.Retention, MaxLogBytes: s.MaxLogBytes,
	}
}

// logger writes to w, ids only (SPEC: structured logs without numbers or texts
// in full).
func (s *settings) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return nil, errors.Join(bad("log-level", "debug, info, warn or error"), err)
	}
	opts := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return slog.New(slog.NewTextHandler(w, opts)), nil
}
