package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/actors/provider/twilio/twiliotest"
)

const (
	crowd     = 50 // people
	crowdEach = 40 // texts each
	crowdHang = 1  // people whose creates are carried out and not answered in time
	crowdLost = 4  // people whose creates are carried out and whose answers are lost
)

// fateOf is what callbacks say of the n-th text, in the order in which Twilio
// would, and how its reminder ends.
func fateOf(n int) (statuses []string, code int, end string) {
	switch n % 4 {
	case 0, 1:
		return []string{"queued", "sent", "delivered"}, 0, "delivered (delivered)"
	case 2:
		return []string{"sent", "undelivered"}, 30007, "failed (undelivered)"
	}
	return []string{"sending", "sent"}, 0, "sent (accepted)"
}

// TestTenThousandCallbacks: 10,000 signed callbacks in any order, each twice,
// some before the answer to their create and some instead of it. States are
// right, and what is counted is exact (D1, D2).
func TestTenThousandCallbacks(t *testing.T) {
	t.Parallel()
	w := startCarrier(t, map[string]string{"CARILLON_RECONCILE_AFTER": "1h", "CARILLON_SEND_TIMEOUT": "1m", "CARILLON_MAX_SENDS": "128"})
	w.fillCrowd(t)
	const texts = crowd * crowdEach
	eventually(t, "all texts at Twilio", 30*time.Second, func() bool { return len(w.stub.Messages()) == texts })
	eventually(t, "the lost answers", 30*time.Second, func() bool { return w.metric(t, "carillon_messages_uncertain") == crowdLost*crowdEach })
	if n := w.metric(t, "carillon_outbox_sending"); n < crowdHang*crowdEach {
		t.Errorf("only %v hand-overs wait for their answer: the callbacks come before none", n)
	}
	if n := w.bringAll(t); n != 10_000 {
		t.Errorf("%d callbacks", n)
	}
	w.stub.HangUp()
	eventually(t, "the answers that never come", 30*time.Second, func() bool { return w.metric(t, "carillon_outbox_sending") == 0 })
	for u := range crowd {
		for _, r := range w.reminders(t, fmt.Sprintf("u%d", u)) {
			_, _, want := fateOf(textNumber(r.Text))
			if got := fmt.Sprintf("%s (%s)", r.Status, r.Reason); got != want {
				t.Errorf("%s of %s: %s, want %s", r.Text, fmt.Sprintf("u%d", u), got, want)
			}
		}
	}
	w.countExactly(t, map[string]float64{
		`carillon_callbacks_total{status="queued"}`:                                              texts,
		`carillon_callbacks_total{status="sending"}`:                                             texts / 2,
		`carillon_callbacks_total{status="sent"}`:                                                2 * texts,
		`carillon_callbacks_total{status="delivered"}`:                                           texts,
		`carillon_callbacks_total{status="undelivered"}`:                                         texts / 2,
		`carillon_callbacks_unknown_total{kind="status"}`:                                        0,
		`carillon_carrier_outcomes_total{category="",outcome="accepted"}`:                        texts,
		`carillon_carrier_outcomes_total{category="",outcome="uncertain"}`:                       crowdLost * crowdEach,
		`carillon_carrier_outcomes_total{category="",outcome="delivered"}`:                       texts / 2,
		`carillon_carrier_outcomes_total{category="filtered",outcome="undelivered"}`:             texts / 4,
		`carillon_reminders_total{reason="accepted",status="sent"}`:                              texts,
		`carillon_reminders_total{reason="delivered",status="delivered"}`:                        texts / 2,
		`carillon_reminders_total{reason="undelivered",status="failed"}`:                         texts / 4,
		`carillon_delivery_duration_seconds_count`:                                               texts / 2,
		`carillon_messages_uncertain`:                                                            0,
		`carillon_http_requests_total{code="204",method="POST",route="/webhooks/twilio/status"}`: 10_000,
	})
	if n := w.stub.Creates(); n != texts {
		t.Errorf("%d creates for %d texts", n, texts)
	}
}

func (w *carrierWorld) countExactly(t *testing.T, want map[string]float64) {
	t.Helper()
	text := string(w.do(t, http.StatusOK, "GET", "/metrics", nil).body)
	for name, n := range want {
		if got := metricIn(t, text, name); got != n {
			t.Errorf("%s is %v, want %v", name, got, n)
		}
	}
}

// fillCrowd has everybody's texts due at once.
func (w *carrierWorld) fillCrowd(t *testing.T) {
	t.Helper()
	var lines []string
	for u := range crowd {
		id, to := fmt.Sprintf("u%d", u), fmt.Sprintf("+1555030%04d", u)
		w.person(t, id, to)
		switch {
		case u < crowdHang:
			w.stub.FaultFor(to, twiliotest.Hang().Accepted())
		case u < crowdHang+crowdLost:
			w.stub.FaultFor(to, twiliotest.Drop().Accepted())
		}
		for n := range crowdEach {
			line, err := json.Marshal(map[string]any{"method": http.MethodPost, "path": "/v1/users/" + id + "/reminders", "body": map[string]any{
				"text": fmt.Sprintf("Text %d", n), "send_at": time.Now().UTC().Format(time.RFC3339),
			}})
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
	}
	for len(lines) > 0 {
		part := lines[:min(len(lines), 1000)]
		lines = lines[len(part):]
		w.batch(t, part)
	}
}

func (w *carrierWorld) batch(t *testing.T, lines []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.url+"/v1/batch", strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || strings.Count(string(body), `"status":201`) != len(lines) {
		t.Fatalf("batch: %d, %v, %.300s", resp.StatusCode, err, body)
	}
}

func textNumber(text string) int {
	var n int
	_, _ = fmt.Sscanf(text, "Text %d", &n)
	return n
}

// bringAll brings every callback twice, in no order, and returns how many
// there were.
func (w *carrierWorld) bringAll(t *testing.T) int {
	t.Helper()
	var all []*http.Request
	for _, m := range w.stub.Messages() {
		statuses, code, _ := fateOf(textNumber(m.Body))
		for _, s := range statuses {
			for range 2 {
				c := 0
				if s == "undelivered" {
					c = code
				}
				req, err := w.stub.Callback(context.Background(), m.SID, s, c)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, req)
			}
		}
	}
	seed := rand.Uint64()
	t.Logf("shuffled with seed %d", seed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	const hands = 32
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: hands}}
	defer web.CloseIdleConnections()
	var wg sync.WaitGroup
	for h := range hands {
		wg.Go(func() {
			for i := h; i < len(all); i += hands {
				resp, err := web.Do(all[i])
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusNoContent {
					t.Errorf("callback: %d", resp.StatusCode)
				}
			}
		})
	}
	wg.Wait()
	return len(all)
}
