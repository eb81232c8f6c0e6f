package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"carillon/actors/provider"
	"carillon/actors/provider/webhook"
	"carillon/engine"
)

// Secrets of 24 and 32 bytes.
const (
	secretA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secretB = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDCrRZ0FDBBFs="
)

func keys(t *testing.T, secrets ...string) webhook.Keys {
	t.Helper()
	k, err := webhook.ParseKeys(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTheirLibraryAndOurs: the reference library of standardwebhooks.com
// believes our signatures, each of two while one is rotated, and we believe
// its.
func TestTheirLibraryAndOurs(t *testing.T) {
	t.Parallel()
	body := []byte(`{"type":"reminder.sent","data":{"title":"Übung 🙂"}}`)
	now := time.Now()
	ours := keys(t, secretA, secretB).Sign("msg_1", now.Unix(), body)
	for _, secret := range []string{secretA, secretB} {
		theirs, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		h.Set("webhook-id", "msg_1")
		h.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
		h.Set("webhook-signature", ours)
		if err := theirs.Verify(body, h); err != nil {
			t.Errorf("they don't believe %s: %v", ours, err)
		}
		if err := theirs.Verify(append(body, ' '), h); err == nil {
			t.Error("they believe another body")
		}
		signature, err := theirs.Sign("msg_1", now, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys(t, secretA, secretB).Verify("msg_1", h.Get("webhook-timestamp"), signature, body, now.UnixMilli()); err != nil {
			t.Errorf("we don't believe %s: %v", signature, err)
		}
	}
}

// TestVectorOfTheSpecification holds the signature to bytes that were made
// elsewhere: `openssl dgst -sha256 -mac HMAC -macopt hexkey:…` over
// "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}".
func TestVectorOfTheSpecification(t *testing.T) {
	t.Parallel()
	got := keys(t, secretA).Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	k := keys(t, secretA)
	const now = 1_700_000_000
	body := []byte(`{}`)
	good := k.Sign("id", now, body)
	for name, c := range map[string]struct {
		id, timestamp, signature, body string
		now                            int64
		want                           error
	}{
		"good":                 {"id", "1700000000", good, "{}", now, nil},
		"five minutes later":   {"id", "1700000000", good, "{}", now + 300, nil},
		"a foreign one before": {"id", "1700000000", "v1a,xx v2,yy v1,AAAA " + good, "{}", now, nil},
		"too late":             {"id", "1700000000", good, "{}", now + 301, webhook.ErrTimestamp},
		"from the future":      {"id", "1700000000", good, "{}", now - 301, webhook.ErrTimestamp},
		"another body":         {"id", "1700000000", good, "{ }", now, webhook.ErrSignature},
		"another id":           {"ie", "1700000000", good, "{}", now, webhook.ErrSignature},
		"another time":         {"id", "1700000001", good, "{}", now, webhook.ErrSignature},
		"another secret":       {"id", "1700000000", keys(t, secretB).Sign("id", now, body), "{}", now, webhook.ErrSignature},
		"another version":      {"id", "1700000000", strings.Replace(good, "v1,", "v2,", 1), "{}", now, webhook.ErrSignature},
		"no id":                {"", "1700000000", good, "{}", now, webhook.ErrHeaders},
		"no time":              {"id", "soon", good, "{}", now, webhook.ErrHeaders},
		"no signature":         {"id", "1700000000", "", "{}", now, webhook.ErrHeaders},
	} {
		if err := k.Verify(c.id, c.timestamp, c.signature, []byte(c.body), c.now*1000); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := webhook.Keys(nil).Verify("id", "1700000000", good, body, now*1000); !errors.Is(err, webhook.ErrSignature) {
		t.Errorf("without a key: %v", err)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	if k, err := webhook.ParseKeys("", ""); len(k) != 0 || err != nil {
		t.Errorf("none: %v, %v", k, err)
	}
	for _, s := range []string{
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_%%%", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)),
		"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65)),
	} {
		if _, err := webhook.ParseKeys(s); !errors.Is(err, webhook.ErrSecret) || len(s) > 6 && strings.Contains(err.Error(), s) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// posted is what a receiver got.
type posted struct {
	header http.Header
	body   string
}

// notify has one notice told to a receiver that answers like that.
func notify(t *testing.T, answer http.HandlerFunc) (provider.Hearing, []posted) {
	t.Helper()
	var mu sync.Mutex
	var got []posted
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, posted{r.Header, string(body)})
		mu.Unlock()
		answer(w, r)
	}))
	defer s.Close()
	c := client(t, s.URL+"/in?a=b")
	out := c.Notify(t.Context(), provider.Notification{ID: "msg_1", Notice: engine.Notice{Type: engine.NoticeSent}})
	mu.Lock()
	defer mu.Unlock()
	return out, got
}

func client(t *testing.T, url string) *webhook.Client {
	t.Helper()
	c, err := webhook.New(webhook.Config{
		URL: url, Keys: keys(t, secretA), Now: func() int64 { return time.Now().UnixMilli() }, Timeout: 300 * time.Millisecond,
		Encode: func(n provider.Notification) ([]byte, error) { return []byte(`{"type":"` + n.Notice.Type + `"}`), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPostIsSigned(t *testing.T) {
	t.Parallel()
	out, got := notify(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	if out.Kind != provider.Heard || len(got) != 1 {
		t.Fatalf("%+v, %d posts", out, len(got))
	}
	theirs, err := standardwebhooks.NewWebhook(secretA)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.Verify([]byte(got[0].body), got[0].header); err != nil || got[0].body != `{"type":"reminder.sent"}` {
		t.Errorf("%q: %v", got[0].body, err)
	}
	if id, kind := got[0].header.Get("webhook-id"), got[0].header.Get("Content-Type"); id != "msg_1" || kind != "application/json" {
		t.Errorf("id %q, type %q", id, kind)
	}
}

// TestAnswers: what each answer means. None makes the client post again.
func TestAnswers(t *testing.T) {
	t.Parallel()
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   provider.HearingKind
		least  int64 // of RetryAfter
		most   int64
	}{
		"204":                   {status(204), provider.Heard, 0, 0},
		"a redirect":            {status(302, "Location", "http://127.0.0.1:1/"), provider.Declined, 0, 0},
		"400":                   {status(400), provider.Declined, 0, 0},
		"500":                   {status(500), provider.Declined, 0, 0},
		"410":                   {status(410), provider.Gone, 0, 0},
		"429":                   {status(429), provider.Busy, 0, 0},
		"429 and seconds":       {status(429, "Retry-After", "7"), provider.Busy, 7000, 7000},
		"429 and a date":        {status(429, "Retry-After", date), provider.Busy, 3_590_000, 3_600_000},
		"429 and the past":      {status(429, "Retry-After", "-7"), provider.Busy, 0, 0},
		"502":                   {status(502), provider.Unheard, 0, 0},
		"503":                   {status(503), provider.Unheard, 0, 0},
		"503 that names a time": {status(503, "Retry-After", "9"), provider.Busy, 9000, 9000},
		"hangs":                 {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, provider.Declined, 0, 0},
		"hangs up":              {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, provider.Unheard, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, got := notify(t, c.answer)
			if out.Kind != c.kind || out.RetryAfter < c.least || out.RetryAfter > c.most || len(got) != 1 {
				t.Errorf("%+v after %d posts", out, len(got))
			}
			if (out.Kind == provider.Heard) != (out.Cause == "") || strings.Contains(out.Cause, "127.0.0.1") {
				t.Errorf("cause %q", out.Cause)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	url := s.URL
	s.Close()
	if out := client(t, url).Notify(context.Background(), provider.Notification{}); out.Kind != provider.Unheard || !provider.NotConnected(out.Cause) {
		t.Errorf("%+v", out)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "example.org/hook", "ftp://example.org", "https://", "https://example.org/#x"} {
		if _, err := webhook.New(webhook.Config{URL: url, Keys: keys(t, secretA)}); !errors.Is(err, webhook.ErrURL) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := webhook.New(webhook.Config{URL: "https://example.org"}); !errors.Is(err, webhook.ErrNoKeys) {
		t.Errorf("without keys: %v", err)
	}
}
