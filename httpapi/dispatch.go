package httpapi

import (
	"context"
	"net/http"
)

// dispatch carries out a request that was read and authorized: from the wire
// or from a line of a batch.
func (s *Server) dispatch(ctx context.Context, rt *route, r *request) (response, error) {
	if err := checkKey(r.key); err != nil {
		return response{}, err
	}
	if len(r.body) > 0 {
		switch {
		case rt.body == bodyJSON && !isJSON(r.contentType):
			return response{}, fail(http.StatusUnsupportedMediaType, codeMediaType, "Content-Type must be application/json")
		case rt.body == bodyNDJSON && !isNDJSON(r.contentType):
			return response{}, fail(http.StatusUnsupportedMediaType, codeMediaType, "Content-Type must be application/x-ndjson")
		}
	}
	return rt.handle(s, ctx, r)
}
