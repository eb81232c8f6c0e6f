package httpapi

import (
	"net/http"
	"strings"
	"time"
)

// role returns what the key of an Authorization header may do.
func (s *Server) role(authorization string) Role {
	scheme, key, _ := strings.Cut(authorization, " ")
	key = strings.TrimSpace(key)
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return RoleNone
	}
	role, ok := s.c.Backend.Role(key)
	if !ok {
		return RoleNone
	}
	return role
}

// authorize refuses a role that may not use a route.
func (s *Server) authorize(rt *route, role Role, offered bool) error {
	switch {
	case role >= rt.role:
		return nil
	case role != RoleNone:
		return fail(http.StatusForbidden, codeForbidden, "this key may not do that; it needs a role that may")
	}
	if ready, _ := s.c.Backend.Ready(); !ready && offered {
		// The keys may not be known yet: "wrong key" could be untrue.
		return &notReadyError{}
	}
	p := fail(http.StatusUnauthorized, codeUnauthorized, "an API key is needed: Authorization: Bearer KEY")
	p.challenge = `Bearer realm="carillon"`
	if offered {
		p.Detail, p.challenge = "this API key is not known", `Bearer realm="carillon", error="invalid_token"`
	}
	return p
}

// notReadyError is the fault of a server that does not know its keys yet.
type notReadyError struct{}

func (*notReadyError) Error() string                  { return "httpapi: not ready" }
func (*notReadyError) Fault() (string, time.Duration) { return codeRecovering, time.Second }
