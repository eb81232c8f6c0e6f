package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

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
	if rt.role == RoleNone { // webhooks are signed
		r.uri = string(ctx.RequestURI())
		r.signature = string(h.Peek("X-Twilio-Signature"))
		r.webhook = webhookHeader{string(h.Peek("webhook-id")), string(h.Peek("webhook-timestamp")), string(h.Peek("webhook-signature"))}
		r.channel = channelHeader{string(h.Peek("X-Goog-Channel-ID")), string(h.Peek("X-Goog-Channel-Token")), string(h.Peek("X-Goog-Resource-State"))}
	}
	var unread error
	if query := ctx.URI().QueryString(); len(query) > 0 {
		r.query, unread = url.ParseQuery(string(query))
	}
	if err := framing(h); err != nil {
		ctx.SetConnectionClose() // nobody knows where the next request begins
		return err
	}
	authorization := string(h.Peek("Authorization"))
	r.role, r.offered = s.role(authorization), authorization != ""
	if err := s.authorize(rt, r.role, r.offered); err != nil {
		return err
	}
	if err := r.names(); err != nil {
		return err
	}
	if unread != nil && rt.role != RoleNone { // a deletion would lose its version
		return fail(http.StatusBadRequest, codeBadRequest, errQuery.Error())
	}
	if r.contentType = jsonType; string(h.ContentType()) != jsonType {
		r.contentType = string(h.ContentType())
	}
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
	return r.readBody(ctx, limit)
}

// framing refuses two answers to "how long is the body": front ends and we
// might believe different ones (RFC 9112, 6.3).
func framing(h *fasthttp.RequestHeader) error {
	var length, chunked bool
	for line := range bytes.Lines(h.RawHeaders()) {
		if c := line[0] | 0x20; c != 'c' && c != 't' {
			continue
		}
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
func (r *request) readBody(ctx *fasthttp.RequestCtx, limit int) error {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		r.body = bytes.Clone(ctx.Request.Body())
		return nil
	}
	length := ctx.Request.Header.ContentLength()
	if length > limit {
		return tooLarge(limit)
	}
	if length >= 0 {
		return r.readExactly(stream, length)
	}
	body, err := io.ReadAll(io.LimitReader(stream, int64(limit)+1))
	if err != nil {
		return unreadableProblem(err)
	}
	if len(body) > limit {
		return tooLarge(limit)
	}
	r.body = body
	return nil
}

// readExactly reads a body whose length was told.
func (r *request) readExactly(stream io.Reader, length int) error {
	if cap(r.room) < length {
		r.room = make([]byte, length)
	}
	body := r.room[:length]
	switch _, err := io.ReadFull(stream, body); {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fail(http.StatusBadRequest, codeBadRequest, "the body ended before its Content-Length")
	case err != nil:
		return unreadableProblem(err)
	}
	r.body, r.whole = body, true
	return nil
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
