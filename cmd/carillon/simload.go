package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"carillon/sim/load"
)

type simLoadCmd struct {
	settings

	Users         int           `default:"1000" help:"People."`
	EventsPerUser int           `default:"1" help:"Events of each, 1 to 100."`
	Spread        time.Duration `default:"60s" help:"The reminders fall due within it, in real time."`
	Target        string        `default:"embedded" help:"URL of a running engine, whose admin key is in CARILLON_API_KEY; or embedded: one in this process, on a store that goes again."`
	At            string        `default:"auto" enum:"auto,stub,outbox" help:"Where arrivals are measured: a stub of Twilio that the engine was pointed at, or the outbox of the engine's sandbox. auto takes the outbox if the engine has one: ${enum}."`
	Stub          string        `default:"127.0.0.1:4010" help:"Where the stub listens for an engine of another process: its CARILLON_TWILIO_BASE_URL is http:// and this."`
	Latency       time.Duration `default:"20ms" help:"How long the stub takes to answer."`
	LeadIn        time.Duration `default:"0s" help:"Time from the first event that is put to the first reminder that is due; 0 takes it from the rate at which people were taken."`
	Grace         time.Duration `default:"30s" help:"How late a reminder may be before it is called missing."`
	Callers       int           `default:"8" help:"Batches at a time."`
	Lines         int           `default:"500" help:"Requests in a batch, at most 1000."`
	Draw          uint64        `default:"0" help:"Draws when each reminder is due; 0 takes one from the machine."`
	Keep          bool          `help:"Leave the people in the engine."`
	JSON          bool          `name:"json" help:"One JSON object instead of text."`
	HTML          string        `name:"html" type:"path" help:"Also write the report as a page, with plots, to this file."`
}

// Run rehearses. What is missing, doubled or in error is a failure.
func (c *simLoadCmd) Run(ctx context.Context, p *program) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, f := range []struct {
		name string
		n    int
	}{{"users", c.Users}, {"events-per-user", c.EventsPerUser}, {"callers", c.Callers}, {"lines", c.Lines}} {
		if f.n < 1 {
			return usageError{fmt.Errorf("--%s: needs 1 or more", f.name)}
		}
	}
	conf := load.Config{
		Users: c.Users, Events: c.EventsPerUser, Spread: c.Spread, LeadIn: c.LeadIn, Grace: c.Grace, Callers: c.Callers,
		Lines: c.Lines, Seed: c.Draw, Keep: c.Keep, Version: version(), Command: p.commandLine(), Progress: p.bars(),
	}
	if conf.Seed == 0 {
		var err error
		if conf.Seed, err = machineSeed(); err != nil {
			return err
		}
	}
	var rep *load.Report
	var err error
	if c.Target == "embedded" {
		conf.Keep = true // the store goes as a whole
		rep, err = c.embedded(ctx, p, conf)
	} else {
		go func() {
			select {
			case <-p.signals:
				cancel()
			case <-ctx.Done():
			}
		}()
		rep, err = c.remote(ctx, p, conf)
	}
	if err != nil {
		return err
	}
	return errors.Join(c.show(p, rep), rep.Fault())
}

// show prints the report, and writes the page.
func (c *simLoadCmd) show(p *program, rep *load.Report) error {
	var err error
	if c.JSON {
		err = json.NewEncoder(p.stdout).Encode(rep)
	} else {
		rep.Print(p.stdout)
	}
	if err != nil || c.HTML == "" {
		return err
	}
	f, err := os.Create(c.HTML)
	if err != nil {
		return err
	}
	return errors.Join(rep.HTML(f), f.Close())
}

// remote rehearses with an engine that runs already.
func (c *simLoadCmd) remote(ctx context.Context, p *program, conf load.Config) (*load.Report, error) {
	var err error
	conf.URL = strings.TrimRight(c.Target, "/")
	if conf.Key, err = p.secret(secretAPIKey); err != nil {
		return nil, err
	}
	if conf.Key == "" {
		return nil, usageError{fmt.Errorf("%s is missing: the engine's key with the role admin", secretAPIKey)}
	}
	if c.At == "outbox" || c.At == "auto" && hasOutbox(ctx, conf.URL) {
		return load.Run(ctx, conf)
	}
	token, err := p.secret(secretTwilio)
	if err != nil {
		return nil, err
	}
	if conf.Stub, err = load.NewStub(c.Stub, load.StubOptions{Latency: c.Latency, Token: token}); err != nil {
		return nil, err
	}
	defer conf.Stub.Close()
	_, _ = fmt.Fprintf(p.stderr, "the engine has to run with CARILLON_CARRIER=twilio CARILLON_TWILIO_BASE_URL=%s; a first text shows whether it does\n", conf.Stub.URL())
	if token == "" {
		_, _ = fmt.Fprintf(p.stderr, "without the engine's %s there are no delivery reports\n", secretTwilio)
	}
	return load.Run(ctx, conf)
}

// hasOutbox reports whether the carrier of an engine is the sandbox.
func hasOutbox(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/sandbox", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// embedded rehearses with an engine in this process, which has the stub for
// its carrier and a store in a folder that goes again.
func (c *simLoadCmd) embedded(ctx context.Context, p *program, conf load.Config) (rep *load.Report, err error) {
	token := rand.Text()
	if conf.Stub, err = load.NewStub("127.0.0.1:0", load.StubOptions{Latency: c.Latency, Token: token}); err != nil {
		return nil, err
	}
	defer conf.Stub.Close()
	s := &c.settings
	if s.DataDir, err = os.MkdirTemp("", "carillon-load-"); err != nil {
		return nil, storageError{err}
	}
	defer func() { _ = os.RemoveAll(s.DataDir) }()
	s.Listen = freeAddress("127.0.0.1:0")
	s.Carrier, s.TwilioBaseURL, s.TwilioAccountSID, s.TwilioFrom = "twilio", conf.Stub.URL(), "AC"+strings.Repeat("0", 32), []string{"+15005550006"}
	s.TwilioService, s.TwilioVerifyService, s.PublicURL = "", "", "http://"+s.Listen
	if s.LogLevel == "info" {
		s.LogLevel = "warn"
	}
	conf.URL, conf.Key = s.PublicURL, rand.Text()
	q := *p
	q.lookup = func(name string) (string, bool) {
		switch name {
		case secretTwilio:
			return token, true
		case secretTwilio + "_FILE":
			return "", false
		}
		return p.lookup(name)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var rehearsal sync.WaitGroup
	var failed error
	err = q.serve(ctx, s, conf.Key, func(*service) {
		rehearsal.Go(func() {
			defer cancel() // the engine stops when the rehearsal is over
			rep, failed = load.Run(ctx, conf)
		})
	})
	cancel() // and the rehearsal when the engine does
	rehearsal.Wait()
	return rep, errors.Join(err, failed)
}

// bars shows how far a phase is, on a terminal only: a pipe is for what is
// left in the end.
func (p *program) bars() func(phase string, done, total int) {
	f, ok := p.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	var mu sync.Mutex
	var bar *progressbar.ProgressBar
	var at string
	return func(phase string, done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if phase != at {
			at, bar = phase, newBar(f, phase, total)
		}
		_ = bar.Set(done)
	}
}

func newBar(w io.Writer, phase string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(fmt.Sprintf("%-10s", phase)),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("done"), progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: " ", BarEnd: " "}),
		progressbar.OptionOnCompletion(func() { _, _ = fmt.Fprintln(w) }),
	)
}
