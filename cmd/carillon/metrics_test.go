package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scraped is what /metrics said after some traffic, and what is registered.
type scraped struct {
	text       string
	families   map[string]*dto.MetricFamily
	registered []string
}

// TestMetrics holds names, labels, rules, dashboard and documentation to the
// metrics of a running service (SPEC 12).
func TestMetrics(t *testing.T) {
	s := scrape(t)
	t.Run("every collector shows", s.everyCollectorShows)
	t.Run("names and units", s.namesAndUnits)
	t.Run("labels are closed sets", s.labelsAreClosed)
	t.Run("traffic is counted", s.trafficIsCounted)
	t.Run("rules and dashboard", s.onlyNameWhatExists)
	t.Run("documentation", s.documented)
}

// Ids and numbers that must not show in any label.
var people = map[string]string{
	"quentin-q": "+15555550181", "refused-r": "+15005550001", "walter-w": "+15555550182", "lost-l": "+15005550103",
}

// scrape starts a service, makes traffic of most kinds, and reads /metrics.
func scrape(t *testing.T) *scraped {
	t.Helper()
	c, v := startService(t)
	for id, phone := range people {
		c.person(t, id, phone)
		c.do(t, http.StatusCreated, "POST", "/v1/users/"+id+"/reminders", map[string]any{"text": "Now", "send_at": time.Now().UTC().Format(time.RFC3339)})
	}
	// Around noon, where he is: a lead before his midnight would belong to the day before.
	c.do(t, http.StatusOK, "PATCH", "/v1/users/walter-w", map[string]any{"timezone": noon(time.Now())})
	c.do(t, http.StatusCreated, "PUT", "/v1/users/walter-w/events/past", map[string]any{"title": "Past", "start": time.Now().Add(time.Minute).UTC().Format(time.RFC3339)})
	c.do(t, http.StatusOK, "POST", "/v1/users/walter-w/opt-out", map[string]any{"reason": "asked"})
	c.do(t, http.StatusNotFound, "GET", "/v1/users/nobody-n", nil)
	c.do(t, http.StatusForbidden, "POST", "/webhooks/twilio/status?user_id=quentin-q&message_id=m", nil, "Content-Type", "application/x-www-form-urlencoded")
	eventually(t, "delivered", 15*time.Second, func() bool { return c.reminders(t, "quentin-q")[0].Status == "delivered" })
	eventually(t, "refused", 15*time.Second, func() bool { return c.reminders(t, "refused-r")[0].Status == "failed" })
	c.do(t, http.StatusOK, "GET", "/metrics", nil) // so that the route itself is counted
	text := string(c.do(t, http.StatusOK, "GET", "/metrics", nil).body)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &scraped{text: text, families: families, registered: registered(v.metrics)}
}

// noon names a zone in which it is between 12:00 and 13:00.
func noon(now time.Time) string { return fmt.Sprintf("Etc/GMT%+d", now.UTC().Hour()-12) }

// startService runs serve in this process, with a carrier's token so that its
// webhooks are there.
func startService(t *testing.T) (*client, *service) {
	t.Helper()
	var cli struct{ settings }
	k, err := kong.New(&cli)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse([]string{"--listen", freeAddr(t), "--data-dir", t.TempDir(), "--log-level", "error"}); err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	p := &program{stdout: &errs, stderr: &errs, lookup: func(name string) (string, bool) {
		if name == secretTwilio {
			return "token", true
		}
		return "", false
	}}
	ctx, cancel := context.WithCancel(context.Background())
	begun, ended := make(chan *service, 1), make(chan error, 1)
	go func() { ended <- p.serve(ctx, &cli.settings, testKey, func(v *service) { begun <- v }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v: %s", err, errs.String())
		}
	})
	select {
	case v := <-begun:
		return &client{url: "http://" + cli.Listen}, v
	case err := <-ended:
		ended <- nil
		t.Fatalf("%v: %s", err, errs.String())
		return nil, nil
	}
}

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

