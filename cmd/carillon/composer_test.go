package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const llmKey = "sk-test-0123456789"

// endpoint is an OpenAI-compatible server that writes what it is told to.
func endpoint(t *testing.T, write func(event map[string]any) string) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		var body struct {
			Model    string
			Messages []struct{ Role, Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer "+llmKey || len(body.Messages) != 2 {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"no such key: `+llmKey+`","code":"invalid_api_key"}}`)
			return
		}
		var event map[string]any
		if err := json.Unmarshal([]byte(body.Messages[1].Content), &event); err != nil {
			t.Errorf("the event is not JSON: %s", body.Messages[1].Content)
		}
		answer, _ := json.Marshal(write(event))
		_, _ = fmt.Fprintf(w, `{"model":%q,"choices":[{"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],
			"usage":{"prompt_tokens":400,"completion_tokens":20,"prompt_cache_hit_tokens":300,"prompt_cache_miss_tokens":100}}`, body.Model, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", asked
}

// llmReminder is what the API shows of a composed one.
type llmReminder struct {
	Status       string
	Text         string
	GeneratedVia string `json:"generated_via"`
	LLM          *struct {
		Model            string
		Outcome          string
		CostUSD          float64 `json:"cost_usd"`
		PromptTokens     int     `json:"prompt_tokens"`
		CompletionTokens int     `json:"completion_tokens"`
	}
}

// remind walks a person to a reminder that is due in two seconds, and returns
// it when it has left.
func (c *client) remind(t *testing.T, title string) llmReminder {
	t.Helper()
	c.person(t, "ada", "+4915550100001")
	due := time.Now().Add(2 * time.Second).Truncate(time.Millisecond)
	start := due.Add(15 * time.Minute).UTC().Format("2006-01-02T15:04:05.000Z07:00")
	c.do(t, http.StatusCreated, "PUT", "/v1/users/ada/events/e1", map[string]any{"title": title, "start": start, "location": "Room 4"})
	var page struct{ Items []llmReminder }
	eventually(t, "sent", 15*time.Second, func() bool {
		page.Items = nil
		c.do(t, http.StatusOK, "GET", "/v1/users/ada/reminders", nil).into(t, &page)
		return len(page.Items) == 1 && (page.Items[0].Status == "sent" || page.Items[0].Status == "delivered")
	})
	return page.Items[0]
}

// X4: from the event to a text that a model wrote, with what it cost.
func TestComposerWrites(t *testing.T) {
	url, asked := endpoint(t, func(e map[string]any) string {
		return fmt.Sprintf("Almost time: %s starts %s in %s.", e["title"], e["when"], e["location"])
	})
	c := startProgram(t, map[string]string{
		"CARILLON_COMPOSER": "llm", "CARILLON_LLM_BASE_URL": url, "CARILLON_LLM_API_KEY": llmKey, "CARILLON_LLM_MODEL": "test-model",
		"CARILLON_LLM_PRICES": "0.01/0.2/1",
	})
	r := c.remind(t, "Review")
	if r.Text != "Almost time: Review starts in 15 mins in Room 4." || r.GeneratedVia != "llm" || asked.Load() != 1 {
		t.Errorf("%+v after %d requests", r, asked.Load())
	}
	if l := r.LLM; l == nil || l.Model != "test-model" || l.Outcome != "ok" || l.CostUSD != 0.000043 || l.PromptTokens != 400 || l.CompletionTokens != 20 {
		t.Errorf("llm %+v", l)
	}
	text := string(c.do(t, http.StatusOK, "GET", "/metrics", nil).body)
	for _, want := range []string{
		`carillon_composer_outcomes_total{outcome="ok"} 1`, `carillon_messages_composed_total{encoding="GSM-7",via="llm"} 1`,
		"carillon_composer_cost_usd_total 4.3e-05", "carillon_composer_budget_usd 5", "carillon_composer_breaker_open 0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if timeline := string(c.do(t, http.StatusOK, "GET", "/v1/users/ada/timeline", nil).body); !strings.Contains(timeline, `"text_composed"`) {
		t.Errorf("the timeline lacks it: %s", timeline)
	}
}

// A key that the endpoint refuses is told once, without the key, and loses
// nothing.
func TestComposerWithAWrongKey(t *testing.T) {
	url, _ := endpoint(t, func(map[string]any) string { return "" })
	c, errs := startProgramLog(t, map[string]string{
		"CARILLON_COMPOSER": "llm", "CARILLON_LLM_BASE_URL": url, "CARILLON_LLM_API_KEY": "sk-wrong", "CARILLON_LOG_LEVEL": "warn",
	})
	r := c.remind(t, "Review")
	if r.Text != "Review in 15 mins @ Room 4" || r.GeneratedVia != "template" || r.LLM == nil || r.LLM.Outcome != "refused" {
		t.Errorf("%+v, llm %+v", r, r.LLM)
	}
	if log := errs(); !strings.Contains(log, `composer fails; the template writes" outcome=refused cause="http 401 invalid_api_key"`) || strings.Contains(log, "sk-") {
		t.Errorf("log:\n%s", log)
	}
}

// A missing key or a bad setting stops the start by name.
func TestComposerSettings(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"CARILLON_LLM_API_KEY is missing": {"CARILLON_COMPOSER": "llm"},
		"--llm-ahead":                     {"CARILLON_LLM_AHEAD": "1h"},
		"--llm-timeout":                   {"CARILLON_LLM_TIMEOUT": "0s"},
		"--llm-concurrency":               {"CARILLON_LLM_CONCURRENCY": "0"},
		"--llm-budget-usd":                {"CARILLON_LLM_BUDGET_USD": "-1"},
		"--llm-prices":                    {"CARILLON_COMPOSER": "llm", "CARILLON_LLM_API_KEY": "k", "CARILLON_LLM_PRICES": "cheap"},
		"--llm-extra-body":                {"CARILLON_COMPOSER": "llm", "CARILLON_LLM_API_KEY": "k", "CARILLON_LLM_EXTRA_BODY": "[]"},
		"--llm-base-url":                  {"CARILLON_COMPOSER": "llm", "CARILLON_LLM_API_KEY": "k", "CARILLON_LLM_BASE_URL": "example.com"},
		"--composer":                      {"CARILLON_COMPOSER": "poet"},
	} {
		var out strings.Builder
		p := &program{stdout: &out, stderr: &out, lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
		code := p.run(context.Background(), []string{"serve", "--data-dir", t.TempDir(), "--listen", freeAddr(t)})
		if text := out.String(); code != exitUsage || !strings.Contains(text, want) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", want, code, text)
		}
	}
}

