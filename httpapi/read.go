package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/valyala/fasthttp"
)

// maxDrained is how much of a refused body is read off the wire. Closing
// with bytes unread resets the connection, and the refusal may be lost on
// its way (RFC 9112, 9.6).
const maxDrained = 64 << 20

// read copies what a handler may want out of fasthttp's buffers. The key is
// checked before the body is read.
func (s *Server) read(ctx *fasthttp.RequestCtx, rt *route, r *request) error {
	h := &ctx.Request.Header
	r.uri = string(ctx.RequestURI())
	r.splitURI()
	if err := framing(h); err != nil {
		ctx.SetConnectionClose() // nobody knows where the next request begins
		return err
	}
	authorization := string(h.Peek("Authorization"))
	r.role, r.offered = s.role(authorization), authorization != ""
	if err := s.authorize(rt, r.role, r.offered); err != nil {
		return err
	}
	if err := rt.names(r, ctx); err != nil {
		return err
	}
	r.contentType = string(h.ContentType())
	r.signature = string(h.Peek("X-Twilio-Signature"))
	r.webhook = webhookHeader{string(h.Peek("webhook-id")), string(h.Peek("webhook-timestamp")), string(h.Peek("webhook-signature"))}
	if rt.method == post {
		r.key = string(h.Peek("Idempotency-Key"))
	}
	if rt.body == bodyNone {
		return nil
	}
	if coding := string(h.ContentEncoding()); coding != "" && coding != "identity" {
		return fail(http.StatusUnsupportedMediaType, codeMediaType, "bodies are taken without Content-Encoding")
	}
	limit := s.c.MaxBodyBytes
	if rt.large {
		limit = s.c.MaxLargeBodyBytes
	}
	body, err := readBody(ctx, limit)
	r.body = body
	return err
}

// framing refuses two answers to "how long is the body": front ends and we
// might believe different ones (RFC 9112, 6.3).
func framing(h *fasthttp.RequestHeader) error {
	var length, chunked bool
	for line := range bytes.Lines(h.RawHeaders()) {
		name, _, _ := bytes.Cut(line, []byte{':'})
		length = length || bytes.EqualFold(name, []byte("Content-Length"))
		chunked = chunked || bytes.EqualFold(name, []byte("Transfer-Encoding"))
	}
	if length && chunked {
		return fail(http.StatusBadRequest, codeBadRequest, "the request has both Content-Length and Transfer-Encoding")
	}
	return nil
}

// readBody reads a body of at most so many bytes.
func readBody(ctx *fasthttp.RequestCtx, limit int) ([]byte, error) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return bytes.Clone(ctx.Request.Body()), nil
	}
	length := ctx.Request.Header.ContentLength()
	if length > limit {
		return nil, tooLarge(limit)
	}
	var out bytes.Buffer
	if length > 0 {
		out.Grow(length + bytes.MinRead)
	}
	_, err := out.ReadFrom(io.LimitReader(stream, int64(limit)+1))
	if err != nil {
		return nil, unreadableProblem(err)
	}
	if out.Len() > limit {
		return nil, tooLarge(limit)
	}
	if out.Len() < length {
		return nil, fail(http.StatusBadRequest, codeBadRequest, "the body ended before its Content-Length")
	}
	return out.Bytes(), nil
}

func tooLarge(limit int) *problem {
	return fail(http.StatusRequestEntityTooLarge, codeBodyTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit))
}

// drain reads what is left of a body, within reason and the read time-out.
func (s *Server) drain(ctx *fasthttp.RequestCtx) {
	stream := ctx.RequestBodyStream()
	if stream == nil || ctx.Response.ConnectionClose() {
		return
	}
	if ctx.Request.Header.ContentLength() > maxDrained {
		ctx.SetConnectionClose()
		return
	}
	if n, err := io.CopyN(io.Discard, stream, maxDrained); err == nil && n == maxDrained || err != nil && !errors.Is(err, io.EOF) {
		ctx.SetConnectionClose()
	}
}
