package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"carillon/engine"
)

// TestConsole: the page needs no key and holds nothing of anybody; its policy
// lets its own script run and no other, and everything it uses is on it.
func TestConsole(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	a := h.call("GET", "/console", "", "Authorization: ").is(200)
	page := string(a.raw)
	if kind := a.header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Errorf("Content-Type is %q", kind)
	}
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(page)
	if len(script) != 2 || strings.Count(page, "<script") != 1 {
		t.Fatal("one script is to be on the page")
	}
	sum := sha256.Sum256([]byte(script[1]))
	policy := a.header.Get("Content-Security-Policy")
	if want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(policy, want) || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the policy is %s, want %s", policy, want)
	}
	for _, foreign := range []string{"://", "src=", "href=", "@import", "url(", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage"} {
		if strings.Contains(page, foreign) {
			t.Errorf("%q is on the page", foreign)
		}
	}
	if regexp.MustCompile(`<[^>]* on\w+=`).MatchString(page) {
		t.Error("a handler is in the markup; the policy would not let it run")
	}
	for _, id := range regexp.MustCompile(`\bat\("(\w+)"\)`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+id[1]+`"`) {
			t.Errorf("the script looks for %s", id[1])
		}
	}
}

// TestConsoleKnowsEveryReason: "why" is what the page is for.
func TestConsoleKnowsEveryReason(t *testing.T) {
	t.Parallel()
	page := string(open(t, nil).call("GET", "/console", "").is(200).raw)
	seen := 0
	for r := engine.ReasonNone + 1; r.String() != "unknown"; r++ {
		seen++
		if !regexp.MustCompile(`\b` + r.String() + `: "`).MatchString(page) {
			t.Errorf("%s has no words", r)
		}
	}
	if seen < 30 {
		t.Errorf("%d reasons", seen)
	}
}