// registered lists the names of all collectors, with children or without.
func registered(reg *prometheus.Registry) []string {
	descs := make(chan *prometheus.Desc)
	go func() { reg.Describe(descs); close(descs) }()
	names := map[string]bool{}
	for d := range descs {
		if m := fqName.FindStringSubmatch(d.String()); m != nil {
			names[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// A vector without children is not in the exposition, and rules on it see
// nothing: closed sets begin at 0, the others were made by the traffic.
func (s *scraped) everyCollectorShows(t *testing.T) {
	for _, name := range s.registered {
		if s.families[name] == nil && strings.HasPrefix(name, "carillon_") {
			t.Errorf("%s is registered and not shown", name)
		}
	}
	if len(s.registered) < 40 {
		t.Errorf("only %d collectors: %v", len(s.registered), s.registered)
	}
}

func (s *scraped) namesAndUnits(t *testing.T) {
	foreign := regexp.MustCompile(`_(ms|millis|milliseconds|micros|nanoseconds|minutes|hours|days|kb|mb|kilobytes|megabytes|percent|ratio_percent)(_|$)`)
	for name, f := range s.families {
		own := strings.HasPrefix(name, "carillon_")
		if !own {
			if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
				t.Errorf("%s: whose is it?", name)
			}
			continue
		}
		counter := f.GetType() == dto.MetricType_COUNTER
		if counter != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s: counters, and only they, end in _total", name, f.GetType())
		}
		if f.GetType() == dto.MetricType_HISTOGRAM && !strings.HasSuffix(name, "_seconds") && !strings.HasSuffix(name, "_records") {
			t.Errorf("%s has no base unit", name)
		}
		if foreign.MatchString(name) {
			t.Errorf("%s is not in a base unit", name)
		}
		if f.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
	}
}

// labelsAreClosed: nothing of a person is in a label, and no label can grow
// with what callers send.
func (s *scraped) labelsAreClosed(t *testing.T) {
	for id, phone := range people {
		for _, secret := range []string{id, strings.TrimPrefix(phone, "+"), "nobody-n"} {
			if strings.Contains(s.text, secret) {
				t.Errorf("%s is in the metrics", secret)
			}
		}
	}
	plain := regexp.MustCompile(`^([a-z_]*|GSM-7|UCS-2|[A-Z]+|[0-9]{3}|[0-9]{5}|/[a-z0-9_/{}:.-]*|)$`)
	series := 0
	for name, f := range s.families {
		if !strings.HasPrefix(name, "carillon_") {
			continue
		}
		series += len(f.GetMetric())
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if !plain.MatchString(l.GetValue()) {
					t.Errorf("%s{%s=%q}: not of a closed set", name, l.GetName(), l.GetValue())
				}
			}
		}
	}
	if series > 300 {
		t.Errorf("%d series", series)
	}
}

// trafficIsCounted: a metric that is there and never moves is worse than none.
func (s *scraped) trafficIsCounted(t *testing.T) {
	for _, want := range []struct {
		name, labels string
		least        float64
	}{
		{"carillon_users", "", 4},
		{"carillon_ready", "", 1},
		{"carillon_plan_runs_total", `cause="created",outcome="none"`, 4},
		{"carillon_plan_last_run_timestamp_seconds", "", 1.6e9},
		{"carillon_plan_run_duration_seconds_count", "", 4},
		{"carillon_reminders_total", `reason="delivered",status="delivered"`, 1},
		{"carillon_reminders_total", `reason="refused",status="failed"`, 1},
		{"carillon_reminders_skipped_total", `reason="lead_passed"`, 1},
		{"carillon_carrier_outcomes_total", `category="invalid_number",outcome="refused"`, 1},
		{"carillon_carrier_outcomes_total", `category="",outcome="delivered"`, 1},
		{"carillon_delivery_duration_seconds_count", "", 1},
		{"carillon_hand_over_lateness_seconds_count", "", 2},
		{"carillon_opt_outs_total", `by="api"`, 1},
		{"carillon_journal_commit_duration_seconds_count", "", 1},
		{"carillon_http_requests_total", `code="403",method="POST",route="/webhooks/twilio/status"`, 1},
	} {
		line := want.name
		if want.labels != "" {
			line += "{" + want.labels + "}"
		}
		var got float64
		if _, rest, found := strings.Cut(s.text, "\n"+line+" "); !found {
			t.Errorf("no line %s", line)
		} else if _, err := fmt.Sscan(rest, &got); err != nil || got < want.least {
			t.Errorf("%s is %v (%v), want %v or more", line, got, err, want.least)
		}
	}
}

const metricsDoc = "../../docs/metrics.md"

// documented: docs/metrics.md lists exactly the metrics that there are.
func (s *scraped) documented(t *testing.T) {
	const begin, end = "-update -->\n", "<!-- end -->"
	text, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the marks of the generated part are gone")
	}
	whole := head + begin + s.table() + end + tail
	if *update {
		if err := os.WriteFile(metricsDoc, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if whole != string(text) {
		t.Error("docs/metrics.md is not what there is; run with -update and look at the difference")
	}
}

func (s *scraped) table() string {
	var out strings.Builder
	out.WriteString("| metric | type | labels | what |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(s.families)) {
		f := s.families[name]
		if !strings.HasPrefix(name, "carillon_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", name, strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
	}
	return out.String()
}
