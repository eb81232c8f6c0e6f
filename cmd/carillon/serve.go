package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/google"
	"carillon/httpapi"
	"carillon/wal"
)

type serveCmd struct{ settings }

// Run serves until a signal comes or the disk fails.
func (c *serveCmd) Run(ctx context.Context, p *program) error {
	key, err := p.secret(secretAPIKey)
	if err != nil {
		return err
	}
	return p.serve(ctx, &c.settings, key, nil)
}

// service is a running engine with its HTTP face.
type service struct {
	p       *program
	s       *settings
	log     *slog.Logger
	metrics *prometheus.Registry
	backend backend
	carrier carrier
	// composer writes texts ahead of the send; nil: the template does.
	composer provider.Composer
	// notifier tells the webhook receiver; nil: there is none.
	notifier provider.Notifier
	// calendars reads those that people connect.
	calendars provider.CalendarReader
	server    *httpapi.Server
	store     *wal.DB
	node      *actors.Node
	still     bool // nobody is woken: the store is only written to
	fatal     chan error
}

// serve runs until a signal, the end of ctx, or a failure. begun is called
// when requests are taken.
func (p *program) serve(ctx context.Context, s *settings, key string, begun func(*service)) (err error) {
	v, err := p.newService(s)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("--listen (CARILLON_LISTEN): %w", err)
	}
	served := make(chan error, 1)
	go func() { served <- v.server.Serve(listener) }()
	if err := v.start(key); err != nil {
		return errors.Join(err, v.shutdown(time.Second))
	}
	v.log.Info("ready", slog.String("address", listener.Addr().String()), slog.String("carrier", s.Carrier), slog.String("version", version()))
	if p.listening != nil {
		p.listening(listener.Addr().String())
	}
	if begun != nil {
		begun(v)
	}
	select {
	case <-ctx.Done():
		return v.stop()
	case sig := <-p.signals:
		v.log.Info("stopping", slog.String("signal", sig.String()))
		return v.stop()
	case err := <-served:
		return errors.Join(fmt.Errorf("http: %w", err), v.stop())
	case err := <-v.fatal:
		_ = v.shutdown(failStopGrace) // callers hear 503 unknown_outcome
		return storageError{err}
	}
}

// failStopGrace is how long the answers to callers may take when the disk has
// failed.
const failStopGrace = 500 * time.Millisecond

// newService makes everything that needs no store.
func (p *program) newService(s *settings) (*service, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	log, err := s.logger(p.stderr)
	if err != nil {
		return nil, err
	}
	if s.Seed == 0 {
		if s.Seed, err = machineSeed(); err != nil {
			return nil, err
		}
	}
	token, err := p.secret(secretTwilio)
	if err != nil {
		return nil, err
	}
	headers, err := p.secret(secretHTTPHeaders)
	if err != nil {
		return nil, err
	}
	other, err := p.secret(secretTwilioOther)
	if err != nil {
		return nil, err
	}
	v := &service{p: p, s: s, log: log, metrics: prometheus.NewRegistry(), fatal: make(chan error, 1)}
	v.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if v.carrier, err = newCarrier(s, carrierSecrets{token, headers}, &v.backend, log); err != nil {
		return nil, err
	}
	llmKey, err := p.secret(secretLLM)
	if err != nil {
		return nil, err
	}
	if v.composer, err = newComposer(&s.composerSettings, llmKey, log); err != nil {
		return nil, err
	}
	if v.notifier, err = p.newNotifier(&s.outboundSettings); err != nil {
		return nil, err
	}
	clientSecret, err := p.secret(secretGoogle)
	if err != nil {
		return nil, err
	}
	if v.calendars, err = newCalendars(s, clientSecret); err != nil {
		return nil, err
	}
	seal, err := p.newSeal()
	if err != nil {
		return nil, err
	}
	conf := httpapi.Config{
		Seal: seal, Channel: google.ParseToken, Backend: &v.backend, Hooks: hooks(token, other), PublicURL: s.PublicURL, DefaultRegion: s.DefaultRegion,
		Version: version(), Now: actors.SystemClock{}.Now, Logger: log, Registerer: v.metrics, Gatherer: v.metrics,
		OpenOutbox: s.OpenOutbox, AnswerKeywords: s.AnswerKeywords,
	}
	if v.carrier.sandbox != nil {
		conf.Outbox = outbox{v.carrier.sandbox}
	}
	v.server = httpapi.New(conf)
	return v, nil
}

// start opens the store and the node on it.
func (v *service) start(key string) error {
	store, err := wal.Open(v.s.DataDir, wal.Options{ReserveBytes: v.s.ReserveBytes})
	if err != nil {
		return storageError{err}
	}
	v.store = store
	conf := v.s.nodeConfig(v.carrier.sender, v.carrier.verifier)
	v.s.composerSettings.configure(&conf, v.composer)
	v.s.outboundSettings.configure(&conf, v.notifier)
	v.s.calendarSettings.configure(&conf, v.calendars)
	conf.Senders = v.carrier.senders
	conf.Log, conf.Logger, conf.Metrics = store, v.log, v.metrics
	conf.LowOnSpace, conf.Still = store.LowOnSpace, v.still
	conf.Fatal = func(err error) { v.fatal <- err }
	if v.node, err = actors.Start(conf); err != nil {
		return storageError{err}
	}
	if key != "" {
		v.node.AddKey(key, "admin")
	} else if v.node.KeyCount() == 0 {
		return usageError{fmt.Errorf("%s is missing: without an API key nobody could use this (or store one with carillon keys add)", secretAPIKey)}
	}
	v.backend.node.Store(v.node)
	return nil
}

// stop drains and closes in the order that loses nothing.
func (v *service) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), v.s.DrainTimeout)
	defer cancel()
	go func() { // a second signal is not patient
		select {
		case <-v.p.signals:
			v.log.Warn("stopping at once")
			cancel()
		case <-ctx.Done():
		}
	}()
	err := v.node.Stop(ctx)
	if err != nil {
		v.log.Warn("stopped before everything was done; what was in flight is looked into by the next start", slog.String("cause", err.Error()))
	}
	select {
	case err := <-v.fatal: // a write failed while we were stopping (W3)
		_ = v.shutdown(failStopGrace)
		return storageError{err}
	default:
	}
	return errors.Join(v.shutdown(time.Second), v.close())
}

// shutdown ends the HTTP face.
func (v *service) shutdown(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := v.server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func (v *service) close() error {
	if err := v.store.Close(); err != nil {
		return storageError{err}
	}
	v.log.Info("stopped")
	return nil
}
