package httpapi

import (
	"log/slog"
	"testing"
)

// TestOfEvent: what ofEvent takes has the route and the ids that the router finds,
// and it takes what it is for.
func TestOfEvent(t *testing.T) {
	t.Parallel()
	s := New(Config{Logger: slog.New(slog.DiscardHandler)})
	for path, taken := range map[string]bool{
		"/v1/users/ann/events/e1": true, "/v1/users/a%2Fb/events/e%201": true, "/v1/users/events/events/events": true,
		"/v1/users/ann/events/": false, "/v1/users/ann/events": false, "/v1/users//events/e1": false, "/v1/users/ann/events/e1/": false,
		"/v1/users/ann/events/e1/x": false, "/v1/users/ann/events:sync": false, "/v1/users/ann/reminders/e1": false,
		"//v1/users/ann/events/e1": false, "/v1/users/ann//events/e1": false, "v1/users/ann/events/e1": false, "": false, "/v1/users/": false,
	} {
		for _, method := range []string{get, put, del, post, patch, "HEAD", "put"} {
			var quick segments
			rt := s.ofEvent(method, path, &quick)
			if is := taken && (method == get || method == put || method == del); is != (rt != nil) {
				t.Errorf("%s %s: taken: %t", method, path, rt != nil)
			}
			if rt == nil {
				continue
			}
			r := request{method: method, path: path}
			if want := s.ask(&r); rt != want || quick != r.ids {
				t.Errorf("%s %s: %v of %v, the router has %v of %v", method, path, quick, rt, r.ids, want)
			}
		}
	}
}
