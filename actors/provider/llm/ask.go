package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"

	"carillon/actors/provider"
	"carillon/engine"
)

const (
	temperature = 0.6
	maxTokens   = 100
	maxAnswer   = 64 << 10 // bytes of an answer that are read; a hundred tokens are a few hundred
)

// ask makes one request. What is billed is in the composition whatever comes
// of it; an answer that was lost is taken as billed.
func (c *Client) ask(ctx context.Context, b *engine.Brief) (provider.Composition, error) {
	body, err := c.request(b)
	if err != nil {
		return provider.Composition{}, failed(engine.ComposeRefused, "the request can't be written")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return provider.Composition{}, failed(engine.ComposeRefused, "the base URL can't be used")
	}
	req.GetBody = nil // or net/http may send it again on another connection
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.conf.APIKey)
	req.Header.Set("User-Agent", "carillon")
	resp, err := c.http.Do(req)
	if err != nil {
		return c.lost(ctx, len(body), err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		return provider.Composition{}, statusError(resp.StatusCode, text)
	case err != nil:
		return c.lost(ctx, len(body), err)
	case len(text) > maxAnswer:
		return c.estimate(len(body)), failed(engine.ComposeUnreadable, "the answer is too long")
	}
	return c.read(text, len(body))
}

// request is the body: DeepSeek, OpenRouter and OpenAI agree on these fields.
func (c *Client) request(b *engine.Brief) ([]byte, error) {
	user, err := data(b)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{
		"model": c.conf.Model, "temperature": temperature, "max_tokens": maxTokens, "stream": false,
		"messages": []message{{"system", system}, {"user", user}},
	}
	maps.Copy(fields, c.conf.ExtraBody)
	return json.Marshal(fields)
}

// lost sorts a request without an answer.
func (c *Client) lost(ctx context.Context, sent int, err error) (provider.Composition, error) {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" && ctx.Err() == nil {
		return provider.Composition{}, failed(engine.ComposeUnavailable, "no connection")
	}
	var timeout interface{ Timeout() bool }
	if ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		return c.estimate(sent), failed(engine.ComposeTimeout, "no answer in time")
	}
	return c.estimate(sent), failed(engine.ComposeUnavailable, "the connection broke")
}

// statusError sorts an answer that is none. Of its body only a code is kept:
// it may repeat what it was sent.
func statusError(status int, body []byte) error {
	o := engine.ComposeRefused
	switch {
	case status == http.StatusTooManyRequests:
		o = engine.ComposeThrottled
	case status >= 500, status == http.StatusRequestTimeout:
		o = engine.ComposeUnavailable
	}
	cause := "http " + strconv.Itoa(status)
	var e struct {
		Error struct {
			Code any    `json:"code"`
			Type string `json:"type"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) == nil {
		code, _ := e.Error.Code.(string)
		for _, word := range [...]string{code, e.Error.Type} {
			if plainCode(word) {
				return failed(o, cause+" "+word)
			}
		}
	}
	return failed(o, cause)
}

// plainCode reports a word that is a code and can't be anybody's text.
func plainCode(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// completion is an endpoint's answer. Usage has both ways of telling what was
// cached: DeepSeek's, and OpenAI's, which OpenRouter has too.
type completion struct {
	Model   string `json:"model"`
	Choices []struct {
		Message struct {
			Content *string `json:"content"`
		} `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
}

type usage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	CacheHit   int64 `json:"prompt_cache_hit_tokens"`
	Details    struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	Cost *float64 `json:"cost"` // US dollars, where the endpoint says
}

// read makes a composition of an answer.
func (c *Client) read(text []byte, sent int) (provider.Composition, error) {
	var a completion
	if err := json.Unmarshal(text, &a); err != nil {
		return c.estimate(sent), failed(engine.ComposeUnreadable, "the answer is not the JSON it should be")
	}
	out := c.estimate(sent)
	if a.Usage != nil {
		out = c.price(a.Usage)
	}
	if a.Model != "" {
		out.Model = a.Model[:min(len(a.Model), maxModel)]
	}
	if len(a.Choices) == 0 || a.Choices[0].Message.Content == nil {
		return out, failed(engine.ComposeUnreadable, "no text in the answer")
	}
	switch a.Choices[0].FinishReason {
	case "length":
		return out, failed(engine.ComposeInvalid, "cut off at the token limit")
	case "content_filter":
		return out, failed(engine.ComposeRefused, "content filter")
	}
	out.Text = *a.Choices[0].Message.Content
	return out, nil
}

const maxModel = 80 // bytes of a model's name
