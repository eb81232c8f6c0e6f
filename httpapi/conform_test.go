package httpapi_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// described is the OpenAPI document as served, with a matcher for each path.
type described struct {
	doc   *openapi3.T
	paths []describedPath
}

type describedPath struct {
	path  string
	match *regexp.Regexp
	names []string
}

var (
	documentOnce sync.Once
	document     *described
)

// loadDocument reads the document from a house, once.
func loadDocument(h *house) *described {
	h.t.Helper()
	documentOnce.Do(func() {
		resp, err := h.client.Get("http://carillon/openapi.json")
		if err != nil {
			h.t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			h.t.Fatal(err)
		}
		doc, err := openapi3.NewLoader().LoadFromData(raw)
		if err != nil {
			h.t.Fatal(err)
		}
		d := &described{doc: doc}
		for path := range doc.Paths.Map() {
			p := describedPath{path: path}
			pattern := regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(path, func(name string) string {
				p.names = append(p.names, strings.Trim(name, "{}"))
				return `([^/]+)`
			})
			p.match = regexp.MustCompile("^" + pattern + "$")
			d.paths = append(d.paths, p)
		}
		document = d
	})
	if document == nil {
		h.t.Fatal("there is no document")
	}
	return document
}

// route finds what is said of a request; nil for one that has no route.
func (d *described) route(req *http.Request) (*routers.Route, map[string]string) {
	for _, p := range d.paths {
		values := p.match.FindStringSubmatch(req.URL.EscapedPath())
		if values == nil {
			continue
		}
		item := d.doc.Paths.Value(p.path)
		op := item.GetOperation(req.Method)
		if op == nil {
			return nil, nil
		}
		params := map[string]string{}
		for i, name := range p.names {
			params[name] = values[i+1]
		}
		return &routers.Route{Spec: d.doc, Path: p.path, PathItem: item, Method: req.Method, Operation: op}, params
	}
	return nil, nil
}

// conform holds an exchange to the document: an answer always, a request if
// it was taken. Every call of every test goes through it.
func (h *house) conform(req *http.Request, body string, a answer) {
	h.t.Helper()
	route, params := loadDocument(h).route(req)
	if route == nil {
		return
	}
	req = req.Clone(h.t.Context())
	req.Body = io.NopCloser(strings.NewReader(body))
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route, QueryParams: req.URL.Query(),
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, SkipSettingDefaults: true,
			ExcludeRequestBody:  !jsonLike(req.Header.Get("Content-Type")),
			ExcludeResponseBody: !jsonLike(a.header.Get("Content-Type")),
		},
	}
	for name, v := range in.QueryParams {
		if v[0] == "" { // an empty parameter is an absent one
			in.QueryParams.Del(name)
		}
	}
	if a.status < 300 {
		if err := openapi3filter.ValidateRequest(h.t.Context(), in); err != nil {
			h.t.Errorf("%s %s is taken, but not described: %v\n%s", req.Method, req.URL, err, body)
		}
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.status, Header: a.header,
		Body: io.NopCloser(strings.NewReader(string(a.raw))), Options: in.Options,
	}
	if err := openapi3filter.ValidateResponse(h.t.Context(), out); err != nil {
		h.t.Errorf("the answer to %s %s is not as described: %v\n%d %s", req.Method, req.URL, err, a.status, a.raw)
	}
}

func jsonLike(contentType string) bool {
	return strings.HasPrefix(contentType, "application/") && strings.Contains(contentType, "json") && !strings.Contains(contentType, "ndjson")
}

// TestConformBites: the check that all tests rest on finds what is wrong.
func TestConformBites(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	d := loadDocument(h)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://carillon/v1/users/ann", nil)
	if err != nil {
		t.Fatal(err)
	}
	route, params := d.route(req)
	for _, c := range []struct {
		status int
		body   string
	}{{200, `{}`}, {200, `{"user_id":1}`}, {418, `{}`}} {
		in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route}
		err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: c.status, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(c.body)), Options: &openapi3filter.Options{IncludeResponseStatus: true},
		})
		if err == nil {
			t.Errorf("%d %s passes", c.status, c.body)
		}
	}
}
