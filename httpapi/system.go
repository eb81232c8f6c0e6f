package httpapi

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v3"
)

type healthJSON struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

// healthz says that the process answers; nothing more.
func (s *Server) healthz(context.Context, *request) (response, error) {
	return ok(healthJSON{Status: "ok", Version: s.c.Version})
}

type readyJSON struct {
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty"`
}

// readyz says whether requests are taken: not before recovery is done, not
// while draining. A sender that can't send is no reason to take none, but it
// is told.
func (s *Server) readyz(context.Context, *request) (response, error) {
	ready, why := s.c.Backend.Ready()
	if !ready {
		return response{status: http.StatusServiceUnavailable, body: readyJSON{Why: why}}, nil
	}
	return ok(readyJSON{Ready: true, Why: why})
}

//go:embed openapi.yaml
var openapiYAML []byte

// openapiJSON is the document as served. It is written in YAML because people
// read and write it; what its parts share is under x-anchors there.
var openapiJSON = sync.OnceValues(func() ([]byte, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(openapiYAML, &doc); err != nil {
		return nil, err
	}
	delete(doc, "x-anchors")
	return json.Marshal(doc)
})

func (s *Server) openapi(context.Context, *request) (response, error) {
	doc, err := openapiJSON()
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, contentType: "application/json", raw: doc}, nil
}
