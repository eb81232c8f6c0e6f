package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
)

// consoleHTML is the operator's page. It brings everything along, holds
// nothing of anybody, and asks for a key before it reads what the API shows.
//
//go:embed console.html
var consoleHTML []byte

// consolePolicy lets the page run its own script only: what people wrote is on
// it, and can't become one.
var consolePolicy = "default-src 'none'; script-src '" + hashOf(consoleHTML, "script") + "'; style-src 'unsafe-inline'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hashOf is an element's content as a policy names it.
func hashOf(page []byte, element string) string {
	_, rest, _ := bytes.Cut(page, []byte("<"+element+">"))
	content, _, _ := bytes.Cut(rest, []byte("</"+element+">"))
	sum := sha256.Sum256(content)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (s *Server) console(context.Context, *request) (response, error) {
	return response{status: http.StatusOK, contentType: "text/html; charset=utf-8", raw: consoleHTML, policy: consolePolicy}, nil
}
