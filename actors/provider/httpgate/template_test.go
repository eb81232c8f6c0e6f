package httpgate

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"carillon/actors/provider"
)

// FuzzFill: whatever a title holds, the body stays the document that the
// template is, with the text in its one place.
func FuzzFill(f *testing.F) {
	for _, s := range []string{`plain`, `"},{"to":"+1`, `{to}{text}`, "\\\n\u2028\x00", `&to=+1`, "é🎉", `</text>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("texts are valid UTF-8 when they get here")
		}
		value := values(provider.Message{To: "+15551230000", Text: text}, "", 0)
		var doc map[string]string
		body := cut(`{"to": "{to}", "text": "{text}"}`).fill(escapeFor("application/json; charset=utf-8"), value)
		if err := json.Unmarshal([]byte(body), &doc); err != nil || len(doc) != 2 || doc["text"] != text || doc["to"] != "+15551230000" {
			t.Errorf("%q: %v, %v", body, doc, err)
		}
		form, err := url.ParseQuery(cut(`to={to}&text={text}`).fill(escapeFor("application/x-www-form-urlencoded"), value))
		if err != nil || len(form) != 2 || form.Get("text") != text {
			t.Errorf("%v, %v", form, err)
		}
		if h := cut("a {text}").fill(headerEscape, value); strings.ContainsAny(h, "\r\n\x00") {
			t.Errorf("header %q", h)
		}
	})
}

func TestPaths(t *testing.T) {
	doc, ok := document([]byte(`{"a":{"b":[{"id":12345678901234567890},{"id":"x"}],"a/b":true},"n":null}`))
	if !ok {
		t.Fatal("not JSON")
	}
	for path, want := range map[string]string{
		"a.b.0.id": "12345678901234567890", "/a/b/1/id": "x", "/a/a~1b": "true", "a.b.2.id": "", "a.b.x": "", "a": "", "n": "", "": "", "a.b.-1.id": "",
	} {
		if got := at(doc, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if _, ok := document([]byte(`{} {}`)); ok {
		t.Error("two documents are no answer")
	}
}

func TestInstants(t *testing.T) {
	for s, want := range map[string]int64{"1796000000": 1796000000000, "1796000000123": 1796000000123, "2026-11-30T06:13:20Z": 1796019200000, "0": 0, "soon": 0} {
		got, ok := instant(s)
		if got != want || ok != (want != 0) {
			t.Errorf("%s: %d, %v, want %d", s, got, ok, want)
		}
	}
}
