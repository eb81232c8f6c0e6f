package httpapi

import (
	"context"
	_ "embed"
	"net/http"
	"strconv"
)

// outboxPage is how many messages the outbox shows if nobody says.
const outboxPage = 100

type outboxJSON struct {
	Items any `json:"items"`
}

// sandboxOutbox shows what the sandbox carrier was given, newest first, or with
// after what came behind a text, oldest first, for a reader that follows. The
// texts are people's, so that it takes a read key unless it was opened.
func (s *Server) sandboxOutbox(_ context.Context, r *request) (response, error) {
	if s.c.Outbox == nil {
		return response{}, noSandbox()
	}
	if !s.c.OpenOutbox {
		if err := s.authorize(&route{role: RoleRead}, r.role, r.offered); err != nil {
			return response{}, err
		}
	}
	limit := outboxPage
	if r.query.Get("limit") != "" {
		var err error
		if limit, err = r.page(); err != nil {
			return response{}, err
		}
	}
	if after := r.query.Get("after"); after != "" {
		seq, err := strconv.ParseUint(after, 10, 64)
		if err != nil {
			return response{}, invalid("after", codeInvalidField, "the seq of a text is needed, or 0")
		}
		return ok(outboxJSON{Items: s.c.Outbox.After(seq, limit)})
	}
	return ok(outboxJSON{Items: s.c.Outbox.Messages(limit)})
}

//go:embed sandbox.html
var sandboxHTML []byte

// sandboxPage is a page that reads the outbox again and again. It has no
// text of its own to protect.
func (s *Server) sandboxPage(context.Context, *request) (response, error) {
	if s.c.Outbox == nil {
		return response{}, noSandbox()
	}
	return response{
		status: http.StatusOK, contentType: "text/html; charset=utf-8", raw: sandboxHTML,
		policy: "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}

func noSandbox() *problem {
	return fail(http.StatusNotFound, codeNotFound, "the carrier of this instance is not the sandbox")
}
