package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"carillon/actors"
	"carillon/actors/provider"
	"carillon/actors/provider/llm"
)

// composerSettings say what writes the texts (X4).
type composerSettings struct {
	Composer       string        `group:"settings" default:"template" enum:"template,llm" help:"What writes the texts: ${enum}. llm asks a language model ahead of the send, and the template writes what it does not; docs/composer.md."`
	LLMBaseURL     string        `group:"settings" name:"llm-base-url" default:"https://api.deepseek.com" help:"OpenAI-compatible endpoint, without /chat/completions; the key is the secret CARILLON_LLM_API_KEY."`
	LLMModel       string        `group:"settings" name:"llm-model" default:"deepseek-flash" help:"Model that writes."`
	LLMTimeout     time.Duration `group:"settings" name:"llm-timeout" default:"5s" help:"How long the model may take for a text, up to 1m."`
	LLMAhead       time.Duration `group:"settings" name:"llm-ahead" default:"2m" help:"How long before it is due a text is asked for, 5s to 15m."`
	LLMConcurrency int           `group:"settings" name:"llm-concurrency" default:"8" help:"Texts that are asked for at a time."`
	LLMBudgetUSD   float64       `group:"settings" name:"llm-budget-usd" default:"5" help:"What the model may cost on a UTC day, in US dollars; above it the template writes. 0 is no limit."`
	LLMPrices      string        `group:"settings" name:"llm-prices" default:"0.003/0.15/0.60; Mon-Fri 01:00-04:00,06:00-10:00 0.006/0.30/1.20" help:"US dollars per million tokens, prompt from cache/prompt/output, and windows (UTC) with other prices. A cost that the endpoint reports is preferred."`
	LLMExtraBody   string        `group:"settings" name:"llm-extra-body" help:"JSON object merged into each request, such as {\"reasoning\":{\"enabled\":false}}. Empty: thinking is switched off at DeepSeek, and nothing added elsewhere."`
}

func (s *composerSettings) check() error {
	switch {
	case s.LLMTimeout <= 0 || s.LLMTimeout > time.Minute:
		return bad("llm-timeout", "a duration above 0 and up to 1m")
	case s.LLMAhead < 5*time.Second || s.LLMAhead > 15*time.Minute:
		return bad("llm-ahead", "5s to 15m")
	case s.LLMConcurrency < 1 || s.LLMConcurrency > 1000:
		return bad("llm-concurrency", "1 to 1000")
	case !(s.LLMBudgetUSD >= 0 && s.LLMBudgetUSD <= 1e6):
		return bad("llm-budget-usd", "0 for no limit, or US dollars up to a million")
	}
	return nil
}

// newComposer wires the composer of the settings; nil is the template.
func newComposer(s *composerSettings, key string, log *slog.Logger) (provider.Composer, error) {
	if s.Composer != "llm" {
		return nil, nil //nolint:nilnil // no composer is what the engine calls the template
	}
	if key == "" {
		return nil, usageError{fmt.Errorf("%s is missing; the composer llm needs it", secretLLM)}
	}
	prices, err := llm.ParsePrices(s.LLMPrices)
	if err != nil {
		return nil, usageError{fmt.Errorf("--llm-prices (CARILLON_LLM_PRICES): %w", err)}
	}
	var extra map[string]any
	if s.LLMExtraBody != "" {
		if err := json.Unmarshal([]byte(s.LLMExtraBody), &extra); err != nil || extra == nil {
			return nil, errors.Join(bad("llm-extra-body", "a JSON object"), err)
		}
	}
	c, err := llm.New(llm.Config{
		BaseURL: s.LLMBaseURL, APIKey: key, Model: s.LLMModel, ExtraBody: extra, Timeout: s.LLMTimeout,
		MaxConns: s.LLMConcurrency, Prices: prices, Now: actors.SystemClock{}.Now,
	})
	switch {
	case errors.Is(err, llm.ErrBaseURL):
		return nil, usageError{fmt.Errorf("--llm-base-url (CARILLON_LLM_BASE_URL): %w", err)}
	case err != nil:
		return nil, usageError{err}
	}
	if s.LLMPrices == llm.DefaultPrices && !llm.DefaultPriced(s.LLMBaseURL) {
		log.Warn("llm_prices are DeepSeek's and the endpoint is another: where it reports no cost, the budget is kept by them")
	}
	return c, nil
}

// configure sets what the engine needs of the composer.
func (s *composerSettings) configure(conf *actors.Config, c provider.Composer) {
	if c == nil {
		return
	}
	conf.Composer, conf.MaxComposes = c, s.LLMConcurrency
	conf.ComposeTimeout = s.LLMTimeout + time.Second
	conf.ComposeBudget = int64(s.LLMBudgetUSD * 1e6)
	conf.Policy.ComposeAhead = s.LLMAhead.Milliseconds()
}
