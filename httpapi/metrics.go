package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"carillon/engine"
)

// metrics of this package. Labels are routes' patterns and closed sets, never
// what a caller sent.
type metrics struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	panics    prometheus.Counter
	callbacks *prometheus.CounterVec
	unknown   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_http_requests_total", Help: "HTTP requests by route, method and status code.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carillon_http_request_duration_seconds", Help: "Time from a request's header to its answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carillon_http_panics_total", Help: "HTTP handlers that panicked.",
		}),
		callbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_callbacks_total", Help: "Status callbacks taken, by message status.",
		}, []string{"status"}),
		unknown: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_callbacks_unknown_total", Help: "Webhooks for a user or message that is not known: carrier's (status, inbound), or one change of a calendar's.",
		}, []string{"kind"}),
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.duration, m.panics, m.callbacks, m.unknown)
	}
	for _, kind := range []string{"status", "inbound", "calendar"} {
		m.unknown.WithLabelValues(kind)
	}
	for _, status := range []engine.MessageStatus{
		engine.MessageQueued, engine.MessageSending, engine.MessageSent, engine.MessageDelivered,
		engine.MessageUndelivered, engine.MessageFailed, engine.MessageCanceled,
	} {
		m.callbacks.WithLabelValues(status.String())
	}
	return m
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	m.series(route, method, status).observe(took)
}

// series are what an answer of a route counts in.
type series struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

func (m *metrics) series(route, method string, status int) *series {
	return &series{m.requests.WithLabelValues(route, method, strconv.Itoa(status)), m.duration.WithLabelValues(route)}
}

func (s *series) observe(took time.Duration) {
	s.requests.Inc()
	s.duration.Observe(took.Seconds())
}

// answered counts an answer of a route. Where labels lead is kept for what went
// well: to look them up costs more than to count.
func (m *metrics) answered(rt *served, status int, took time.Duration) {
	i := status - http.StatusOK
	if i < 0 || i >= len(rt.good) {
		m.observe(rt.pattern, rt.method, status, took)
		return
	}
	counts := rt.good[i].Load()
	if counts == nil {
		counts = m.series(rt.pattern, rt.method, status)
		rt.good[i].Store(counts)
	}
	counts.observe(took)
}

// methodLabel bounds what a caller can make up.
func methodLabel(method string) string {
	if slices.Contains([]string{get, http.MethodHead, post, put, patch, del, http.MethodOptions}, method) {
		return method
	}
	return "other"
}

// metricsText writes the metrics in Prometheus' text format. client_golang's
// own handler is net/http's, and the adaptor to it buffers twice.
func (s *Server) metricsText(context.Context, *request) (response, error) {
	if s.c.Gatherer == nil {
		return response{}, fail(http.StatusNotFound, codeNotFound, "metrics are switched off")
	}
	families, err := s.c.Gatherer.Gather()
	if err != nil {
		return response{}, err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var out bytes.Buffer
	e := expfmt.NewEncoder(&out, format)
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			return response{}, err
		}
	}
	return response{status: http.StatusOK, contentType: string(format), raw: out.Bytes()}, nil
}
