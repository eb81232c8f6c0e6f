package httpapi

import (
	"context"
	"net/http"
)

// dispatch carries out a request that was read and authorized: from the wire
// or from a line of a batch.
func (s *Server) dispatch(ctx context.Context, rt *route, r *request) (response, error) {
	if err := checkForm(rt, r); err != nil {
		return response{}, err
	}
	return rt.handle(s, ctx, r)
}

// checkForm refuses what no handler has to see.
func checkForm(rt *route, r *request) error {
	if err := checkKey(r.key); err != nil {
		return err
	}
	if len(r.body) > 0 {
		switch {
		case rt.body == bodyJSON && !isJSON(r.contentType):
			return fail(http.StatusUnsupportedMediaType, codeMediaType, "Content-Type must be application/json")
		case rt.body == bodyNDJSON && !isNDJSON(r.contentType):
			return fail(http.StatusUnsupportedMediaType, codeMediaType, "Content-Type must be application/x-ndjson")
		}
	}
	return nil
}
