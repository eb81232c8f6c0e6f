package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// drive is what an operator does at the console, as a script behind the page's
// own: it gives the key and looks at a person.
const drive = `<script>
  at("key").value = "` + testKey + `"; at("sign").requestSubmit();
  const wait = setInterval(() => { if (!at("all").hidden) { clearInterval(wait); at("user").value = "ada"; at("find").requestSubmit(); } }, 20);
</script></html>`

// TestConsoleInABrowser has a browser open the console of a running engine and
// holds what an operator would see to what happened.
func TestConsoleInABrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not on PATH: the console's script is not run; httpapi.TestConsole looks at the page")
	}
	c := startProgram(t, nil)
	c.person(t, "ada", "+15550100001")
	c.do(t, http.StatusCreated, "POST", "/v1/users/ada/reminders", map[string]any{"text": "<b>Now</b>", "send_at": time.Now().UTC().Format(time.RFC3339)})
	c.do(t, http.StatusCreated, "PUT", "/v1/users/ada/events/e1", map[string]any{"title": "Dinner", "start": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "response": "declined"})
	eventually(t, "delivered", 15*time.Second, func() bool { return c.reminders(t, "ada")[0].Status == "delivered" })
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		req, _ := http.NewRequestWithContext(r.Context(), r.Method, c.url+r.URL.RequestURI(), bytes.NewReader(body))
		req.Header = r.Header
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(resp.Body)
		if r.URL.Path == "/console" { // without its policy, which would not let our script in
			text = bytes.Replace(text, []byte("</html>"), []byte(drive), 1)
		}
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = w.Write(text)
	}))
	defer front.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + t.TempDir(), "--virtual-time-budget=8000", "--window-size=1200,1500"}
	if out := os.Getenv("CARILLON_TEST_SCREENSHOT"); out != "" {
		if err := exec.CommandContext(ctx, browser, append(args, "--screenshot="+out, front.URL+"/console")...).Run(); err != nil {
			t.Fatal(err)
		}
	}
	dom, err := exec.CommandContext(ctx, browser, append(args, "--dump-dom", front.URL+"/console")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, seen, _ := strings.Cut(string(dom), "</style>")
	seen, _, _ = strings.Cut(seen, "<script>")
	for _, want := range []string{
		`<span id="state" class="pill good">running</span>`, "+15550100001", "&lt;b&gt;Now&lt;/b&gt;", ">delivered<", "it arrived",
		"hand over started", "the person declined the invitation", "Pause sending", "Hold reminders back",
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if t.Failed() {
		t.Log(seen)
	}
}