// X4: with an endpoint that hangs, breaks, lies and costs too much by turns,
// all leave with a good text, and no later than by template.
func TestBadComposerDelaysNobody(t *testing.T) {
	const people = 200
	var n atomic.Int32
	free := make(chan struct{})
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const usage = `"usage":{"prompt_tokens":400,"completion_tokens":20}}`
		switch n.Add(1) % 6 {
		case 0:
			select {
			case <-free:
			case <-r.Context().Done():
			}
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			_, _ = io.WriteString(w, strings.Repeat("<garbage>", 20_000))
		case 3:
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"Review in 2 hours, pay at http://evil.example"}}],`+usage)
		case 4:
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"Your Review starts in 15 mins"}}],"usage":{"prompt_tokens":400,"completion_tokens":20,"cost":0.9}}`)
		default:
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"Your Review starts in 15 mins"}}],`+usage)
		}
	}))
	t.Cleanup(bad.Close)
	t.Cleanup(func() { close(free) })
	// What else the machine does may fall on one of the two; who delays does so
	// each time.
	delays := 0
	for range 3 {
		late := map[string]float64{}
		for _, composer := range []string{"template", "llm"} {
			c := startProgram(t, map[string]string{
				"CARILLON_COMPOSER": composer, "CARILLON_LLM_BASE_URL": bad.URL, "CARILLON_LLM_API_KEY": llmKey, "CARILLON_LLM_TIMEOUT": "1s",
			})
			late[composer] = c.rush(t, people)
		}
		t.Logf("p99 of lateness: template under %gs, bad llm under %gs, %d requests", late["template"], late["llm"], n.Load())
		if late["llm"] <= max(2*late["template"], 1) { // a bucket more is the machine's
			break
		}
		delays++
	}
	if delays == 3 {
		t.Error("reminders wait for a bad composer")
	}
	if n.Load() == 0 {
		t.Error("nobody was asked")
	}
}

// rush has all people's reminders leave at once, looks at the texts, and
// returns the bucket that the p99 of their lateness is in.
func (c *client) rush(t *testing.T, people int) (p99 float64) {
	t.Helper()
	began := time.Now()
	for i := range people {
		c.person(t, fmt.Sprint("u", i), fmt.Sprintf("+49155501%05d", i))
	}
	// An event is one request where a person is two: on a slow machine there is
	// twice the time that they need.
	room := max(time.Since(began), 3*time.Second)
	due := time.Now().Add(room).Truncate(time.Millisecond)
	start := due.Add(15 * time.Minute).UTC().Format("2006-01-02T15:04:05.000Z07:00")
	for i := range people {
		c.do(t, http.StatusCreated, "PUT", fmt.Sprintf("/v1/users/u%d/events/e1", i), map[string]any{"title": "Review", "start": start})
	}
	if late := time.Since(due); late > 0 {
		t.Fatalf("the machine is too slow: it took %v to put %d events", room+late, people)
	}
	for i := range people {
		eventually(t, "sent", 20*time.Second, func() bool {
			var page struct{ Items []llmReminder }
			c.do(t, http.StatusOK, "GET", fmt.Sprintf("/v1/users/u%d/reminders", i), nil).into(t, &page)
			if len(page.Items) != 1 {
				t.Fatalf("%d reminders", len(page.Items))
			}
			r := page.Items[0]
			if r.Text != "Review in 15 mins" && r.Text != "Your Review starts in 15 mins" {
				t.Fatalf("text %q", r.Text)
			}
			return r.Status == "sent" || r.Status == "delivered"
		})
	}
	text := string(c.do(t, http.StatusOK, "GET", "/metrics", nil).body)
	for line := range strings.Lines(text) {
		var upTo float64
		var count int
		if _, err := fmt.Sscanf(line, "carillon_hand_over_lateness_seconds_bucket{le=%q} %d", new(string), &count); err != nil {
			continue
		}
		_, rest, _ := strings.Cut(line, `le="`)
		if _, err := fmt.Sscan(strings.SplitN(rest, `"`, 2)[0], &upTo); err == nil && count >= people-people/100 {
			return upTo
		}
	}
	t.Fatalf("no lateness:\n%s", text)
	return 0
}
