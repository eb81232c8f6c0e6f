package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

const deployDir = "../../deploy/"

var (
	metricName = regexp.MustCompile(`\b(?:carillon|go|process)_[a-z0-9_]+\b`)
	selector   = regexp.MustCompile(`\b((?:carillon|go|process)_[a-z0-9_]+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
)

// onlyNameWhatExists: a rule or a panel on a metric, a label or a label value
// that is not there shows nothing for ever, and nobody notices.
func (s *scraped) onlyNameWhatExists(t *testing.T) {
	alerts := readAll(t, "prometheus/alerts.yml", "prometheus/alerts_test.yml", "prometheus/alerts_day_test.yml")
	panels := strings.Join(dashboardQueries(t), "\n")
	for _, name := range metricName.FindAllString(alerts+panels, -1) {
		if s.family(name) == nil {
			t.Errorf("%s does not exist", name)
		}
	}
	for _, sel := range selector.FindAllStringSubmatch(alerts+panels, -1) {
		if f := s.family(sel[1]); f != nil {
			s.matchersHold(t, f, sel[1], sel[2])
		}
	}
}

// matchersHold compares a selector with the label values that there are.
// Status codes and routes come with traffic, so those are not compared.
func (s *scraped) matchersHold(t *testing.T, f *dto.MetricFamily, name, sel string) {
	t.Helper()
	for _, m := range matcher.FindAllStringSubmatch(sel, -1) {
		label, value := m[1], m[3]
		if slices.Contains([]string{"job", "instance", "le", "quantile"}, label) {
			continue
		}
		values := map[string]bool{}
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				if l.GetName() == label {
					values[l.GetValue()] = true
				}
			}
		}
		if len(values) == 0 {
			t.Errorf("%s has no label %s", name, label)
		}
		for one := range strings.SplitSeq(value, "|") {
			if label != "code" && label != "route" && one != "" && !values[one] {
				t.Errorf("%s{%s=%q} is never there", name, label, one)
			}
		}
	}
}

// family finds what a series belongs to.
func (s *scraped) family(series string) *dto.MetricFamily {
	if f := s.families[series]; f != nil {
		return f
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		base, found := strings.CutSuffix(series, suffix)
		if f := s.families[base]; found && f != nil && (f.GetType() == dto.MetricType_HISTOGRAM || f.GetType() == dto.MetricType_SUMMARY) {
			return f
		}
	}
	return nil
}

func readAll(t *testing.T, names ...string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(deployDir + name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// dashboardQueries reads the dashboard, and says what Grafana would not.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	var board struct {
		UID        string
		Templating struct{ List []struct{ Name, Type string } }
		Panels     []struct {
			ID          int
			Type, Title string
			GridPos     struct{ H, W, X, Y int }
			Datasource  struct{ UID string }
			FieldConfig struct{ Defaults struct{ Unit string } }
			Options     struct{ YAxis struct{ Unit string } }
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readAll(t, "grafana/carillon.json")), &board); err != nil {
		t.Fatal(err)
	}
	if len(board.Templating.List) == 0 || board.Templating.List[0].Type != "datasource" {
		t.Error("the data source is no variable")
	}
	var queries []string
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q: id %d, place %+v", p.Title, p.ID, p.GridPos)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if p.Datasource.UID != "${datasource}" || p.FieldConfig.Defaults.Unit+p.Options.YAxis.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q: data source %q, unit %q, %d queries", p.Title, p.Datasource.UID, p.FieldConfig.Defaults.Unit, len(p.Targets))
		}
		for _, q := range p.Targets {
			queries = append(queries, q.Expr)
		}
	}
	return queries
}

// TestRules has promtool judge the alerts, their tests, and the dashboard's
// queries. It comes with Prometheus; .ci/run fetches it.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if promtool, err = filepath.Abs("../../bin/promtool"); err == nil {
			_, err = os.Stat(promtool)
		}
	}
	if err != nil {
		t.Skip("promtool is not on PATH: the rules are not judged by it")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(promtool, args...)
		cmd.Dir = deployDir + "prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	run("check", "rules", "alerts.yml")
	run("check", "config", "prometheus.yml")
	run("test", "rules", "alerts_test.yml", "alerts_day_test.yml")

	var rules strings.Builder
	rules.WriteString("groups: [{name: dashboard, rules: [\n")
	for i, q := range dashboardQueries(t) {
		q = strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*").Replace(q)
		fmt.Fprintf(&rules, "{record: 'q:%d', expr: %q},\n", i, q)
	}
	rules.WriteString("]}]\n")
	file := filepath.Join(dir, "dashboard.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run("check", "rules", file)
}

// Every alert has a severity, says what to do, and has its section in the
// runbook and its line in the documentation.
func TestAlertsAreDocumented(t *testing.T) {
	alerts := readAll(t, "prometheus/alerts.yml")
	runbook, docs := readAll(t, "../docs/operations.md"), readAll(t, "../docs/metrics.md")
	blocks := strings.Split(alerts, "- alert: ")[1:]
	if len(blocks) < 15 {
		t.Fatalf("only %d alerts", len(blocks))
	}
	for _, b := range blocks {
		name, rest, _ := strings.Cut(b, "\n")
		for _, part := range []string{"severity: ", "summary: ", "description: ", "docs/operations.md#" + strings.ToLower(name)} {
			if !strings.Contains(rest, part) {
				t.Errorf("%s: no %s", name, part)
			}
		}
		if !strings.Contains(runbook, "\n### "+name+"\n") || !strings.Contains(docs, "| `"+name+"` |") {
			t.Errorf("%s is not in docs/operations.md or docs/metrics.md", name)
		}
	}
}
